//! Times walks on every engine here, and prints walker-steps a second:
//!
//!     cargo bench --bench walks
//!
//! 65,536 walkers on the cosine field `2 cos 2 pi x + cos 2 pi y`, 101 x 101 points, T = 1, from its
//! middle: the Metropolis walk on the lattice, and the Langevin walk in its bilinear potential.
//! Engines and walks take turns, so that a noisy machine disturbs all alike. Medians.

use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{GpuEngine, list_adapters};
use morphscape::landscape::{Chain, Potential, bilinear_cells, largest_time_step};
use morphscape::pipeline::{Motion, Starts, WalkPlan, walk};
use std::f64::consts::TAU;
use std::ops::ControlFlow;
use std::time::Instant;

const ROUNDS: usize = 9;
const WALKERS: u32 = 1 << 16;

fn main() {
    let points = 101;
    let values = (0..points * points)
        .map(|k| {
            let (x, y) = ((k % points) as f64 / 100.0, (k / points) as f64 / 100.0);
            2.0 * (TAU * x).cos() + (TAU * y).cos()
        })
        .collect();
    let potential = Potential::new(values, [points; 2], 0.01).expect("finite");
    let free = vec![false; points * points];
    let chain = Chain::metropolis(&potential, 1.0).expect("T = 1");
    let lattice = Motion::Lattice {
        entries: chain.entries(&free),
        strides: [1, points as i32],
    };
    let dt = 0.25 * largest_time_step(&potential, 1.0).expect("T = 1");
    let (cells, step) = bilinear_cells(&potential, 1.0, dt, &free).expect("small steps");
    let langevin = Motion::Langevin { cells, step };
    let start = Starts::At([50.0, 50.0]);

    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(CpuEngine::new())];
    for adapter in list_adapters() {
        let engine = GpuEngine::open(Some(&adapter.name)).expect("a listed adapter opens");
        engines.push(Box::new(engine));
    }
    let cases: Vec<(usize, &str, &Motion)> = (0..engines.len())
        .flat_map(|e| [(e, "lattice", &lattice), (e, "langevin", &langevin)])
        .collect();
    let mut rates = vec![Vec::new(); cases.len()];
    for round in 0..=ROUNDS {
        for (case, &(engine, _, motion)) in cases.iter().enumerate() {
            let steps = 1024;
            let job = WalkPlan {
                motion,
                starts: &start,
                walkers: WALKERS,
                steps,
                seed: 1,
                moments_at: &[],
                occupation_at: &[],
                targets: &[],
                shape: [0, 0],
            };
            let begun = Instant::now();
            let go_on = |_| ControlFlow::Continue(());
            walk(engines[engine].as_ref(), &job, &go_on).expect("it runs");
            // The first round compiles shaders and warms up.
            if round > 0 {
                let work = f64::from(WALKERS) * f64::from(steps);
                rates[case].push(work / begun.elapsed().as_secs_f64());
            }
        }
    }
    println!("{:<44} {:>10} {:>20}", "engine", "walk", "walker-steps/s");
    for ((engine, name, _), mut rates) in cases.into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        let info = engines[engine].info();
        let engine = format!("{}: {}", info.engine, info.adapter);
        println!("{engine:<44} {name:>10} {:>20.3e}", rates[rates.len() / 2]);
    }
}
