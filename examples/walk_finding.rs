//! Does a walk's exponent track how rough its landscape is? Walks on all 30 landscapes of the
//! paper's job, on bowls, and on fractals of known roughness; prints a table of the walks as CSV
//! and rank correlations, and writes the figure of docs/walks.md:
//!
//!     cargo run --release --example walk_finding -- FIGURE.svg

use morphscape::data::{Image, fashion_mnist};
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::landscape::{
    Chain, Landscape, Permutation, Potential, choose_triples, exponent, item_basin,
    laplacian_roughness, mean_first_passage, measure_paths, surface_roughness,
};
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{
    Frames, GridJob, MorphMode, MorphSettings, Motion, Starts, WalkPlan, compute_landscapes,
    log_spaced, walk,
};
use morphscape::plot::{TrackingPanel, TrackingPoint, tracking_plot};
use std::ops::ControlFlow;

const STEPS: usize = 21;
const WALKERS: u32 = 100_000;
const LENGTH: u32 = 1000;

/// A walk and what it is held against.
struct Walked {
    name: String,
    kind: usize,
    alpha: f64,
    error: f64,
    /// Mean steps until the basin of B, exactly.
    passage: Option<f64>,
    /// Roughness of U: `Sq`, `L`.
    roughness: [f64; 2],
    /// Total variation, curvature, label changes, of landscapes.
    measures: Option<[f64; 3]>,
}

/// The exponent of Metropolis walkers on a potential at T = 1, from uniform starts.
fn walked(name: String, kind: usize, potential: &Potential, target: Option<&[bool]>) -> Walked {
    let chain = Chain::metropolis(potential, 1.0).expect("T = 1");
    let [rows, columns] = potential.shape();
    let points = rows * columns;
    let place = |k: usize| [(k % columns) as f32, (k / columns) as f32];
    let motion = Motion::Lattice {
        entries: chain.entries(&vec![false; points]),
        strides: [1, columns as i32],
    };
    let starts = Starts::AnyOf((0..points).map(place).collect());
    let lags = log_spaced(LENGTH, 8);
    let job = WalkPlan {
        motion: &motion,
        starts: &starts,
        walkers: WALKERS,
        steps: LENGTH,
        seed: 1,
        moments_at: &lags,
        occupation_at: &[],
        targets: &[],
        shape: [0, 0],
    };
    let go_on = |_| ControlFlow::Continue(());
    let record = walk(&CpuEngine::new(), &job, &go_on).expect("it runs");
    let msd: Vec<f64> = record.moments.iter().map(|at| at.msd).collect();
    let fit = exponent(&lags, &msd, LENGTH).expect("enough lags");
    let passage = target.and_then(|target| {
        let times = mean_first_passage(&chain, target).ok()?;
        let outside: Vec<f64> = (0..points)
            .filter(|&k| !target[k])
            .map(|k| times[k])
            .collect();
        Some(outside.iter().sum::<f64>() / outside.len() as f64)
    });
    let u = potential.values();
    Walked {
        name,
        kind,
        alpha: fit.alpha,
        error: fit.standard_error,
        passage,
        roughness: [
            surface_roughness(u, [rows, columns]),
            laplacian_roughness(u, [rows, columns]),
        ]
        .map(|roughness| roughness.expect("large enough")),
        measures: None,
    }
}

fn landscapes() -> Vec<(String, [usize; 3], Landscape)> {
    let set = fashion_mnist();
    let labels: Vec<usize> = (0..set.len()).map(|item| set.label(item)).collect();
    let triples = choose_triples(&labels, 10, 5, &[], 1).expect("Fashion-MNIST has ten classes");
    let named: Vec<(String, [usize; 3], [Image; 3])> = triples
        .iter()
        .flat_map(|triple| {
            Permutation::ALL.map(|permutation| {
                (
                    format!("{}.{}", triple.name, permutation.number()),
                    permutation.arrange(triple.classes),
                    permutation
                        .arrange(triple.items)
                        .map(|item| set.image(item).expect("held in memory")),
                )
            })
        })
        .collect();
    let jobs: Vec<GridJob<'_>> = named
        .iter()
        .map(|(_, _, [a, b, c])| GridJob::new([a, b, c]))
        .collect();
    let settings = MorphSettings::new(STEPS, 3, MorphMode::Clean(Sampling::Cubic));
    let go_on = |_| ControlFlow::Continue(());
    let model = bundled_fashion_mnist();
    let computed = compute_landscapes(
        &CpuEngine::new(),
        &model,
        &settings,
        &jobs,
        Frames::Drop,
        &go_on,
    );
    named
        .iter()
        .zip(computed.expect("the job runs"))
        .map(|((name, classes, _), landscape)| (name.clone(), *classes, landscape))
        .collect()
}

/// Average ranks, ties sharing theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count() as f64;
            let equal = values.iter().filter(|other| *other == value).count() as f64;
            below + (equal - 1.0) / 2.0
        })
        .collect()
}

/// Spearman's rank correlation.
fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let (mut products, mut squares) = (0.0, [0.0; 2]);
    for (a, b) in a.iter().zip(&b) {
        products += (a - mean) * (b - mean);
        squares[0] += (a - mean).powi(2);
        squares[1] += (b - mean).powi(2);
    }
    products / (squares[0] * squares[1]).sqrt()
}

fn main() {
    let figure = std::env::args().nth(1);
    let landscapes = landscapes();
    let kinds = [
        "landscapes, -ln p of C",
        "landscapes, -margin",
        "flat square",
        "bowls",
        "fractals, H = 0.3",
        "fractals, H = 0.5",
        "fractals, H = 0.8",
    ]
    .map(str::to_owned);
    let mut walks = Vec::new();
    for (kind, of) in [
        (0, Potential::of_class as fn(&Landscape, usize) -> _),
        (1, |l, _| Potential::of_margin(l)),
    ] {
        for (name, classes, landscape) in &landscapes {
            let potential = of(landscape, classes[2]).expect("finite logits");
            let target = item_basin(landscape, 1);
            let measures = measure_paths(landscape, *classes).expect("no frame fails");
            let mut walked = walked(name.clone(), kind, &potential, Some(&target));
            walked.measures = Some([
                measures.total_variation,
                measures.mean_curvature().expect("more than two steps"),
                measures.label_changes,
            ]);
            walks.push(walked);
        }
    }
    // Surfaces of known roughness, as high as the landscapes are.
    let far_edge: Vec<bool> = (0..STEPS * STEPS).map(|k| k % STEPS == STEPS - 1).collect();
    for (kind, curvature) in [(2, 0.0), (3, 1.0), (3, 4.0), (3, 12.0)] {
        let potential = Potential::bowl([curvature; 2], STEPS).expect("finite");
        walks.push(walked(
            format!("{curvature} r^2"),
            kind,
            &potential,
            Some(&far_edge),
        ));
    }
    for (kind, hurst) in [(4, 0.3), (5, 0.5), (6, 0.8)] {
        for height in [1.0, 2.0, 4.0] {
            for seed in 1..=3 {
                let unit = Potential::fractal(hurst, STEPS, seed).expect("finite");
                let values = unit.values().iter().map(|u| height * u).collect();
                let potential =
                    Potential::new(values, unit.shape(), unit.spacing()).expect("finite");
                let name = format!("H {hurst}, height {height}, seed {seed}");
                walks.push(walked(name, kind, &potential, Some(&far_edge)));
            }
        }
    }
    println!(
        "surface,kind,alpha,alpha_error,passage_steps,sq_u,l_u,total_variation,curvature,label_changes"
    );
    for walked in &walks {
        let measures = walked.measures.map_or(",,".to_owned(), |m| {
            format!("{:.4},{:.5},{:.4}", m[0], m[1], m[2])
        });
        let passage = walked
            .passage
            .map_or(String::new(), |time| format!("{time:.1}"));
        println!(
            "\"{}\",\"{}\",{:.4},{:.4},{passage},{:.4},{:.4},{measures}",
            walked.name,
            kinds[walked.kind],
            walked.alpha,
            walked.error,
            walked.roughness[0],
            walked.roughness[1]
        );
    }
    for (kind, name) in kinds.iter().enumerate() {
        let of_kind: Vec<&Walked> = walks
            .iter()
            .filter(|walked| {
                walked.kind == kind || (name.starts_with("fractals") && walked.kind >= 4)
            })
            .collect();
        if of_kind.len() < 5 || kind > 4 {
            continue;
        }
        let column = |value: &dyn Fn(&Walked) -> f64| -> Vec<f64> {
            of_kind.iter().map(|w| value(w)).collect()
        };
        let (alpha, passage) = (
            column(&|w| w.alpha),
            column(&|w| w.passage.unwrap_or(f64::NAN)),
        );
        let label = if kind == 4 { "fractals, all" } else { name };
        let low = alpha.iter().copied().fold(f64::MAX, f64::min);
        let high = alpha.iter().copied().fold(f64::MIN, f64::max);
        println!(
            "\n{label}, {} walks: alpha {low:.3} to {high:.3}",
            of_kind.len()
        );
        let mut against = vec![
            ("Sq of U", column(&|w| w.roughness[0])),
            ("L of U", column(&|w| w.roughness[1])),
            ("L / Sq", column(&|w| w.roughness[1] / w.roughness[0])),
        ];
        if of_kind[0].measures.is_some() {
            for (n, name) in ["total variation", "curvature", "label changes"]
                .into_iter()
                .enumerate()
            {
                against.push((name, column(&|w| w.measures.expect("of a landscape")[n])));
            }
        }
        for (name, values) in against {
            println!(
                "  {name:<16} rank correlation with alpha {:+.2}, with the passage {:+.2}",
                spearman(&values, &alpha),
                spearman(&values, &passage)
            );
        }
        println!("  alpha and passage {:+.2}", spearman(&alpha, &passage));
    }
    if let Some(path) = figure {
        let points = |x: &dyn Fn(&Walked) -> Option<f64>| -> Vec<TrackingPoint> {
            walks
                .iter()
                .filter_map(|w| {
                    Some(TrackingPoint {
                        at: [x(w)?, w.alpha],
                        kind: w.kind,
                    })
                })
                .collect()
        };
        let (sq, l, tv) = (
            points(&|w| Some(w.roughness[0])),
            points(&|w| Some(w.roughness[1])),
            points(&|w| w.measures.map(|m| m[0])),
        );
        let panel = |heading, x, points| TrackingPanel {
            heading,
            axes: [x, "exponent"],
            points,
        };
        let svg = tracking_plot(
            "Exponents of walks against roughness",
            "Metropolis walk at T = 1 on 21 x 21 points, uniform starts, 100,000 walkers, lags 1 to 100\nthe 30 landscapes of the paper's job twice; bowls and fractals beside them",
            &[
                panel("surface roughness of U", "Sq", &sq),
                panel("Laplacian roughness of U", "L", &l),
                panel("total variation of the landscape", "TV", &tv),
            ],
            &kinds,
        );
        std::fs::write(path, svg).expect("the figure is written");
    }
}
