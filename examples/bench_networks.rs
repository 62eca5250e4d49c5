//! Times the kernels of convolutional networks and two whole networks on every engine here:
//!
//!     cargo run --release --example bench_networks
//!
//! Engines take turns, so that a noisy machine disturbs all alike. Medians.

use morphscape::data::fashion_mnist;
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{GpuEngine, list_adapters};
use morphscape::kernels::{
    Activation, Buf, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, PoolLayer, Pooling,
    Recording, Windows, row_stride,
};
use morphscape::model::{Model, Network, Steps, bundled_fashion_mnist};
use std::time::Instant;

const ROUNDS: usize = 9;
/// Frames of a whole network.
const FRAMES: usize = 4096;
/// Frames of one kernel: 25 MB of 28 x 28 x 16.
const KERNEL_FRAMES: usize = 512;

type Record<'a> = &'a dyn Fn(&mut Recording, Buf<f32>, usize) -> Buf<f32>;

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds of one run of what `record` makes of `rows` rows in `x`: the difference between
/// recording it many times and once, so that uploads and start-up fall out.
fn kernel_seconds(engine: &dyn Engine, x: &[f32], rows: usize, record: Record<'_>) -> f64 {
    const REPEATS: usize = 6;
    let time = |repeats: usize| {
        let mut recording = Recording::new();
        let x = recording.upload("bench.x", x);
        for _ in 0..repeats {
            record(&mut recording, x, rows);
        }
        let start = Instant::now();
        engine.run(&recording).expect("the engine runs");
        start.elapsed().as_secs_f64()
    };
    time(1);
    let differences = (0..ROUNDS).map(|_| time(1 + REPEATS) - time(1)).collect();
    median(differences) / REPEATS as f64
}

/// Seconds of `frames` from memory to logits in memory, in batches the engine likes for rows of
/// up to `widest` values.
fn network_seconds(engine: &dyn Engine, frames: &[f32], widest: usize, record: Record<'_>) -> f64 {
    let batch = engine.batch_buffer_bytes() / (4 * widest);
    let start = Instant::now();
    for x in frames.chunks(784 * batch) {
        let mut recording = Recording::new();
        let rows = x.len() / 784;
        let x = recording.upload("bench.x", x);
        let logits = record(&mut recording, x, rows);
        recording.download(logits);
        engine.run(&recording).expect("the engine runs");
    }
    start.elapsed().as_secs_f64()
}

/// The kernels of a model of layers.
fn steps(model: &Model) -> &Steps {
    match model.network() {
        Network::Steps(steps) => steps,
        Network::Host(_) => unreachable!("both models are layers"),
    }
}

fn main() {
    let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(CpuEngine::new())];
    for adapter in list_adapters() {
        engines.push(Box::new(
            GpuEngine::open(Some(&adapter.name)).expect("a listed adapter opens"),
        ));
    }
    let names: Vec<String> = engines
        .iter()
        .map(|engine| format!("{}: {}", engine.info().engine, engine.info().adapter))
        .collect();
    let print = |name: &str, what: &str, frames: usize, seconds: f64| {
        let rate = frames as f64 / seconds;
        println!("{name:<44} {what:>18} {:>10.3} {rate:>12.0}", 1e3 * seconds);
    };

    let (mlp, cnn) = (bundled_fashion_mnist(), Cnn::new());
    println!("kernels on {KERNEL_FRAMES} frames, median of {ROUNDS}\n");
    println!(
        "{:<44} {:>18} {:>10} {:>12}",
        "engine", "kernel", "ms", "frames/s"
    );
    let values = |shape: [usize; 3]| {
        let count = KERNEL_FRAMES * row_stride(shape.iter().product());
        (0..count).map(|k| (k as f32).sin()).collect::<Vec<f32>>()
    };
    let [image, wide, narrow] = [[28, 28, 1], [28, 28, 16], [14, 14, 16]].map(values);
    let depthwise = DepthwiseLayer::new(
        windows([28, 28, 16], 16, 3),
        16,
        &values([28, 28, 1])[..9 * 16],
        &[0.1; 16],
        Activation::Relu,
    );
    let gelu = ElementwiseLayer::new(28 * 28 * 16, &[1.0], &[0.0], Activation::Gelu);
    let kernels: [(&str, &[f32], Record<'_>); 5] = [
        ("conv 28x28x1-16", &image, &|recording, x, rows| {
            recording.conv(x, None, rows, &cnn.first)
        }),
        ("conv 14x14x16-32", &narrow, &|recording, x, rows| {
            recording.conv(x, None, rows, &cnn.second)
        }),
        ("depthwise 28x28x16", &wide, &|recording, x, rows| {
            recording.depthwise(x, rows, &depthwise)
        }),
        ("max pool 28x28x16", &wide, &|recording, x, rows| {
            recording.pool(x, rows, &cnn.pools[0])
        }),
        ("gelu 28x28x16", &wide, &|recording, x, rows| {
            recording.elementwise(x, None, rows, &gelu)
        }),
    ];
    for (engine, name) in engines.iter().zip(&names) {
        for (kernel, x, record) in kernels {
            let seconds = kernel_seconds(engine.as_ref(), x, KERNEL_FRAMES, record);
            print(name, kernel, KERNEL_FRAMES, seconds);
        }
    }

    println!("\nnetworks on {FRAMES} frames in memory, to logits in memory; median of {ROUNDS}\n");
    println!(
        "{:<44} {:>18} {:>10} {:>12}",
        "engine", "network", "ms", "frames/s"
    );
    let set = fashion_mnist();
    let frames: Vec<f32> = (0..FRAMES)
        .flat_map(|k| set.image(k).expect("held in memory").levels)
        .collect();
    let networks: [(&str, usize, Record<'_>); 2] = [
        ("784-128-10", 784, &|recording, x, rows| {
            steps(&mlp).record(recording, x, rows)
        }),
        ("CNN 16-32-64-10", 28 * 28 * 16, &|recording, x, rows| {
            cnn.record(recording, x, rows)
        }),
    ];
    let mut seconds = vec![Vec::new(); networks.len() * engines.len()];
    for round in 0..=ROUNDS {
        let mut cases = seconds.iter_mut();
        for (_, widest, record) in networks {
            for engine in &engines {
                let time = network_seconds(engine.as_ref(), &frames, widest, record);
                // The first round compiles shaders and warms up.
                if let Some(case) = cases.next().filter(|_| round > 0) {
                    case.push(time);
                }
            }
        }
    }
    let mut cases = seconds.into_iter();
    for (network, ..) in networks {
        for (name, seconds) in names.iter().zip(&mut cases) {
            print(name, network, FRAMES, median(seconds));
        }
    }
}

/// Windows of `size x size` with padding, one a pixel.
fn windows(input: [usize; 3], outputs: usize, size: usize) -> Windows {
    Windows {
        input,
        output: [input[0], input[1], outputs],
        size: [size; 2],
        stride: [1; 2],
        before: [size / 2; 2],
        dilation: [1, 1],
    }
}

/// A small network for 28 x 28 images: two convolutions of 3 x 3 with 16 and 32 channels, each
/// followed by a maximum of 2 x 2, and dense layers of 64 and 10.
struct Cnn {
    first: ConvLayer,
    second: ConvLayer,
    pools: [PoolLayer; 2],
    dense: [DenseLayer; 2],
}

impl Cnn {
    fn new() -> Self {
        let weights = |count: usize| -> Vec<f32> {
            (0..count).map(|k| 0.1 * (1.7 * k as f32).sin()).collect()
        };
        let conv = |side, inputs, outputs| {
            ConvLayer::new(
                windows([side, side, inputs], outputs, 3),
                &weights(9 * inputs * outputs),
                &weights(outputs),
                Activation::Relu,
            )
        };
        let pool = |side: usize, channels| PoolLayer {
            windows: Windows {
                output: [side / 2, side / 2, channels],
                stride: [2; 2],
                before: [0; 2],
                ..windows([side, side, channels], channels, 2)
            },
            pooling: Pooling::Max,
        };
        let dense = |inputs, outputs, activation| {
            DenseLayer::new(
                inputs,
                &weights(inputs * outputs),
                &weights(outputs),
                activation,
            )
        };
        Self {
            first: conv(28, 1, 16),
            second: conv(14, 16, 32),
            pools: [pool(28, 16), pool(14, 32)],
            dense: [
                dense(7 * 7 * 32, 64, Activation::Relu),
                dense(64, 10, Activation::Linear),
            ],
        }
    }

    fn record(&self, recording: &mut Recording, x: Buf<f32>, rows: usize) -> Buf<f32> {
        let x = recording.conv(x, None, rows, &self.first);
        let x = recording.pool(x, rows, &self.pools[0]);
        let x = recording.conv(x, None, rows, &self.second);
        let x = recording.pool(x, rows, &self.pools[1]);
        let x = recording.dense(x, rows, &self.dense[0]);
        recording.dense(x, rows, &self.dense[1])
    }
}
