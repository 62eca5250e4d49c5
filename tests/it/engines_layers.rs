//! The kernels of networks on every engine: against Keras's answers for single layers, and
//! against 64-bit references written here from the formulas where sizes are ragged.

use crate::common::{Tolerance, assert_close, engines, golden};
use morphscape::engine::Engine;
use morphscape::kernels::{
    Activation, Between, Buf, CombineLayer, Combining, ConvLayer, CouplingLayer, DepthwiseLayer,
    Divisor, ElementwiseLayer, Factor, Groups, KernelLayer, LrnLayer, MatmulLayer, NormaliseLayer,
    PairOfClasses, PoolLayer, Pooling, RearrangeLayer, Recording, ResampleLayer, Similarity,
    SoftmaxLayer, SupportVectorsLayer, TreeNode, TreesLayer, Windows, row_stride,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use serde_json::Value;

// Sums of up to 200 products of numbers of size 1, in another order.
const SUMS: Tolerance = Tolerance {
    abs: 1e-5,
    rel: 1e-5,
};
// One rounding a value, and the driver's exp: a few units in the last place.
const VALUES: Tolerance = Tolerance {
    abs: 2e-6,
    rel: 2e-6,
};

fn random(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count)
        .map(|_| 2.0 * rng.random::<f32>() - 1.0)
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Padding {
    Valid,
    Same,
}

/// Windows as TensorFlow lays them.
fn windows(
    input: [usize; 3],
    outputs: usize,
    size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Windows {
    let along = |axis: usize| match padding {
        Padding::Valid => ((input[axis] - size[axis]) / stride[axis] + 1, 0),
        Padding::Same => {
            let count = input[axis].div_ceil(stride[axis]);
            let covered = (count - 1) * stride[axis] + size[axis];
            (count, covered.saturating_sub(input[axis]) / 2)
        }
    };
    let ((height, above), (width, left)) = (along(0), along(1));
    Windows {
        input,
        output: [height, width, outputs],
        size,
        stride,
        before: [above, left],
        dilation: [1, 1],
    }
}

/// The squares of 2 x 2 pixels of images.
fn squares(images: [usize; 3]) -> Windows {
    windows(images, images[2], [2, 2], [2, 2], Padding::Valid)
}

/// Runs what `record` adds on rows of `inputs` values and gives the rows of `outputs` values.
fn run(
    engine: &dyn Engine,
    x: &[f32],
    [inputs, outputs]: [usize; 2],
    record: impl Fn(&mut Recording, Buf<f32>, usize) -> Buf<f32>,
) -> Vec<f32> {
    let mut recording = Recording::new();
    let mut padded = Vec::new();
    for row in x.chunks_exact(inputs) {
        padded.extend_from_slice(row);
        // What fills a row up is finite and nothing else.
        padded.resize(padded.len().next_multiple_of(row_stride(inputs)), 7.0);
    }
    let rows = x.len() / inputs;
    let x = recording.upload("x", &padded);
    let y = record(&mut recording, x, rows);
    recording.download(y);
    let downloads = engine.run(&recording).expect("it runs");
    let values = downloads.values(y);
    assert_eq!(values.len(), rows * row_stride(outputs));
    assert!(values.iter().all(|value| value.is_finite()), "padding, too");
    let rows = values.chunks_exact(row_stride(outputs));
    rows.flat_map(|row| row[..outputs].to_vec()).collect()
}

/// Each value of `images` through a window's sum: `tap(window pixel, input channel, output
/// channel)` is a weight.
fn reference_sums(
    windows: &Windows,
    x: &[f32],
    bias: &[f32],
    tap: impl Fn(usize, usize, usize) -> f32,
) -> Vec<f32> {
    let [height, width, channels] = windows.input;
    let mut y = Vec::new();
    for image in x.chunks_exact(windows.inputs()) {
        for k in 0..windows.outputs() {
            let (pixel, output) = (k / windows.output[2], k % windows.output[2]);
            let (row, column) = (pixel / windows.output[1], pixel % windows.output[1]);
            let mut sum = f64::from(bias[output]);
            for t in 0..windows.size[0] * windows.size[1] {
                let [down, across] = windows.dilation;
                let y = row * windows.stride[0] + t / windows.size[1] * down;
                let x = column * windows.stride[1] + t % windows.size[1] * across;
                let (Some(y), Some(x)) = (
                    y.checked_sub(windows.before[0]),
                    x.checked_sub(windows.before[1]),
                ) else {
                    continue;
                };
                if y < height && x < width {
                    for c in 0..channels {
                        let level = image[(y * width + x) * channels + c];
                        sum += f64::from(level) * f64::from(tap(t, c, output));
                    }
                }
            }
            y.push(sum as f32);
        }
    }
    y
}

#[test]
fn convolutions_of_every_ragged_size() {
    // 64 invocations a workgroup, each 8 pixels by 8 channels: 511, 512 and 513 pixels.
    let cases = [
        (0, [5, 4, 1], 3, [3, 3], [1, 1], Padding::Same),
        (1, [1, 1, 1], 1, [1, 1], [1, 1], Padding::Valid),
        (7, [73, 1, 2], 8, [1, 1], [1, 1], Padding::Valid),
        (1, [32, 16, 1], 4, [3, 3], [1, 1], Padding::Same),
        (1, [27, 19, 3], 7, [2, 3], [1, 1], Padding::Same),
        (3, [1, 9, 3], 9, [3, 3], [1, 2], Padding::Same),
        (2, [40, 33, 3], 16, [5, 5], [3, 2], Padding::Valid),
        (5, [6, 6, 8], 17, [3, 3], [2, 2], Padding::Same),
        (1, [2, 2, 4], 6, [7, 7], [1, 1], Padding::Same),
        (1, [70, 9, 5], 33, [1, 9], [1, 1], Padding::Valid),
    ];
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for (images, input, outputs, size, stride, padding) in cases {
            let windows = windows(input, outputs, size, stride, padding);
            let kernel = random(&mut rng, size[0] * size[1] * input[2] * outputs);
            let bias = random(&mut rng, outputs);
            let x = random(&mut rng, images * windows.inputs());
            let expected = reference_sums(&windows, &x, &bias, |t, c, o| {
                kernel[(t * input[2] + c) * outputs + o]
            });
            let layer = ConvLayer::new(windows, &kernel, &bias, Activation::Linear);
            let sizes = [windows.inputs(), layer.outputs()];
            let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                recording.conv(x, None, rows, &layer)
            });
            let what = format!("{}: {images} x {windows:?}", engine.info().engine);
            assert_close(&what, &y, &expected, SUMS);
        }
    }
}

#[test]
fn convolutions_with_gaps_groups_and_sums() {
    // Blocks of 32 and of 16 channels, whole and not, more pixels than a tile's 12 and fewer, many
    // small images a task and many tasks an image.
    let cases = [
        (3, [9, 8, 4], 6, 2, [3, 3], [1, 1], [2, 2], Padding::Same),
        (2, [7, 5, 12], 36, 3, [3, 2], [2, 1], [1, 1], Padding::Same),
        (
            1,
            [11, 13, 6],
            48,
            2,
            [1, 3],
            [1, 1],
            [1, 4],
            Padding::Valid,
        ),
        (40, [2, 3, 8], 40, 1, [3, 3], [1, 1], [1, 1], Padding::Same),
        (2, [9, 9, 5], 70, 1, [3, 3], [1, 1], [3, 2], Padding::Valid),
        (1, [64, 48, 3], 33, 1, [3, 3], [2, 2], [1, 1], Padding::Same),
        (2, [6, 6, 10], 10, 10, [3, 3], [1, 1], [2, 1], Padding::Same),
        (3, [4, 4, 64], 96, 1, [1, 1], [1, 1], [1, 1], Padding::Valid),
        // By tiles of 2 x 2 on the CPU engine: rows and columns left over, channels that fill no
        // vector, fewer tiles than a group's 12 and more, many images a task and many tasks an image.
        (1, [2, 2, 16], 16, 1, [3, 3], [1, 1], [1, 1], Padding::Same),
        (9, [7, 9, 16], 20, 1, [3, 3], [1, 1], [1, 1], Padding::Same),
        (2, [8, 8, 33], 48, 1, [3, 3], [1, 1], [1, 1], Padding::Valid),
        (
            1,
            [61, 37, 17],
            31,
            1,
            [3, 3],
            [1, 1],
            [1, 1],
            Padding::Same,
        ),
    ];
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for (images, input, outputs, groups, size, stride, dilation, padding) in cases {
            let wide = [0, 1].map(|axis| (size[axis] - 1) * dilation[axis] + 1);
            let windows = Windows {
                size,
                dilation,
                ..windows(input, outputs, wide, stride, padding)
            };
            let each = [input[2] / groups, outputs / groups];
            let kernel = random(&mut rng, size[0] * size[1] * each[0] * outputs);
            let bias = random(&mut rng, outputs);
            let x = random(&mut rng, images * windows.inputs());
            let sums = reference_sums(&windows, &x, &bias, |t, c, o| {
                match c / each[0] == o / each[1] {
                    true => kernel[(t * each[0] + c % each[0]) * outputs + o],
                    false => 0.0,
                }
            });
            let what = format!("{}: {images} x {windows:?}", engine.info().engine);
            let sizes = [windows.inputs(), windows.outputs()];
            let activations = [
                Activation::Linear,
                Activation::Relu,
                Activation::ReluWith {
                    slope: 0.0,
                    threshold: 0.0,
                    ceiling: 0.5,
                },
                Activation::Tanh,
            ];
            for activation in activations {
                let expected: Vec<f32> = sums.iter().map(|&v| activation.apply(v)).collect();
                let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                    if groups > 1 {
                        let layer =
                            DepthwiseLayer::new(windows, groups, &kernel, &bias, activation);
                        return recording.depthwise(x, rows, &layer);
                    }
                    let layer = ConvLayer::new(windows, &kernel, &bias, activation);
                    recording.conv(x, None, rows, &layer)
                });
                assert_close(&format!("{what}, {activation:?}"), &y, &expected, SUMS);
                if groups > 1 {
                    continue;
                }
                // The largest of its squares, whole ones.
                let [height, width, _] = windows.output;
                if height.min(width) > 1 {
                    let layer = ConvLayer::new(windows, &kernel, &bias, activation).pooled();
                    let sizes = [windows.inputs(), layer.outputs()];
                    let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                        recording.conv(x, None, rows, &layer)
                    });
                    let expected = largest(&squares(windows.output), &expected);
                    let what = format!("{what}, {activation:?} of squares");
                    assert_close(&what, &y, &expected, SUMS);
                }
                // With another value added before the activation: what the convolution gives.
                let layer = ConvLayer::new(windows, &kernel, &bias, Activation::Linear);
                let last = ConvLayer::new(windows, &kernel, &bias, activation);
                let expected: Vec<f32> = sums.iter().map(|&v| activation.apply(2.0 * v)).collect();
                let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                    let other = recording.conv(x, None, rows, &layer);
                    recording.conv(x, Some(other), rows, &last)
                });
                let what = format!("{what}, {activation:?} of a sum");
                assert_close(&what, &y, &expected, SUMS);
            }
        }
    }
}

#[test]
fn depthwise_convolutions_and_pools_of_every_ragged_size() {
    // 64 invocations a workgroup, each 4 values: 63, 64 and 65 of them, with values left over.
    let cases = [
        (0, [5, 4, 1], 1, [3, 3], [1, 1], Padding::Same),
        (1, [1, 1, 1], 1, [1, 1], [1, 1], Padding::Valid),
        (1, [21, 12, 1], 1, [3, 3], [1, 1], Padding::Same),
        (1, [32, 8, 1], 1, [2, 2], [1, 1], Padding::Same),
        (1, [29, 3, 3], 1, [3, 2], [1, 1], Padding::Same),
        (3, [5, 7, 3], 2, [3, 3], [2, 2], Padding::Same),
        (2, [9, 6, 5], 3, [2, 4], [3, 1], Padding::Valid),
        (2, [2, 2, 4], 1, [7, 7], [1, 1], Padding::Same),
        (70, [4, 3, 1], 1, [4, 3], [1, 1], Padding::Valid),
    ];
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for (images, input, fan, size, stride, padding) in cases {
            let channels = input[2];
            let outputs = channels * fan;
            let geometry = windows(input, outputs, size, stride, padding);
            let kernel = random(&mut rng, size[0] * size[1] * outputs);
            let bias = random(&mut rng, outputs);
            let x = random(&mut rng, images * geometry.inputs());
            let own = |c: usize, o: usize| f32::from(u8::from(o / fan == c));
            let expected = reference_sums(&geometry, &x, &bias, |t, c, o| {
                own(c, o) * kernel[t * outputs + o]
            });
            let layer = DepthwiseLayer::new(geometry, channels, &kernel, &bias, Activation::Linear);
            let sizes = [geometry.inputs(), layer.outputs()];
            let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                recording.depthwise(x, rows, &layer)
            });
            let what = format!("{}: {images} x {geometry:?}", engine.info().engine);
            assert_close(&what, &y, &expected, SUMS);

            let geometry = windows(input, channels, size, stride, padding);
            let zeros = vec![0.0; channels];
            let own = |_, c: usize, o: usize| f32::from(u8::from(o == c));
            let sums = reference_sums(&geometry, &x, &zeros, own);
            let ones = vec![1.0; x.len()];
            let counts = reference_sums(&geometry, &ones, &zeros, own);
            let means: Vec<f32> = sums.iter().zip(&counts).map(|(s, n)| s / n).collect();
            let below = vec![-1e30; x.len()];
            for pooling in [Pooling::Average, Pooling::Max] {
                let layer = PoolLayer {
                    windows: geometry,
                    pooling,
                };
                let sizes = [geometry.inputs(), layer.outputs()];
                let pool = |x: &[f32]| {
                    run(engine.as_ref(), x, sizes, |recording, x, rows| {
                        recording.pool(x, rows, &layer)
                    })
                };
                let pooled = pool(&x);
                let what = format!("{what}, {pooling:?}");
                match pooling {
                    Pooling::Average => assert_close(&what, &pooled, &means, VALUES),
                    Pooling::Max => assert_eq!(pooled, largest(&geometry, &x), "{what}"),
                }
                // Padding would be larger than what is there.
                assert!(pool(&below).iter().all(|&value| value < -0.9e30), "{what}");
            }
        }
    }
}

/// The largest value of each window.
fn largest(windows: &Windows, x: &[f32]) -> Vec<f32> {
    let [height, width, channels] = windows.input;
    let mut y = Vec::new();
    for image in x.chunks_exact(windows.inputs()) {
        for k in 0..windows.outputs() {
            let (pixel, channel) = (k / channels, k % channels);
            let start = [pixel / windows.output[1], pixel % windows.output[1]];
            let range = |axis: usize, pixels: usize| {
                let start = start[axis] * windows.stride[axis];
                let end = (start + windows.size[axis]).saturating_sub(windows.before[axis]);
                start.saturating_sub(windows.before[axis])..end.min(pixels)
            };
            let rows = range(0, height);
            let values = rows.flat_map(|y| {
                range(1, width).map(move |x| image[(y * width + x) * channels + channel])
            });
            y.push(values.fold(f32::MIN, f32::max));
        }
    }
    y
}

#[test]
fn elementwise_steps_of_every_period() {
    // 64 invocations a workgroup, each 4 values: 63, 64 and 65 of them.
    let cases = [
        (0, 5, 1),
        (1, 1, 1),
        (1, 252, 1),
        (1, 256, 4),
        (1, 258, 6),
        (9, 15, 3),
        (5, 12, 2),
        (3, 10, 10),
        (130, 7, 7),
        (2, 21, 7),
    ];
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for (rows, values, period) in cases {
            let scale = random(&mut rng, period);
            let offset = random(&mut rng, if rows % 2 == 0 { period } else { 1 });
            let [x, other] = [0, 1].map(|_| random(&mut rng, rows * values));
            let layer = ElementwiseLayer::new(values, &scale, &offset, Activation::Relu);
            for add in [None, Some(&other)] {
                let expected: Vec<f32> = (0..rows * values)
                    .map(|k| {
                        let channel = k % values;
                        let scaled = f64::from(scale[channel % period]) * f64::from(x[k])
                            + f64::from(offset[channel % offset.len()]);
                        let sum = scaled + add.map_or(0.0, |other| f64::from(other[k]));
                        sum.max(0.0) as f32
                    })
                    .collect();
                let y = run(engine.as_ref(), &x, [values; 2], |recording, x, rows| {
                    let other = add.map(|other| {
                        let stride = row_stride(values);
                        let mut padded = Vec::new();
                        for row in other.chunks_exact(values) {
                            padded.extend_from_slice(row);
                            padded.resize(padded.len().next_multiple_of(stride), 0.0);
                        }
                        recording.upload("other", &padded)
                    });
                    recording.elementwise(x, other, rows, &layer)
                });
                let what = format!("{}: {rows} x {values} by {period}", engine.info().engine);
                assert_close(&what, &y, &expected, VALUES);
            }
        }
    }
}

#[test]
fn a_value_is_there_until_its_last_reader() {
    let twice = ElementwiseLayer::new(3, &[2.0], &[0.0], Activation::Linear);
    let once = ElementwiseLayer::new(3, &[1.0], &[1.0], Activation::Linear);
    for engine in engines() {
        let y = run(
            engine.as_ref(),
            &[1.0, 2.0, 3.0],
            [3, 3],
            |recording, x, rows| {
                let doubled = recording.elementwise(x, None, rows, &twice);
                let again = recording.elementwise(doubled, None, rows, &twice);
                let sum = recording.elementwise(again, Some(doubled), rows, &once);
                recording.elementwise(doubled, Some(sum), rows, &once)
            },
        );
        // 2x + (4x + 2x + 1) + 1
        assert_eq!(y, [10.0, 18.0, 26.0], "{}", engine.info().engine);
    }
}

/// A file of Keras's answers.
struct Answers {
    content: Vec<u8>,
}

impl Answers {
    fn tensor(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let tensors = SafeTensors::deserialize(&self.content).expect("the golden file");
        let tensor = tensors.tensor(name).expect(name);
        let values = tensor.data().chunks_exact(4);
        let values = values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        (tensor.shape().to_vec(), values.collect())
    }
}

#[test]
fn single_layers_answer_as_keras_does() {
    let content = std::fs::read(golden("layers_keras.safetensors")).expect("the golden file");
    let (_, header) = SafeTensors::read_metadata(&content).expect("the golden file");
    let metadata = header.metadata().clone().expect("metadata");
    let cases: Vec<Value> = serde_json::from_str(&metadata["cases"]).expect("a list");
    assert_eq!(cases.len(), 48);
    let answers = Answers { content };
    let pair = |value: &Value| [0, 1].map(|axis| value[axis].as_u64().expect("a size") as usize);
    for engine in engines() {
        for case in &cases {
            let name = case["name"].as_str().expect("a name");
            let (x_shape, x) = answers.tensor(&format!("{name}.x"));
            let (y_shape, expected) = answers.tensor(&format!("{name}.y"));
            let padding = match case["padding"].as_str() {
                Some("same") => Padding::Same,
                _ => Padding::Valid,
            };
            let windows = windows(
                [x_shape[1], x_shape[2], x_shape[3]],
                y_shape[3],
                pair(&case["size"]),
                pair(&case["strides"]),
                padding,
            );
            assert_eq!(windows.output, y_shape[1..], "{name}");
            let weights = || ["kernel", "bias"].map(|w| answers.tensor(&format!("{name}.{w}")).1);
            let sizes = [windows.inputs(), windows.outputs()];
            let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                let pool = |pooling| PoolLayer { windows, pooling };
                match case["kind"].as_str() {
                    Some("conv") => {
                        let [kernel, bias] = weights();
                        let layer = ConvLayer::new(windows, &kernel, &bias, Activation::Linear);
                        recording.conv(x, None, rows, &layer)
                    }
                    Some("depthwise") => {
                        let [kernel, bias] = weights();
                        let layer = DepthwiseLayer::new(
                            windows,
                            windows.input[2],
                            &kernel,
                            &bias,
                            Activation::Linear,
                        );
                        recording.depthwise(x, rows, &layer)
                    }
                    Some("max") => recording.pool(x, rows, &pool(Pooling::Max)),
                    Some("average") => recording.pool(x, rows, &pool(Pooling::Average)),
                    other => panic!("no kind {other:?}"),
                }
            });
            let what = format!("{}: {case}", engine.info().engine);
            assert_close(&what, &y, &expected, SUMS);
        }
    }
}

#[test]
fn images_of_another_size_between_rows_and_columns() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(10);
        for (input, output) in [
            ([1, 1, 1], [1, 1]),
            ([5, 4, 3], [10, 8]),
            ([9, 7, 1], [4, 13]),
            ([16, 16, 4], [5, 3]),
        ] {
            let mut places = |size: usize, count: usize| -> Vec<Between> {
                let place = |_| {
                    let first = rng.random_range(0..size);
                    Between {
                        of: [first, (first + 1).min(size - 1)],
                        second: rng.random(),
                    }
                };
                (0..count).map(place).collect()
            };
            let (rows, columns) = (places(input[0], output[0]), places(input[1], output[1]));
            let layer = ResampleLayer::new(input, &rows, &columns);
            let values: usize = input.iter().product();
            let x = random(&mut rng, 3 * values);
            let mut expected = Vec::new();
            for image in x.chunks_exact(values) {
                for (row, column) in rows
                    .iter()
                    .flat_map(|r| columns.iter().map(move |c| (r, c)))
                {
                    for channel in 0..input[2] {
                        let at = |a: usize, b: usize| {
                            let pixel = row.of[a] * input[1] + column.of[b];
                            f64::from(image[pixel * input[2] + channel])
                        };
                        let (down, across) = (f64::from(row.second), f64::from(column.second));
                        let line = |a| (1.0 - across) * at(a, 0) + across * at(a, 1);
                        expected.push(((1.0 - down) * line(0) + down * line(1)) as f32);
                    }
                }
            }
            let sizes = [values, layer.outputs()];
            let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                recording.resample(x, rows, &layer)
            });
            let what = format!("{}: {input:?} to {output:?}", engine.info().engine);
            assert_close(&what, &y, &expected, VALUES);
        }
    }
}

#[test]
fn local_response_normalisation_of_odd_and_even_windows() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        for (pixels, channels, size) in [(1, 1, 1), (9, 7, 5), (5, 3, 8), (64, 4, 2), (13, 5, 3)] {
            let x: Vec<f32> = (random(&mut rng, 3 * pixels * channels).iter())
                .map(|v| 3.0 * v)
                .collect();
            let layer = LrnLayer {
                pixels,
                channels,
                size,
                alpha: 0.4,
                beta: 0.75,
                bias: 1.5,
            };
            let expected: Vec<f32> = (0..x.len())
                .map(|k| {
                    // The window of ONNX's definition, floor((size - 1) / 2) channels ahead.
                    let channel = (k % channels) as i64;
                    let first = channel - (size as i64 - 1) / 2;
                    let squares: f64 = (first..first + size as i64)
                        .filter(|c| (0..channels as i64).contains(c))
                        .map(|c| f64::from(x[k - channel as usize + c as usize]).powi(2))
                        .sum();
                    let divisor = (1.5 + 0.4 / size as f64 * squares).powf(0.75);
                    (f64::from(x[k]) / divisor) as f32
                })
                .collect();
            let values = pixels * channels;
            let y = run(engine.as_ref(), &x, [values; 2], |recording, x, rows| {
                recording.lrn(x, rows, &layer)
            });
            let what = format!("{}: {layer:?}", engine.info().engine);
            assert_close(&what, &y, &expected, SUMS);
        }
    }
}

#[test]
fn activations_answer_as_keras_does_and_do_not_overflow() {
    let content = std::fs::read(golden("layers_keras.safetensors")).expect("the golden file");
    let answers = Answers { content };
    let relu_with = |slope, threshold, ceiling| Activation::ReluWith {
        slope,
        threshold,
        ceiling,
    };
    let activations = [
        ("linear", Activation::Linear),
        ("relu", Activation::Relu),
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("relu6", relu_with(0.0, 0.0, 6.0)),
        ("leaky_relu", relu_with(0.2, 0.0, f32::MAX)),
        ("relu_with", relu_with(0.25, 0.5, 3.0)),
        ("elu", Activation::Elu { alpha: 1.5 }),
        ("selu", Activation::Selu),
        ("gelu", Activation::Gelu),
        ("gelu_tanh", Activation::GeluTanh),
        ("silu", Activation::Silu),
        ("softplus", Activation::Softplus),
        ("softsign", Activation::Softsign),
        ("exponential", Activation::Exponential),
        ("hard_sigmoid", Activation::HardSigmoid),
        ("hard_silu", Activation::HardSilu),
        ("mish", Activation::Mish),
    ];
    let (_, x) = answers.tensor("activation.x");
    let huge = [-3e38, -1e20, -100.0, 100.0, 1e20, 3e38];
    for engine in engines() {
        for (name, activation) in activations {
            let layer = ElementwiseLayer::new(1, &[1.0], &[0.0], activation);
            let apply = |x: &[f32]| {
                run(engine.as_ref(), x, [1, 1], |recording, x, rows| {
                    recording.elementwise(x, None, rows, &layer)
                })
            };
            let (_, expected) = answers.tensor(&format!("activation.{name}"));
            let what = format!("{}: {name}", engine.info().engine);
            let tolerance = Tolerance {
                abs: 1e-6,
                // exp of the driver, at 60 a relative error of 60 units in the last place.
                rel: if name == "exponential" { 1e-5 } else { 1e-6 },
            };
            assert_close(&what, &apply(&x), &expected, tolerance);
            // The run itself asks for finite values; exp alone has none here.
            if name != "exponential" {
                apply(&huge);
            }
        }
        // The logarithm has no name among Keras's functions; by its definition.
        let layer = ElementwiseLayer::new(1, &[1.0], &[0.0], Activation::Log);
        let p = [0.0, -1.0, 1e-38, 1.2e-38, 1e-7, 0.25, 1.0, 3.0, f32::MAX];
        let ln = |p: &f32| f64::from(p.max(f32::MIN_POSITIVE)).ln() as f32;
        let found = run(engine.as_ref(), &p, [1, 1], |recording, x, rows| {
            recording.elementwise(x, None, rows, &layer)
        });
        let tolerance = Tolerance {
            abs: 1e-6,
            rel: 1e-6,
        };
        assert_close(
            "log",
            &found,
            &p.iter().map(ln).collect::<Vec<_>>(),
            tolerance,
        );
    }
}

#[test]
fn products_quotients_and_maxima_repeat_what_holds_one_value_for_many() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(31);
        // Values, others, repeat: one a channel, one a pixel, one a value, one for all.
        for (values, others, repeat) in [(30, 5, 1), (30, 6, 5), (7, 7, 1), (9, 1, 9), (256, 64, 4)]
        {
            for rows in [0, 1, 5] {
                let x = random(&mut rng, rows * values);
                let other = random(&mut rng, rows * others);
                for (combining, activation) in [
                    (Combining::Product, Activation::Linear),
                    (Combining::Product, Activation::Relu),
                    (Combining::Larger, Activation::Linear),
                    (Combining::Quotient, Activation::Linear),
                    (Combining::Quotient, Activation::Relu),
                ] {
                    let layer = CombineLayer {
                        values,
                        others,
                        repeat,
                        combining,
                        activation,
                    };
                    let expected: Vec<f32> = (0..rows * values)
                        .map(|k| {
                            let (row, value) = (k / values, k % values);
                            let other = other[row * others + value / repeat % others];
                            let both = match combining {
                                Combining::Product => x[k] * other,
                                Combining::Larger => x[k].max(other),
                                Combining::Quotient => x[k] / other,
                            };
                            if activation == Activation::Relu {
                                both.max(0.0)
                            } else {
                                both
                            }
                        })
                        .collect();
                    let found = run(
                        engine.as_ref(),
                        &x,
                        [values, values],
                        |recording, x, rows| {
                            let mut padded = Vec::new();
                            for row in other.chunks_exact(others) {
                                padded.extend_from_slice(row);
                                padded
                                    .resize(padded.len().next_multiple_of(row_stride(others)), 7.0);
                            }
                            let other = recording.upload("other", &padded);
                            recording.combine(x, other, rows, &layer)
                        },
                    );
                    let what = format!("{} {values} {others} {combining:?}", engine.info().engine);
                    assert_close(&what, &found, &expected, VALUES);
                }
            }
        }
    }
}

#[test]
fn values_change_places_and_nothing_else() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(32);
        for (inputs, outputs, rows) in [
            ([7, 5], 14, 3),
            ([8, 0], 8, 1),
            ([1, 1], 1, 70),
            ([30, 66], 257, 2),
        ] {
            let both = inputs[0] + inputs[1];
            let places: Vec<u32> = (0..outputs)
                .map(|k| match k % 5 {
                    4 => RearrangeLayer::FILL,
                    _ => (k * 7 % both) as u32,
                })
                .collect();
            let x = random(&mut rng, rows * inputs[0]);
            let other = random(&mut rng, rows * inputs[1]);
            let expected: Vec<f32> = (0..rows * outputs)
                .map(|k| match (k / outputs, places[k % outputs] as usize) {
                    (_, place) if place == RearrangeLayer::FILL as usize => -2.5,
                    (row, place) if place < inputs[0] => x[row * inputs[0] + place],
                    (row, place) => other[row * inputs[1] + place - inputs[0]],
                })
                .collect();
            let layer = RearrangeLayer::new(inputs, places, -2.5);
            let found = run(
                engine.as_ref(),
                &x,
                [inputs[0], outputs],
                |recording, x, rows| {
                    let mut padded = Vec::new();
                    for row in other.chunks_exact(inputs[1].max(1)) {
                        padded.extend_from_slice(row);
                        padded.resize(padded.len().next_multiple_of(row_stride(inputs[1])), 7.0);
                    }
                    let other = (inputs[1] > 0).then(|| recording.upload("other", &padded));
                    recording.rearrange(x, other, rows, &layer)
                },
            );
            let exact = Tolerance { abs: 0.0, rel: 0.0 };
            assert_close(&format!("{inputs:?}"), &found, &expected, exact);
        }
    }
}

#[test]
fn groups_are_normalised_by_their_own_statistics() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(33);
        for (pixels, channels, groups) in [
            (1, 5, Groups::Pixels),
            (7, 6, Groups::Pixels),
            (7, 6, Groups::Channels(3)),
            (7, 6, Groups::Channels(6)),
            (35, 8, Groups::Channels(1)),
        ] {
            for divisor in [
                Divisor::Deviation { epsilon: 1e-3 },
                Divisor::Length { epsilon: 1e-12 },
            ] {
                let (values, rows) = (pixels * channels, 3);
                // Far from 0, where a difference of squares would cancel.
                let x: Vec<f32> = random(&mut rng, rows * values)
                    .iter()
                    .map(|v| v + 20.0)
                    .collect();
                let (scale, offset) = (random(&mut rng, channels), random(&mut rng, channels));
                let group = |k: usize| match groups {
                    Groups::Pixels => k % values / channels,
                    Groups::Channels(groups) => k % channels / (channels / groups),
                };
                let expected: Vec<f32> = (0..rows * values)
                    .map(|k| {
                        let row = k / values * values;
                        let own: Vec<f64> = (row..row + values)
                            .filter(|&other| group(other - row) == group(k - row))
                            .map(|other| f64::from(x[other]))
                            .collect();
                        let count = own.len() as f64;
                        let normal = match divisor {
                            Divisor::Deviation { epsilon } => {
                                let mean = own.iter().sum::<f64>() / count;
                                let variance =
                                    own.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
                                (f64::from(x[k]) - mean) / (variance + f64::from(epsilon)).sqrt()
                            }
                            Divisor::Length { .. } => {
                                f64::from(x[k]) / own.iter().map(|v| v * v).sum::<f64>().sqrt()
                            }
                        };
                        let channel = k % channels;
                        (f64::from(scale[channel]) * normal + f64::from(offset[channel])) as f32
                    })
                    .collect();
                let layer = NormaliseLayer::new(pixels, groups, divisor, scale, offset);
                let found = run(
                    engine.as_ref(),
                    &x,
                    [values, values],
                    |recording, x, rows| recording.normalise(x, rows, &layer),
                );
                let what = format!("{} {groups:?} {divisor:?}", engine.info().engine);
                // A mean of 20 in 32-bit floats, differences of about 1.
                let tolerance = Tolerance {
                    abs: 2e-5,
                    rel: 1e-5,
                };
                assert_close(&what, &found, &expected, tolerance);
            }
        }
    }
}

#[test]
fn products_of_heads_wherever_their_values_lie() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(35);
        for (count, heads, rows, inner, columns) in [
            (1, 1, 1, 1, 1),
            (3, 2, 4, 3, 4),
            (2, 3, 5, 7, 5),
            (1, 2, 17, 16, 33),
            (65, 1, 3, 2, 6),
            (2, 4, 50, 8, 50),
        ] {
            // Queries, keys and values side by side, heads inside; one matrix behind the other; both
            // turned around; the same second matrix for every head.
            let side = |[start, head, outer, inner]: [usize; 4]| Factor {
                values: 0,
                start,
                head,
                outer,
                inner,
            };
            let tokens = |start| side([start, inner, heads * inner, 1]);
            let blocks = |outer: usize, start| side([start, outer * inner, inner, 1]);
            let turned = |outer: usize, start| side([start, outer * inner, 1, outer]);
            for (mut a, mut b) in [
                (tokens(1), tokens(2)),
                (blocks(rows, 0), turned(columns, 3)),
                (turned(rows, 5), blocks(columns, 0)),
                (tokens(0), side([7, 0, inner, 1])),
            ] {
                let reach = |side: Factor, outer: usize| {
                    1 + side.start
                        + (heads - 1) * side.head
                        + (outer - 1) * side.outer
                        + (inner - 1) * side.inner
                };
                (a.values, b.values) = (reach(a, rows), reach(b, columns));
                let x = random(&mut rng, count * a.values);
                let other = random(&mut rng, count * b.values);
                let layer = MatmulLayer {
                    heads,
                    rows,
                    inner,
                    columns,
                    a,
                    b,
                    scale: 0.5,
                };
                let mut expected = Vec::new();
                for (x, other) in x.chunks_exact(a.values).zip(other.chunks_exact(b.values)) {
                    for k in 0..layer.outputs() {
                        // [rows, heads, columns]
                        let (row, head, column) =
                            (k / columns / heads, k / columns % heads, k % columns);
                        let sum: f64 = (0..inner)
                            .map(|k| {
                                let at = |side: Factor, outer: usize| {
                                    side.start
                                        + head * side.head
                                        + outer * side.outer
                                        + k * side.inner
                                };
                                f64::from(x[at(a, row)]) * f64::from(other[at(b, column)])
                            })
                            .sum();
                        expected.push((0.5 * sum) as f32);
                    }
                }
                let sizes = [a.values, layer.outputs()];
                let y = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                    let mut padded = Vec::new();
                    for row in other.chunks_exact(b.values) {
                        padded.extend_from_slice(row);
                        padded.resize(padded.len().next_multiple_of(row_stride(b.values)), 7.0);
                    }
                    let other = recording.upload("other", &padded);
                    recording.matmul(x, other, rows, &layer)
                });
                let what = format!("{}: {count} x {layer:?}", engine.info().engine);
                assert_close(&what, &y, &expected, SUMS);
            }
        }
    }
}

#[test]
fn groups_inside_a_network_go_through_a_softmax_each() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(36);
        for (count, groups, classes) in [(1, 1, 1), (3, 5, 7), (2, 64, 3), (70, 3, 50)] {
            let layer = SoftmaxLayer { groups, classes };
            let values = layer.outputs();
            let x: Vec<f32> = (random(&mut rng, count * values).iter())
                .map(|v| 40.0 * v)
                .collect();
            let mut expected = Vec::new();
            for group in x.chunks_exact(classes) {
                let most = group.iter().copied().fold(f32::MIN, f32::max);
                let weigh = |v: &f32| f64::from(v - most).exp();
                let all: f64 = group.iter().map(weigh).sum();
                expected.extend(group.iter().map(|v| (weigh(v) / all) as f32));
            }
            let y = run(engine.as_ref(), &x, [values; 2], |recording, x, rows| {
                recording.softmax_of_groups(x, rows, layer)
            });
            let what = format!("{}: {count} x {layer:?}", engine.info().engine);
            assert_close(&what, &y, &expected, SUMS);
        }
    }
}

#[test]
fn trees_add_the_weights_of_the_leaves_that_rows_fall_to() {
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(34);
        for (rows, features, classes, trees) in
            [(0, 3, 2, 1), (1, 1, 2, 3), (65, 5, 3, 40), (130, 9, 7, 7)]
        {
            // Full trees of three levels, each leaf with a weight for two classes.
            let (mut nodes, mut roots) = (Vec::new(), Vec::new());
            for _ in 0..trees {
                let root = nodes.len();
                roots.push(root);
                for node in 0..7 {
                    let leaf = |child: usize| match child {
                        0..7 => root + child,
                        child => root + 7 + 2 * (child - 7),
                    };
                    nodes.push(TreeNode::Branch {
                        feature: rng.random_range(0..features),
                        threshold: 2.0 * rng.random::<f32>() - 1.0,
                        then: leaf(2 * node + 1),
                        otherwise: leaf(2 * node + 2),
                    });
                }
                for _ in 0..8 {
                    let next = nodes.len() + 1;
                    for next in [Some(next), None] {
                        nodes.push(TreeNode::Leaf {
                            class: rng.random_range(0..classes),
                            weight: rng.random::<f32>(),
                            next,
                        });
                    }
                }
            }
            let base = random(&mut rng, classes);
            let x = random(&mut rng, rows * features);
            let mut expected = Vec::new();
            for row in x.chunks_exact(features) {
                let mut scores: Vec<f64> = base.iter().map(|&base| f64::from(base)).collect();
                for &root in &roots {
                    let mut at = Some(root);
                    while let Some(node) = at {
                        at = match nodes[node] {
                            TreeNode::Branch {
                                feature,
                                threshold,
                                then,
                                otherwise,
                            } => Some(if row[feature] <= threshold {
                                then
                            } else {
                                otherwise
                            }),
                            TreeNode::Leaf {
                                class,
                                weight,
                                next,
                            } => {
                                scores[class] += f64::from(weight);
                                next
                            }
                        };
                    }
                }
                expected.extend(scores.iter().map(|&score| score as f32));
            }
            let layer = TreesLayer::new(features, &roots, &nodes, &base);
            let found = run(
                engine.as_ref(),
                &x,
                [features, classes],
                |recording, x, rows| recording.trees(x, rows, &layer),
            );
            let what = format!("{} {rows} rows", engine.info().engine);
            assert_close(&what, &found, &expected, SUMS);
        }
    }
}

/// Pairwise coupling as it is published, with the whole matrix Q, ended as libsvm ends it.
fn coupled(classes: usize, r: &[f64]) -> Vec<f64> {
    let mut q = vec![vec![0.0; classes]; classes];
    for a in 0..classes {
        for b in (0..classes).filter(|&b| b != a) {
            q[a][a] += r[b * classes + a].powi(2);
            q[a][b] = -r[b * classes + a] * r[a * classes + b];
        }
    }
    let mut p = vec![1.0 / classes as f64; classes];
    for _ in 0..100 {
        let qp: Vec<f64> = q
            .iter()
            .map(|row| row.iter().zip(&p).map(|(q, p)| q * p).sum())
            .collect();
        let all: f64 = qp.iter().zip(&p).map(|(qp, p)| qp * p).sum();
        let error = qp.iter().map(|qp| (qp - all).abs()).fold(0.0, f64::max);
        if error < 0.005 / classes as f64 {
            break;
        }
        for a in 0..classes {
            let qp = |p: &[f64]| -> Vec<f64> {
                (q.iter())
                    .map(|row| row.iter().zip(p).map(|(q, p)| q * p).sum())
                    .collect()
            };
            let now = qp(&p);
            let all: f64 = now.iter().zip(&p).map(|(qp, p)| qp * p).sum();
            p[a] += (all - now[a]) / q[a][a];
            let sum: f64 = p.iter().sum();
            p.iter_mut().for_each(|p| *p /= sum);
        }
    }
    p
}

#[test]
fn support_vectors_decide_between_pairs_and_pairs_between_all() {
    let (gamma, shift) = (0.6, 0.3);
    let polynomial = Similarity::Polynomial {
        gamma,
        shift,
        degree: 3,
    };
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(35);
        for (rows, features, similarity, counts) in [
            (0, 3, Similarity::Radial { gamma }, &[2, 1][..]),
            (1, 1, Similarity::Radial { gamma }, &[1, 2]),
            (65, 5, Similarity::Radial { gamma }, &[4, 1, 6]),
            (70, 4, polynomial, &[3, 0, 2, 5]),
            (130, 9, Similarity::Hyperbolic { gamma, shift }, &[2, 3]),
        ] {
            let classes = counts.len();
            let total: usize = counts.iter().sum();
            let of: Vec<usize> = (counts.iter().enumerate())
                .flat_map(|(class, &count)| std::iter::repeat_n(class, count))
                .collect();
            let vectors = random(&mut rng, total * features);
            let coefficients = random(&mut rng, total * (classes - 1));
            let pairs: Vec<PairOfClasses> = (0..classes * (classes - 1) / 2)
                .map(|_| PairOfClasses {
                    rho: rng.random::<f32>() - 0.5,
                    slope: -2.0 * rng.random::<f32>(),
                    offset: rng.random::<f32>() - 0.5,
                })
                .collect();
            let x = random(&mut rng, rows * features);
            let (mut of_pairs, mut of_all) = (Vec::new(), Vec::new());
            for row in x.chunks_exact(features) {
                let values: Vec<f64> = (vectors.chunks_exact(features))
                    .map(|vector| {
                        let both = || row.iter().zip(vector);
                        let product: f64 = both().map(|(x, s)| f64::from(*x) * f64::from(*s)).sum();
                        let squared: f64 = both()
                            .map(|(x, s)| (f64::from(*x) - f64::from(*s)).powi(2))
                            .sum();
                        let (gamma, shift) = (f64::from(gamma), f64::from(shift));
                        match similarity {
                            Similarity::Polynomial { .. } => (gamma * product + shift).powi(3),
                            Similarity::Radial { .. } => (-gamma * squared).exp(),
                            Similarity::Hyperbolic { .. } => (gamma * product + shift).tanh(),
                        }
                    })
                    .collect();
                let mut r = vec![0.0; classes * classes];
                let mut pair = pairs.iter();
                for a in 0..classes {
                    for b in a + 1..classes {
                        let pair = pair.next().expect("as many as there are");
                        let mut decision = f64::from(pair.rho);
                        for vector in 0..total {
                            // The coefficient for the other class, their own left out.
                            let column = match of[vector] {
                                own if own == a => b - 1,
                                own if own == b => a,
                                _ => continue,
                            };
                            let coefficient = coefficients[vector * (classes - 1) + column];
                            decision += f64::from(coefficient) * values[vector];
                        }
                        let u = f64::from(pair.slope) * decision + f64::from(pair.offset);
                        let first = 1.0 / (1.0 + u.exp());
                        of_pairs.push(first as f32);
                        r[a * classes + b] = first;
                        r[b * classes + a] = 1.0 - first;
                    }
                }
                of_all.extend(coupled(classes, &r).iter().map(|&p| p as f32));
            }
            let layer = SupportVectorsLayer::new(
                features,
                similarity,
                counts,
                &vectors,
                &coefficients,
                &pairs,
            );
            let sizes = [features, pairs.len()];
            let found = run(engine.as_ref(), &x, sizes, |recording, x, rows| {
                recording.support_vectors(x, rows, &layer)
            });
            let what = format!("{} {similarity:?}", engine.info().engine);
            assert_close(&what, &found, &of_pairs, SUMS);
            let layer = CouplingLayer { classes };
            let sizes = [pairs.len(), classes];
            let found = run(engine.as_ref(), &of_pairs, sizes, |recording, r, rows| {
                recording.coupling(r, rows, layer)
            });
            assert_close(&what, &found, &of_all, SUMS);
        }
    }
}
