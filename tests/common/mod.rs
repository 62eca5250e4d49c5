//! The engines every case runs on, comparing with a tolerance, and the golden files.
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must not pass a comparison"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use morphscape::data::{Image, fashion_mnist};
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{AdapterKind, GpuEngine, list_adapters};
use morphscape::engine::{Engine, EngineError};
use morphscape::landscape::{Permutation, Triple, choose_triples};
use morphscape::mesh::Point;
use morphscape::pipeline::GridJob;
use std::path::PathBuf;

/// The CPU engine and a fresh GPU engine, a software adapter if there is one.
///
/// Without any adapter only the CPU engine is tested, and said so; with
/// `MORPHSCAPE_REQUIRE_GPU=1`, as in CI, that is a failure.
pub fn engines() -> Vec<Box<dyn Engine>> {
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(CpuEngine::new())];
    match gpu() {
        Ok(engine) => {
            println!(
                "GPU engine on {} ({})",
                engine.info().adapter,
                engine.info().driver
            );
            engines.push(Box::new(engine));
        }
        Err(error) if std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1") => {
            panic!("MORPHSCAPE_REQUIRE_GPU=1, and there is no adapter: {error}")
        }
        Err(error) => println!("only the CPU engine is tested: {error}"),
    }
    engines
}

fn gpu() -> Result<GpuEngine, EngineError> {
    let software = list_adapters()
        .into_iter()
        .find(|adapter| adapter.kind == AdapterKind::Software);
    GpuEngine::open(software.as_ref().map(|adapter| adapter.name.as_str()))
}

/// `abs + rel * |expected|`.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    pub abs: f32,
    pub rel: f32,
}

/// Compares values with a tolerance. NaN never passes; the worst value is reported.
pub fn assert_close(what: &str, actual: &[f32], expected: &[f32], tolerance: Tolerance) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of values");
    let mut worst: Option<(usize, f32)> = None;
    let mut misses = 0;
    for (index, (&actual, &expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs();
        if !(difference <= tolerance.abs + tolerance.rel * expected.abs()) {
            misses += 1;
            if worst.is_none_or(|(_, largest)| !(difference <= largest)) {
                worst = Some((index, difference));
            }
        }
    }
    if let Some((index, difference)) = worst {
        panic!(
            "{what}: {misses} of {} values differ; worst at {index}: {} for {}, off by {difference}",
            actual.len(),
            actual[index],
            expected[index]
        );
    }
}

/// A file of `tests/golden`.
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

pub fn golden_json(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(golden(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

/// A whole number of a golden file.
pub fn index(value: &serde_json::Value) -> usize {
    value.as_u64().expect("an index") as usize
}

/// Points of a golden file.
pub fn points(value: &serde_json::Value) -> Vec<Point> {
    let point = |p: &serde_json::Value| [0, 1].map(|k| p[k].as_f64().expect("a coordinate") as i32);
    value
        .as_array()
        .expect("points")
        .iter()
        .map(point)
        .collect()
}

/// Little-endian floats of a golden file.
pub fn golden_f32(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(golden(name)).expect(name);
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

/// An image from a function of (x, y, channel).
pub fn image(
    width_px: usize,
    height_px: usize,
    channels: usize,
    level: impl Fn(usize, usize, usize) -> f32,
) -> Image {
    let mut levels = Vec::new();
    for y in 0..height_px {
        for x in 0..width_px {
            for channel in 0..channels {
                levels.push(level(x, y, channel));
            }
        }
    }
    Image {
        width_px,
        height_px,
        channels,
        levels,
    }
}

/// The triples of the paper's job, two a group.
pub fn paper_triples(groups: usize) -> Vec<Triple> {
    let set = fashion_mnist();
    let labels: Vec<usize> = (0..set.len()).map(|i| set.label(i)).collect();
    choose_triples(&labels, 10, groups, &[], 1).expect("ten classes")
}

/// A, B and C of the three landscapes of each triple.
pub fn images_of(triples: &[Triple]) -> Vec<[Image; 3]> {
    triples
        .iter()
        .flat_map(|triple| Permutation::ALL.map(|permutation| permutation.arrange(triple.items)))
        .map(bundled_images)
        .collect()
}

/// Images of the bundled data.
pub fn bundled_images(items: [usize; 3]) -> [Image; 3] {
    let set = fashion_mnist();
    items.map(|item| set.image(item).expect("held in memory"))
}

/// A job for each landscape.
pub fn grid_jobs(images: &[[Image; 3]]) -> Vec<GridJob<'_>> {
    images
        .iter()
        .map(|[a, b, c]| GridJob::new([a, b, c]))
        .collect()
}
