//! `morphscape bench`: what is counted, and what a user sees.

use crate::common::engines;
use crate::program::{fail, folder, json, succeed};
use morphscape::kernels::{
    Activation, ConvLayer, DenseLayer, Kernel, Recording, Windows, Work, row_stride,
};
use serde_json::Value;

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
        dilation: [1, 1],
    };
    let mut recording = Recording::new();
    let x = recording.upload("x", &[1.0f32; 108]);
    let layer = ConvLayer::new(
        windows,
        &[0.5; 3 * 3 * 3 * 8],
        &[0.0; 8],
        Activation::Linear,
    );
    recording.conv(x, None, 1, &layer);
    assert_eq!(recording.work(Kernel::Conv), Work::default());
    let flop = 2 * 27 * 4 * 4 * 8;
    assert_eq!(recording.work(Kernel::Conv3x3).flop, flop);
    // The sums of a square are as many, of which one is left.
    recording.conv(x, None, 1, &layer.pooled());
    assert_eq!(recording.work(Kernel::Conv3x3).flop, 2 * flop);
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

/// The table that shows what the JSON says of an engine.
fn as_table(engine: &Value) -> String {
    let number = |value: &Value| {
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{value}: a number"))
    };
    let text = |key: &str| engine[key].as_str().expect("a text");
    let frames = number(&engine["frames"]);
    let timed = |name: &str, seconds: f64| {
        let (ms, rate) = (1e3 * seconds, frames / seconds);
        vec![name.to_owned(), format!("{ms:.2}"), format!("{rate:.0}")]
    };
    let heading = "stage ms frames/s GFLOP/s GB/s FLOP/byte";
    let mut rows: Vec<Vec<String>> = vec![heading.split(' ').map(str::to_owned).collect()];
    rows[0].push("of roofline".to_owned());
    for stage in engine["stages"].as_array().expect("stages") {
        let [seconds, flop, bytes, share] =
            ["seconds", "flop", "bytes", "roofline_share"].map(|key| number(&stage[key]));
        let mut row = timed(stage["stage"].as_str().expect("a name"), seconds);
        row.extend(
            [flop / seconds / 1e9, bytes / seconds / 1e9, flop / bytes].map(|x| format!("{x:.1}")),
        );
        row.push(format!("{:.0} %", 100.0 * share));
        rows.push(row);
    }
    rows.push(timed("host", number(&engine["host_seconds"])));
    rows.push(timed("whole job", number(&engine["seconds"])));
    let widths: Vec<usize> = (0..7)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(String::len)
                .max()
        })
        .map(Option::unwrap_or_default)
        .collect();
    let driver = match text("driver") {
        "" => String::new(),
        driver => format!(", {driver}"),
    };
    let mut lines = vec![format!(
        "{}, {}{driver}; peaks {:.0} GFLOP/s (matrix product), {:.1} GB/s (copy)",
        text("engine"),
        text("adapter"),
        number(&engine["peak_flop_per_s"]) / 1e9,
        number(&engine["peak_bytes_per_s"]) / 1e9,
    )];
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
    }
    lines.join("\n")
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
    // Every number of the table is that of the JSON, rounded, and none is left out.
    let tables: Vec<&str> = run.stdout.split("\n\n").skip(1).collect();
    assert_eq!(tables.len(), engines.len(), "{}", run.stdout);
    for (table, engine) in tables.iter().zip(engines) {
        assert_eq!(table.trim_end(), as_table(engine), "{}", run.stdout);
    }
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
        assert_eq!(stages, ["spline", "pieces", "warp", "dense", "softmax"]);
    }
    fail(
        folder.path(),
        &["bench", "--engine", "abacus"],
        1,
        &["--engine abacus", "expected cpu, gpu", "found no engine"],
    );
}
