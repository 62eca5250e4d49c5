//! Frames a second of model files on the CPU engine, as a sweep classifies them, and the seconds
//! of each kernel:
//!
//!     cargo bench --bench models -- mine.onnx resnet.keras
//!
//! The best of a few rounds, since another program on the machine only ever takes time away.

use morphscape::engine::cpu::CpuEngine;
use morphscape::model::{Classifier, ModelOptions, Network, read_model};
use morphscape::pipeline::classify;
use std::path::Path;
use std::time::{Duration, Instant};

/// Rounds of at least this long.
const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 5;

fn main() {
    let engine = CpuEngine::new();
    // Cargo adds `--bench`.
    for file in std::env::args().skip(1).filter(|word| word != "--bench") {
        let model = read_model(Path::new(&file), &ModelOptions::default()).expect("it is read");
        let shape = model.input_shape().expect("a file says its input's shape");
        let values: usize = shape.iter().product();
        let runs_on = match model.network() {
            Network::Steps(_) => "kernels",
            Network::Host(_) => "library",
        };
        let frames = (1 << 24) / values.max(1 << 12);
        let levels: Vec<f32> = (0..frames * values)
            .map(|k| (k * 7919 % 256) as f32)
            .collect();
        let inputs: Vec<&[f32]> = levels.chunks_exact(values).collect();
        let mut best: f64 = 0.0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let mut done = 0;
            while start.elapsed() < ROUND {
                let count = inputs.len().min(1 + done);
                classify(&engine, &model as &dyn Classifier, &inputs[..count]).expect("it runs");
                done += count;
            }
            best = best.max(done as f64 / start.elapsed().as_secs_f64());
        }
        println!("{file:<40} {runs_on:>8} {best:>10.1} frames/s");
    }
}
