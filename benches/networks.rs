//! Times the kernels of convolutional networks and whole networks on every engine here:
//!
//!     cargo bench --bench networks [-- [ENGINE ...] [MODEL ...]]
//!
//! Engines whose names hold none of the words are left out; words that are files are models to time on
//! rows of random numbers, and nothing else is timed then. The larger networks have random weights,
//! which take as long as trained ones. Engines take turns, so that a noisy machine disturbs all
//! alike. Medians.

use morphscape::data::fashion_mnist;
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{GpuEngine, list_adapters};
use morphscape::kernels::{
    Activation, Buf, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, KernelLayer,
    PoolLayer, Pooling, Recording, Windows, row_stride,
};
use morphscape::model::{Model, ModelOptions, Network, Steps, bundled_fashion_mnist, read_model};
use morphscape::pipeline::classify;
use std::path::Path;
use std::time::Instant;

const ROUNDS: usize = 9;
/// Frames of a small network.
const FRAMES: usize = 4096;
/// Values of all rows that a model of a file is asked for.
const ROW_VALUES: usize = 1_600_000;
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

/// Seconds of `frames`, rows of `inputs` values, from memory to logits in memory, in batches the
/// engine likes for rows of up to `widest` values.
fn network_seconds(
    engine: &dyn Engine,
    frames: &[f32],
    [inputs, widest]: [usize; 2],
    record: Record<'_>,
) -> f64 {
    let batch = (engine.batch_buffer_bytes() / (4 * widest)).max(1);
    let start = Instant::now();
    for x in frames.chunks(inputs * batch) {
        let mut recording = Recording::new();
        let rows = x.len() / inputs;
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
    // Cargo adds `--bench`.
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let (files, words): (Vec<String>, Vec<String>) =
        words.partition(|word| Path::new(word).is_file());
    engines.retain(|engine| {
        let name = format!("{}: {}", engine.info().engine, engine.info().adapter);
        words.is_empty() || words.iter().any(|word| name.contains(word))
    });
    let names: Vec<String> = engines
        .iter()
        .map(|engine| format!("{}: {}", engine.info().engine, engine.info().adapter))
        .collect();
    let print = |name: &str, what: &str, frames: usize, seconds: f64| {
        let rate = frames as f64 / seconds;
        println!("{name:<44} {what:>26} {:>10.3} {rate:>12.0}", 1e3 * seconds);
    };

    if !files.is_empty() {
        println!(
            "{:<44} {:>26} {:>10} {:>12}",
            "engine", "model", "ms", "rows/s"
        );
    }
    for file in &files {
        let path = Path::new(file);
        let model = read_model(path, &ModelOptions::default()).expect("a model");
        let shape = model.input_shape().expect("a model of one size");
        let inputs: usize = shape.iter().product();
        let count = (ROW_VALUES / inputs).max(8);
        let noise = weights(count * inputs);
        let rows: Vec<&[f32]> = noise.chunks_exact(inputs).collect();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        for (engine, name) in engines.iter().zip(&names) {
            let seconds = (0..=ROUNDS).map(|_| {
                let start = Instant::now();
                classify(engine.as_ref(), &model, &rows).expect("the engine runs");
                start.elapsed().as_secs_f64()
            });
            let seconds = seconds.skip(1).collect();
            print(name, &stem, count, median(seconds));
        }
    }
    if !files.is_empty() {
        return;
    }

    let (mlp, cnn) = (bundled_fashion_mnist(), Cnn::new());
    println!("kernels on {KERNEL_FRAMES} frames, median of {ROUNDS}\n");
    println!(
        "{:<44} {:>26} {:>10} {:>12}",
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
    let pool = PoolLayer {
        windows: Windows {
            output: [14, 14, 16],
            stride: [2; 2],
            before: [0; 2],
            ..windows([28, 28, 16], 16, 2)
        },
        pooling: Pooling::Max,
    };
    let gelu = ElementwiseLayer::new(28 * 28 * 16, &[1.0], &[0.0], Activation::Gelu);
    let kernels: [(&str, &[f32], Record<'_>); 5] = [
        (
            "conv 28x28x1-16, max pool",
            &image,
            &|recording, x, rows| recording.conv(x, None, rows, &cnn.first),
        ),
        (
            "conv 14x14x16-32, max pool",
            &narrow,
            &|recording, x, rows| recording.conv(x, None, rows, &cnn.second),
        ),
        ("depthwise 28x28x16", &wide, &|recording, x, rows| {
            recording.depthwise(x, rows, &depthwise)
        }),
        ("max pool 28x28x16", &wide, &|recording, x, rows| {
            recording.pool(x, rows, &pool)
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

    println!("\nnetworks on frames in memory, to logits in memory; median of {ROUNDS}\n");
    println!(
        "{:<44} {:>26} {:>10} {:>12}",
        "engine", "network", "ms", "frames/s"
    );
    let set = fashion_mnist();
    let garments: Vec<f32> = (0..FRAMES)
        .flat_map(|k| set.image(k).expect("held in memory").levels)
        .collect();
    let larger = [
        Layers::resnet20(),
        Layers::mobilenet_v2(64),
        Layers::resnet18(64),
        Layers::resnet18(224),
    ];
    let noise: Vec<Vec<f32>> = (larger.iter())
        .map(|network| weights(network.frames() * network.inputs()))
        .collect();
    let mlp_record: Record<'_> = &|recording, x, rows| steps(&mlp).record(recording, x, rows);
    let cnn_record: Record<'_> = &|recording, x, rows| cnn.record(recording, x, rows);
    let records: Vec<_> = (larger.iter())
        .map(|network| |recording: &mut Recording, x, rows| network.record(recording, x, rows))
        .collect();
    let mut networks = vec![
        ("784-128-10", &garments[..], [784, 784], mlp_record),
        (
            "CNN 16-32-64-10",
            &garments[..],
            [784, 28 * 28 * 16],
            cnn_record,
        ),
    ];
    for ((network, noise), record) in larger.iter().zip(&noise).zip(&records) {
        let sizes = [network.inputs(), network.widest()];
        networks.push((network.name, &noise[..], sizes, record));
    }
    for (network, frames, sizes, record) in networks {
        let mut seconds = vec![Vec::new(); engines.len()];
        for round in 0..=ROUNDS {
            for (engine, seconds) in engines.iter().zip(&mut seconds) {
                let time = network_seconds(engine.as_ref(), frames, sizes, record);
                // The first round compiles shaders and warms up.
                if round > 0 {
                    seconds.push(time);
                }
            }
        }
        for (name, seconds) in names.iter().zip(seconds) {
            print(name, network, frames.len() / sizes[0], median(seconds));
        }
    }
}

/// Small numbers, as many as asked for.
fn weights(count: usize) -> Vec<f32> {
    (0..count).map(|k| 0.1 * (1.7 * k as f32).sin()).collect()
}

/// Layers that each take values of their own: number 0 is the input, number n what layer n gives.
struct Layers {
    name: &'static str,
    shapes: Vec<[usize; 3]>,
    layers: Vec<(Box<dyn KernelLayer>, Vec<usize>)>,
}

const RELU6: Activation = Activation::ReluWith {
    slope: 0.0,
    threshold: 0.0,
    ceiling: 6.0,
};

impl Layers {
    fn new(name: &'static str, input: [usize; 3]) -> Self {
        Self {
            name,
            shapes: vec![input],
            layers: Vec::new(),
        }
    }

    fn inputs(&self) -> usize {
        self.shapes[0].iter().product()
    }

    fn widest(&self) -> usize {
        let values = self.shapes.iter().map(|shape| shape.iter().product());
        values.max().unwrap_or(0)
    }

    /// Frames of a tenth of a second or so.
    fn frames(&self) -> usize {
        match self.inputs() {
            0..10_000 => 256,
            10_000..100_000 => 64,
            _ => 8,
        }
    }

    fn record(&self, recording: &mut Recording, x: Buf<f32>, rows: usize) -> Buf<f32> {
        let mut values = vec![x];
        for (layer, takes) in &self.layers {
            let takes: Vec<Buf<f32>> = takes.iter().map(|&n| values[n]).collect();
            values.push(layer.record(recording, &takes, rows));
        }
        values[values.len() - 1]
    }

    fn add(
        &mut self,
        layer: impl KernelLayer + 'static,
        takes: Vec<usize>,
        shape: [usize; 3],
    ) -> usize {
        self.layers.push((Box::new(layer), takes));
        self.shapes.push(shape);
        self.layers.len()
    }

    /// Windows of `size x size` over value `from`, `stride` apart, half of them beyond the edges.
    fn strided(&self, from: usize, outputs: usize, size: usize, stride: usize) -> Windows {
        let [height, width, _] = self.shapes[from];
        let along = |pixels: usize| (pixels + size / 2 * 2 - size) / stride + 1;
        Windows {
            output: [along(height), along(width), outputs],
            stride: [stride; 2],
            ..windows(self.shapes[from], outputs, size)
        }
    }

    /// A convolution, to which value `other` is added.
    fn conv(
        &mut self,
        from: usize,
        [outputs, size, stride]: [usize; 3],
        activation: Activation,
        other: Option<usize>,
    ) -> usize {
        let windows = self.strided(from, outputs, size, stride);
        let kernel = weights(size * size * windows.input[2] * outputs);
        let layer = ConvLayer::new(windows, &kernel, &weights(outputs), activation);
        let takes = [from].into_iter().chain(other).collect();
        self.add(layer, takes, windows.output)
    }

    fn depthwise(&mut self, from: usize, stride: usize) -> usize {
        let channels = self.shapes[from][2];
        let windows = self.strided(from, channels, 3, stride);
        let (kernel, bias) = (weights(9 * channels), weights(channels));
        let layer = DepthwiseLayer::new(windows, channels, &kernel, &bias, RELU6);
        self.add(layer, vec![from], windows.output)
    }

    fn classes(mut self, from: usize) -> Self {
        let [height, width, channels] = self.shapes[from];
        let windows = Windows {
            output: [1, 1, channels],
            size: [height, width],
            before: [0; 2],
            ..windows(self.shapes[from], channels, 1)
        };
        let pool = PoolLayer {
            windows,
            pooling: Pooling::Average,
        };
        let from = self.add(pool, vec![from], windows.output);
        let (kernel, bias) = (weights(10 * channels), weights(10));
        let dense = DenseLayer::new(channels, &kernel, &bias, Activation::Linear);
        self.add(dense, vec![from], [1, 1, 10]);
        self
    }

    /// Two convolutions of 3 x 3 and what they took, added.
    fn residual(&mut self, from: usize, channels: usize) -> usize {
        let stride = match self.shapes[from][2] == channels {
            true => 1,
            false => 2,
        };
        let relu = Activation::Relu;
        let inner = self.conv(from, [channels, 3, stride], relu, None);
        let past = match stride {
            1 => from,
            _ => self.conv(from, [channels, 1, 2], Activation::Linear, None),
        };
        self.conv(inner, [channels, 3, 1], relu, Some(past))
    }

    /// He et al. 2015, section 4.2, with 20 layers, for 32 x 32 images.
    fn resnet20() -> Self {
        let mut network = Self::new("ResNet-20, 32", [32, 32, 3]);
        let mut value = network.conv(0, [16, 3, 1], Activation::Relu, None);
        for channels in [16, 16, 16, 32, 32, 32, 64, 64, 64] {
            value = network.residual(value, channels);
        }
        network.classes(value)
    }

    /// The same, table 1, with 18 layers.
    fn resnet18(side: usize) -> Self {
        let name = match side {
            64 => "ResNet-18, 64",
            _ => "ResNet-18, 224",
        };
        let mut network = Self::new(name, [side, side, 3]);
        let value = network.conv(0, [64, 7, 2], Activation::Relu, None);
        let pool = PoolLayer {
            windows: network.strided(value, 64, 3, 2),
            pooling: Pooling::Max,
        };
        let mut value = network.add(pool, vec![value], pool.windows.output);
        for channels in [64, 64, 128, 128, 256, 256, 512, 512] {
            value = network.residual(value, channels);
        }
        network.classes(value)
    }

    /// Sandler et al. 2018, table 2.
    fn mobilenet_v2(side: usize) -> Self {
        let mut network = Self::new("MobileNetV2, 64", [side, side, 3]);
        let mut value = network.conv(0, [32, 3, 2], RELU6, None);
        for (factor, channels, count, stride) in [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ] {
            for number in 0..count {
                let taken = network.shapes[value][2];
                let wide = match factor {
                    1 => value,
                    _ => network.conv(value, [factor * taken, 1, 1], RELU6, None),
                };
                let stride = if number == 0 { stride } else { 1 };
                let inner = network.depthwise(wide, stride);
                let past = (number > 0).then_some(value);
                value = network.conv(inner, [channels, 1, 1], Activation::Linear, past);
            }
        }
        let value = network.conv(value, [1280, 1, 1], RELU6, None);
        network.classes(value)
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
    dense: [DenseLayer; 2],
}

impl Cnn {
    fn new() -> Self {
        let conv = |side, inputs, outputs| {
            ConvLayer::new(
                windows([side, side, inputs], outputs, 3),
                &weights(9 * inputs * outputs),
                &weights(outputs),
                Activation::Relu,
            )
            .pooled()
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
            dense: [
                dense(7 * 7 * 32, 64, Activation::Relu),
                dense(64, 10, Activation::Linear),
            ],
        }
    }

    fn record(&self, recording: &mut Recording, x: Buf<f32>, rows: usize) -> Buf<f32> {
        let x = recording.conv(x, None, rows, &self.first);
        let x = recording.conv(x, None, rows, &self.second);
        let x = recording.dense(x, rows, &self.dense[0]);
        recording.dense(x, rows, &self.dense[1])
    }
}
