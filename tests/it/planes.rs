//! Planes and triangles as landscapes, against values from outside: `golden/planes/` (numpy in 64-bit
//! floats), and closed forms.
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must not pass a comparison"
)]

use crate::common::{Tolerance, assert_close, engines, golden, golden_json, index};
use morphscape::engine::cpu::CpuEngine;
use morphscape::job::{InterpolateJob, LoadedModel};
use morphscape::landscape::{FlatShape, GridKind, Landscape, ListedItem, ListedTriple, measure};
use morphscape::model::{
    AnswerKind, Function, FunctionSpec, Model, ModelOptions, activation_by_name, read_model,
};
use morphscape::pipeline::{FlatJob, FlatSettings, Frames, MorphSettings, compute_flat};
use morphscape::sections::{
    BOX_MARGIN, Exactness, ItemPlane, PlaneOptions, SectionNetwork, Space, SpaceKind, exact_plane,
};
use morphscape::{Engine, Job, JobError, LandscapeFile, LoadedJob, Silent, SweepJob, Triples};
use std::ops::ControlFlow;
use std::path::Path;

/// Logits in 32-bit floats against 64-bit ones.
const LOGITS: Tolerance = Tolerance {
    abs: 1e-4,
    rel: 0.0,
};

fn mlp() -> Model {
    let options = ModelOptions {
        activation: activation_by_name("relu"),
        scale: Some(1.0 / 255.0),
        ..ModelOptions::default()
    };
    read_model(&golden("fashion_mlp.safetensors"), &options).expect("a model")
}

fn cnn() -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fashion-mnist-cnn.safetensors");
    read_model(&path, &ModelOptions::default()).expect("a model")
}

fn named(model: Model) -> LoadedModel {
    LoadedModel {
        model,
        path: "a model".into(),
    }
}

fn listed(lists: &[[usize; 3]]) -> Triples {
    let triple = |(n, items): (usize, &[usize; 3])| ListedTriple {
        name: format!("p{n}"),
        items: items.map(ListedItem::Index),
    };
    Triples::Listed(lists.iter().enumerate().map(triple).collect())
}

fn images(flat: FlatSettings, steps: usize, triples: Triples) -> Job {
    Job::Sweep(SweepJob {
        triples,
        morph: MorphSettings {
            steps,
            ..MorphSettings::default()
        },
        flat: Some(flat),
        ..SweepJob::default()
    })
}

fn plane() -> FlatSettings {
    FlatSettings::default()
}

fn triangle() -> FlatSettings {
    FlatSettings {
        shape: FlatShape::Triangle,
        ..plane()
    }
}

fn compute(job: &LoadedJob, engine: &dyn Engine) -> Vec<LandscapeFile> {
    job.compute(engine, &job.landscapes(), &Silent)
        .expect("landscapes")
}

fn values(name: &str) -> Vec<f32> {
    let content = std::fs::read(golden("planes/planes.safetensors")).expect("a golden file");
    let tensors = safetensors::SafeTensors::deserialize(&content).expect("tensors");
    let view = tensors.tensor(name).expect(name);
    let values = view.data().chunks_exact(4);
    values
        .map(|b| f32::from_le_bytes(b.try_into().expect("four bytes")))
        .collect()
}

/// The items of the golden planes, by plane.
fn golden_items() -> Vec<[usize; 3]> {
    let planes = golden_json("planes/planes.json");
    let planes = planes["planes"].as_array().expect("planes").clone();
    let items = planes
        .iter()
        .map(|plane| [0, 1, 2].map(|k| index(&plane["items"][k])));
    items.collect()
}

/// Logits of the points that a grid has.
fn logits(landscape: &Landscape) -> Vec<f32> {
    let each = landscape.num_classes;
    let points = landscape.points();
    points
        .flat_map(|k| landscape.logits[k * each..(k + 1) * each].to_vec())
        .collect()
}

#[test]
fn sampled_planes_and_triangles_are_the_golden_ones_on_both_engines() {
    let items = golden_items();
    let planes = golden_json("planes/planes.json");
    for engine in engines() {
        for (name, model, count) in [("mlp", mlp(), 4), ("cnn", cnn(), 1)] {
            for (set, flat) in [("box", plane()), ("triangle", triangle())] {
                let job = images(flat, 51, listed(&items[..count]));
                let job = job.load_with(named(model.clone()), &Silent).expect("a job");
                for (n, file) in compute(&job, engine.as_ref()).iter().enumerate() {
                    let what = format!("p{n}.{set}.{name} on {}", engine.info().adapter);
                    assert_eq!(file.landscape.num_failed(), 0, "{what}");
                    let expected = values(&format!("p{n}.{set}.{name}"));
                    assert_close(&what, &logits(&file.landscape), &expected, LOGITS);
                    let places = file.landscape.flat.as_ref().expect("places");
                    let entry = &planes["planes"][n];
                    for (item, anchor) in places.anchors.iter().enumerate() {
                        for axis in 0..2 {
                            let expected = entry["anchors"][item][axis].as_f64();
                            let off = anchor[axis] - expected.expect("a coordinate");
                            assert!(off.abs() < 1e-12, "{what}: anchor {item} off by {off}");
                        }
                    }
                }
            }
        }
        let clipped = FlatSettings {
            clipped: true,
            ..plane()
        };
        for (name, model) in [("mlp", mlp()), ("cnn", cnn())] {
            let job = images(clipped, 51, listed(&items[..1]));
            let job = job.load_with(named(model), &Silent).expect("a job");
            let file = compute(&job, engine.as_ref()).remove(0);
            let expected = values(&format!("p0.clipped.{name}"));
            assert_close(name, &logits(&file.landscape), &expected, LOGITS);
            let share = file.landscape.flat.and_then(|flat| flat.clipped_share);
            assert!(
                share.is_some_and(|share| 0.1 < share && share < 0.9),
                "{share:?}"
            );
        }
    }
}

#[test]
fn planes_through_dbvizs_draws_are_the_golden_triples() {
    let planes = golden_json("planes/planes.json");
    let job = images(plane(), 2, Triples::Dbviz { seed: 1, count: 20 });
    let job = job.load(&Silent).expect("a job");
    let expected = planes["more_triples"].as_array().expect("triples");
    assert_eq!(job.triples().len(), 20);
    for (triple, expected) in job.triples().iter().zip(expected) {
        assert_eq!(
            triple.items,
            [0, 1, 2].map(|k| index(&expected["items"][k]))
        );
        assert_eq!(
            triple.classes,
            [0, 1, 2].map(|k| index(&expected["labels"][k]))
        );
    }
    let names: Vec<String> = job.landscapes().into_iter().map(|id| id.name).collect();
    assert_eq!((names.len(), names[0].as_str()), (20, "dbviz-1.3"));
}

/// A function that answers with the inputs themselves as logits.
fn shares() -> Model {
    let spec = FunctionSpec {
        num_classes: 3,
        input_shape: Some(vec![3]),
        answers: AnswerKind::Logits,
        batch_size: 1000,
    };
    let same = |inputs: morphscape::model::Inputs| Ok::<_, std::fmt::Error>(inputs.values);
    let function = Function::new(spec, same).expect("a function");
    Model::from_host(std::sync::Arc::new(function), None, "shares").expect("a model")
}

#[test]
fn measures_of_a_triangle_are_those_of_its_closed_form() {
    // The logits of a point are its shares of A, B and C: three regions that meet in the middle.
    let rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let job = FlatJob {
        items: rows.each_ref().map(|row| row.as_slice()),
        name: "unit".into(),
    };
    let model = shares();
    let space = Space::new(&model, SpaceKind::Rows);
    let go_on = |_: usize| ControlFlow::Continue(());
    let settings = triangle();
    let steps = 61;
    let found = compute_flat(
        &CpuEngine::new(),
        &model,
        &space,
        &settings,
        (steps, &[job]),
        Frames::Drop,
        &go_on,
    );
    let landscape = found.expect("a landscape").remove(0);
    assert_eq!(landscape.kind, GridKind::Triangle);
    assert_eq!(landscape.num_points(), 61 * 62 / 2);
    assert!(landscape.is_whole());
    let measures = measure(&landscape, [0, 1, 2]);
    let points = measures.points.expect("points");
    assert_eq!((points.num_points, points.intrusion), (61 * 62 / 2, 0.0));
    let grid = measures.grid.expect("a whole grid");
    assert_eq!(grid.regions, [3, 3]);
    // From the middle (1/3, 1/3) to the middles of the sides, in sides of the grid.
    let expected = 2.0 * (5.0f64).sqrt() / 6.0 + 2.0f64.sqrt() / 6.0;
    assert!(
        (grid.boundary_length - expected).abs() < 1e-3,
        "{}",
        grid.boundary_length
    );
    // The shares rise to one corner each, and the softmax of them with them.
    assert_eq!((grid.basins, grid.peaks), ([1; 3], [1; 3]));
    assert!(
        grid.laplacian
            .is_some_and(|bend| bend.iter().all(|&b| b < 1e-3))
    );
    // At the middle of an edge both classes have the logit 1/2, and the third 0.
    let middle = -(2.0 * 0.5f64.exp() / (2.0 * 0.5f64.exp() + 1.0)).ln();
    for (pair, barrier) in grid.barriers.into_iter().enumerate() {
        let barrier = barrier.expect("an item");
        // A corner is the worst point of the best path: there the two have 1 and 0, the third 0.
        let corner = -((1f64.exp() + 1.0) / (1f64.exp() + 2.0)).ln();
        // From B to C neighbours lie a step inside the edge, since they are those of the two axes.
        let off = if pair == 2 { 1e-2 } else { 1e-6 };
        assert!(
            (barrier - corner.max(middle)).abs() < off,
            "{barrier} {middle} {corner}"
        );
    }
    // Along the edge from A to B the share of A's class is the logistic of 1 - 2t.
    let calibration = measures.calibration.map(|edge| edge.expect("an edge"));
    assert!(
        (calibration[0] - calibration[2]).abs() < 1e-6,
        "{calibration:?}"
    );
    let paths = measures.paths.expect("paths");
    assert_eq!(paths.num_paths, 60);
}

#[test]
fn planes_and_triangles_read_back_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for flat in [plane(), triangle()] {
        let job = images(flat, 9, Triples::Dbviz { seed: 3, count: 1 });
        let job = job.load(&Silent).expect("a job");
        let file = compute(&job, &CpuEngine::new()).remove(0);
        let path = folder
            .path()
            .join(format!("{}.safetensors", file.landscape.kind.name()));
        file.write(&path, &file.measures()).expect("a file");
        let again = LandscapeFile::read_whole(&path).expect("the file");
        assert_eq!(again.about, file.about);
        assert_eq!(again.landscape.flat, file.landscape.flat);
        for k in file.landscape.points() {
            let of = |landscape: &Landscape| landscape.probabilities_of(k).to_vec();
            assert_eq!(of(&again.landscape), of(&file.landscape));
        }
        let content = std::fs::read(&path).expect("the file");
        let tensors = safetensors::SafeTensors::deserialize(&content).expect("tensors");
        let shape = |name| tensors.tensor(name).expect(name).shape().to_vec();
        match flat.shape {
            FlatShape::Plane => {
                assert_eq!((shape("logits"), shape("alpha")), (vec![9, 9, 10], vec![9]));
            }
            FlatShape::Triangle => {
                assert_eq!((shape("logits"), shape("beta")), (vec![45, 10], vec![45]));
            }
        }
    }
}

#[test]
fn rows_lie_in_the_space_that_their_model_scales_them_to() {
    let job = Job::Interpolate(InterpolateJob {
        triples: listed(&[[0, 60, 120]]),
        steps: 5,
        flat: Some(plane()),
        ..InterpolateJob::default()
    });
    let job = job.load(&Silent).expect("a job");
    let file = compute(&job, &CpuEngine::new()).remove(0);
    let flat = file.landscape.flat.as_ref().expect("places");
    let rows = file.landscape.inputs.as_ref().expect("rows are kept");
    let space = Space::new(&job.model().model, SpaceKind::Rows);
    let point = |k: usize| space.point(&rows[4 * k..4 * (k + 1)]);
    let distance = |a: &[f64], b: &[f64]| {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    };
    // From corner to corner as far as the axes say.
    let [alpha, beta] = &flat.axes;
    assert!((distance(&point(0), &point(20)) - (alpha[4] - alpha[0])).abs() < 1e-5);
    assert!((distance(&point(0), &point(4)) - (beta[4] - beta[0])).abs() < 1e-5);
    assert_eq!(flat.unit, "features as the model scales them");
}

#[test]
fn items_that_span_no_plane_are_named() {
    let refused = |flat: FlatSettings, items: [usize; 3]| -> JobError {
        let job = images(flat, 5, listed(&[items]));
        job.load(&Silent).expect_err("refused")
    };
    let chain = |error: &JobError| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            text += &format!(": {error}");
            source = error.source();
        }
        text
    };
    let text = chain(&refused(plane(), [7, 7, 9]));
    assert!(
        text.contains("t10k#7, t10k#7, t10k#9") && text.contains("one point"),
        "{text}"
    );
    let text = chain(&refused(plane(), [7, 9, 7]));
    assert!(text.contains("lie on a line"), "{text}");
    // A triangle may have no area.
    let job = images(triangle(), 3, listed(&[[7, 9, 7]]));
    assert!(job.load(&Silent).is_ok());
    let clipped = FlatSettings {
        clipped: true,
        ..triangle()
    };
    assert!(chain(&refused(clipped, [7, 8, 9])).contains("never leave"));
    let wide = FlatSettings {
        range: [-0.5, -0.5].into(),
        ..plane()
    };
    assert!(chain(&refused(wide, [7, 8, 9])).contains("thousandth"));
    // Two items of one class are no hindrance to a plane.
    let labels: Vec<usize> = (0..40)
        .map(|k| morphscape::data::fashion_mnist().label(k))
        .collect();
    let other = (1..40)
        .find(|&k| labels[k] == labels[0])
        .expect("another of its class");
    let third = (1..40)
        .find(|&k| labels[k] != labels[0])
        .expect("one of another");
    let job = images(plane(), 5, listed(&[[0, other, third]]));
    let job = job.load(&Silent).expect("a plane");
    let file = compute(&job, &CpuEngine::new()).remove(0);
    let barriers = file.measures().grid.expect("a whole grid").barriers;
    assert!(
        barriers
            .iter()
            .all(|barrier| barrier.is_some_and(|barrier| barrier.is_finite() && barrier >= 0.0))
    );
}

#[test]
fn sampled_shares_and_lengths_tend_to_the_exact_ones() {
    let items = golden_items()[0];
    let model = mlp();
    let network = SectionNetwork::new(&model, SpaceKind::Images).expect("a network");
    let set = morphscape::data::fashion_mnist();
    let points = items.map(|item| {
        let image = set.image(item).expect("held in memory");
        network.space().point(&image.levels)
    });
    let plane = ItemPlane::new(points.each_ref().map(Vec::as_slice), [BOX_MARGIN; 2]);
    let plane = plane.expect("a plane");
    let options = PlaneOptions::default();
    let exact = exact_plane(&network, &plane, &plane.corners(), &options).expect("a section");
    // Lengths in sides of the grid.
    let sides = [0, 1].map(|axis| plane.hi[axis] - plane.lo[axis]);
    let length = |s: &[f64; 4]| ((s[2] - s[0]) / sides[0]).hypot((s[3] - s[1]) / sides[1]);
    let boundary: f64 = exact.segments.iter().map(length).sum();
    let mut errors = Vec::new();
    for steps in [26, 101, 401] {
        let job = images(
            FlatSettings {
                exact: Exactness::Off,
                ..self::plane()
            },
            steps,
            listed(&[items]),
        );
        let job = job.load_with(named(model.clone()), &Silent).expect("a job");
        let file = compute(&job, &CpuEngine::new()).remove(0);
        let labels: Vec<usize> = (0..steps * steps)
            .map(|k| file.landscape.label(k).expect("a label"))
            .collect();
        let share = |class: usize| {
            let hits = labels.iter().filter(|&&label| label == class).count();
            hits as f64 / labels.len() as f64
        };
        let off = (exact.area_share.iter()).map(|(&class, area)| (share(class) - area).abs());
        let off = off.fold(0.0, f64::max);
        let sampled = file.measures().grid.expect("a whole grid").boundary_length;
        errors.push([off, (sampled / boundary - 1.0).abs()]);
    }
    println!("{errors:?}");
    // Both fall as the distance of the points does.
    for k in 0..2 {
        assert!(errors[1][k] < errors[0][k] / 2.0, "{errors:?}");
        assert!(errors[2][k] < errors[1][k] / 2.0, "{errors:?}");
        assert!(errors[2][k] < 1.0 / 400.0, "{errors:?}");
    }
}
