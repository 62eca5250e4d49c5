//! A model's weights are constants of its recordings: on a device once, whatever the number of
//! batches, and on the host once.

use crate::{MEMORY, alone};
use morphscape::data::{Tensor, TensorData, write_safetensors};
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{GpuEngine, list_adapters};
use morphscape::kernels::{Activation, Buf, ConvLayer, DenseLayer, Recording, Windows, row_stride};
use morphscape::model::{Model, ModelOptions, read_model};
use morphscape::pipeline::classify;

/// 26 million weights: 106 MB.
const WIDTHS: [usize; 5] = [784, 4096, 4096, 1600, 10];
const MODEL_BYTES: u64 = 100_000_000;

fn large_model() -> Model {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("large.safetensors");
    let layers: Vec<(String, [usize; 2], Vec<f32>)> = (WIDTHS.windows(2).enumerate())
        .map(|(n, pair)| {
            let weights = (0..pair[0] * pair[1]).map(|k| ((k * 7 + n) % 13) as f32 / 1e3 - 0.006);
            (format!("dense_{n}"), [pair[0], pair[1]], weights.collect())
        })
        .collect();
    let names: Vec<[String; 2]> = (layers.iter())
        .map(|(name, _, _)| ["kernel", "bias"].map(|part| format!("{name}.{part}")))
        .collect();
    let biases: Vec<Vec<f32>> = WIDTHS[1..].iter().map(|&width| vec![0.1; width]).collect();
    let tensors: Vec<Tensor<'_>> = (layers.iter().zip(&names).zip(&biases))
        .flat_map(|(((_, shape, kernel), [kernel_name, bias_name]), bias)| {
            [
                Tensor {
                    name: kernel_name,
                    shape: shape.to_vec(),
                    data: TensorData::F32(kernel),
                },
                Tensor {
                    name: bias_name,
                    shape: vec![bias.len()],
                    data: TensorData::F32(bias),
                },
            ]
        })
        .collect();
    write_safetensors(&path, &tensors, &Default::default()).expect("written");
    let options = ModelOptions {
        activation: Some(Activation::Relu),
        ..ModelOptions::default()
    };
    read_model(&path, &options).expect("a model")
}

fn ask(engine: &dyn Engine, model: &Model, rows: usize) -> Vec<f32> {
    let input: Vec<f32> = (0..784).map(|k| (k % 29) as f32 / 29.0).collect();
    let inputs = vec![input.as_slice(); rows];
    classify(engine, model, &inputs).expect("answers").logits
}

#[test]
fn the_host_holds_the_weights_of_a_model_once() {
    let _alone = alone();
    let (engine, model) = (CpuEngine::new(), large_model());
    let first = ask(&engine, &model, 4);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    for _ in 0..3 {
        assert_eq!(ask(&engine, &model, 4), first);
    }
    // Products pack parts of the weights; a copy of all of them would be four times as much.
    let more = MEMORY.peak_usage() - before;
    assert!(more < 25_000_000, "{more} bytes");
}

#[test]
fn a_device_is_given_the_weights_of_a_model_once() {
    let _alone = alone();
    for adapter in list_adapters() {
        let engine = GpuEngine::open(Some(&adapter.name)).expect("a device");
        let model = large_model();
        let mut at = vec![engine.uploaded_bytes()];
        let mut objects = Vec::new();
        let first = ask(&engine, &model, 3);
        at.push(engine.uploaded_bytes());
        for _ in 0..4 {
            assert_eq!(ask(&engine, &model, 3), first, "{}", adapter.name);
            at.push(engine.uploaded_bytes());
            objects.push(engine.live_objects());
        }
        let uploaded: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(uploaded[0] > MODEL_BYTES, "{uploaded:?}");
        // Its inputs and nothing else.
        assert_eq!(uploaded[1..], [3 * 784 * 4; 4], "{}", adapter.name);
        assert!(objects.iter().all(|count| *count == objects[0]));
        // When the model is gone, the next run lets its weights go.
        drop(model);
        let mut other = Recording::new();
        let x = other.upload("x", &[1.0f32; 4]);
        let y = other.softmax(x, 1, 4);
        other.download(y);
        engine.run(&other).expect("it runs");
        let weights = 2 * (WIDTHS.len() - 1);
        let left = engine.live_objects();
        assert!(left + weights <= objects[0], "{left} of {}", objects[0]);
    }
}

/// The same constants in two layers' recordings, a model that is dropped, and one after it that
/// may get its memory: each computes with its own weights.
#[test]
fn no_recording_sees_the_constants_of_another() {
    let _alone = alone();
    for adapter in list_adapters() {
        let engine = GpuEngine::open(Some(&adapter.name)).expect("a device");
        for round in 0..20 {
            let weight = round as f32 + 1.0;
            let dense = DenseLayer::new(4, &[weight; 8], &[0.5; 2], Activation::Linear);
            let windows = Windows {
                input: [1, 2, 2],
                output: [1, 2, 2],
                size: [1, 1],
                stride: [1, 1],
                before: [0, 0],
                dilation: [1, 1],
            };
            let conv = ConvLayer::new(windows, &[weight; 4], &[0.25; 2], Activation::Linear);
            let mut recording = Recording::new();
            let x: Buf<f32> = recording.upload("x", &[1.0f32; 4]);
            let y = recording.dense(x, 1, &dense);
            let z = recording.conv(x, None, 1, &conv);
            recording.download(y);
            recording.download(z);
            let found = engine.run(&recording).expect("it runs");
            assert_eq!(found.values(y)[..2], [4.0 * weight + 0.5; 2]);
            assert_eq!(found.values(z)[..row_stride(4)], [2.0 * weight + 0.25; 4]);
        }
    }
}
