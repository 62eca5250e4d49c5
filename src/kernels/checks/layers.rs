//! Cases of the kernels of networks.

use super::case::{BITS, COUNT, FLOATS, values};
use super::{Activation, Checks, Recording, is_of_positive};
use crate::kernels::{
    Between, Buf, CombineLayer, Combining, ConvLayer, CouplingLayer, DenseLayer, DepthwiseLayer,
    Divisor, ElementwiseLayer, Factor, Groups, LrnLayer, MatmulLayer, NormaliseLayer,
    PairOfClasses, PoolLayer, Pooling, RearrangeLayer, ResampleLayer, Similarity, SoftmaxLayer,
    SupportVectorsLayer, TreeNode, TreesLayer, Windows, row_stride,
};

/// Rows of numbers from -1 to 1, times `scale`. What fills a row up is finite and nothing else.
fn rows(recording: &mut Recording, count: usize, width: usize, scale: f32) -> Buf<f32> {
    let mut padded = Vec::with_capacity(count * row_stride(width));
    for row in values(0, count * width).chunks_exact(width) {
        padded.extend(row.iter().map(|value| scale * value));
        padded.resize(padded.len().next_multiple_of(row_stride(width)), 7.0);
    }
    recording.upload("case.x", &padded)
}

/// A bias that lifts sums above 0 where an activation asks for that.
fn bias(activation: Activation, count: usize) -> Vec<f32> {
    let lift = if is_of_positive(activation) {
        20.0
    } else {
        0.0
    };
    values(2, count).iter().map(|bias| lift + bias).collect()
}

/// Windows over images of `input`, padded with zeros so that every pixel has one of its own.
fn same(input: [usize; 3], outputs: usize, size: [usize; 2], stride: [usize; 2]) -> Windows {
    let along = |axis: usize| {
        let count = input[axis].div_ceil(stride[axis]);
        let covered = (count - 1) * stride[axis] + size[axis];
        (count, covered.saturating_sub(input[axis]) / 2)
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

/// Windows over images of `input` that have all their pixels inside, some of them apart.
fn inside(input: [usize; 3], outputs: usize, size: [usize; 2], dilation: [usize; 2]) -> Windows {
    let along = |axis: usize| input[axis] - (size[axis] - 1) * dilation[axis];
    Windows {
        input,
        output: [along(0), along(1), outputs],
        size,
        stride: [1, 1],
        before: [0, 0],
        dilation,
    }
}

fn record_dense(recording: &mut Recording, sizes: [usize; 3], activation: Activation) {
    let [count, inputs, outputs] = sizes;
    let x = rows(recording, count, inputs, 1.0);
    let kernel = values(1, inputs * outputs);
    let layer = DenseLayer::new(inputs, &kernel, &bias(activation, outputs), activation);
    let y = recording.dense(x, count, &layer);
    recording.download(y);
}

pub(super) fn dense(checks: &mut Checks) {
    // 8 rows and 8 columns an invocation: one less, as many, one more.
    checks.add_activations(|recording, activation| {
        record_dense(recording, [9, 5, 9], activation);
    });
    checks.add("ragged", |recording| {
        for sizes in [
            [0, 4, 3],
            [1, 1, 2],
            [7, 3, 7],
            [8, 4, 8],
            [63, 16, 3],
            [65, 784, 10],
            [33, 30, 128],
            [130, 4, 17],
        ] {
            record_dense(recording, sizes, Activation::Relu);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_dense(recording, [700, 4, 17], Activation::Linear);
        FLOATS
    });
}

fn record_conv(
    recording: &mut Recording,
    images: usize,
    windows: Windows,
    activation: Activation,
) -> Buf<f32> {
    let x = rows(recording, images, windows.inputs(), 1.0);
    let [size, channels] = [windows.size, [windows.input[2], windows.output[2]]];
    let kernel = values(1, size[0] * size[1] * channels[0] * channels[1]);
    let layer = ConvLayer::new(windows, &kernel, &bias(activation, channels[1]), activation);
    let y = recording.conv(x, None, images, &layer);
    recording.download(y);
    y
}

/// The largest values of squares, and sums to which sums are added.
fn record_endings(recording: &mut Recording, windows: Windows) {
    let y = record_conv(recording, 2, windows, Activation::Linear);
    let taps = windows.size[0] * windows.size[1] * windows.input[2];
    let kernel = values(3, taps * windows.output[2]);
    let bias = values(2, windows.output[2]);
    let layer = ConvLayer::new(windows, &kernel, &bias, Activation::Relu);
    let x = rows(recording, 2, windows.inputs(), 1.0);
    let sum = recording.conv(x, Some(y), 2, &layer);
    recording.download(sum);
    let largest = recording.conv(x, None, 2, &layer.pooled());
    recording.download(largest);
}

pub(super) fn conv(checks: &mut Checks) {
    checks.add_activations(|recording, activation| {
        let windows = same([5, 4, 2], 9, [3, 2], [1, 1]);
        record_conv(recording, 2, windows, activation);
    });
    // 64 invocations a workgroup, each 8 pixels by 8 channels: 511, 512 and 513 pixels.
    checks.add("ragged", |recording| {
        for (images, windows) in [
            (0, same([5, 4, 1], 3, [3, 2], [1, 1])),
            (1, same([1, 1, 1], 1, [1, 1], [1, 1])),
            (7, same([73, 1, 2], 8, [1, 1], [1, 1])),
            (1, same([32, 16, 1], 4, [2, 3], [1, 1])),
            (1, same([27, 19, 3], 7, [2, 3], [1, 1])),
            (3, same([1, 9, 3], 9, [3, 3], [1, 2])),
            (1, same([2, 2, 4], 6, [7, 7], [1, 1])),
            (5, same([6, 6, 8], 17, [3, 3], [2, 2])),
        ] {
            record_conv(recording, images, windows, Activation::Relu);
        }
        FLOATS
    });
    checks.add("gaps, sums, squares", |recording| {
        for windows in [
            inside([11, 13, 6], 48, [1, 3], [1, 4]),
            inside([9, 9, 5], 33, [3, 3], [3, 2]),
            same([16, 15, 2], 9, [5, 5], [1, 1]),
        ] {
            record_endings(recording, windows);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        let windows = same([27, 19, 3], 7, [2, 3], [1, 1]);
        record_conv(recording, 4, windows, Activation::Linear);
        FLOATS
    });
}

pub(super) fn conv3x3(checks: &mut Checks) {
    let windows = |input, outputs| same(input, outputs, [3, 3], [1, 1]);
    checks.add_activations(move |recording, activation| {
        record_conv(recording, 2, windows([5, 4, 2], 9), activation);
    });
    // 64 invocations a workgroup, each two squares by 8 channels: 127, 128 and 129 squares.
    checks.add("ragged", move |recording| {
        for (images, windows) in [
            (0, windows([5, 4, 1], 3)),
            (1, windows([2, 2, 1], 1)),
            (1, windows([2, 254, 2], 8)),
            (2, windows([16, 16, 1], 4)),
            (1, windows([6, 86, 1], 5)),
            (3, windows([7, 9, 3], 9)),
            (2, inside([9, 6, 4], 6, [3, 3], [1, 1])),
        ] {
            record_conv(recording, images, windows, Activation::Relu);
        }
        FLOATS
    });
    // The first by tiles of 2 x 2 in the twin, which the shader knows nothing of.
    checks.add("sums, squares", move |recording| {
        for windows in [
            windows([9, 8, 20], 33),
            windows([13, 11, 3], 7),
            inside([7, 8, 5], 12, [3, 3], [1, 1]),
        ] {
            record_endings(recording, windows);
        }
        FLOATS
    });
    checks.add_folded(move |recording| {
        record_conv(recording, 2, windows([27, 20, 3], 7), Activation::Linear);
        FLOATS
    });
}

fn record_depthwise(
    recording: &mut Recording,
    images: usize,
    windows: Windows,
    groups: usize,
    activation: Activation,
) {
    let x = rows(recording, images, windows.inputs(), 1.0);
    let outputs = windows.output[2];
    let taps = windows.size[0] * windows.size[1] * (windows.input[2] / groups);
    let kernel = values(1, taps * outputs);
    let bias = bias(activation, outputs);
    let layer = DepthwiseLayer::new(windows, groups, &kernel, &bias, activation);
    let y = recording.depthwise(x, images, &layer);
    recording.download(y);
}

pub(super) fn depthwise(checks: &mut Checks) {
    checks.add_activations(|recording, activation| {
        let windows = same([5, 4, 3], 6, [3, 3], [1, 1]);
        record_depthwise(recording, 2, windows, 3, activation);
    });
    // 64 invocations a workgroup, each 4 values: 63, 64 and 65 of them, with values left over.
    checks.add("ragged", |recording| {
        for (images, windows) in [
            (0, same([5, 4, 1], 1, [3, 3], [1, 1])),
            (1, same([1, 1, 1], 1, [1, 1], [1, 1])),
            (1, same([21, 12, 1], 1, [3, 3], [1, 1])),
            (1, same([32, 8, 1], 1, [2, 2], [1, 1])),
            (1, same([29, 3, 3], 3, [3, 2], [1, 1])),
            (3, same([5, 7, 3], 6, [3, 3], [2, 2])),
            (2, same([2, 2, 4], 4, [7, 7], [1, 1])),
        ] {
            let groups = windows.input[2];
            record_depthwise(recording, images, windows, groups, Activation::Linear);
        }
        FLOATS
    });
    checks.add("groups, gaps", |recording| {
        for (windows, groups) in [
            (inside([9, 8, 4], 6, [3, 3], [2, 2]), 2),
            (inside([7, 5, 12], 36, [3, 2], [1, 1]), 3),
            (inside([6, 6, 10], 10, [3, 3], [2, 1]), 10),
        ] {
            record_depthwise(recording, 2, windows, groups, Activation::Relu);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        let windows = same([5, 7, 3], 6, [3, 3], [1, 1]);
        record_depthwise(recording, 6, windows, 3, Activation::Linear);
        FLOATS
    });
}

/// Heads of queries and keys that stand side by side in rows of tokens, and the same turned around.
fn record_matmul(
    recording: &mut Recording,
    count: usize,
    [heads, rows, inner, columns]: [usize; 4],
    scale: f32,
) {
    let side = |outer: usize| Factor {
        values: outer * heads * inner + 1,
        start: 1,
        head: inner,
        outer: heads * inner,
        inner: 1,
    };
    let [a, b] = [side(rows), side(columns)];
    let turned = |side: Factor, outer| Factor {
        head: inner * outer,
        outer: 1,
        inner: outer,
        ..side
    };
    let layer = MatmulLayer {
        heads,
        rows,
        inner,
        columns,
        a,
        b,
        scale,
    };
    let (x, other) = (
        self::rows(recording, count, a.values, 1.0),
        self::rows(recording, count, b.values, 2.0),
    );
    let y = recording.matmul(x, other, count, &layer);
    recording.download(y);
    let layer = MatmulLayer {
        a: turned(a, rows),
        b: turned(b, columns),
        ..layer
    };
    let y = recording.matmul(x, other, count, &layer);
    recording.download(y);
}

pub(super) fn matmul(checks: &mut Checks) {
    // 4 rows by 4 columns an invocation: one less, as many, one more.
    checks.add("ragged", |recording| {
        for (count, sizes) in [
            (0, [2, 3, 4, 5]),
            (1, [1, 1, 1, 1]),
            (3, [1, 3, 5, 3]),
            (3, [2, 4, 8, 4]),
            (2, [3, 5, 7, 5]),
            (1, [2, 17, 16, 33]),
            (65, [1, 4, 3, 4]),
        ] {
            record_matmul(recording, count, sizes, 0.25);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_matmul(recording, 9, [3, 7, 5, 9], 1.0);
        FLOATS
    });
}

fn record_pool(recording: &mut Recording, images: usize, windows: Windows) {
    let x = rows(recording, images, windows.inputs(), 1.0);
    for pooling in [Pooling::Average, Pooling::Max] {
        let y = recording.pool(x, images, &PoolLayer { windows, pooling });
        recording.download(y);
    }
}

pub(super) fn pool(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (images, windows) in [
            (0, same([5, 4, 1], 1, [3, 3], [1, 1])),
            (1, same([1, 1, 1], 1, [1, 1], [1, 1])),
            (1, same([21, 12, 1], 1, [3, 3], [1, 1])),
            (1, same([32, 8, 1], 1, [2, 2], [1, 1])),
            (1, same([29, 3, 3], 3, [3, 2], [1, 1])),
            (3, same([5, 7, 3], 3, [3, 3], [2, 2])),
            (2, same([2, 2, 4], 4, [7, 7], [1, 1])),
            (2, inside([6, 6, 10], 10, [3, 3], [2, 1])),
        ] {
            record_pool(recording, images, windows);
        }
        FLOATS
    });
    // Padding would be larger than what is there.
    checks.add("far below 0", |recording| {
        let windows = same([5, 7, 3], 3, [3, 3], [1, 1]);
        let x = recording.upload("case.x", &vec![-1e30; row_stride(windows.inputs())]);
        let pooling = Pooling::Max;
        let y = recording.pool(x, 1, &PoolLayer { windows, pooling });
        recording.download(y);
        FLOATS
    });
    checks.add_folded(|recording| {
        record_pool(recording, 9, same([7, 6, 3], 3, [3, 3], [1, 1]));
        FLOATS
    });
}

/// What an activation is tried on: every size of number that its result has room for.
fn tried(activation: Activation) -> Vec<f32> {
    let sizes = [1e-30, 1e-7, 0.3, 0.75, 1.0, 2.5, 5.5, 9.9, 30.0];
    let huge = [100.0, 1e20, 3e38];
    let signed = |size: f32| [size, -size];
    let mut tried: Vec<f32> = values(0, 200).iter().map(|value| 6.0 * value).collect();
    tried.push(0.0);
    tried.extend(sizes.into_iter().flat_map(signed));
    match activation {
        Activation::Exponential => tried.extend(huge.map(|size: f32| -size)),
        _ => tried.extend(huge.into_iter().flat_map(signed)),
    }
    tried.resize(tried.len().next_multiple_of(4), 1.0);
    tried
}

pub(super) fn elementwise(checks: &mut Checks) {
    checks.add_activations(|recording, activation| {
        let tried = tried(activation);
        let x = recording.upload("case.x", &tried);
        let count = tried.len() / 4;
        let layer = ElementwiseLayer::new(4, &[1.0], &[0.0], activation);
        let x = recording.elementwise(x, None, count, &layer);
        recording.download(x);
    });
    // 64 invocations a workgroup, each 4 values: 63, 64 and 65 of them.
    checks.add("ragged", |recording| {
        for (count, width, period) in [
            (0, 5, 1),
            (1, 1, 1),
            (1, 252, 1),
            (1, 256, 4),
            (1, 258, 6),
            (9, 15, 3),
            (3, 10, 10),
            (130, 7, 7),
        ] {
            let (scale, offset) = (values(1, period), values(2, period));
            let layer = ElementwiseLayer::new(width, &scale, &offset, Activation::Relu);
            let x = rows(recording, count, width, 3.0);
            let y = recording.elementwise(x, None, count, &layer);
            recording.download(y);
            let sum = recording.elementwise(x, Some(y), count, &layer);
            recording.download(sum);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        let x = rows(recording, 60, 17, 3.0);
        let layer = ElementwiseLayer::new(17, &[0.5], &values(2, 17), Activation::Linear);
        let y = recording.elementwise(x, Some(x), 60, &layer);
        recording.download(y);
        FLOATS
    });
}

fn record_combine(recording: &mut Recording, count: usize, layer: CombineLayer) {
    let x = rows(recording, count, layer.values, 3.0);
    // Both above 0, for activations that ask for it.
    let other: Vec<f32> = (0..count * row_stride(layer.others))
        .map(|k| 0.5 + (k % 13) as f32 / 4.0)
        .collect();
    let other = recording.upload("case.other", &other);
    let y = recording.combine(x, other, count, &layer);
    recording.download(y);
}

pub(super) fn combine(checks: &mut Checks) {
    let layer = |values, others, repeat, combining, activation| CombineLayer {
        values,
        others,
        repeat,
        combining,
        activation,
    };
    checks.add_activations(move |recording, activation| {
        // The larger is above 0, whatever x is.
        record_combine(recording, 3, layer(9, 3, 1, Combining::Larger, activation));
        if !is_of_positive(activation) {
            record_combine(recording, 3, layer(9, 9, 1, Combining::Product, activation));
        }
    });
    checks.add("ragged", move |recording| {
        for (values, others, repeat) in [(30, 5, 1), (30, 6, 5), (7, 7, 1), (9, 1, 9), (256, 64, 4)]
        {
            for count in [0, 1, 5] {
                for combining in [Combining::Product, Combining::Larger, Combining::Quotient] {
                    let layer = layer(values, others, repeat, combining, Activation::Linear);
                    record_combine(recording, count, layer);
                }
            }
        }
        FLOATS
    });
    checks.add_folded(move |recording| {
        let layer = layer(30, 6, 5, Combining::Product, Activation::Linear);
        record_combine(recording, COUNT, layer);
        FLOATS
    });
}

/// Where values of rows of `inputs` come from, with gaps.
fn scattered(inputs: [usize; 2], outputs: usize) -> RearrangeLayer {
    let places = (0..outputs).map(|k| match k % 5 {
        4 => RearrangeLayer::FILL,
        _ => (k * 7 % (inputs[0] + inputs[1])) as u32,
    });
    RearrangeLayer::new(inputs, places.collect(), -2.5)
}

fn record_rearrange(recording: &mut Recording, count: usize, inputs: [usize; 2], outputs: usize) {
    let x = rows(recording, count, inputs[0], 1.0);
    let other = (inputs[1] > 0).then(|| rows(recording, count, inputs[1], 2.0));
    let y = recording.rearrange(x, other, count, &scattered(inputs, outputs));
    recording.download(y);
}

pub(super) fn rearrange(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (inputs, outputs, count) in [
            ([7, 5], 14, 3),
            ([8, 0], 8, 1),
            ([1, 1], 1, 70),
            ([30, 66], 257, 2),
            ([4, 4], 8, 0),
        ] {
            record_rearrange(recording, count, inputs, outputs);
        }
        BITS
    });
    checks.add_folded(|recording| {
        record_rearrange(recording, COUNT, [7, 5], 14);
        BITS
    });
    // The first and the last of all values, and those beside the end of a texture's row.
    checks.add_sized("longest buffer", |recording, most_bytes| {
        let words = (most_bytes / 16 * 4) as usize;
        let values: Vec<f32> = (0..words).map(|k| (k % 8191) as f32).collect();
        let x = recording.upload("case.x", &values);
        let places = [
            0,
            2047,
            2048,
            words / 2,
            words - 2049,
            words - 2048,
            words - 1,
        ];
        let places = places.map(|place| place as u32).to_vec();
        let layer = RearrangeLayer::new([words, 0], places, 0.0);
        let y = recording.rearrange(x, None, 1, &layer);
        recording.download(y);
        BITS
    });
}

fn record_normalise(
    recording: &mut Recording,
    count: usize,
    [pixels, channels]: [usize; 2],
    groups: Groups,
) {
    let (scale, offset) = (values(1, channels), values(2, channels));
    let x = rows(recording, count, pixels * channels, 3.0);
    for divisor in [
        Divisor::Deviation { epsilon: 1e-3 },
        Divisor::Length { epsilon: 1e-12 },
    ] {
        let layer = NormaliseLayer::new(pixels, groups, divisor, scale.clone(), offset.clone());
        let y = recording.normalise(x, count, &layer);
        recording.download(y);
    }
}

pub(super) fn normalise(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, shape, groups) in [
            (0, [7, 6], Groups::Pixels),
            (3, [1, 5], Groups::Pixels),
            (9, [7, 6], Groups::Pixels),
            (3, [7, 6], Groups::Channels(3)),
            (65, [7, 6], Groups::Channels(6)),
            (3, [35, 8], Groups::Channels(1)),
        ] {
            record_normalise(recording, count, shape, groups);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_normalise(recording, 43, [7, 6], Groups::Pixels);
        FLOATS
    });
}

/// Images of `input` between whose rows and columns there are others.
fn record_resample(recording: &mut Recording, count: usize, input: [usize; 3], output: [usize; 2]) {
    let between = |size: usize, count: usize| -> Vec<Between> {
        let place = |k: usize| {
            let first = k * size / count;
            Between {
                of: [first, (first + 1).min(size - 1)],
                second: (k % 4) as f32 / 4.0,
            }
        };
        (0..count).map(place).collect()
    };
    let [rows_between, columns_between] = [0, 1].map(|axis| between(input[axis], output[axis]));
    let layer = ResampleLayer::new(input, &rows_between, &columns_between);
    let x = rows(recording, count, input.iter().product(), 3.0);
    let y = recording.resample(x, count, &layer);
    recording.download(y);
}

pub(super) fn resample(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, input, output) in [
            (0, [4, 4, 1], [8, 8]),
            (1, [1, 1, 1], [3, 5]),
            (1, [16, 16, 1], [7, 36]),
            (2, [9, 5, 3], [2, 3]),
            (3, [7, 6, 5], [14, 13]),
        ] {
            record_resample(recording, count, input, output);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_resample(recording, 14, [7, 6, 3], [9, 3]);
        FLOATS
    });
}

fn record_lrn(
    recording: &mut Recording,
    count: usize,
    pixels: usize,
    [channels, size]: [usize; 2],
) {
    let layer = LrnLayer {
        pixels,
        channels,
        size,
        alpha: 0.4,
        beta: 0.75,
        bias: 1.5,
    };
    let x = rows(recording, count, layer.pixels * channels, 3.0);
    let y = recording.lrn(x, count, &layer);
    recording.download(y);
}

pub(super) fn lrn(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, pixels, channels) in [
            (0, 4, [3, 3]),
            (1, 1, [1, 1]),
            (3, 7, [6, 4]),
            (2, 63, [4, 5]),
            (1, 13, [20, 9]),
            (1, 65, [4, 11]),
        ] {
            record_lrn(recording, count, pixels, channels);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_lrn(recording, 26, 7, [6, 3]);
        FLOATS
    });
}

/// Full trees of three levels, each leaf with a weight for two classes.
fn forest(features: usize, classes: usize, trees: usize) -> TreesLayer {
    let thresholds = values(3, 7 * trees);
    let weights = values(4, 16 * trees);
    let (mut nodes, mut roots) = (Vec::new(), Vec::new());
    for tree in 0..trees {
        let root = nodes.len();
        roots.push(root);
        for node in 0..7 {
            let at = |child: usize| match child {
                0..7 => root + child,
                child => root + 7 + 2 * (child - 7),
            };
            nodes.push(TreeNode::Branch {
                feature: (5 * tree + node) % features,
                threshold: thresholds[7 * tree + node],
                then: at(2 * node + 1),
                otherwise: at(2 * node + 2),
            });
        }
        for leaf in 0..16 {
            let next = nodes.len() + 1;
            nodes.push(TreeNode::Leaf {
                class: (tree + leaf) % classes,
                weight: weights[16 * tree + leaf],
                next: (leaf % 2 == 0).then_some(next),
            });
        }
    }
    TreesLayer::new(features, &roots, &nodes, &values(2, classes))
}

fn record_trees(recording: &mut Recording, count: usize, [features, classes, trees]: [usize; 3]) {
    let x = rows(recording, count, features, 1.0);
    let y = recording.trees(x, count, &forest(features, classes, trees));
    recording.download(y);
}

pub(super) fn trees(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, sizes) in [
            (0, [3, 2, 1]),
            (1, [1, 2, 3]),
            (63, [4, 2, 5]),
            (64, [4, 2, 5]),
            (65, [5, 3, 40]),
            (130, [9, 7, 7]),
        ] {
            record_trees(recording, count, sizes);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_trees(recording, 290, [5, 3, 4]);
        FLOATS
    });
}

fn record_support_vectors(
    recording: &mut Recording,
    count: usize,
    features: usize,
    similarity: Similarity,
    counts: &[usize],
) {
    let x = rows(recording, count, features, 1.0);
    let [vectors, others] = [counts.iter().sum(), counts.len() - 1];
    let pairs: Vec<PairOfClasses> = (values(3, counts.len() * others / 2).iter())
        .map(|&value| PairOfClasses {
            rho: value,
            slope: -1.0 - value.abs(),
            offset: 0.5 * value,
        })
        .collect();
    let layer = SupportVectorsLayer::new(
        features,
        similarity,
        counts,
        &values(1, vectors * features),
        &values(2, vectors * others),
        &pairs,
    );
    let y = recording.support_vectors(x, count, &layer);
    recording.download(y);
}

pub(super) fn support_vectors(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        let (gamma, shift) = (0.3, 0.2);
        for (count, features, similarity, counts) in [
            (0, 3, Similarity::Radial { gamma }, &[1, 1][..]),
            (1, 1, Similarity::Radial { gamma }, &[1, 0]),
            (64, 4, Similarity::Radial { gamma }, &[7, 9]),
            (65, 5, Similarity::Hyperbolic { gamma, shift }, &[5, 1, 3]),
            (130, 9, Similarity::Radial { gamma }, &[2, 0, 4, 1, 3]),
        ] {
            record_support_vectors(recording, count, features, similarity, counts);
        }
        for degree in [0, 1, 3] {
            let similarity = Similarity::Polynomial {
                gamma,
                shift,
                degree,
            };
            record_support_vectors(recording, 9, 6, similarity, &[3, 2, 2]);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        let similarity = Similarity::Radial { gamma: 0.3 };
        record_support_vectors(recording, 290, 4, similarity, &[2, 3, 1]);
        FLOATS
    });
}

fn record_coupling(recording: &mut Recording, count: usize, classes: usize) {
    let layer = CouplingLayer { classes };
    let shares = values(1, count * row_stride(layer.pairs()));
    let shares: Vec<f32> = shares.iter().map(|value| 0.5 + 0.49 * value).collect();
    let r = recording.upload("case.r", &shares);
    let p = recording.coupling(r, count, layer);
    recording.download(p);
}

pub(super) fn coupling(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, classes) in [(0, 3), (1, 2), (63, 2), (65, 3), (64, 5), (9, 12)] {
            record_coupling(recording, count, classes);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_coupling(recording, 290, 3);
        FLOATS
    });
}

/// More rows than one dimension of a dispatch takes, by any API's limit: 65,535 workgroups.
const ROWS_BEYOND: usize = 65_535 * 64 + 1;

fn record_softmax(recording: &mut Recording, count: usize, classes: usize, scale: f32) {
    let logits = rows(recording, count, classes, scale);
    let p = recording.softmax(logits, count, classes);
    recording.download(p);
}

pub(super) fn softmax(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, classes, scale) in [
            (0, 3, 1.0),
            (1, 1, 1.0),
            (1, 2, 1.0),
            (63, 3, 30.0),
            (64, 10, 1e4),
            (65, 10, 1e30),
            (5, 1000, 9.0),
            (5, 5, 0.0),
        ] {
            record_softmax(recording, count, classes, scale);
        }
        FLOATS
    });
    checks.add("groups", |recording| {
        for (count, groups, classes) in [(0, 3, 2), (1, 63, 3), (2, 32, 10), (5, 13, 7), (3, 5, 1)]
        {
            let x = rows(recording, count, groups * classes, 9.0);
            let p = recording.softmax_of_groups(x, count, SoftmaxLayer { groups, classes });
            recording.download(p);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_softmax(recording, 290, 3, 5.0);
        FLOATS
    });
    checks.add("65,536 workgroups", |recording| {
        let logit = |k: usize| (k % 7) as f32 - (k % 11) as f32;
        let logits: Vec<f32> = (0..4 * ROWS_BEYOND).map(logit).collect();
        let logits = recording.upload("case.x", &logits);
        let p = recording.softmax(logits, ROWS_BEYOND, 2);
        recording.download(p);
        FLOATS
    });
}
