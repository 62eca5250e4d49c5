//! What is handed to the pipeline wrongly is an error that says what was expected, not a panic;
//! and what is said of an engine.

use morphscape::data::{Image, fashion_mnist, iris};
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Engine, EngineInfo, EngineKind, EngineRecord};
use morphscape::job::class_number;
use morphscape::kernels::Sampling;
use morphscape::model::{bundled_fashion_mnist, bundled_table_model};
use morphscape::pipeline::{
    Frames, GridJob, MorphMode, MorphPlan, MorphSettings, Motion, RowJob, Starts, WalkPlan,
    classify, compute_landscapes, interpolate_rows, morph_grid, morph_pair, pair_mesh, walk,
};
use std::ops::ControlFlow;

const CLEAN: MorphMode = MorphMode::Clean(Sampling::Cubic);

fn go_on(_: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn image(item: usize) -> Image {
    fashion_mnist().image(item).expect("held in memory")
}

fn of_size(height_px: usize, width_px: usize) -> Image {
    let levels = (0..height_px * width_px).map(|n| (n % 251) as f32);
    Image {
        height_px,
        width_px,
        levels: levels.collect(),
        ..image(0)
    }
}

fn landscape(steps: usize, [a, b, c]: [&Image; 3]) -> String {
    let settings = MorphSettings::new(steps, 3, CLEAN);
    let good = image(0);
    let jobs = [[&good; 3], [a, b, c]].map(|[a, b, c]| GridJob::new([a, b, c]));
    let (engine, model) = (CpuEngine::new(), bundled_fashion_mnist());
    let result = compute_landscapes(&engine, &model, &settings, &jobs, Frames::Drop, &go_on);
    result.expect_err("it is refused").to_string()
}

#[test]
fn classes_whose_names_are_numbers() {
    let named = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    // Kinds 1 to 3: position 2 is kind 3.
    let kinds = named(&["1", "2", "3"]);
    assert_eq!(class_number("2", &kinds).ok(), Some(1));
    let error = class_number("0", &kinds)
        .expect_err("no kind 0")
        .to_string();
    assert!(error.contains("expected one of 1, 2, 3"), "{error}");
    let digits = named(&["0", "1", "2"]);
    assert_eq!(class_number("0", &digits).ok(), Some(0));
    assert_eq!(class_number("1", &named(&["Bag", "Coat"])).ok(), Some(1));
    assert!(class_number("2", &named(&["Bag", "Coat"])).is_err());
}

#[test]
fn images_and_steps_of_landscapes() {
    let (good, tall) = (image(1), of_size(30, 28));
    assert_eq!(
        landscape(5, [&good, &tall, &good]),
        "image B of landscape 1: expected [height, width, channels] [28, 28, 1], found [30, 28, 1]"
    );
    let short = Image {
        levels: vec![0.0; 700],
        ..image(0)
    };
    assert_eq!(
        landscape(5, [&good, &good, &short]),
        "image C of landscape 1: expected 784 values, found 700"
    );
    for steps in [0, 1, usize::MAX / 3] {
        let error = landscape(steps, [&good; 3]);
        let start = format!("a grid of {steps} points a side: expected at least 2");
        assert!(error.starts_with(&start), "{error}");
    }
    let settings = MorphSettings::new(5, 3, CLEAN);
    let job = GridJob::new([&tall, &tall, &tall]);
    let (engine, model) = (CpuEngine::new(), bundled_fashion_mnist());
    let other = compute_landscapes(&engine, &model, &settings, &[job], Frames::Drop, &go_on);
    let error = other.expect_err("the model takes 28 x 28").to_string();
    assert!(error.contains("the images are 30 x 28"), "{error}");
}

#[test]
fn rows_and_inputs() {
    let (table, engine) = (iris(), CpuEngine::new());
    let model = bundled_table_model("iris").expect("a bundled model");
    let [a, b, c] = [0, 50, 100].map(|row| table.row(row));
    let of = |steps, [a, b, c]: [&[f32]; 3]| {
        let result = interpolate_rows(&engine, &model, steps, &[RowJob { a, b, c }], &go_on);
        result.map(drop)
    };
    let error = of(11, [a, &b[..3], c]).expect_err("three values");
    assert_eq!(
        error.to_string(),
        "row B of landscape 0: expected 4 values, found 3"
    );
    let error = of(1, [a, b, c]).expect_err("a single point");
    assert!(error.to_string().contains("expected at least 2"), "{error}");
    let none = interpolate_rows(&engine, &model, 1, &[], &go_on);
    assert!(none.is_ok_and(|landscapes| landscapes.is_empty()));
    let error = classify(&engine, &model, &[a, &[1.0]]).expect_err("a single value");
    assert_eq!(error.to_string(), "input 1: expected 4 values, found 1");
}

#[test]
fn pairs_and_their_meshes() {
    let engine = CpuEngine::new();
    let (left, right, tall) = (image(0), image(1), of_size(30, 28));
    let mesh = pair_mesh(&left, &right, 3).expect("a mesh");
    let morph = |right: &Image, mesh, alphas: &[f64]| {
        let plan = MorphPlan {
            left: &left,
            right,
            mesh,
            alphas,
            mode: CLEAN,
        };
        morph_pair(&engine, &plan).map(|morph| morph.frames.len())
    };
    assert!(morph(&right, &mesh, &[0.0, 0.5, 1.0]).is_ok_and(|count| count == 3));
    let error = morph(&tall, &mesh, &[0.5]).expect_err("two shapes");
    assert!(
        error.to_string().starts_with("the right image: "),
        "{error}"
    );
    for alpha in [f64::NAN, -0.1, 1.5] {
        let error = morph(&right, &mesh, &[0.5, alpha]).expect_err("no alpha");
        assert_eq!(
            error.to_string(),
            format!("expected alphas from 0 to 1, found {alpha}")
        );
    }
    let mut torn = mesh.clone();
    torn.triangles.push([0, 1, 10_000]);
    let error = morph(&right, &torn, &[0.5]).expect_err("no such point");
    assert!(error.to_string().starts_with("expected a mesh"), "{error}");
    let grid = morph_grid(
        &engine,
        GridJob::new([&left, &right, &tall]),
        &MorphSettings::new(2, 3, CLEAN),
        &|_| ControlFlow::Continue(()),
    );
    let error = grid.expect_err("two shapes").to_string();
    assert!(error.starts_with("image C: "), "{error}");
}

#[test]
fn parts_of_walks() {
    let motion = Motion::Lattice {
        entries: vec![[0; 4]; 9],
        strides: [1, 3],
    };
    let (at, nowhere) = (Starts::At([1.0, 1.0]), Starts::AnyOf(Vec::new()));
    let job = WalkPlan {
        motion: &motion,
        starts: &at,
        walkers: 4,
        steps: 4,
        seed: 1,
        moments_at: &[1, 4],
        occupation_at: &[],
        targets: &[],
        shape: [3, 3],
    };
    let refused = |job: &WalkPlan<'_>| {
        let result = walk(&CpuEngine::new(), job, &go_on);
        result.expect_err("it is refused").to_string()
    };
    let target = vec![vec![true; 8]];
    for (job, expected) in [
        (
            WalkPlan {
                starts: &nowhere,
                ..job.clone()
            },
            "a walk's starts: expected at least one place, found none",
        ),
        (
            WalkPlan {
                moments_at: &[4, 1],
                ..job.clone()
            },
            "a walk's moments: expected ascending steps, found [4, 1]",
        ),
        (
            WalkPlan {
                targets: &target,
                ..job
            },
            "a walk's target: expected 3 x 3 points, found 8",
        ),
    ] {
        assert_eq!(refused(&job), expected);
    }
}

#[test]
fn what_is_said_of_an_engine() {
    fn is_shared_between_threads<T: Send + Sync + ?Sized>() {}
    is_shared_between_threads::<dyn Engine>();
    let info = |engine| EngineInfo {
        engine,
        adapter: "A".into(),
        driver: "D, 1".into(),
    };
    let gpu = serde_json::to_string(&info(EngineKind::Gpu).identity());
    assert_eq!(gpu.expect("JSON"), r#"{"engine":"gpu","adapter":"A"}"#);
    let cpu = serde_json::to_string(&info(EngineKind::Cpu).identity());
    assert_eq!(cpu.expect("JSON"), r#"{"engine":"cpu","adapter":""}"#);
    let record = EngineRecord::of(&CpuEngine::new());
    let text = serde_json::to_string(&record).expect("JSON");
    assert!(text.starts_with(r#"{"engine":"cpu","adapter":""#) && !text.contains("fallback"));
    let read: EngineRecord = serde_json::from_str(&text).expect("a record");
    assert_eq!(read, record);
}
