//! Times exact sections: lines and planes of the bundled networks, one core and all.
//!
//! ```text
//! cargo run --release --example bench_sections [-- repetitions]
//! ```
//!
//! Each figure is the best and the median of the repetitions, wall time; on a busy machine read the
//! best one.

use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::model::{ModelOptions, activation_by_name, bundled_fashion_mnist, read_model};
use morphscape::pipeline::{FlatSettings, MorphSettings};
use morphscape::sections::*;
use morphscape::{Job, LandscapeFile, ModelSource, Silent, SweepJob, Triples};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

fn timed<T>(what: &str, repetitions: usize, each: f64, unit: &str, mut run: impl FnMut() -> T) {
    let mut times: Vec<f64> = (0..repetitions)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() / each
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let show = |seconds: f64| match seconds {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    };
    println!(
        "{what}: best {}, median {} {unit}",
        show(times[0]),
        show(times[times.len() / 2])
    );
}

/// So many of dbViz's planes through a model.
fn planes_of(count: usize, steps: usize, model: ModelSource) -> SweepJob {
    SweepJob {
        model,
        triples: Triples::Dbviz { seed: 1, count },
        morph: MorphSettings {
            steps,
            ..MorphSettings::default()
        },
        flat: Some(FlatSettings {
            exact: Exactness::Off,
            ..FlatSettings::default()
        }),
        ..SweepJob::default()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repetitions = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let images = fashion_mnist();
    let labels: Vec<usize> = (0..images.len()).map(|i| images.label(i)).collect();
    let mlp = SectionNetwork::new(&bundled_fashion_mnist(), SpaceKind::Images)?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist-cnn.safetensors");
    let cnn = SectionNetwork::new(
        &read_model(&file, &ModelOptions::default())?,
        SpaceKind::Images,
    )?;
    let point = |index: usize| {
        images
            .image(index)
            .map(|image| mlp.space().point(&image.levels))
    };
    let mut items = Vec::new();
    for seed in 1..=40 {
        items.push(dbviz_triple(&labels, seed)?);
    }
    let points: Vec<[Vec<f64>; 3]> = items
        .iter()
        .map(
            |triple| -> Result<[Vec<f64>; 3], Box<dyn std::error::Error>> {
                Ok([point(triple[0])?, point(triple[1])?, point(triple[2])?])
            },
        )
        .collect::<Result<_, _>>()?;
    let pairs: Vec<[&[f64]; 2]> = points.iter().map(|[a, b, _]| [&a[..], &b[..]]).collect();
    let options = LineOptions::default();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;

    let many: Vec<[&[f64]; 2]> = pairs.iter().copied().cycle().take(1024).collect();
    timed(
        "mlp line, batch of 1024, one core",
        repetitions,
        1024.0,
        "a line",
        || one.install(|| exact_lines(&mlp, &many, &options)),
    );
    timed(
        "mlp line, batch of 1024, all cores",
        repetitions,
        1024.0,
        "a line",
        || exact_lines(&mlp, &many, &options),
    );
    timed(
        "mlp line, one by one, one core",
        repetitions,
        40.0,
        "a line",
        || {
            one.install(|| {
                for [a, b] in &pairs {
                    black_box(exact_line(&mlp, a, b, &options).is_ok());
                }
            })
        },
    );
    timed("cnn line, one core", repetitions, 8.0, "a line", || {
        one.install(|| exact_lines(&cnn, &pairs[..8], &options))
    });
    let planes: Vec<ItemPlane> = points
        .iter()
        .map(|[a, b, c]| ItemPlane::new([a, b, c], [BOX_MARGIN; 2]))
        .collect::<Result<_, _>>()?;
    let plane_options = PlaneOptions::default();
    timed(
        "mlp plane, exact, one core",
        repetitions,
        5.0,
        "a plane",
        || {
            one.install(|| {
                for plane in &planes[..5] {
                    black_box(exact_plane(&mlp, plane, &plane.corners(), &plane_options).is_ok());
                }
            })
        },
    );
    // Boxes of 2 % where three classes meet: golden planes cnn0 to cnn2 (of 756 to 13,096 cells).
    for (k, centre) in [[0.5, 0.5], [0.42, 0.37], [0.61, 0.55]]
        .into_iter()
        .enumerate()
    {
        let mut plane = planes[k].clone();
        let side = [0, 1].map(|a| plane.hi[a] - plane.lo[a]);
        let at = [0, 1].map(|a| plane.lo[a] + centre[a] * side[a]);
        plane.lo = [0, 1].map(|a| at[a] - 0.01 * side[a]);
        plane.hi = [0, 1].map(|a| at[a] + 0.01 * side[a]);
        let regions = exact_plane(&cnn, &plane, &plane.corners(), &plane_options)?.regions;
        let what = format!("cnn box of 2 % of plane {k}, {regions} cells, one core");
        timed(&what, repetitions, 1.0, "a box", || {
            one.install(|| exact_plane(&cnn, &plane, &plane.corners(), &plane_options).is_ok())
        });
    }
    timed(
        "mlp plane sampled at 201 x 201 in f64, all cores",
        repetitions,
        1.0,
        "a plane",
        || plane_logits(&mlp, &planes[0], &planes[0].grid(201)),
    );
    for steps in [51, 201] {
        let what =
            format!("mlp plane as a landscape, {steps} x {steps} in f32, CPU engine, all cores");
        let job = Job::Sweep(planes_of(1, steps, ModelSource::default())).load(&Silent)?;
        let ids = job.landscapes();
        timed(&what, repetitions, 1.0, "a plane", || {
            job.compute(&CpuEngine::new(), &ids, &Silent).is_ok()
        });
    }
    // dbViz's reproducibility: 500 planes of 50 x 50 points through two models.
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fashion_mlp.safetensors");
    let other = ModelSource {
        file: Some(other),
        options: ModelOptions {
            activation: activation_by_name("relu"),
            scale: Some(1.0 / 255.0),
            ..ModelOptions::default()
        },
    };
    let jobs = [ModelSource::default(), other].map(|model| planes_of(500, 50, model));
    let jobs = jobs.map(|job| Job::Sweep(job).load(&Silent));
    let [one_model, two] = jobs;
    let (one_model, two) = (one_model?, two?);
    timed(
        "500 planes of 50 x 50 points, two mlps, share of equal labels, all cores",
        repetitions,
        1.0,
        "in all",
        || {
            let labels = [&one_model, &two].map(|job| {
                let found = job.compute(&CpuEngine::new(), &job.landscapes(), &Silent);
                let found = found.unwrap_or_default();
                let labels = |file: &LandscapeFile| -> Vec<Option<usize>> {
                    file.landscape
                        .points()
                        .map(|k| file.landscape.label(k))
                        .collect()
                };
                found.iter().flat_map(labels).collect::<Vec<_>>()
            });
            let equal = labels[0].iter().zip(&labels[1]).filter(|(a, b)| a == b);
            equal.count() as f64 / labels[0].len() as f64
        },
    );
    let start = Instant::now();
    let whole = certified_plane(&cnn, &planes[0], &TileOptions::default())?;
    println!(
        "whole cnn plane, certified, all cores: {:.2} s, share {}, {} tiles looked at, {} cut, {} cells in them, boundary {:.3}",
        start.elapsed().as_secs_f64(),
        whole.share,
        whole.tiles_looked_at,
        whole.tiles_cut,
        whole.regions_cut,
        whole.boundary_total
    );
    Ok(())
}
