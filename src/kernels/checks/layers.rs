//! Cases of the kernels of networks whose values lie in rows.

use super::case::{BITS, COUNT, FLOATS, values};
use super::{Activation, Checks, Recording, is_of_positive};
use crate::kernels::{
    Buf, CombineLayer, Combining, DenseLayer, Divisor, ElementwiseLayer, Factor, Groups, LrnLayer,
    MatmulLayer, NormaliseLayer, RearrangeLayer, SoftmaxLayer, row_stride,
};

/// Rows of numbers from -1 to 1, times `scale`. What fills a row up is finite and nothing else.
pub(super) fn rows(recording: &mut Recording, count: usize, width: usize, scale: f32) -> Buf<f32> {
    let mut padded = Vec::with_capacity(count * row_stride(width));
    for row in values(0, count * width).chunks_exact(width) {
        padded.extend(row.iter().map(|value| scale * value));
        padded.resize(padded.len().next_multiple_of(row_stride(width)), 7.0);
    }
    recording.upload("case.x", &padded)
}

/// A bias that lifts sums above 0 where an activation asks for that.
pub(super) fn bias(activation: Activation, count: usize) -> Vec<f32> {
    let lift = if is_of_positive(activation) {
        20.0
    } else {
        0.0
    };
    values(2, count).iter().map(|bias| lift + bias).collect()
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
