//! Times the paper's image job and its kernels on every engine here, and prints a table:
//!
//!     cargo bench --bench job
//!
//! Engines and samplings take turns, so that a noisy machine disturbs all alike. Medians.

use morphscape::data::{Image, fashion_mnist};
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{GpuEngine, list_adapters};
use morphscape::kernels::{FrameJob, PairJob, Recording, Sampling, WarpGeometry, row_stride};
use morphscape::landscape::{Landscape, Permutation, Triple, choose_triples, measure_triple};
use morphscape::mesh::lattice_scale;
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{
    Frames, GridJob, MorphMode, MorphSettings, compute_landscapes, pair_mesh,
};
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::time::Instant;

const ROUNDS: usize = 9;
const FRAMES: usize = 4096;

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds of one run of what `record` adds to a recording: the difference between recording
/// it many times and once, so that uploads and start-up fall out.
fn kernel_seconds(engine: &dyn Engine, record: impl Fn(&mut Recording, usize)) -> f64 {
    const REPEATS: usize = 6;
    let time = |repeats: usize| {
        let mut recording = Recording::new();
        record(&mut recording, repeats);
        let start = Instant::now();
        engine.run(&recording).expect("the engine runs");
        start.elapsed().as_secs_f64()
    };
    time(1);
    let differences = (0..ROUNDS).map(|_| time(1 + REPEATS) - time(1)).collect();
    median(differences) / REPEATS as f64
}

/// Every measure of every landscape, as a run takes them.
fn measure_all(landscapes: &[Landscape], triples: &[Triple]) {
    landscapes
        .par_chunks_exact(3)
        .zip(triples)
        .for_each(|(landscapes, triple)| {
            let mut n = 0;
            let named = Permutation::ALL.map(|permutation| {
                n += 1;
                (&landscapes[n - 1], permutation.arrange(triple.classes))
            });
            std::hint::black_box(measure_triple(named));
        });
}

fn main() {
    let set = fashion_mnist();
    let model = bundled_fashion_mnist();
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(CpuEngine::new())];
    for adapter in list_adapters() {
        engines.push(Box::new(
            GpuEngine::open(Some(&adapter.name)).expect("a listed adapter opens"),
        ));
    }
    println!(
        "the paper's job: 30 landscapes, 13,230 frames, items in memory to probabilities in memory; median of {ROUNDS}\n"
    );
    println!(
        "{:<44} {:>8} {:>12} {:>14}",
        "engine", "sampling", "compute_s", "frames/s"
    );
    let labels: Vec<usize> = (0..set.len()).map(|i| set.label(i)).collect();
    let triples = choose_triples(&labels, 10, 5, &[], 1).expect("Fashion-MNIST has ten classes");
    let images: Vec<[Image; 3]> = triples
        .iter()
        .flat_map(|triple| {
            Permutation::ALL.map(|permutation| {
                permutation
                    .arrange(triple.items)
                    .map(|item| set.image(item).expect("held in memory"))
            })
        })
        .collect();
    let jobs: Vec<GridJob<'_>> = images
        .iter()
        .map(|[a, b, c]| GridJob::new([a, b, c]))
        .collect();
    let cases: Vec<(usize, Sampling)> = (0..engines.len())
        .flat_map(|e| [(e, Sampling::Cubic), (e, Sampling::Linear)])
        .collect();
    let mut seconds = vec![Vec::new(); cases.len()];
    let mut measuring = Vec::new();
    for round in 0..=ROUNDS {
        for (case, &(engine, sampling)) in cases.iter().enumerate() {
            let settings = MorphSettings::new(21, 3, MorphMode::Clean(sampling));
            let start = Instant::now();
            let landscapes = compute_landscapes(
                engines[engine].as_ref(),
                &model,
                &settings,
                &jobs,
                Frames::Drop,
                &|_| ControlFlow::Continue(()),
            )
            .expect("the job runs");
            // The first round compiles shaders and warms up.
            if round > 0 {
                seconds[case].push(start.elapsed().as_secs_f64());
            }
            if case == 0 {
                let start = Instant::now();
                measure_all(&landscapes, &triples);
                if round > 0 {
                    measuring.push(start.elapsed().as_secs_f64());
                }
            }
        }
    }
    for ((engine, sampling), seconds) in cases.iter().zip(seconds) {
        let info = engines[*engine].info();
        let seconds = median(seconds);
        let name = format!("{}: {}", info.engine, info.adapter);
        println!(
            "{name:<44} {:>8} {seconds:>12.3} {:>14.0}",
            format!("{sampling:?}").to_lowercase(),
            13230.0 / seconds
        );
    }

    println!(
        "\nall measures of the 30 landscapes: {:.1} ms",
        1e3 * median(measuring)
    );

    println!("\nkernels on {FRAMES} frames of 28 x 28, one grid row after the other\n");
    println!(
        "{:<44} {:>14} {:>12} {:>14}",
        "engine", "kernel", "ms", "frames/s"
    );
    let (left, right) = (
        set.image(0).expect("held in memory"),
        set.image(1).expect("held in memory"),
    );
    let mesh = pair_mesh(&left, &right, 3).expect("28 x 28 fits a grid of 3");
    let alphas: Vec<f64> = (1..20).map(|i| f64::from(i) / 20.0).collect();
    let scale = lattice_scale(28, 28, &alphas);
    let frame_jobs: Vec<FrameJob> = (0..FRAMES)
        .map(|k| FrameJob::new(0, alphas[k % alphas.len()]))
        .collect();
    let two: Vec<f32> = left.levels.iter().chain(&right.levels).copied().collect();
    let many: Vec<f32> = (0..FRAMES)
        .flat_map(|k| set.image(k).expect("held in memory").levels)
        .collect();
    for engine in &engines {
        let info = engine.info();
        let warp = |sampling| {
            kernel_seconds(engine.as_ref(), |recording, repeats| {
                let images = recording.upload("bench.images", &two);
                let geometry = WarpGeometry {
                    shape: [28, 28, 1],
                    scale,
                    sampling,
                };
                for _ in 0..repeats {
                    recording.warp(
                        images,
                        2,
                        &geometry,
                        &[PairJob {
                            left: 0,
                            right: 1,
                            mesh: &mesh,
                        }],
                        &frame_jobs,
                    );
                }
            })
        };
        let spline = kernel_seconds(engine.as_ref(), |recording, repeats| {
            let images = recording.upload("bench.images", &many);
            for _ in 0..repeats {
                recording.spline(images, FRAMES, [28, 28, 1]);
            }
        });
        // The bundled model begins with a dense layer.
        let layer = &model.steps()[0].layer;
        let dense = kernel_seconds(engine.as_ref(), |recording, repeats| {
            let x = recording.upload("bench.x", &many);
            for _ in 0..repeats {
                layer.record(recording, &[x], FRAMES);
            }
        });
        let softmax = kernel_seconds(engine.as_ref(), |recording, repeats| {
            let logits = recording.upload("bench.logits", &many[..FRAMES * row_stride(10)]);
            for _ in 0..repeats {
                recording.softmax(logits, FRAMES, 10);
            }
        });
        let kernels = [
            ("warp cubic", warp(Sampling::Cubic)),
            ("warp linear", warp(Sampling::Linear)),
            ("spline", spline),
            ("dense 784-128", dense),
            ("softmax", softmax),
        ];
        for (kernel, seconds) in kernels {
            let name = format!("{}: {}", info.engine, info.adapter);
            println!(
                "{name:<44} {kernel:>14} {:>12.3} {:>14.0}",
                1e3 * seconds,
                FRAMES as f64 / seconds
            );
        }
    }
}
