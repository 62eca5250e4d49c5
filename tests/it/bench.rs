//! `morphscape bench`: what is counted, and what a user sees.

use crate::common::engines;
use crate::program::{fail, folder, json, succeed};
use morphscape::kernels::{
    Activation, ConvLayer, DenseLayer, Kernel, Recording, Windows, Work, row_stride,
};

/// Two dense layers of 784-128-10, as the paper's network has, on so many rows.
fn two_layers(rows: usize) -> Recording {
    let mut recording = Recording::new();
    let x = recording.upload("x", &vec![1.0f32; rows * 784]);
    let layer = |inputs: usize, outputs: usize| {
        let kernel = vec![0.5; inputs * outputs];
        DenseLayer::new(inputs, &kernel, &vec![0.0; outputs], Activation::Linear)
    };
    let hidden = recording.dense(x, rows, &layer(784, 128));
    let logits = recording.dense(hidden, rows, &layer(128, 10));
    let probabilities = recording.softmax(logits, rows, 10);
    recording.download(probabilities);
    recording
}

#[test]
fn work_is_that_of_the_formula() {
    let rows = 5;
    let recording = two_layers(rows);
    // A product and a sum a weight; ten logits lie in rows of twelve.
    let logits = row_stride(10);
    let values = rows * 784 + 784 * 128 + 128 + rows * 128;
    let values = values + rows * 128 + 128 * 16 + 16 + rows * logits;
    let expected = Work {
        flop: (rows * 2 * (784 * 128 + 128 * logits)) as u64,
        bytes: 4 * values as u64,
    };
    assert_eq!(recording.work(Kernel::Dense), expected);
    assert_eq!(recording.work(Kernel::Conv), Work::default());

    let windows = Windows {
        input: [6, 6, 3],
        output: [4, 4, 8],
        size: [3, 3],
        stride: [1, 1],
        before: [0, 0],
    };
    let mut recording = Recording::new();
    let x = recording.upload("x", &[1.0f32; 108]);
    let layer = ConvLayer::new(
        windows,
        &[0.5; 3 * 3 * 3 * 8],
        &[0.0; 8],
        Activation::Linear,
    );
    recording.conv(x, 1, &layer);
    assert_eq!(recording.work(Kernel::Conv).flop, 2 * 27 * 4 * 4 * 8);
}

#[test]
fn the_commands_of_one_kernel_run_by_themselves_on_every_engine() {
    let recording = two_layers(3);
    let dense = recording.only(Kernel::Dense, 2);
    assert_eq!(dense.commands().len(), 4);
    assert!(
        dense
            .commands()
            .iter()
            .all(|command| command.kernel == Kernel::Dense)
    );
    let softmax = recording.only(Kernel::Softmax, 1);
    assert_eq!(softmax.commands().len(), 1);
    for engine in engines() {
        for recording in [&dense, &softmax] {
            engine.run(recording).expect("it runs without the others");
        }
    }
}

#[test]
fn a_table_and_json_of_the_same_figures() {
    let folder = folder();
    let small = ["bench", "--groups", "1", "--steps", "4", "--rounds", "1"];
    let arguments = [&small[..], &["--json", "bench.json"]].concat();
    let run = succeed(folder.path(), &arguments);
    for word in ["warp", "dense", "host", "whole job", "of roofline", "cpu, "] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    let figures = json(folder.path().join("bench.json"));
    let engines = figures["engines"].as_array().expect("engines");
    assert!(!engines.is_empty());
    for engine in engines {
        assert_eq!(engine["frames"], 6 * 4 * 4);
        assert!(
            engine["peak_flop_per_s"]
                .as_f64()
                .is_some_and(|peak| peak > 0.0)
        );
        let stages: Vec<&str> = (engine["stages"].as_array().expect("stages").iter())
            .map(|stage| stage["stage"].as_str().expect("a name"))
            .collect();
        assert_eq!(stages, ["spline", "stack", "warp", "dense", "softmax"]);
    }
    fail(
        folder.path(),
        &["bench", "--engine", "abacus"],
        1,
        &["--engine abacus", "expected cpu, gpu", "found no engine"],
    );
}
