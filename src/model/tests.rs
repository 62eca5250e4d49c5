//! Assembled models against the layers they were made of, computed one by one in 64-bit floats.

mod definition;

use super::arrange::Arrangement;
use super::keras::Description;
use super::layer::{Layer, Op, Padding, Window};
use super::{Layout, Model, ModelError, Network};
use crate::kernels::{Activation, Kernel, Pooling, Recording, row_stride};
use definition::by_definition;

/// Numbers of size 1, the same every time.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count)
        .map(|k| (0.7 * k as f32 + 1.3 * seed as f32).sin())
        .collect()
}

fn layer(name: &str, takes: &[usize], op: Op) -> Layer {
    Layer {
        name: name.into(),
        class: "Class".into(),
        takes: takes.to_vec(),
        op,
        parameters: 3,
    }
}

/// A chain: each layer takes what the one before gives, and is named by its number.
fn chain(ops: Vec<Op>) -> Vec<Layer> {
    let name = |n: usize| format!("l{n}");
    let layers = ops.into_iter().enumerate();
    layers.map(|(n, op)| layer(&name(n), &[n], op)).collect()
}

fn window(stride: usize, padding: Padding) -> Window {
    Window {
        stride: [stride; 2],
        dilation: [1; 2],
        padding,
    }
}

fn conv(shape: [usize; 4], stride: usize, padding: Padding) -> Op {
    Op::Conv {
        shape,
        groups: 1,
        kernel: numbers(shape.iter().product(), 1),
        bias: numbers(shape[3], 2),
        window: window(stride, padding),
    }
}

fn depthwise([height, width, channels, fan]: [usize; 4], padding: Padding) -> Op {
    grouped([height, width, 1, channels * fan], channels, padding)
}

fn grouped(shape: [usize; 4], groups: usize, padding: Padding) -> Op {
    Op::Conv {
        shape,
        groups,
        kernel: numbers(shape.iter().product(), 3),
        bias: numbers(shape[3], 4),
        window: window(1, padding),
    }
}

fn dense(inputs: usize, outputs: usize) -> Op {
    Op::Dense {
        inputs,
        kernel: numbers(inputs * outputs, 5),
        bias: numbers(outputs, 6),
    }
}

fn affine(entries: usize, shift: f64) -> Op {
    Op::Affine {
        scale: (0..entries).map(|k| 0.5 + 0.25 * k as f64).collect(),
        offset: (0..entries).map(|k| shift * (1.0 + k as f64)).collect(),
    }
}

fn frame(rows: [usize; 2], columns: [usize; 2]) -> Op {
    Op::Arrange(Arrangement::Pad { rows, columns })
}

fn pool(pooling: Pooling, size: usize, padding: Padding) -> Op {
    Op::Pool {
        pooling,
        size: [size; 2],
        window: window(size, padding),
    }
}

const RELU: Op = Op::Activation(Activation::Relu);
/// It falls before it rises.
const SILU: Op = Op::Activation(Activation::Silu);

/// The largest of squares of 2 x 2.
fn squares() -> Op {
    pool(Pooling::Max, 2, Padding::Valid)
}

fn described(layers: Vec<Layer>, input_shape: Option<Vec<usize>>) -> Description {
    Description {
        layers,
        input_shape,
        layout: Layout::ChannelsLast,
        notes: Vec::new(),
        outputs: Vec::new(),
    }
}

fn assembled(layers: &[Layer], shape: &[usize]) -> Result<Model, ModelError> {
    let description = described(layers.to_vec(), Some(shape.to_vec()));
    Model::assemble(description, None, None, String::new())
}

/// The model's logits, by the kernels' twins.
fn logits(model: &Model, x: &[f32]) -> Vec<f32> {
    let mut recording = Recording::new();
    let mut padded = x.to_vec();
    padded.resize(row_stride(x.len()), 0.0);
    let x = recording.upload("x", &padded);
    let Network::Steps(steps) = model.network() else {
        panic!("expected layers that are kernels");
    };
    steps.record(&mut recording, x, 1);
    let buffers = recording.buffers().iter();
    let mut words: Vec<Vec<u32>> = buffers
        .map(|buffer| match buffer.given_to_twin() {
            Some(words) => words.to_vec(),
            None => vec![0; buffer.words],
        })
        .collect();
    for command in recording.commands() {
        let mut output = std::mem::take(&mut words[command.output]);
        let inputs: Vec<&[u32]> = command.inputs.iter().map(|&id| &words[id][..]).collect();
        (command.kernel.spec().twin)(&command.params, &inputs, &mut output);
        words[command.output] = output;
    }
    let last = recording.commands().last().expect("a step").output;
    let logits: &[f32] = bytemuck::cast_slice(&words[last]);
    logits[..model.num_classes()].to_vec()
}

/// Kinds of a model's steps, one letter each.
fn kinds(model: &Model) -> String {
    let kind = |step: &super::Step| match step.layer.kernel() {
        Kernel::Dense => 'd',
        Kernel::Conv | Kernel::Conv3x3 => 'c',
        Kernel::Depthwise => 'w',
        Kernel::Pool => 'p',
        Kernel::Elementwise => 'e',
        Kernel::Combine => 'm',
        Kernel::Rearrange => 'r',
        Kernel::Normalise => 'n',
        _ => '?',
    };
    model.steps().iter().map(kind).collect()
}

#[test]
fn what_is_folded_and_fused_answers_as_the_layers_do() {
    use Padding::{Same, Valid};
    let flat = || Op::Reshape(None);
    let end = |inputs: usize| [flat(), dense(inputs, 3), Op::Softmax];
    let with_end = |ops: Vec<Op>, inputs| chain(ops.into_iter().chain(end(inputs)).collect());
    let c3 = |padding| conv([3, 3, 2, 4], 1, padding);
    let cases: Vec<(&str, Vec<Layer>)> = vec![
        // A scaling ahead: always into a dense layer, with its shift only where nothing is padded.
        ("d", with_end(vec![affine(1, 0.3)], 60)),
        ("d", with_end(vec![affine(2, 0.3)], 60)),
        ("d", with_end(vec![affine(60, 0.3)], 60)),
        ("d", with_end(vec![affine(1, 0.3), affine(2, -0.2)], 60)),
        ("cd", with_end(vec![affine(2, 0.0), c3(Same)], 120)),
        ("ecd", with_end(vec![affine(2, 0.3), c3(Same)], 120)),
        ("cd", with_end(vec![affine(2, 0.3), c3(Valid)], 48)),
        ("ecd", with_end(vec![affine(60, 0.3), c3(Valid)], 48)),
        // Into each group the scaling of its own channels.
        (
            "cwd",
            with_end(
                vec![
                    c3(Same),
                    RELU,
                    affine(4, 0.0),
                    grouped([3, 3, 2, 6], 2, Same),
                    affine(6, 0.3),
                ],
                180,
            ),
        ),
        // Behind: into any sum of products, unless an activation stands between.
        ("cd", with_end(vec![c3(Same), affine(4, 0.3), RELU], 120)),
        ("cd", with_end(vec![c3(Same), RELU, affine(4, 0.3)], 120)),
        (
            "cecd",
            with_end(
                vec![c3(Same), RELU, affine(4, 0.3), conv([2, 2, 4, 2], 2, Same)],
                18,
            ),
        ),
        (
            "cepd",
            with_end(
                vec![c3(Same), RELU, affine(4, 0.3), pool(Pooling::Max, 2, Same)],
                36,
            ),
        ),
        (
            "wd",
            with_end(
                vec![
                    affine(2, 0.0),
                    depthwise([3, 2, 2, 3], Same),
                    affine(6, 1.0),
                ],
                180,
            ),
        ),
        (
            "wd",
            with_end(
                vec![
                    affine(2, 0.1),
                    depthwise([3, 2, 2, 3], Valid),
                    affine(1, 1.0),
                ],
                96,
            ),
        ),
        (
            "d",
            chain(vec![
                flat(),
                dense(60, 3),
                affine(3, 0.5),
                Op::Activation(Activation::Tanh),
            ]),
        ),
        (
            "dd",
            chain(vec![
                flat(),
                dense(60, 8),
                Op::Reshape(Some(vec![2, 4])),
                affine(4, 0.5),
                RELU,
                flat(),
                dense(8, 2),
            ]),
        ),
        // Pools have no activation; two in a row are two steps.
        (
            "ped",
            with_end(vec![pool(Pooling::Average, 2, Same), RELU], 18),
        ),
        (
            "eed",
            with_end(vec![RELU, Op::Activation(Activation::Tanh)], 60),
        ),
        (
            "pd",
            chain(vec![Op::GlobalPool(Pooling::Average), dense(2, 3)]),
        ),
        ("cp", chain(vec![c3(Same), Op::GlobalPool(Pooling::Max)])),
        // The largest of whole squares stays in the convolution, and a function that never falls may come
        // behind it.
        ("cd", with_end(vec![c3(Same), squares()], 24)),
        ("cd", with_end(vec![c3(Same), RELU, squares()], 24)),
        ("cd", with_end(vec![c3(Same), squares(), RELU], 24)),
        (
            "cd",
            with_end(vec![c3(Same), affine(4, 0.3), squares()], 24),
        ),
        ("cd", with_end(vec![c3(Same), SILU, squares()], 24)),
        ("ced", with_end(vec![c3(Same), squares(), SILU], 24)),
        ("ced", with_end(vec![c3(Same), RELU, squares(), SILU], 24)),
        ("cpd", with_end(vec![c3(Same), squares(), squares()], 4)),
        (
            "cpd",
            with_end(vec![c3(Same), pool(Pooling::Average, 2, Valid)], 24),
        ),
        (
            "cpd",
            with_end(vec![c3(Same), pool(Pooling::Max, 2, Same)], 36),
        ),
        (
            "cpd",
            with_end(vec![c3(Same), pool(Pooling::Max, 3, Valid)], 8),
        ),
        (
            "cpd",
            with_end(
                vec![c3(Same), Op::Reshape(Some(vec![5, 6, 4])), squares()],
                24,
            ),
        ),
        // A frame of zeros is the padding of the convolution behind it, unless that one pads itself or
        // some of its windows would see the frame alone.
        ("cd", with_end(vec![frame([1, 1], [2, 0]), c3(Valid)], 120)),
        ("cd", with_end(vec![frame([0, 2], [1, 1]), c3(Valid)], 120)),
        ("rcd", with_end(vec![frame([1, 1], [1, 1]), c3(Same)], 224)),
        ("rcd", with_end(vec![frame([3, 0], [1, 1]), c3(Valid)], 140)),
        (
            "ecd",
            with_end(vec![affine(2, 0.3), frame([1, 1], [1, 1]), c3(Valid)], 120),
        ),
        // A dense layer on an image.
        ("cd", with_end(vec![dense(2, 5), RELU], 150)),
        ("cd", with_end(vec![affine(2, 0.3), dense(2, 5)], 150)),
        (
            "cd",
            with_end(
                vec![
                    Op::Reshape(Some(vec![3, 2, 10])),
                    affine(10, 0.3),
                    conv([1, 1, 10, 1], 1, Valid),
                ],
                6,
            ),
        ),
    ];
    for (n, (steps, layers)) in cases.iter().enumerate() {
        let layers = &layers[..];
        let what = format!("case {n}");
        let shape = [6, 5, 2];
        let model = assembled(layers, &shape).expect("a model");
        check(&what, &model, steps, layers, &shape);
    }
}

fn check(what: &str, model: &Model, steps: &str, layers: &[Layer], shape: &[usize]) {
    assert_eq!(kinds(model), steps, "{what}");
    let x = numbers(shape.iter().product(), 7);
    let expected = by_definition(layers, shape, &x);
    let answers = logits(model, &x);
    assert_eq!(answers.len(), expected.len(), "{what}");
    for (answer, expected) in answers.iter().zip(&expected) {
        // Sums of up to 180 products of numbers of size 1, through up to four layers.
        let tolerance = 2e-5 * (1.0 + expected.abs());
        let difference = (f64::from(*answer) - expected).abs();
        assert!(difference <= tolerance, "{what}: {answer} for {expected}");
    }
}

#[test]
fn a_value_that_two_layers_take_is_left_as_it_is() {
    let same = Padding::Same;
    let sum = |takes: &[usize]| layer("sum", takes, Op::Add);
    let shape = [6, 5, 2];
    let c2 = |name: &str, from: usize| layer(name, &[from], conv([3, 3, 2, 2], 1, same));
    let flat = |from: usize| layer("flat", &[from], Op::Reshape(None));
    let end = |from: usize| layer("end", &[from], dense(60, 3));
    let relu = |from: usize| layer("relu", &[from], RELU);
    let scaling = |from: usize, shift: f64| layer("scaling", &[from], affine(2, shift));
    let cases = [
        // A residual block: the convolution behind it takes in the sum and the relu.
        (
            "ccd",
            vec![
                c2("a", 0),
                c2("b", 1),
                sum(&[1, 2]),
                relu(3),
                flat(4),
                end(5),
            ],
        ),
        // A scaling of the sum is none of the convolution's.
        (
            "cced",
            vec![
                c2("a", 0),
                c2("b", 1),
                sum(&[2, 1]),
                scaling(3, 0.5),
                relu(4),
                flat(5),
                end(6),
            ],
        ),
        // A frame that another value sees, too, stays for it.
        (
            "rcrepd",
            vec![
                layer("frame", &[0], frame([1, 1], [1, 1])),
                layer("a", &[1], conv([3, 3, 2, 2], 1, Padding::Valid)),
                layer("again", &[2], frame([1, 1], [1, 1])),
                sum(&[1, 3]),
                layer("pool", &[4], pool(Pooling::Average, 8, same)),
                layer("flat", &[5], Op::Reshape(None)),
                layer("end", &[6], dense(2, 3)),
            ],
        ),
        // What another value sees, and sums that another was added to, are written before they are pooled.
        (
            "cpped",
            vec![
                c2("a", 0),
                layer("largest", &[1], squares()),
                layer("mean", &[1], pool(Pooling::Average, 2, Padding::Valid)),
                sum(&[2, 3]),
                flat(4),
                layer("end", &[5], dense(12, 3)),
            ],
        ),
        (
            "ccpd",
            vec![
                c2("a", 0),
                c2("b", 1),
                sum(&[1, 2]),
                layer("largest", &[3], squares()),
                flat(4),
                layer("end", &[5], dense(12, 3)),
            ],
        ),
        // Of two convolutions the later one takes the sum in; of three values each its own.
        (
            "ccced",
            vec![
                c2("a", 0),
                c2("b", 0),
                c2("c", 1),
                sum(&[3, 0, 2]),
                flat(4),
                end(5),
            ],
        ),
        (
            "ceed",
            vec![c2("a", 0), relu(1), sum(&[2, 1]), flat(3), end(4)],
        ),
        (
            "ecd",
            vec![scaling(0, 0.0), c2("a", 1), sum(&[2, 1]), flat(3), end(4)],
        ),
        (
            "ceed",
            vec![c2("a", 0), scaling(1, 0.5), sum(&[1, 2]), flat(3), end(4)],
        ),
        ("eed", vec![sum(&[0, 0, 0]), flat(1), end(2)]),
        // The flat value is the image's own: the other side of the sum still sees it.
        (
            "ced",
            vec![c2("a", 0), flat(1), flat(1), sum(&[2, 3]), end(4)],
        ),
        (
            "ceed",
            vec![c2("a", 0), flat(1), relu(2), flat(1), sum(&[3, 4]), end(5)],
        ),
    ];
    for (n, (steps, layers)) in cases.iter().enumerate() {
        let what = format!("case {n}");
        let model = assembled(layers, &shape).expect("a model");
        check(&what, &model, steps, layers, &shape);
    }
}

#[test]
fn what_cannot_be_assembled_is_told_apart() {
    let (same, valid) = (Padding::Same, Padding::Valid);
    let c2 = || conv([3, 3, 2, 2], 1, same);
    let end = || [Op::Reshape(None), dense(60, 3)];
    let mut unused = chain(vec![c2(), c2(), c2(), Op::Reshape(None), dense(60, 3)]);
    unused[2].takes = vec![1];
    let mut forward = chain([c2()].into_iter().chain(end()).collect());
    forward[0].takes = vec![2];
    let mut blind = chain(vec![dense(2, 2)]);
    blind[0].takes = Vec::new();
    let mut apart = chain(vec![
        c2(),
        conv([1, 1, 2, 2], 2, valid),
        Op::Add,
        Op::Reshape(None),
    ]);
    apart[2].takes = vec![1, 2];
    let mut no_input = chain(vec![dense(2, 2), dense(2, 2)]);
    no_input[0].takes = vec![1];
    let huge = Op::Conv {
        groups: 1,
        shape: [1, 1, 2, 1 << 24],
        kernel: vec![0.0; 1 << 25],
        bias: vec![0.0; 1 << 24],
        window: window(1, same),
    };
    let short = Op::Conv {
        groups: 1,
        shape: [3, 3, 2, 2],
        kernel: vec![0.0; 35],
        bias: vec![0.0; 2],
        window: window(1, same),
    };
    let cases: Vec<(Vec<Layer>, &[usize], &[&str])> = vec![
        (unused, &[6, 5, 2], &["\"l1\"", "no layer takes its output"]),
        (forward, &[6, 5, 2], &["\"l0\"", "comes after it"]),
        (no_input, &[2], &["\"l0\"", "comes after it"]),
        (blind, &[2], &["\"l0\"", "wrong number of values"]),
        (apart, &[6, 5, 2], &["\"l2\"", "[6, 5, 2]", "[3, 3, 2]"]),
        (
            chain(vec![Op::Softmax, dense(2, 2)]),
            &[2],
            &["\"l1\"", "softmax"],
        ),
        (
            chain(vec![c2()]),
            &[60],
            &["\"l0\"", "[height, width, channels]", "[60]"],
        ),
        (
            chain(vec![c2()]),
            &[6, 5, 3],
            &["l0.kernel", "[3, 3, 3, 2]", "[3, 3, 2, 2]"],
        ),
        (chain(vec![short]), &[6, 5, 2], &["l0.kernel"]),
        (
            chain(vec![conv([7, 3, 2, 2], 1, valid)]),
            &[6, 5, 2],
            &["\"l0\"", "window of 7 pixels", "[6, 5, 2]"],
        ),
        (
            chain(vec![conv([1, 1, 2, 2], 0, valid)]),
            &[6, 5, 2],
            &["\"l0\"", "stride"],
        ),
        (
            chain(vec![c2()]),
            &[6, 5, 2],
            &["\"l0\"", "one value a class", "[6, 5, 2]"],
        ),
        (
            chain(vec![affine(3, 0.0), c2()]),
            &[6, 5, 2],
            &["scale of l0", "[2]", "[3]"],
        ),
        (
            chain(vec![Op::Reshape(Some(vec![7, 9])), dense(9, 2)]),
            &[6, 5, 2],
            &["\"l0\"", "[7, 9]", "[6, 5, 2]"],
        ),
        (
            chain(vec![huge]),
            &[6, 5, 2],
            &["\"l0\"", "[6, 5, 16777216]", "268435456"],
        ),
        (
            chain(vec![dense(2, 2)]),
            &[usize::MAX, 2],
            &["the input", "counted"],
        ),
        (
            chain(vec![dense(2, 2)]),
            &[0, 2],
            &["the input", "at least one value"],
        ),
        (
            chain(vec![Op::Reshape(None)]),
            &[6],
            &["at least one dense layer"],
        ),
    ];
    for (n, (layers, shape, words)) in cases.into_iter().enumerate() {
        let message = assembled(&layers, shape)
            .expect_err("it is refused")
            .to_string();
        for word in words {
            assert!(
                message.contains(word),
                "case {n}: expected {word} in: {message}"
            );
        }
    }
    // Without a shape only a dense layer says what it takes.
    let message = Model::assemble(
        described(chain(vec![c2()]), None),
        None,
        None,
        String::new(),
    )
    .expect_err("it is refused")
    .to_string();
    assert!(
        message.contains("input layer: expected a shape"),
        "{message}"
    );
}

#[test]
fn the_layers_of_the_file_are_listed() {
    let mut layers = chain(vec![
        affine(1, 0.0),
        conv([3, 3, 2, 4], 2, Padding::Same),
        RELU,
        Op::Reshape(None),
        dense(36, 3),
        Op::Softmax,
    ]);
    // Readers make two layers of one that has an activation.
    layers[2].name = "l1".into();
    let model = assembled(&layers, &[6, 5, 2]).expect("a model");
    let listed: Vec<(&str, &[usize], usize)> = model
        .layers()
        .iter()
        .map(|layer| (layer.name.as_str(), &layer.shape[..], layer.parameters))
        .collect();
    assert_eq!(
        listed,
        [
            ("l0", &[6, 5, 2][..], 3),
            ("l1", &[3, 3, 4], 6),
            ("l3", &[36], 3),
            ("l4", &[3], 3),
            ("l5", &[3], 3),
        ]
    );
    assert!(model.scales_input());
    let Network::Steps(steps) = model.network() else {
        panic!("expected layers that are kernels");
    };
    assert_eq!((steps.widest_row(), steps.total_width()), (60, 60 + 36 + 3));
}
