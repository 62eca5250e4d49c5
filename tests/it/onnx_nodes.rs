//! ONNX's own tests of its operators, on the kernels of either engine or in the library
//! (`tests/golden/onnx/make_node_tests.py`).

use crate::common::{Tolerance, assert_close, engines, golden};
use crate::program::folder;
use morphscape::model::{ModelOptions, read_model};
use morphscape::pipeline::classify;
use safetensors::SafeTensors;

/// Sums in another order.
const SUMS: Tolerance = Tolerance {
    abs: 1e-5,
    rel: 1e-5,
};

/// Tests that neither kernels nor library run, by the beginnings of their names, and what the message
/// names.
const REFUSED: &[(&str, &str)] = &[
    ("averagepool_3d", "windows of another rank"),
    ("maxpool_3d", "windows of another rank"),
    ("batchnorm_", "statistics of other channels"),
    ("training_dropout_zero_ratio_mask", "as in training"),
];

/// Tests that the library runs: functions of values that networks have no layers for, and operators
/// written out in these.
const LIBRARY: &[&str] = &[
    "ceil",
    "clip_default_max_expanded",
    "clip_default_min_expanded",
    "clip_expanded",
    "flexattention_",
    "floor",
    "gemm_default_matrix_bias_of_values",
    "group_normalization_",
    "logsoftmax_",
    "matmul_4d",
    "matmul_bcast",
    "mvn_",
    "pow_bcast_array",
    "pow_of_values",
    "reciprocal",
    "rotary_embedding_no_position_ids_",
    "sqrt",
];

#[test]
fn operators_do_what_their_own_tests_say() {
    let content = std::fs::read(golden("onnx/node_tests.safetensors")).expect("the tests");
    let tensors = SafeTensors::deserialize(&content).expect("the tests");
    let floats = |name: &str| -> Vec<f32> {
        let tensor = tensors.tensor(name).expect(name);
        let values = tensor.data().as_chunks().0.iter();
        values.map(|&bytes| f32::from_le_bytes(bytes)).collect()
    };
    let mut names: Vec<&str> = tensors.names();
    names.retain(|name| name.ends_with(".model"));
    let folder = folder();
    let path = folder.path().join("node.onnx");
    let (mut refused, mut library, mut kernels) = (0, 0, 0);
    let mut unmet = LIBRARY.to_vec();
    for name in names {
        let name = name.trim_end_matches(".model");
        let bytes = tensors.tensor(&format!("{name}.model")).expect(name);
        std::fs::write(&path, bytes.data()).expect("written");
        let model = match read_model(&path, &ModelOptions::default()) {
            Ok(model) => model,
            Err(error) => {
                let error = error.to_string();
                let known = REFUSED
                    .iter()
                    .any(|(start, word)| name.starts_with(start) && error.contains(word));
                assert!(known, "{name}: {error}");
                refused += 1;
                continue;
            }
        };
        let by_library = LIBRARY.iter().any(|start| name.starts_with(start));
        if model.runs_on_host() {
            assert!(by_library, "{name} has kernels no more");
            unmet.retain(|start| !name.starts_with(start));
            library += 1;
        } else {
            kernels += 1;
        }
        let inputs = floats(&format!("{name}.inputs"));
        let expected = floats(&format!("{name}.answers"));
        let rows = expected.len() / model.num_classes();
        let rows: Vec<&[f32]> = inputs.chunks_exact(inputs.len() / rows).collect();
        for engine in engines() {
            let found = classify(engine.as_ref(), &model, &rows).expect(name);
            let what = format!("{name} with {}", engine.info().engine);
            assert_close(&what, &found.logits, &expected, SUMS);
        }
    }
    assert_eq!(unmet, [""; 0], "these have kernels now");
    assert_eq!([kernels, library, refused], [189, 28, 6]);
}
