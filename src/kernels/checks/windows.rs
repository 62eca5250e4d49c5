//! Cases of the kernels that look at images through windows.

use super::case::{FLOATS, values};
use super::layers::{bias, rows};
use super::{Activation, Checks, Recording};
use crate::kernels::{
    Between, Buf, ConvLayer, DepthwiseLayer, PoolLayer, Pooling, ResampleLayer, Windows, row_stride,
};

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
