//! Values from outside: OpenCV's feature points, the frames of the paper's own tool, Keras's
//! probabilities, scipy's spline. `tests/golden/README.md` says where each file comes from.

use crate::common::{
    Tolerance, assert_close, engines, golden, golden_f32, golden_json, index, points,
};
use morphscape::data::{Image, ImageSet, fashion_mnist};
use morphscape::kernels::{Activation, Sampling, spline_coefficients};
use morphscape::mesh::{PairMesh, feature_points};
use morphscape::model::{Model, ModelOptions, bundled_fashion_mnist, read_model};
use morphscape::pipeline::{MorphMode, MorphPlan, classify, morph_pair, pair_mesh};
use serde_json::Value;

#[test]
fn feature_points_are_opencv_s_on_500_images() {
    let images = fashion_mnist();
    let expected = golden_json("features_grid3.json");
    let expected = expected["images"].as_array().expect("images");
    assert_eq!(expected.len(), 500);
    let wrong: Vec<usize> = expected
        .iter()
        .filter(|entry| {
            let image = images.image(index(&entry["i"])).expect("held in memory");
            let found = feature_points(&image.whole_grey_levels(), 28, 28, 3)
                .expect("28 x 28 fits a grid of 3");
            found != points(&entry["p"])
        })
        .map(|entry| index(&entry["i"]))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of 500 images differ: {wrong:?}",
        wrong.len()
    );
}

/// Float warps of the paper's tool, each side clamped and then blended.
struct GoldenMorph {
    left: Image,
    right: Image,
    mesh: PairMesh,
    /// `[3][784]` at alpha 0.25, 0.5, 0.75.
    frames: Vec<Vec<f32>>,
    /// Which pixels exactly one triangle of the tool covers.
    covered_once: Vec<Vec<bool>>,
}

fn golden_morphs(images: &ImageSet) -> Vec<GoldenMorph> {
    let header = golden_json("morph.json");
    let floats = golden_f32("morph_f32.bin");
    let bytes = std::fs::read(golden("morph_u8.bin")).expect("morph_u8.bin");
    let offset = |list: &str, key: &str, name: &str| {
        let entry = header[list]
            .as_array()
            .expect(list)
            .iter()
            .find(|entry| entry["name"] == name)
            .expect(name);
        index(&entry[key])
    };
    let (left_at, right_at) = (
        offset("f32", "offset_f32", "left_warp"),
        offset("f32", "offset_f32", "right_warp"),
    );
    let cover_at = offset("u8", "offset", "cover_count");
    let pairs = header["pairs"].as_array().expect("pairs");
    let morph = |(n, pair): (usize, &Value)| {
        let triangles = pair["simplices"].as_array().expect("simplices");
        let triangles = triangles
            .iter()
            .map(|t| [0, 1, 2].map(|k| index(&t[k]) as u32))
            .collect();
        let frame = |a: usize| (n * 3 + a) * 784..(n * 3 + a + 1) * 784;
        let blend = |a: usize| {
            let alpha = [0.25, 0.5, 0.75][a];
            let sides = floats[left_at..][frame(a)]
                .iter()
                .zip(&floats[right_at..][frame(a)]);
            sides
                .map(|(l, r)| (1.0 - alpha) * l.clamp(0.0, 255.0) + alpha * r.clamp(0.0, 255.0))
                .collect()
        };
        GoldenMorph {
            left: images.image(index(&pair["left"])).expect("held in memory"),
            right: images.image(index(&pair["right"])).expect("held in memory"),
            mesh: PairMesh::with_triangles(
                points(&pair["points_left"]),
                points(&pair["points_right"]),
                triangles,
            ),
            frames: (0..3).map(blend).collect(),
            covered_once: (0..3)
                .map(|a| {
                    bytes[cover_at..][frame(a)]
                        .iter()
                        .map(|&count| count == 1)
                        .collect()
                })
                .collect(),
        }
    };
    pairs.iter().enumerate().map(morph).collect()
}

#[test]
fn clean_frames_are_the_tool_s_float_frames() {
    let images = fashion_mnist();
    for engine in engines() {
        let mut compared = 0;
        for (n, golden) in golden_morphs(&images).iter().enumerate() {
            let plan = MorphPlan {
                left: &golden.left,
                right: &golden.right,
                mesh: &golden.mesh,
                alphas: &[0.25, 0.5, 0.75],
                mode: MorphMode::Clean(Sampling::Cubic),
            };
            let morph = morph_pair(engine.as_ref(), &plan).expect("a golden pair morphs");
            for (a, frame) in morph.frames.iter().enumerate() {
                let once = |values: &[f32]| -> Vec<f32> {
                    values
                        .iter()
                        .zip(&golden.covered_once[a])
                        .filter(|(_, once)| **once)
                        .map(|(value, _)| *value)
                        .collect()
                };
                let expected = once(&golden.frames[a]);
                compared += expected.len();
                let what = format!("{}: pair {n}, frame {a}", engine.info().engine);
                // Pixels exactly on an edge, or off it by less than floats resolve, set the limit.
                assert_close(
                    &what,
                    &once(&frame.levels),
                    &expected,
                    Tolerance {
                        abs: 0.05,
                        rel: 0.0,
                    },
                );
            }
        }
        assert!(compared > 10_000, "only {compared} pixels were compared");
    }
}

#[test]
fn pairs_that_stop_the_paper_s_tool_morph() {
    let images = fashion_mnist();
    let pairs = golden_json("singular_pairs.json");
    for engine in engines() {
        for pair in pairs["pairs"].as_array().expect("pairs") {
            let (left, right) = (
                images.image(index(&pair["left"])).expect("held in memory"),
                images.image(index(&pair["right"])).expect("held in memory"),
            );
            let mesh = pair_mesh(&left, &right, 3).expect("28 x 28 fits a grid of 3");
            assert_eq!(mesh.points_left, points(&pair["points_left"]));
            assert_eq!(mesh.points_right, points(&pair["points_right"]));
            let alphas: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
            let plan = MorphPlan {
                left: &left,
                right: &right,
                mesh: &mesh,
                alphas: &alphas,
                mode: MorphMode::Clean(Sampling::Cubic),
            };
            let morph = morph_pair(engine.as_ref(), &plan).expect("it morphs");
            let in_range = |level: &f32| (0.0..=255.0).contains(level);
            assert!(
                morph
                    .frames
                    .iter()
                    .all(|frame| frame.levels.iter().all(in_range)),
                "a level is not in 0..255"
            );
            // On the last pair the tool fails at alpha 0.5 alone, on a diagonal that Qhull takes
            // where four points lie on one circle; spade takes the other.
            let zero_areas = pair["zero_area_right_triangles"]
                .as_array()
                .expect("a list")
                .len() as u64;
            assert_eq!(morph.counts.degenerate_right, zero_areas, "{pair}");
        }
    }
}

/// Answers to test images, as `(image indices, logits, probabilities)`.
fn compare_with_keras(model: &Model, indices: &[usize], logits: &[f32], probabilities: &[f32]) {
    let set = fashion_mnist();
    let images: Vec<Image> = indices
        .iter()
        .map(|&i| set.image(i).expect("held in memory"))
        .collect();
    let inputs: Vec<&[f32]> = images.iter().map(|image| image.levels.as_slice()).collect();
    for engine in engines() {
        let answers = classify(engine.as_ref(), model, &inputs).expect("it classifies");
        let name = engine.info().engine;
        // Sums of 784 products in another order.
        assert_close(
            &format!("{name}: logits"),
            &answers.logits,
            logits,
            Tolerance {
                abs: 2e-5,
                rel: 2e-6,
            },
        );
        assert_close(
            &format!("{name}: probabilities"),
            &answers.probabilities,
            probabilities,
            Tolerance {
                abs: 1e-5,
                rel: 0.0,
            },
        );
        for (row, expected) in answers
            .probabilities
            .chunks_exact(10)
            .zip(probabilities.chunks_exact(10))
        {
            assert_eq!(
                morphscape::landscape::argmax(row),
                morphscape::landscape::argmax(expected),
                "{name}: label"
            );
        }
    }
}

#[test]
fn probabilities_are_keras_s_for_the_golden_model() {
    let options = ModelOptions {
        activation: Some(Activation::Relu),
        scale: Some(1.0 / 255.0),
        ..ModelOptions::default()
    };
    let model = read_model(&golden("fashion_mlp.safetensors"), &options).expect("the golden model");
    let header = golden_json("model.json");
    let indices: Vec<usize> = header["indices"]
        .as_array()
        .expect("indices")
        .iter()
        .map(index)
        .collect();
    assert_eq!(indices.len(), 128);
    compare_with_keras(
        &model,
        &indices,
        &golden_f32("model_logits_f32.bin"),
        &golden_f32("model_probs_f32.bin"),
    );
}

#[test]
fn probabilities_are_keras_s_for_the_bundled_model() {
    let check = golden_json("fashion_mnist_check.json");
    let indices: Vec<usize> = check["indices"]
        .as_array()
        .expect("indices")
        .iter()
        .map(index)
        .collect();
    let floats = |key: &str| -> Vec<f32> {
        let rows = check[key].as_array().expect(key).iter();
        rows.flat_map(|row| {
            row.as_array()
                .expect("a row")
                .iter()
                .map(|value| value.as_f64().expect("a number") as f32)
        })
        .collect()
    };
    compare_with_keras(
        &bundled_fashion_mnist(),
        &indices,
        &floats("logits"),
        &floats("probabilities"),
    );
}

#[test]
fn the_bundled_model_reaches_the_accuracy_its_file_states() {
    let set = fashion_mnist();
    let images: Vec<Image> = (0..set.len())
        .map(|i| set.image(i).expect("held in memory"))
        .collect();
    let inputs: Vec<&[f32]> = images.iter().map(|image| image.levels.as_slice()).collect();
    for engine in engines() {
        let answers =
            classify(engine.as_ref(), &bundled_fashion_mnist(), &inputs).expect("it classifies");
        let rows = answers.probabilities.chunks_exact(10).enumerate();
        let right = rows
            .filter(|(i, row)| morphscape::landscape::argmax(row) == set.label(*i))
            .count();
        // Keras 3.15.1 counted 8763 of 10,000.
        assert_eq!(right, 8763, "{}", engine.info().engine);
    }
}

#[test]
fn splines_are_scipy_s_not_a_knot_splines() {
    // scipy 1.17.1: CubicSpline(range(n), y, bc_type="not-a-knot")([0.5, 1.25, 2.75, n - 1.5])
    let sample = |c: &[f32], x: f32| {
        let cell = (x as usize).min(c.len() - 4);
        let (u, v) = (x - cell as f32, 1.0 - (x - cell as f32));
        let weights = [
            v * v * v,
            4.0 + (3.0 * u - 6.0) * u * u,
            4.0 + (3.0 * v - 6.0) * v * v,
            u * u * u,
        ];
        weights
            .iter()
            .zip(&c[cell..])
            .map(|(w, c)| w * c / 6.0)
            .sum::<f32>()
    };
    type Case = (&'static [f32], [(f32, f32); 4]);
    let cases: [Case; 2] = [
        (
            &[3.0, 7.0, -2.0, 5.0],
            [
                (0.5, 8.4375),
                (1.25, 4.83594),
                (2.75, 0.16406),
                (2.5, -2.3125),
            ],
        ),
        (
            &[0.0, 0.0, 255.0, 255.0, 17.0, 0.0, 140.0, 3.0, 90.0],
            [
                (0.5, -70.15713),
                (1.25, 63.77008),
                (2.75, 288.37637),
                (7.5, -29.40296),
            ],
        ),
    ];
    for (y, expected) in cases {
        let c = spline_coefficients(y);
        for (i, &value) in y.iter().enumerate() {
            assert!(
                (sample(&c, i as f32) - value).abs() < 1e-4,
                "it interpolates at {i}"
            );
        }
        for (x, value) in expected {
            assert!(
                (sample(&c, x) - value).abs() < 1e-4,
                "at {x}: {} for {value}",
                sample(&c, x)
            );
        }
    }
}
