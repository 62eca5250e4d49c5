//! Landscapes of rows: the paper's grid and Keras's answers to it, on every engine.

use crate::common::{Tolerance, assert_close, engines, golden, golden_json};
use morphscape::data::{Table, iris, seeds};
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Activation;
use morphscape::landscape::{
    About, DataPoints, Items, LandscapeFile, Permutation, choose_lettered_triples, measure,
};
use morphscape::model::{Model, ModelOptions, bundled_table_model, read_model};
use morphscape::pipeline::{PipelineError, RowJob, interpolate_rows};
use morphscape::plot::PAPER_ORDER;
use serde_json::Value;
use std::ops::ControlFlow;

/// Every golden file, and the golden model that made its probabilities where there is one.
const GOLDEN: [(&str, Option<&str>); 10] = [
    ("hawks_raw", None),
    ("hawks_std_150", None),
    ("hawks_std_40", Some("hawks_std_40")),
    ("iris_raw_300", Some("iris_raw_300")),
    ("iris_raw_paperlook", Some("iris_raw_paperlook")),
    ("iris_std_150", None),
    ("iris_std_40", Some("iris_std_40")),
    ("seeds_raw", None),
    ("seeds_std_150", None),
    ("seeds_std_40", Some("seeds_std_40")),
];

const STEPS: usize = 11;

fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        value => vec![value.as_f64().expect("a number") as f32],
    }
}

fn golden_model(name: &str) -> Model {
    let options = ModelOptions {
        activation: Some(Activation::Relu),
        scale: None,
        ..ModelOptions::default()
    };
    read_model(&golden(&format!("{name}.safetensors")), &options).expect("a golden model")
}

fn go_on(_rows: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn rows_and_probabilities_are_the_golden_ones_in_the_papers_order() {
    let mut compared = 0;
    for (name, model_name) in GOLDEN {
        let file = golden_json(&format!("tab_{name}.json"));
        let items: Vec<Vec<f32>> = file["triple"]
            .as_array()
            .expect("three rows")
            .iter()
            .map(floats)
            .collect();
        let xyz = [0, 1, 2].map(|item| items[item].as_slice());
        // The golden order of permutations is .3, .1, .2 of ours.
        let perms: Vec<Vec<usize>> =
            serde_json::from_value(file["perms"].clone()).expect("permutations");
        let jobs: Vec<RowJob<'_>> = PAPER_ORDER
            .iter()
            .zip(perms)
            .map(|(&number, perm)| {
                let permutation = Permutation::ALL[number - 1];
                assert_eq!(
                    permutation.arrange([0, 1, 2]).to_vec(),
                    perm,
                    "{name} .{number}"
                );
                let [a, b, c] = permutation.arrange(xyz);
                RowJob { a, b, c }
            })
            .collect();
        let data = name.split('_').next().expect("a data set");
        let model = golden_model(model_name.unwrap_or(&format!("{data}_std_40")));
        for engine in engines() {
            let landscapes = interpolate_rows(engine.as_ref(), &model, STEPS, &jobs, &go_on)
                .expect("it interpolates");
            let rows: Vec<f32> = landscapes
                .iter()
                .flat_map(|landscape| landscape.inputs.as_ref().expect("rows are kept"))
                .copied()
                .collect();
            let what = format!("{name} on {}", engine.info().engine);
            let tolerance = Tolerance {
                abs: 0.0,
                rel: 1e-6,
            };
            assert_close(
                &format!("{what}: rows"),
                &rows,
                &floats(&file["rows"]),
                tolerance,
            );
            assert_eq!(rows.len(), 363 * 4);
            // 362 of the 363 rows differ from the one before: `.1` ends in y, and `.2` starts
            // from it.
            let repeated: Vec<usize> = (1..363)
                .filter(|&n| rows[n * 4..(n + 1) * 4] == rows[(n - 1) * 4..n * 4])
                .collect();
            assert_eq!(
                repeated,
                [242],
                "{what}: rows that repeat their predecessor"
            );
            if model_name.is_some() {
                let probabilities: Vec<f32> = landscapes
                    .iter()
                    .flat_map(|landscape| &landscape.probabilities)
                    .copied()
                    .collect();
                let tolerance = Tolerance {
                    abs: 1e-5,
                    rel: 0.0,
                };
                let expected = floats(&file["probs"]);
                assert_close(
                    &format!("{what}: probabilities"),
                    &probabilities,
                    &expected,
                    tolerance,
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared % 5, 0, "five golden models on each engine");
    assert!(compared >= 5);
}

#[test]
fn the_ends_of_a_grid_are_the_items() {
    let table = iris();
    let model = bundled_table_model("iris").expect("a bundled model");
    let items = [7, 77, 147].map(|row| table.row(row));
    let [a, b, c] = items;
    for steps in [2, 3, 8] {
        let job = RowJob { a, b, c };
        let landscape =
            &interpolate_rows(&CpuEngine::new(), &model, steps, &[job], &go_on).expect("rows")[0];
        let rows = landscape.inputs.as_ref().expect("rows are kept");
        let row = |i: usize, j: usize| &rows[(i * steps + j) * 4..][..4];
        assert_eq!(row(0, 0), a);
        assert_eq!(row(steps - 1, 0), b);
        for i in 0..steps {
            assert_eq!(row(i, steps - 1), c, "row {i} ends in C");
        }
    }
}

#[test]
fn many_landscapes_come_in_order_and_can_be_stopped() {
    let table = seeds();
    let model = bundled_table_model("seeds").expect("a bundled model");
    // More than one group of 65,536 rows.
    let jobs: Vec<RowJob<'_>> = (0..600)
        .map(|n| RowJob {
            a: table.row(n % 70),
            b: table.row(70 + n % 69),
            c: table.row(140 + n % 67),
        })
        .collect();
    let engine = CpuEngine::new();
    let all = interpolate_rows(&engine, &model, STEPS, &jobs, &go_on).expect("it interpolates");
    assert_eq!(all.len(), 600);
    for n in [0, 541, 542, 599] {
        let alone = interpolate_rows(&engine, &model, STEPS, &jobs[n..=n], &go_on).expect("one");
        assert_eq!(alone[0].inputs, all[n].inputs, "landscape {n}");
        assert_close(
            &format!("landscape {n}"),
            &all[n].probabilities,
            &alone[0].probabilities,
            Tolerance {
                abs: 1e-6,
                rel: 0.0,
            },
        );
    }
    let stop = |_rows: usize| ControlFlow::Break(());
    let stopped = interpolate_rows(&engine, &model, STEPS, &jobs, &stop);
    assert!(matches!(stopped, Err(PipelineError::Interrupted)));
}

#[test]
fn groups_take_one_row_a_class_and_are_named_by_letter() {
    let labels = iris().labels().to_vec();
    let triples = choose_lettered_triples(&labels, 3, 30, &[], 1).expect("groups");
    let names: Vec<&str> = triples.iter().map(|triple| triple.name.as_str()).collect();
    assert_eq!(names[..3], ["A", "B", "C"]);
    assert_eq!(names[25..], ["Z", "AA", "AB", "AC", "AD"]);
    for triple in &triples {
        assert_eq!(triple.classes, [0, 1, 2], "in the order of the classes");
        assert_eq!(triple.items.map(|item| labels[item]), [0, 1, 2]);
    }
    assert_eq!(
        triples,
        choose_lettered_triples(&labels, 3, 30, &[], 1).expect("groups"),
        "the same seed, the same groups"
    );
    assert_ne!(
        triples,
        choose_lettered_triples(&labels, 3, 30, &[], 2).expect("groups")
    );
    let fixed = choose_lettered_triples(&labels, 3, 1, &[[2, 0, 1]], 1).expect("a group");
    assert_eq!(fixed[0].classes, [2, 0, 1]);
    let error = choose_lettered_triples(&[0, 0, 1], 2, 1, &[], 1).expect_err("two classes");
    assert_eq!(
        error.to_string(),
        "expected 3 classes or more to choose groups of, found 2"
    );
}

fn a_file(table: &Table, model: &Model) -> LandscapeFile {
    let job = RowJob {
        a: table.row(0),
        b: table.row(70),
        c: table.row(140),
    };
    let landscape = interpolate_rows(&CpuEngine::new(), model, 4, &[job], &go_on)
        .expect("it interpolates")
        .remove(0);
    LandscapeFile {
        about: About {
            name: "A.3".into(),
            permutation: Permutation::IntoZ,
            item_names: [0, 70, 140].map(|row| table.item_name(row)),
            item_classes: [0, 1, 2],
            class_names: table.classes().to_vec(),
            model: "bundled seeds".into(),
            model_sha256: model.sha256().into(),
            items: Items::Rows {
                features: table.features().to_vec(),
            },
            settings: Default::default(),
            finer_measures: None,
        },
        landscape,
    }
}

#[test]
fn files_give_back_what_was_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = seeds();
    let model = bundled_table_model("seeds").expect("a bundled model");
    let file = a_file(&table, &model);
    let path = folder.path().join("landscape.safetensors");
    let measures = measure(&file.landscape, file.about.item_classes);
    file.write(&path, &measures).expect("it is written");
    assert_eq!(LandscapeFile::read(&path).expect("it is read"), file);

    let points = DataPoints {
        features: table.features().to_vec(),
        class_names: table.classes().to_vec(),
        rows: table.values().to_vec(),
        labels: table.labels().to_vec(),
        probabilities: vec![0.25; table.len() * 3],
        every: 3,
    };
    let path = folder.path().join("data.safetensors");
    points.write(&path).expect("it is written");
    assert_eq!(DataPoints::read(&path).expect("it is read"), points);
}

/// Every damaged landscape file is an error that names the place; none is a panic.
#[test]
fn damaged_landscape_files_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = bundled_table_model("seeds").expect("a bundled model");
    let path = folder.path().join("landscape.safetensors");
    let file = a_file(&seeds(), &model);
    let measures = measure(&file.landscape, file.about.item_classes);
    let mut damaged = Vec::new();
    let mut damage = |change: fn(&mut LandscapeFile), words| {
        let mut file = file.clone();
        change(&mut file);
        damaged.push((file, words));
    };
    damage(|file| file.about.item_classes = [0, 1, 9], "item_classes");
    damage(
        |file| file.landscape.probabilities[5] = f32::NAN,
        "probabilities",
    );
    damage(|file| file.about.class_names.truncate(2), "item_classes");
    for (file, words) in damaged {
        file.write(&path, &measures).expect("it is written");
        let error = LandscapeFile::read(&path).expect_err(words).to_string();
        assert!(error.contains(words), "expected \"{words}\" in: {error}");
    }
    file.write(&path, &measures).expect("it is written");
    let content = std::fs::read(&path).expect("it is read");
    for cut in [0, 7, 40, 400, content.len() - 1] {
        std::fs::write(&path, &content[..cut]).expect("it is cut");
        LandscapeFile::read(&path).expect_err("a file that is cut off");
    }
    // Mutations of the header: an error or the file, never a panic.
    let header = 8 + u64::from_le_bytes(content[..8].try_into().expect("8 bytes")) as usize;
    for n in 0..3000usize {
        let mut mutated = content.clone();
        let at = (n * 7919) % header;
        mutated[at] = mutated[at].wrapping_add((1 + n % 255) as u8);
        std::fs::write(&path, &mutated).expect("it is written");
        let _ = LandscapeFile::read(&path);
    }
}
