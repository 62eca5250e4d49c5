//! Sections against values from outside: `golden/planes/` (numpy in 64-bit floats; its origin is
//! in `golden/README.md`), and closed forms.
#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must not pass a comparison"
)]

use morphscape::data::{ImageSet, fashion_mnist};
use morphscape::landscape::{Connectivity, agreement, jaccard, kappa, num_regions};
use morphscape::landscape::{GridKind, Landscape, between, boundary_distances, boundary_midpoints};
use morphscape::model::{Model, ModelOptions, activation_by_name, read_model};
use morphscape::sections::*;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Break points; another order of summation.
const BREAK: f64 = 1e-11;
/// Areas and lengths, relative.
const MEASURE: f64 = 1e-9;

static IMAGES: LazyLock<ImageSet> = LazyLock::new(fashion_mnist);

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/planes")
        .join(name)
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(golden(name)).expect("a golden file");
    serde_json::from_str(&text).expect("JSON")
}

/// A tensor of a golden file as 64-bit floats.
fn tensor(file: &str, name: &str) -> Vec<f64> {
    let content = std::fs::read(golden(file)).expect("a golden file");
    let tensors = safetensors::SafeTensors::deserialize(&content).expect("tensors");
    let view = tensors.tensor(name).expect("a tensor");
    match view.dtype() {
        safetensors::Dtype::F64 => {
            let values = view.data().chunks_exact(8);
            values
                .map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")))
                .collect()
        }
        safetensors::Dtype::F32 => {
            let values = view.data().chunks_exact(4);
            values
                .map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes")).into())
                .collect()
        }
        safetensors::Dtype::U8 => view.data().iter().map(|&b| b.into()).collect(),
        other => panic!("{other:?}"),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|v| v as usize).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A model by its name in the golden files.
fn model(name: &str) -> Model {
    let (path, options) = match name {
        "mlp" => (
            root("tests/golden/fashion_mlp.safetensors"),
            ModelOptions {
                activation: activation_by_name("relu"),
                scale: Some(1.0 / 255.0),
                ..ModelOptions::default()
            },
        ),
        "bundled" => (
            root("models/fashion-mnist.safetensors"),
            ModelOptions::default(),
        ),
        "cnn" => (
            root("models/fashion-mnist-cnn.safetensors"),
            ModelOptions::default(),
        ),
        "iris" | "seeds" | "hawks" => (
            root(&format!("models/{name}.safetensors")),
            ModelOptions::default(),
        ),
        tiny => (
            golden(&format!("{tiny}.safetensors")),
            ModelOptions::default(),
        ),
    };
    read_model(&path, &options).expect("a model")
}

fn network(name: &str) -> SectionNetwork {
    let kind = match name {
        "mlp" | "bundled" | "cnn" | "tiny_conv" | "tiny_residual" => SpaceKind::Images,
        _ => SpaceKind::Rows,
    };
    SectionNetwork::new(&model(name), kind).expect("a network that sections know")
}

fn image(network: &SectionNetwork, item: &Value) -> Vec<f64> {
    let index = item.as_u64().expect("an index") as usize;
    let image = IMAGES.image(index).expect("an image");
    network.space().point(&image.levels)
}

/// The points of an entry: images by index, rows by their values.
fn points(network: &SectionNetwork, entry: &Value) -> Vec<Vec<f64>> {
    match entry.get("rows") {
        Some(rows) => {
            let rows = rows.as_array().expect("rows").iter();
            rows.map(|row| network.space().point_of(&numbers(row)))
                .collect()
        }
        None => {
            let items = entry["items"].as_array().expect("items").iter();
            items.map(|item| image(network, item)).collect()
        }
    }
}

fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, |most, d| if d <= most { most } else { d })
}

fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= tolerance * expected.abs().max(1e-300),
        "{what}: {found:e}, expected {expected:e}, relative difference {:e}",
        difference / expected.abs()
    );
}

/// A line against its golden entry; the largest difference of a class break.
fn check_line(what: &str, line: &LineSection, entry: &Value) -> f64 {
    close(
        &format!("{what}: length"),
        line.length,
        number(&entry["length"]),
        1e-12,
    );
    assert_eq!(line.classes, counts(&entry["classes"]), "{what}: classes");
    assert_eq!(
        line.pieces_after,
        counts(&entry["pieces_after"]),
        "{what}: pieces after"
    );
    assert_eq!(
        line.pieces(),
        number(&entry["pieces"]) as usize,
        "{what}: pieces"
    );
    assert_eq!(
        line.logit_pieces,
        number(&entry["logit_pieces"]) as usize,
        "{what}: logit pieces"
    );
    let difference = worst(&line.breaks, &numbers(&entry["breaks"]));
    assert!(
        difference <= BREAK,
        "{what}: breaks differ by {difference:e}"
    );
    let narrowest = (line.narrowest_piece() - number(&entry["narrowest_piece"])).abs();
    assert!(
        narrowest <= BREAK,
        "{what}: narrowest piece differs by {narrowest:e}"
    );
    let narrowest = (line.narrowest_interval() - number(&entry["narrowest_interval"])).abs();
    assert!(
        narrowest <= BREAK,
        "{what}: narrowest interval differs by {narrowest:e}"
    );
    for points in [21, 101, 1001] {
        let found = certify_line(line, points);
        let expected = |what: &str| number(&entry[format!("{what}_{points}")]) as usize;
        assert_eq!(
            found.changes,
            expected("changes"),
            "{what} at {points}: changes"
        );
        assert_eq!(
            found.missed,
            expected("missed"),
            "{what} at {points}: missed"
        );
    }
    difference
}

fn golden_lines(name: &str) {
    let network = network(name);
    let entries = json("lines.json")[name].as_array().expect("lines").clone();
    let ends: Vec<Vec<Vec<f64>>> = entries.iter().map(|e| points(&network, e)).collect();
    let lines: Vec<[&[f64]; 2]> = ends.iter().map(|p| [&p[0][..], &p[1][..]]).collect();
    let found = exact_lines(&network, &lines, &LineOptions::default());
    let mut largest = 0f64;
    let places = ["mlp", "cnn"].contains(&name).then(|| {
        let ends = tensor("lines.safetensors", &format!("{name}.ends"));
        (ends, tensor("lines.safetensors", &format!("{name}.t")))
    });
    for (k, (line, entry)) in found.into_iter().zip(&entries).enumerate() {
        let what = format!("{name} line {k}");
        let line = line.expect("a section");
        largest = largest.max(check_line(&what, &line, entry));
        if let Some((ends, t)) = places.as_ref().filter(|(ends, _)| k + 1 < ends.len()) {
            let difference = worst(&line.t, &t[ends[k] as usize..ends[k + 1] as usize]);
            assert!(
                difference <= BREAK,
                "{what}: ends of pieces differ by {difference:e}"
            );
            largest = largest.max(difference);
        }
    }
    println!(
        "{name}: {} lines, largest difference of a break {largest:e}",
        lines.len()
    );
}

#[test]
fn lines_of_the_mlp() {
    golden_lines("mlp");
}

#[test]
fn lines_of_the_cnn() {
    golden_lines("cnn");
}

#[test]
fn lines_of_rows() {
    ["iris", "seeds", "hawks"]
        .into_iter()
        .for_each(golden_lines);
}

#[test]
fn draws_are_dbvizs() {
    let planes = json("planes.json");
    let labels: Vec<usize> = (0..IMAGES.len()).map(|i| IMAGES.label(i)).collect();
    let seeds = counts(&planes["dbviz_seeds"]);
    let triples = planes["more_triples"].as_array().expect("triples");
    assert_eq!(triples.len(), 20);
    for (seed, triple) in seeds.into_iter().zip(triples) {
        let found = dbviz_triple(&labels, seed as u64).expect("a triple");
        assert_eq!(found.to_vec(), counts(&triple["items"]), "seed {seed}");
    }
}

#[test]
fn lines_of_closed_forms() {
    let line = |name: &str, a: f64, b: f64| {
        let network = network(name);
        exact_line(&network, &[a], &[b], &LineOptions::default()).expect("a section")
    };
    let tent = line("tiny_tent10", 0.0, 1.0);
    let pieces: Vec<f64> = (0..=1024).map(|k| f64::from(k) / 1024.0).collect();
    assert_eq!(tent.t, pieces);
    let mut breaks: Vec<f64> = (0..1024).map(|k| f64::from(2 * k + 1) / 2048.0).collect();
    breaks.insert(0, 0.0);
    breaks.push(1.0);
    assert_eq!(tent.breaks, breaks);
    assert!(
        tent.classes
            .iter()
            .enumerate()
            .all(|(k, &class)| class == k % 2)
    );

    let (w, b) = (2f64.powi(-36), 1.4140625);
    let thin = line("tiny_thin36", -1.0, b);
    assert_eq!((thin.pieces(), &thin.classes[..]), (4, &[0, 1, 0][..]));
    let expected = [
        0.0,
        (1.0 - w / 2.0) / (1.0 + b),
        (1.0 + w / 2.0) / (1.0 + b),
        1.0,
    ];
    assert!(worst(&thin.breaks, &expected) < 1e-15, "{:?}", thin.breaks);

    let dead = line("tiny_dead", -1.0, 1.0);
    assert_eq!((dead.pieces(), dead.logit_pieces), (2, 1));
    assert_eq!(
        (dead.breaks, dead.classes),
        (vec![0.0, 0.625, 1.0], vec![0, 1])
    );
}

#[test]
fn lines_of_networks_that_end_in_sigmoids() {
    // The larger sigmoid is that of the larger logit.
    let options = ModelOptions {
        output: Some("sigmoid".into()),
        ..ModelOptions::default()
    };
    let sigmoids =
        read_model(&root("models/fashion-mnist.safetensors"), &options).expect("a model");
    let [of_softmax, of_sigmoids] = [model("bundled"), sigmoids].map(|model| {
        let network = SectionNetwork::new(&model, SpaceKind::Images).expect("a network");
        let [a, b] = [0, 7].map(|item| image(&network, &Value::from(item)));
        exact_line(&network, &a, &b, &LineOptions::default()).expect("a section")
    });
    assert!(of_softmax.classes.len() > 1);
    assert_eq!(of_sigmoids.breaks, of_softmax.breaks);
    assert_eq!(of_sigmoids.classes, of_softmax.classes);

    // A linear function and its sigmoid s, by onnxruntime: the class changes where ln(s / (1 - s)),
    // which is straight along a line, is 0.
    let file = |name: &str| root(&format!("tests/golden/onnx/{name}"));
    let model = read_model(&file("variant_sigmoid_one.onnx"), &ModelOptions::default());
    let model = model.expect("a model");
    let network = SectionNetwork::new(&model, SpaceKind::Rows).expect("a network");
    let content = std::fs::read(file("variants.safetensors")).expect("the answers");
    let tensors = safetensors::SafeTensors::deserialize(&content).expect("the answers");
    let values = |part: &str| -> Vec<f32> {
        let tensor = tensors.tensor(&format!("sigmoid_one.{part}")).expect(part);
        let words = tensor.data().as_chunks().0.iter();
        words.map(|&word| f32::from_le_bytes(word)).collect()
    };
    let (inputs, sigmoids) = (values("inputs"), values("answers"));
    let rows: Vec<&[f32]> = inputs.chunks_exact(inputs.len() / sigmoids.len()).collect();
    let logits: Vec<f64> = (sigmoids.iter())
        .map(|&s| f64::from(s) / (1.0 - f64::from(s)))
        .map(f64::ln)
        .collect();
    let mut changes = 0;
    for a in 0..rows.len() {
        for b in (0..rows.len()).filter(|&b| logits[a] < 0.0 && logits[b] > 0.0) {
            let [from, to] = [a, b].map(|row| network.space().point(rows[row]));
            let line =
                exact_line(&network, &from, &to, &LineOptions::default()).expect("a section");
            assert_eq!(line.classes, [0, 1]);
            close(
                "the change",
                line.breaks[1],
                logits[a] / (logits[a] - logits[b]),
                1e-5,
            );
            changes += 1;
        }
    }
    assert!(changes > 0, "{logits:?}");
}

fn tiny_entries() -> Vec<Value> {
    json("tiny.json")["random"]
        .as_array()
        .expect("networks")
        .clone()
}

fn tiny_points(network: &SectionNetwork, entry: &Value) -> Vec<Vec<f64>> {
    let inputs = entry["inputs"].as_array().expect("inputs").iter();
    inputs
        .map(|x| network.space().point_of(&numbers(x)))
        .collect()
}

#[test]
fn lines_and_logits_of_every_layer() {
    for entry in tiny_entries() {
        let name = entry["model"].as_str().expect("a name");
        let network = network(name);
        let points = tiny_points(&network, &entry);
        for (z, expected) in points
            .iter()
            .zip(entry["logits"].as_array().expect("logits"))
        {
            let difference = worst(&network.logits(z).expect("logits"), &numbers(expected));
            assert!(
                difference < 1e-12,
                "{name}: logits differ by {difference:e}"
            );
        }
        for line in entry["lines"].as_array().expect("lines") {
            let [a, b] = counts(&line["inputs"])[..] else {
                panic!("two inputs")
            };
            let found = exact_line(&network, &points[a], &points[b], &LineOptions::default());
            check_line(&format!("{name} {a}-{b}"), &found.expect("a section"), line);
        }
    }
}

/// A plane against its golden entry.
fn check_plane(what: &str, section: &PlaneSection, entry: &Value) {
    let count = |key: &str| number(&entry[key]) as usize;
    assert_eq!(
        section.cells_after,
        counts(&entry["cells_after"]),
        "{what}: cells after"
    );
    assert_eq!(section.regions, count("regions"), "{what}: regions");
    assert_eq!(section.faces.len(), count("faces"), "{what}: faces");
    assert_eq!(
        section.segments.len(),
        count("boundary_segments"),
        "{what}: segments"
    );
    let shares = entry["area_share"].as_object().expect("shares");
    assert_eq!(section.area_share.len(), shares.len(), "{what}: classes");
    for (class, share) in &section.area_share {
        close(
            &format!("{what}: area of {class}"),
            *share,
            number(&shares[&class.to_string()]),
            MEASURE,
        );
    }
    let lengths = entry["boundary_length"].as_object().expect("lengths");
    assert_eq!(
        section.boundary_length.len(),
        lengths.len(),
        "{what}: class pairs"
    );
    for (pair, length) in &section.boundary_length {
        close(
            &format!("{what}: boundary {pair}"),
            *length,
            number(&lengths[pair]),
            MEASURE,
        );
    }
    close(
        &format!("{what}: boundary"),
        section.boundary_total,
        number(&entry["boundary_total"]),
        MEASURE,
    );
    let components = entry["components"].as_array().expect("components");
    assert_eq!(
        section.components.len(),
        components.len(),
        "{what}: components"
    );
    for (found, expected) in section.components.iter().zip(components) {
        let expected = numbers(expected);
        let what = format!("{what}: component of class {}", found.class);
        assert_eq!(found.class, expected[0] as usize, "{what}");
        // Of a component that covers 1e-9 of the box rounding takes a share of its own.
        let least = |value: f64, expected: f64, scale: f64| {
            let difference = (value - expected).abs();
            assert!(
                difference <= MEASURE * expected.abs() + 1e-13 * scale,
                "{what}: {value:e}, expected {expected:e}"
            );
        };
        least(found.area_share, expected[1], 1.0);
        least(found.outline, expected[2], 100.0);
        least(found.mean_width, expected[3], 1.0);
    }
    let smallest = number(&entry["smallest_region_share"]);
    assert!(
        (section.smallest_region_share - smallest).abs() < 1e-15,
        "{what}: smallest region"
    );
}

fn corner(entry: &Value, key: &str) -> [f64; 2] {
    numbers(&entry[key]).try_into().expect("two numbers")
}

fn the_box(entry: &Value) -> Vec<[f64; 2]> {
    let ([x0, y0], [x1, y1]) = (corner(entry, "lo"), corner(entry, "hi"));
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

fn plane_of(network: &SectionNetwork, entry: &Value) -> ItemPlane {
    let points = points(network, entry);
    let plane =
        ItemPlane::new([&points[0], &points[1], &points[2]], [BOX_MARGIN; 2]).expect("a plane");
    let anchors: Vec<f64> = entry["anchors"]
        .as_array()
        .expect("anchors")
        .iter()
        .flat_map(numbers)
        .collect();
    assert!(worst(plane.anchors.as_flattened(), &anchors) < 1e-12);
    plane
}

fn golden_planes(of: &str) {
    let network = network(of);
    let sections = json("sections.json")["sections"]
        .as_array()
        .expect("sections")
        .clone();
    for entry in sections.iter().filter(|entry| entry["model"] == of) {
        let name = entry["name"].as_str().expect("a name");
        let plane = plane_of(&network, entry);
        let section = exact_plane(&network, &plane, &the_box(entry), &PlaneOptions::default());
        let section = section.expect("a section");
        check_plane(name, &section, entry);
        println!(
            "{name}: area defect {:e}, outline defect {:e}",
            section.area_defect, section.outline_defect
        );
        // The boundary itself: every golden segment is one of ours.
        let golden = tensor("sections.safetensors", &format!("{name}.segments"));
        let mut ours: Vec<[f64; 6]> = section
            .segments
            .iter()
            .zip(&section.segment_classes)
            .map(|(s, c)| ordered([c[0].into(), c[1].into(), s[0], s[1], s[2], s[3]]))
            .collect();
        let mut theirs: Vec<[f64; 6]> = golden
            .chunks_exact(6)
            .map(|s| ordered(s.try_into().expect("six")))
            .collect();
        let by_place = |a: &[f64; 6], b: &[f64; 6]| {
            let key = |s: &[f64; 6]| {
                [s[0], s[1], (s[2] + s[4]), (s[3] + s[5])].map(|x| (x * 1e7).round())
            };
            key(a).partial_cmp(&key(b)).expect("numbers")
        };
        ours.sort_by(by_place);
        theirs.sort_by(by_place);
        for (a, b) in ours.iter().zip(&theirs) {
            assert!(worst(a, b) < 2e-9, "{name}: segment {a:?}, expected {b:?}");
        }
        for steps in [51, 101, 201] {
            let Some(grid) = entry.get(format!("grid_{steps}")) else {
                continue;
            };
            let (lo, hi) = (corner(entry, "lo"), corner(entry, "hi"));
            let axis = |k: usize| line_parameters(steps, [lo[k], hi[k]]);
            let found = certify_plane(&section, &axis(0), &axis(1));
            let what = format!("{name} at {steps}");
            assert_eq!(
                found.missed,
                number(&grid["missed_components"]) as usize,
                "{what}"
            );
            assert_eq!(
                found.sampled_regions.to_vec(),
                [
                    number(&grid["regions_4"]) as usize,
                    number(&grid["regions_8"]) as usize
                ],
                "{what}"
            );
        }
    }
}

/// A segment with its lower end first.
fn ordered(s: [f64; 6]) -> [f64; 6] {
    if (s[2], s[3]) <= (s[4], s[5]) {
        s
    } else {
        [s[0], s[1], s[4], s[5], s[2], s[3]]
    }
}

#[test]
fn planes_of_the_mlps() {
    ["mlp", "bundled"].into_iter().for_each(golden_planes);
}

#[test]
fn planes_of_the_cnn() {
    golden_planes("cnn");
}

#[test]
fn planes_of_rows() {
    ["iris", "seeds", "hawks"]
        .into_iter()
        .for_each(golden_planes);
}

#[test]
fn planes_of_every_layer() {
    for entry in tiny_entries() {
        let name = entry["model"].as_str().expect("a name");
        let network = network(name);
        let points = tiny_points(&network, &entry);
        let plane =
            ItemPlane::new([&points[6], &points[7], &points[8]], [BOX_MARGIN; 2]).expect("a plane");
        let section = exact_plane(&network, &plane, &plane.corners(), &PlaneOptions::default());
        check_plane(name, &section.expect("a section"), &entry["plane"]);
    }
}

#[test]
fn planes_of_closed_forms() {
    let closed = json("tiny.json")["closed"]
        .as_array()
        .expect("forms")
        .clone();
    for entry in closed.iter().filter(|entry| entry.get("plane").is_some()) {
        let name = entry["model"].as_str().expect("a name");
        let network = network(name);
        let points: Vec<Vec<f64>> = entry["plane"]
            .as_array()
            .expect("points")
            .iter()
            .map(numbers)
            .collect();
        let plane =
            ItemPlane::new([&points[0], &points[1], &points[2]], [0.0; 2]).expect("a plane");
        let section = exact_plane(&network, &plane, &plane.corners(), &PlaneOptions::default())
            .expect("a section");
        assert_eq!(
            section.regions,
            number(&entry["regions"]) as usize,
            "{name}"
        );
        let areas = entry["area"].as_object().expect("areas");
        assert_eq!(section.area_share.len(), areas.len(), "{name}");
        for (class, share) in &section.area_share {
            close(
                name,
                share * section.area,
                number(&areas[&class.to_string()]),
                1e-14,
            );
        }
        let lengths = entry["boundary"].as_object().expect("lengths");
        assert_eq!(section.boundary_length.len(), lengths.len(), "{name}");
        for (pair, length) in &section.boundary_length {
            close(name, *length, number(&lengths[pair]), 1e-14);
        }
    }
}

#[test]
fn brackets_of_smooth_networks_hold_the_changes() {
    for net in json("smooth.json")["nets"].as_array().expect("networks") {
        let name = net["model"].as_str().expect("a name");
        let network = network(name);
        assert!(!network.is_piecewise_linear());
        let mut bounds = Vec::new();
        for line in net["lines"].as_array().expect("lines") {
            let ends: Vec<Vec<f64>> = line["line"]
                .as_array()
                .expect("ends")
                .iter()
                .map(numbers)
                .collect();
            let found = certified_line(&network, &ends[0], &ends[1], &BracketOptions::default());
            let found = found.expect("brackets");
            assert_eq!(found.classes, counts(&line["classes"]), "{name}");
            let breaks = numbers(&line["breaks"]);
            let changes = &breaks[1..breaks.len() - 1];
            assert_eq!(found.brackets.len(), changes.len(), "{name}");
            for (bracket, change) in found.brackets.iter().zip(changes) {
                assert!(
                    bracket[0] <= *change && *change <= bracket[1],
                    "{name}: {bracket:?}, {change}"
                );
                assert!(bracket[1] - bracket[0] <= 4e-9, "{name}: {bracket:?}");
            }
            assert!(
                matches!(found.label, SectionLabel::Certified { share, .. } if share > 0.99999)
            );
            bounds.push(found.bounds);
        }
        println!("{name}: bounds a line {bounds:?}");
        let line = exact_line(&network, &[0.0; 2], &[1.0; 2], &LineOptions::default());
        assert!(matches!(line, Err(SectionError::NotPiecewiseLinear)));
    }
}

#[test]
fn brackets_of_a_piecewise_linear_network_hold_its_breaks() {
    let network = network("mlp");
    for entry in json("lines.json")["mlp"]
        .as_array()
        .expect("lines")
        .iter()
        .take(10)
    {
        let z = points(&network, entry);
        let found =
            certified_line(&network, &z[0], &z[1], &BracketOptions::default()).expect("brackets");
        let breaks = numbers(&entry["breaks"]);
        assert_eq!(found.classes, counts(&entry["classes"]));
        for (bracket, change) in found.brackets.iter().zip(&breaks[1..]) {
            assert!(
                bracket[0] <= *change && *change <= bracket[1],
                "{bracket:?}, {change}"
            );
        }
    }
}

#[test]
fn a_certified_plane_is_the_exact_one() {
    for (name, k) in [("mlp", 1), ("cnn", 2)] {
        let network = network(name);
        let sections = json("sections.json")["sections"].clone();
        let mut entries = sections.as_array().expect("sections").iter();
        let entry = entries
            .rfind(|e| e["name"] == format!("{name}{k}"))
            .expect("a section");
        let mut plane = plane_of(&network, entry);
        (plane.lo, plane.hi) = (corner(entry, "lo"), corner(entry, "hi"));
        let found = certified_plane(&network, &plane, &TileOptions::default()).expect("a map");
        assert!((found.share - 1.0).abs() < 1e-12, "{name}: {}", found.share);
        for (class, share) in entry["area_share"].as_object().expect("shares") {
            let class = class.parse().expect("a class");
            close(name, found.area_share[&class], number(share), MEASURE);
        }
        for (pair, length) in entry["boundary_length"].as_object().expect("lengths") {
            close(name, found.boundary_length[pair], number(length), MEASURE);
        }
        println!(
            "{name}{k}: {} tiles looked at, {} cut, {} cells in them",
            found.tiles_looked_at, found.tiles_cut, found.regions_cut
        );
    }
}

#[test]
fn tiles_with_too_many_cells_are_halved_on_or_stay_uncertain() {
    let network = network("mlp");
    let sections = json("sections.json");
    let plane = plane_of(&network, &sections["sections"][0]);
    let exact = exact_plane(&network, &plane, &plane.corners(), &PlaneOptions::default());
    let exact = exact.expect("a section");
    let tiles = |max_regions: usize| {
        let options = TileOptions {
            coarsest: 1,
            finest: 2,
            max_regions,
        };
        certified_plane(&network, &plane, &options).expect("a map")
    };
    let found = tiles(100);
    assert!((found.share - 1.0).abs() < 1e-12, "{}", found.share);
    for (class, share) in &exact.area_share {
        close("area", found.area_share[class], *share, MEASURE);
    }
    close(
        "boundary",
        found.boundary_total,
        exact.boundary_total,
        MEASURE,
    );
    // Where no tile may have two cells, only what bounds prove and single cells are certain.
    let found = tiles(1);
    assert!(
        found.share > 0.5 && found.share < 1.0 - 1e-6,
        "{}",
        found.share
    );
    let sum: f64 = found.area_share.values().sum();
    assert!((sum - found.share).abs() < 1e-9);
    for (class, share) in &found.area_share {
        assert!(*share <= exact.area_share[class] + 1e-12, "class {class}");
    }
    assert!(
        matches!(found.label(), SectionLabel::Certified { share, .. } if share == found.share),
        "{:?}",
        found.label()
    );
}

#[test]
fn margins_are_dbvizs_and_exact() {
    let golden = json("margins.json");
    let table = dbviz_deltas();
    assert_eq!(table[199], number(&golden["table"]["last"]));
    for (name, items) in [("mlp", 30), ("bundled", 30), ("cnn", 2)] {
        let network = network(name);
        let mut means = Vec::new();
        for item in golden["items"]
            .as_array()
            .expect("items")
            .iter()
            .take(items)
        {
            let z = image(&network, &item["item"]);
            let of = &item[name];
            let directions = item["directions"].as_array().expect("directions");
            let mut margins = Vec::new();
            for (k, direction) in directions.iter().enumerate() {
                let towards = image(&network, direction);
                let found = margin(&network, &z, &towards, table[199]).expect("a margin");
                if !of["fragile"][k].as_bool().expect("a flag") {
                    assert_eq!(
                        found.dbviz,
                        of["delta"][k].as_f64(),
                        "{name} {}",
                        item["item"]
                    );
                }
                if let Some(exact) = of.get("exact_first_10").filter(|_| k < 10) {
                    match (found.exact, exact[k].as_f64()) {
                        (Some(a), Some(b)) => {
                            assert!(
                                (a - b).abs() <= BREAK * b.max(1.0),
                                "{name}: {a}, expected {b}"
                            );
                        }
                        (a, b) => assert_eq!(a, b, "{name} {}", item["item"]),
                    }
                }
                margins.push(found.dbviz);
            }
            let mean = dbviz_mean_margin(&margins);
            let expected = of["mean"].as_f64();
            assert_eq!(mean.is_some(), expected.is_some());
            if let Some((mean, expected)) = mean.zip(expected) {
                close(name, mean, expected, 1e-12);
                means.push(mean);
            }
        }
        if items == 30 {
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            close(name, mean, number(&golden["mean"][name]), 1e-12);
        }
    }
}

#[test]
fn sampled_planes_are_the_golden_ones() {
    let planes = json("planes.json");
    let entry = &planes["planes"][0];
    for name in ["mlp", "cnn"] {
        let network = network(name);
        let plane = plane_of(&network, entry);
        for (axis, key) in plane.axes(51).iter().zip(["alpha", "beta"]) {
            assert!(worst(axis, &numbers(&entry[key])) < 1e-14, "{key}");
        }
        let at = [100, 300, 500, 700];
        assert!(worst(&at.map(|k| plane.u[k]), &numbers(&entry["u_sample"])) < 1e-14);
        assert!(worst(&at.map(|k| plane.v[k]), &numbers(&entry["v_sample"])) < 1e-14);
        let golden = tensor("planes.safetensors", &format!("p0.box.{name}"));
        // A forward pass of the CNN takes its time without optimisation.
        let every = if name == "cnn" { 13 } else { 1 };
        let places: Vec<[f64; 2]> = plane.grid(51).into_iter().step_by(every).collect();
        let logits = plane_logits(&network, &plane, &places).expect("logits");
        let expected: Vec<f64> = golden
            .chunks_exact(10)
            .step_by(every)
            .flatten()
            .copied()
            .collect();
        assert!(
            worst(&logits, &expected) < 1e-4,
            "{name}: {}",
            worst(&logits, &expected)
        );
    }
    let network = network("mlp");
    let z = points(&network, entry);
    let points = [&z[0][..], &z[1], &z[2]];
    let triangle: Vec<f64> = triangle_weights(51)
        .into_iter()
        .flat_map(|w| mixture(points, w).expect("one length"))
        .collect();
    let golden = tensor("planes.safetensors", "p0.triangle.mlp");
    assert!(worst(&point_logits(&network, &triangle), &golden) < 1e-4);
    let plane = plane_of(&network, entry);
    let mut moved = 0;
    let clipped: Vec<f64> = plane
        .grid(51)
        .into_iter()
        .flat_map(|place| {
            let mut point = plane.point(place);
            moved += clip(&mut point);
            point
        })
        .collect();
    let share = moved as f64 / clipped.len() as f64;
    assert!(
        (share - number(&entry["clipped_share"])).abs() < 1e-6,
        "{share}"
    );
    let golden = tensor("planes.safetensors", "p0.clipped.mlp");
    assert!(worst(&point_logits(&network, &clipped), &golden) < 1e-4);
}

/// A landscape of ten classes with these labels.
fn labelled(labels: &[usize]) -> Landscape {
    let probabilities: Vec<f32> = (labels.iter())
        .flat_map(|&label| (0..10).map(move |class| if class == label { 1.0 } else { 0.0 }))
        .collect();
    Landscape {
        kind: GridKind::Rows,
        steps: labels.len().isqrt(),
        num_classes: 10,
        logits: probabilities.clone(),
        probabilities,
        inputs: None,
        morph: None,
        flat: None,
    }
}

#[test]
fn comparisons_are_the_golden_ones() {
    let golden = json("compare.json");
    let labels: Vec<usize> = tensor("compare.safetensors", "labels")
        .into_iter()
        .map(|v| v as usize)
        .collect();
    let networks = ["mlp", "bundled", "cnn"].map(network);
    let of = |model: usize, plane: usize| &labels[(model * 20 + plane) * 2500..][..2500];
    for (k, entry) in golden["planes"]
        .as_array()
        .expect("planes")
        .iter()
        .enumerate()
    {
        let plane = plane_of(&networks[0], entry);
        let [alpha, beta] = plane.axes(50);
        for (name, i, j) in [
            ("mlp-bundled", 0, 1),
            ("mlp-cnn", 0, 2),
            ("bundled-cnn", 1, 2),
        ] {
            let expected = &entry[name];
            let share = agreement(of(i, k), of(j, k)).expect("points");
            close(name, share, number(&expected["agreement"]), 1e-12);
            let by_chance = kappa(of(i, k), of(j, k));
            assert_eq!(by_chance.is_some(), !expected["kappa"].is_null());
            if let Some(found) = by_chance {
                close(name, found, number(&expected["kappa"]), 1e-12);
            }
            for (class, index) in expected["jaccard"]
                .as_array()
                .expect("classes")
                .iter()
                .enumerate()
            {
                let found = jaccard(of(i, k), of(j, k), class);
                assert_eq!(found.is_some(), !index.is_null(), "{name}: class {class}");
                if let Some(found) = found {
                    assert!(
                        (found - number(index)).abs() < 1e-12,
                        "{name}: class {class}"
                    );
                }
            }
            // What `models` compares landscapes by: the same, of landscapes.
            let [one, other] = [i, j].map(|m| labelled(of(m, k)));
            let both = between(&one, &other);
            assert_eq!((both.agreement, both.kappa), (Some(share), by_chance));
            assert_eq!(both.jaccard(0), jaccard(of(i, k), of(j, k), 0));
            let sets = [i, j].map(|m| boundary_midpoints(of(m, k), &alpha, &beta));
            let found = boundary_distances(&sets[0], &sets[1]);
            match found {
                Some(found) => {
                    close(
                        name,
                        found.hausdorff,
                        number(&expected["hausdorff"]),
                        MEASURE,
                    );
                    close(
                        name,
                        found.hausdorff_95,
                        number(&expected["hausdorff_95"]),
                        MEASURE,
                    );
                    close(
                        name,
                        found.mean_distance,
                        number(&expected["mean_distance"]),
                        MEASURE,
                    );
                }
                None => assert!(expected["hausdorff"].is_null()),
            }
        }
        for m in 0..3 {
            for (key, connectivity) in [
                ("fragmentation_8", Connectivity::Eight),
                ("fragmentation_4", Connectivity::Four),
            ] {
                let found = num_regions(of(m, k), [50, 50], connectivity);
                assert_eq!(found, number(&entry[key][m]) as usize, "plane {k}, {key}");
            }
        }
        // The labels themselves, where the margin leaves no doubt.
        if k < 2 {
            let logits = plane_logits(&networks[0], &plane, &plane.grid(50)).expect("logits");
            let top = |f: &[f64]| (0..10).fold(0, |b, c| if f[c] > f[b] { c } else { b });
            let differ = logits
                .chunks_exact(10)
                .zip(of(0, k))
                .filter(|(f, l)| top(f) != **l)
                .count();
            assert!(
                differ <= number(&entry["margin_below_1e4"][0]) as usize,
                "{differ} labels differ"
            );
        }
        let Some(expected) = entry.get("exact mlp-bundled") else {
            continue;
        };
        let found = compare_exactly(
            [&networks[0], &networks[1]],
            &plane,
            &plane.corners(),
            &PlaneOptions::default(),
        )
        .expect("a comparison");
        close(
            "agreement",
            found.agreement,
            number(&expected["agreement"]),
            MEASURE,
        );
        close(
            "kappa",
            found.kappa.expect("a kappa"),
            number(&expected["kappa"]),
            MEASURE,
        );
        let directed = found.directed_hausdorff.expect("both have boundaries");
        let difference = worst(&directed, &numbers(&expected["directed_hausdorff"]));
        assert!(
            difference <= 2e-9,
            "Hausdorff distances differ by {difference:e}"
        );
        for (class, jaccard) in expected["jaccard"].as_object().expect("classes") {
            let found = found.jaccard[&class.parse().expect("a class")];
            let expected = number(jaccard);
            assert!(
                (found - expected).abs() <= MEASURE * expected + 1e-12,
                "class {class}"
            );
        }
    }
}

#[test]
fn the_least_barrier_of_a_plane_is_that_of_a_fine_grid() {
    let network = network("mlp");
    for entry in json("sections.json")["sections"]
        .as_array()
        .expect("sections")
        .iter()
        .take(3)
    {
        let plane = plane_of(&network, entry);
        let ends = [plane.anchors[0], plane.anchors[1]];
        let exact = plane_barrier(
            &network,
            &plane,
            &plane.corners(),
            ends,
            &PlaneOptions::default(),
        );
        let exact = exact.expect("a barrier").expect("a third class");
        // The bottleneck over a grid is never below it, and comes near as the grid gets finer.
        let class = |place| {
            let f = network.logits(&plane.point(place)).expect("logits");
            (0..10).fold(0, |best, c| if f[c] > f[best] { c } else { best })
        };
        let own = ends.map(class);
        let steps = 301;
        let [alpha, beta] = plane.axes(steps);
        let logits = plane_logits(&network, &plane, &plane.grid(steps)).expect("logits");
        let u: Vec<f64> = logits
            .chunks_exact(10)
            .map(|f| {
                let most = |own_side: bool| {
                    let classes = (0..10).filter(|k| own.contains(k) == own_side);
                    classes.map(|k| f[k]).fold(f64::NEG_INFINITY, f64::max)
                };
                most(false) - most(true)
            })
            .collect();
        let nearest = |axis: &[f64], x: f64| axis.partition_point(|&a| a < x - 1e-9);
        let node = |[x, y]: [f64; 2]| nearest(&alpha, x) * steps + nearest(&beta, y);
        let sampled =
            morphscape::landscape::barrier(&u, [steps, steps], node(ends[0]), node(ends[1]));
        println!("least barrier {exact}, of a {steps} x {steps} grid {sampled}");
        assert!(
            exact <= sampled + 0.02 && sampled - exact < 0.3,
            "{exact}, grid {sampled}"
        );
    }
}

#[test]
fn connecting_paths_are_certified() {
    let network = network("mlp");
    let options = PathOptions {
        clamp: Some([0.0, 1.0]),
        ..PathOptions::default()
    };
    let (mut straight, mut mended, mut failed) = (0, 0, 0);
    for entry in json("lines.json")["mlp"].as_array().expect("lines") {
        let z = points(&network, entry);
        let found = connect(&network, &z[0], &z[1], &options).expect("a search");
        match (found.connected, found.knots.len()) {
            (Connected::Certified, 0) => straight += 1,
            (Connected::Certified, _) => {
                mended += 1;
                assert!(found.straight_barrier > -1e-9);
                // Each leg holds against samples.
                let mut path = vec![z[0].clone()];
                path.extend(found.knots);
                path.push(z[1].clone());
                for leg in path.windows(2) {
                    for k in 0..=50 {
                        let f = network.logits(&line_point(&leg[0], &leg[1], f64::from(k) / 50.0));
                        let f = f.expect("logits");
                        let top = (0..10).fold(0, |best, c| if f[c] > f[best] { c } else { best });
                        assert!(
                            found.classes.contains(&top),
                            "class {top} on a certified leg"
                        );
                    }
                }
            }
            (Connected::NotFound, _) => failed += 1,
        }
    }
    println!("{straight} straight lines, {mended} mended, {failed} not found");
    assert!(
        mended > 0 && failed < mended,
        "{straight}, {mended}, {failed}"
    );
}

#[test]
fn unsupported_networks_are_refused_by_name() {
    let file = root("tests/golden/keras/activations.keras");
    let model = read_model(&file, &ModelOptions::default()).expect("a model");
    let refused = SectionNetwork::new(&model, SpaceKind::Rows).expect_err("elu and others");
    let text = refused.to_string();
    assert!(text.contains("can be sampled"), "{text}");
    assert!(
        matches!(refused, SectionError::Unsupported { .. }),
        "{text}"
    );
}

#[test]
fn bounds_on_pieces_and_regions_are_errors() {
    let tent = network("tiny_tent10");
    let options = LineOptions {
        max_pieces: 100,
        ..LineOptions::default()
    };
    let found = exact_line(&tent, &[0.0], &[1.0], &options);
    assert!(matches!(
        found,
        Err(SectionError::TooManyPieces { limit: 100 })
    ));
    let network = network("mlp");
    let sections = json("sections.json");
    let plane = plane_of(&network, &sections["sections"][0]);
    let options = PlaneOptions { max_regions: 500 };
    let found = exact_plane(&network, &plane, &plane.corners(), &options);
    assert!(matches!(
        found,
        Err(SectionError::TooManyRegions { limit: 500 })
    ));
    let clockwise: Vec<[f64; 2]> = plane.corners().into_iter().rev().collect();
    let found = exact_plane(&network, &plane, &clockwise, &PlaneOptions::default());
    assert!(matches!(found, Err(SectionError::Polygon)));
    let estimate = estimated_regions(&network, &plane, 1000).expect("an estimate");
    assert!((1500.0..4000.0).contains(&estimate), "{estimate}");
}

#[test]
fn reversing_a_line_mirrors_it_and_planes_keep_their_areas() {
    let network = network("bundled");
    let entries = json("lines.json")["mlp"].clone();
    for entry in entries.as_array().expect("lines").iter().take(20) {
        let z = points(&network, entry);
        let there = exact_line(&network, &z[0], &z[1], &LineOptions::default()).expect("a section");
        let back = exact_line(&network, &z[1], &z[0], &LineOptions::default()).expect("a section");
        let mirrored: Vec<f64> = back.t.iter().rev().map(|t| 1.0 - t).collect();
        assert!(worst(&there.t, &mirrored) < 1e-12);
        let classes: Vec<usize> = back.classes.iter().rev().copied().collect();
        assert_eq!(there.classes, classes);
    }
    // The triangle of the anchors, whichever of the last two comes first.
    let sections = json("sections.json");
    let z = points(&network, &sections["sections"][5]);
    let shares = [[0, 1, 2], [0, 2, 1], [1, 2, 0]].map(|[a, b, c]| {
        let plane = ItemPlane::new([&z[a], &z[b], &z[c]], [BOX_MARGIN; 2]).expect("a plane");
        let found = exact_plane(&network, &plane, &plane.anchors, &PlaneOptions::default());
        let found = found.expect("a section");
        (found.regions, found.area_share, found.boundary_total)
    });
    for other in &shares[1..] {
        assert_eq!(other.0, shares[0].0);
        for (class, share) in &other.1 {
            close("area", *share, shares[0].1[class], 1e-9);
        }
        close("boundary", other.2, shares[0].2, 1e-9);
    }
}
