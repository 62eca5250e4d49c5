//! Figures, the report and tables from the command line: what is written, and what is refused.

use crate::program::{fail, folder, json, run, succeed};
use std::collections::BTreeMap;
use std::path::Path;

/// Every file below a folder with its content, by its place in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                let place = path.strip_prefix(root).expect("below the root");
                let content = std::fs::read(&path).expect("a file");
                found.insert(place.to_string_lossy().replace('\\', "/"), content);
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    found
}

const SMALL: [&str; 9] = [
    "sweep",
    "--engine",
    "cpu",
    "--classes",
    "9,4,5",
    "--steps",
    "5",
    "--out",
    "run",
];

const FIGURES: [&str; 7] = [
    "line", "surface", "map", "paths", "sheet", "ternary", "scatter",
];

#[test]
fn a_sweep_draws_every_figure_and_plot_draws_the_same_again() {
    let folder = folder();
    succeed(folder.path(), &SMALL);
    let run = folder.path().join("run");
    let first = files(&run);
    for name in ["1A.1", "1B.3"] {
        for figure in FIGURES {
            let svg = &first[&format!("{name}/{figure}.svg")];
            assert!(
                svg.starts_with(b"<svg ") && svg.ends_with(b"</svg>\n"),
                "{figure}"
            );
        }
        let plotly = &first[&format!("{name}/figure.plotly.json")];
        let plotly: serde_json::Value = serde_json::from_slice(plotly).expect("JSON");
        assert_eq!(plotly["data"][0]["z"].as_array().map(Vec::len), Some(5));
    }
    assert!(!first.contains_key("1A.1/mesh.svg"), "only with --mesh");
    // A finished run has all that its figures need: they are drawn again to the byte.
    for place in first.keys().filter(|place| place.ends_with(".svg")) {
        std::fs::remove_file(run.join(place)).expect("removed");
    }
    std::fs::remove_file(run.join("report.html")).expect("removed");
    succeed(folder.path(), &["plot", "run"]);
    let again = files(&run);
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        again.keys().collect::<Vec<_>>()
    );
    for (place, content) in &first {
        // The report states timings, which the run knew before its end and plot after it.
        if place != "report.html" && place != "manifest.json" {
            assert!(content == &again[place], "{place} differs");
        }
    }
    // The manifest knows the new report, and no longer how figures are drawn.
    let [before, now] = [&first, &again].map(|files| {
        let mut manifest: serde_json::Value =
            serde_json::from_slice(&files["manifest.json"]).expect("JSON");
        manifest["files"]["report.html"].take();
        (manifest["figures"].take(), manifest)
    });
    assert!(before.0.is_object() && now.0.is_null());
    assert_eq!(before.1, now.1);
    // A run with the frames kept as floats is drawn the same, too.
    let mut kept = SMALL.to_vec();
    kept[8] = "kept";
    kept.extend(["--save-frames", "--figures", "none"]);
    succeed(folder.path(), &kept);
    assert!(!folder.path().join("kept/report.html").exists());
    succeed(folder.path(), &["plot", "kept"]);
    let kept = files(&folder.path().join("kept"));
    assert!(kept["1A.2/sheet.svg"] == first["1A.2/sheet.svg"]);
}

#[test]
fn formats_classes_and_views_are_those_asked_for() {
    let folder = folder();
    let mut arguments = SMALL.to_vec();
    arguments.extend(["--figures", "line"]);
    succeed(folder.path(), &arguments);
    let run = folder.path().join("run");
    let line = files(&run);
    let of_one: Vec<&String> = line
        .keys()
        .filter(|place| place.starts_with("1A.1/"))
        .collect();
    assert_eq!(of_one, ["1A.1/landscape.safetensors", "1A.1/line.svg"]);

    // Without frames the other figures are drawn all the same, and the missing ones named.
    let said = succeed(
        folder.path(),
        &["plot", "run", "--format", "png", "--dpi", "48"],
    )
    .stderr;
    assert!(said.contains("frames were not kept"), "{said}");
    let drawn = files(&run);
    let (before, at_48) = (&drawn["1A.1/line.svg"], &drawn["1A.1/map.png"]);
    assert!(before == &line["1A.1/line.svg"] && !drawn.contains_key("1A.1/map.svg"));
    assert!(!drawn.contains_key("1A.1/sheet.png"));
    let width = |png: &[u8]| u32::from_be_bytes(png[16..20].try_into().expect("a PNG"));
    let narrow = width(at_48);
    succeed(
        folder.path(),
        &["plot", "run", "--format", "png", "--dpi", "96"],
    );
    let wide = width(&files(&run)["1A.1/map.png"]);
    assert!(wide.abs_diff(2 * narrow) <= 1, "{narrow} and {wide}");

    succeed(
        folder.path(),
        &[
            "plot",
            "run",
            "--class",
            "bag,3",
            "--landscape",
            "1A.1",
            "--format",
            "svg",
        ],
    );
    let bag = files(&run);
    let text = String::from_utf8(bag["1A.1/line.svg"].clone()).expect("UTF-8");
    assert!(text.contains(">Bag<") && text.contains(">Dress<") && !text.contains(">Coat (B)<"));
    assert!(
        bag["1A.2/line.svg"] == line["1A.2/line.svg"],
        "only 1A.1 is drawn"
    );
    let corners = [
        "plot",
        "run",
        "--class",
        "bag,3,shirt",
        "--landscape",
        "1A.1",
        "--format",
        "svg",
    ];
    succeed(folder.path(), &corners);
    let ternary = String::from_utf8(files(&run)["1A.1/ternary.svg"].clone()).expect("UTF-8");
    for name in ["p(Bag)", "p(Dress)", "p(Shirt)"] {
        assert!(ternary.contains(name), "{name}");
    }
    let view = [
        "plot",
        "run",
        "--format",
        "svg",
        "--azimuth",
        "-60",
        "--elevation",
        "10",
    ];
    succeed(folder.path(), &view);
    assert!(files(&run)["1A.1/surface.svg"] != bag["1A.1/surface.svg"]);
    let mesh = ["--mesh", "--format", "svg", "--out", "meshed"];
    let mut arguments = SMALL[..7].to_vec();
    arguments.extend(mesh);
    succeed(folder.path(), &arguments);
    let meshed = files(&folder.path().join("meshed"));
    assert!(meshed.contains_key("1A.1/mesh.svg") && !meshed.contains_key("report.html"));
}

#[test]
fn figures_that_cannot_be_drawn_are_refused_with_the_reason() {
    let folder = folder();
    let here = folder.path();
    fail(
        here,
        &["plot", "nowhere"],
        1,
        &["nowhere: expected the folder of a run, found nothing there"],
    );
    let mut arguments = SMALL.to_vec();
    arguments.extend(["--figures", "line"]);
    succeed(here, &arguments);
    fail(
        here,
        &["plot", "run", "--class", "Cat"],
        1,
        &["--class", "unknown class \"Cat\"", "Sandal"],
    );
    fail(
        here,
        &["plot", "run", "--landscape", "7A.1"],
        1,
        &["--landscape 7A.1", "1A.1"],
    );
    fail(
        here,
        &["plot", "run", "--figures", "none"],
        1,
        &["nothing to draw"],
    );
    fail(
        here,
        &["plot", "run", "--figures", "line", "--format", "html"],
        1,
        &["--format html", "--figures all"],
    );
    fail(here, &["plot", "run", "--elevation", "91"], 2, &["0 to 90"]);
    fail(
        here,
        &["plot", "run", "--azimuth", "north"],
        2,
        &["expected degrees"],
    );
    // A run that never came to its end, and a folder of another command.
    std::fs::create_dir_all(here.join("started")).expect("a folder");
    std::fs::write(here.join("started/manifest.json"), "{\"finished\": false}").expect("written");
    fail(
        here,
        &["plot", "started"],
        1,
        &["started", "expected a finished run"],
    );
    fail(
        here,
        &["plot", "run", "--landscape", "1A.1", "--format", "html"],
        1,
        &["--landscape", "whole run"],
    );
    // An unfinished run, a manifest that leads out of the folder, a damaged landscape.
    let manifest = here.join("run/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let write = |text: String| std::fs::write(&manifest, text).expect("written");
    write(text.replace("\"finished\": true", "\"finished\": false"));
    fail(here, &["plot", "run"], 1, &["expected a finished run"]);
    write(text.replace("\"1A.1\"", "\"../1A.1\""));
    fail(
        here,
        &["plot", "run"],
        1,
        &["../1A.1", "is not the name of a landscape"],
    );
    write("{".into());
    fail(here, &["plot", "run"], 1, &["not a manifest"]);
    write(text);
    let landscape = here.join("run/1A.2/landscape.safetensors");
    let content = std::fs::read(&landscape).expect("a landscape");
    std::fs::write(&landscape, &content[..content.len() / 2]).expect("cut");
    fail(
        here,
        &["plot", "run"],
        1,
        &["1A.2/landscape.safetensors", ".safetensors file"],
    );
    // Another landscape in its place, which could lead figures elsewhere.
    std::fs::copy(here.join("run/1B.2/landscape.safetensors"), &landscape).expect("copied");
    fail(
        here,
        &["plot", "run"],
        1,
        &["1A.2/landscape.safetensors", "found 1B.2"],
    );
    std::fs::write(&landscape, content).expect("written");
    std::fs::write(here.join("run/1A.3/frames.png"), b"no picture").expect("written");
    fail(here, &["plot", "run"], 1, &["1A.3/frames.png", "PNG"]);
}

#[test]
fn interpolate_does_the_papers_tabular_jobs() {
    let folder = folder();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let root = root.to_str().expect("a UTF-8 path");
    for (data, items, left_out) in [("iris", 150, 0), ("seeds", 210, 0), ("hawks", 893, 15)] {
        let arguments = [
            "interpolate",
            "--engine",
            "cpu",
            "--data",
            data,
            "--data-dir",
            root,
            "--out",
            data,
        ];
        let said = succeed(folder.path(), &arguments).stderr;
        assert_eq!(said.contains("skipped"), left_out > 0, "{said}");
        let out = folder.path().join(data);
        let manifest = json(out.join("manifest.json"));
        assert_eq!(manifest["data"]["items"], items, "{data}");
        assert_eq!(manifest["data"]["left_out"], left_out, "{data}");
        assert_eq!(manifest["data"]["drawn"], 150, "{data}: 50 rows a class");
        assert_eq!(manifest["landscapes"].as_array().map(Vec::len), Some(15));
        let found = files(&out);
        for place in [
            "A/line.svg",
            "A/scatter.svg",
            "E/ternary.svg",
            "E.2/surface.svg",
            "C.1/map.svg",
            "data.safetensors",
            "report.html",
            "summary.csv",
        ] {
            assert!(found.contains_key(place), "{data}: {place}");
        }
        let content = &found["A.3/landscape.safetensors"];
        let tensors = safetensors::SafeTensors::deserialize(content).expect("tensors");
        assert_eq!(tensors.tensor("rows").expect("rows").shape(), [11, 11, 4]);
        // Drawn again to the byte.
        std::fs::remove_dir_all(out.join("A")).expect("removed");
        succeed(folder.path(), &["plot", data]);
        assert!(
            files(&out)["A/scatter.svg"] == found["A/scatter.svg"],
            "{data}"
        );
    }
    // The model that looks as the paper's is another one.
    let paper = [
        "interpolate",
        "--engine",
        "cpu",
        "--model",
        "iris-paper",
        "--out",
        "paper",
    ];
    succeed(folder.path(), &paper);
    let summary = |out: &str| files(&folder.path().join(out))["summary.csv"].clone();
    assert!(summary("iris") != summary("paper"));
    // Fixed rows by their index in the file.
    let triples = r#"{"triples":[{"name":"mine","items":[0,50,149]}]}"#;
    std::fs::write(folder.path().join("t.json"), triples).expect("written");
    let fixed = [
        "interpolate",
        "--engine",
        "cpu",
        "--triples",
        "t.json",
        "--out",
        "fixed",
        "--steps",
        "4",
    ];
    succeed(folder.path(), &fixed);
    let text = String::from_utf8(summary("fixed")).expect("UTF-8");
    assert!(
        text.contains("mine.3,iris#0,iris#50,iris#149,setosa,versicolor,virginica"),
        "{text}"
    );
    let plan = &json(folder.path().join("fixed/manifest.json"))["plan"];
    assert_eq!(plan["triples"][0]["items"], serde_json::json!([0, 50, 149]));
}

/// Five classes, seven features, and a model of 7-5: weights that tell the classes by their
/// means.
fn own_table(folder: &Path) {
    let mut csv = String::from("id,f0,f1,f2,f3,f4,f5,f6,kind\n");
    for n in 0..100 {
        let kind = n % 5;
        let features: Vec<String> = (0..7)
            .map(|f| {
                let mean = if f == kind { 2.0 } else { 0.0 };
                format!(
                    "{:.3}",
                    mean + 0.4 * f64::from((n * 37 + f * 11) % 17) / 17.0
                )
            })
            .collect();
        csv.push_str(&format!("row {n},{},kind {kind}\n", features.join(",")));
    }
    std::fs::write(folder.join("own.csv"), csv).expect("written");
    let kernel: Vec<u8> = (0..35)
        .map(|n| if n / 5 == n % 5 { 4.0f32 } else { 0.0 })
        .flat_map(f32::to_le_bytes)
        .collect();
    let bias = [0u8; 20];
    let view = |shape: Vec<usize>, data| {
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape, data).expect("a view")
    };
    let tensors = [
        ("dense.kernel", view(vec![7, 5], &kernel)),
        ("dense.bias", view(vec![5], &bias)),
    ];
    let file = safetensors::serialize(tensors, None).expect("serialised");
    std::fs::write(folder.join("own.safetensors"), file).expect("written");
}

/// Columns that are no features are left out by name.
#[test]
fn columns_can_be_left_out() {
    let folder = folder();
    let here = folder.path();
    own_table(here);
    let predict = |columns: &[&str]| -> Vec<String> {
        let words = "predict --data own.csv --label kind --model own.safetensors --engine cpu";
        let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        words.extend(columns.iter().map(|&word| word.to_owned()));
        words
    };
    let answers = |columns: &[&str]| {
        let words = predict(columns);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        succeed(here, &words).stdout
    };
    let chosen = answers(&["--features", "f0,f1,f2,f3,f4,f5,f6"]);
    assert_eq!(chosen.lines().count(), 101);
    assert_eq!(answers(&["--without", "id"]), chosen);
    for (columns, words) in [
        (
            &["--without", "kind"][..],
            &["\"kind\" is the label", "--without"][..],
        ),
        (&["--without", "idd"], &["\"idd\"", "did you mean \"id\""]),
        (
            &["--without", "f0"],
            &["own.csv", "\"id\"", "expected a number"],
        ),
        (
            &["--without", "id,f0,f1,f2,f3,f4,f5,f6"],
            &["at least one column"],
        ),
        (
            &["--without", "id", "--features", "f0"],
            &["cannot be used with"],
        ),
    ] {
        let arguments = predict(columns);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let code = if columns.len() > 2 { 2 } else { 1 };
        fail(here, &arguments, code, words);
    }
}

/// A wrong order of the classes is told by the labels: of five that stand the other way round one is
/// where it was.
#[test]
fn classes_in_another_order_than_the_model_s_are_found_out() {
    let folder = folder();
    let here = folder.path();
    own_table(here);
    let csv = std::fs::read_to_string(here.join("own.csv")).expect("a table");
    let turned: Vec<String> = (csv.lines())
        .map(|line| match line.rsplit_once(",kind ") {
            Some((row, kind)) => format!("{row},kind {}", 4 - kind.parse::<u32>().expect("a kind")),
            None => line.to_owned(),
        })
        .collect();
    std::fs::write(here.join("turned.csv"), turned.join("\n")).expect("written");
    let words = "interpolate --data turned.csv --label kind --features f0,f1,f2,f3,f4,f5,f6 --model own.safetensors \
         --engine cpu --figures none --steps 3 --out";
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let said = succeed(here, &[&words[..], &["out", "--groups", "10"]].concat()).stderr;
    let (_, found) = said
        .split_once("own.safetensors classifies ")
        .expect("a warning");
    let mut found = found
        .split(' ')
        .filter_map(|word| word.parse::<usize>().ok());
    let (right, all) = (
        found.next().expect("a number"),
        found.next().expect("a number"),
    );
    assert!(5 * right <= 2 * all, "{said}");
    assert!(
        said.contains("items as they are labelled; if it takes scaled inputs, give --mean and --std; if its classes come in another order, name them with --class-names"),
        "{said}"
    );
    let asked = &json(here.join("out/manifest.json"))["model"]["as_labelled"];
    assert_eq!(
        (asked["items"].as_u64(), asked["of"].as_u64()),
        (Some(right as u64), Some(all as u64))
    );
    // Named or not, asked in whatever way.
    let names: Vec<String> = (0..5).map(|kind| format!("kind {kind}\n")).collect();
    std::fs::write(here.join("names.txt"), names.concat()).expect("written");
    let named = ["named", "--groups", "10", "--class-names", "names.txt"];
    let said = succeed(here, &[&words[..], &named].concat()).stderr;
    assert!(said.contains("own.safetensors classifies"), "{said}");
    let data = words.iter().skip(1).take_while(|word| **word != "--model");
    let data: Vec<&str> = data.copied().collect();
    let engine = ["--engine", "cpu"];
    let predict = [
        &["predict", "--model", "own.safetensors"],
        &data[..],
        &engine,
    ]
    .concat();
    assert!(
        succeed(here, &predict)
            .stderr
            .contains("own.safetensors classifies")
    );
    let few = [&predict[..], &["turned#0", "turned#1"]].concat();
    assert!(
        !succeed(here, &few)
            .stderr
            .contains("own.safetensors classifies")
    );
    // A line says it of its ends, lines of all of theirs.
    let ends = ["turned#0", "turned#1", "--out", "ends"];
    let line = [&["line", "--model", "own.safetensors"], &data[..], &ends].concat();
    let said = succeed(here, &line).stderr;
    let end = "turned#0 is labelled kind 4 and classified kind 0";
    assert!(said.contains(end), "{said}");
    let many = ["--count", "12", "--out", "many"];
    let lines = [&["lines", "--model", "own.safetensors"], &data[..], &many].concat();
    let said = succeed(here, &lines).stderr;
    assert!(said.contains("items as they are labelled"), "{said}");
    // Two classes that are exchanged are a fifth of the items each.
    let swapped = "kind 0\nkind 1\nkind 2\nkind 4\nkind 3\n";
    std::fs::write(here.join("swapped.txt"), swapped).expect("written");
    let named = "interpolate --data own.csv --label kind --features f0,f1,f2,f3,f4,f5,f6 --model own.safetensors \
         --engine cpu --groups 1 --steps 3 --out page --class-names swapped.txt";
    let named: Vec<&str> = named.split(' ').filter(|word| !word.is_empty()).collect();
    let said = succeed(here, &named).stderr;
    let missed =
        "own.safetensors classifies none of the items labelled kind 3 (20), kind 4 (20) so";
    assert!(said.contains(missed), "{said}");
    let page = std::fs::read_to_string(here.join("page/report.html")).expect("a report");
    assert!(page.contains(missed), "the report begins with it");
    std::fs::copy(here.join("own.safetensors"), here.join("twin.safetensors")).expect("copied");
    let models = [
        "models",
        "own.safetensors",
        "twin.safetensors",
        "--steps",
        "3",
        "--out",
        "both",
    ];
    let said = succeed(
        here,
        &[&models[..], &data, &engine, &["--figures", "none"]].concat(),
    )
    .stderr;
    for name in ["own", "twin"] {
        assert!(
            said.contains(&format!("{name}.safetensors classifies")),
            "{said}"
        );
    }
    // Its models have their options in files.
    let key = "name them with \"class_names\" of a .json file";
    assert!(said.contains(key), "{said}");
    let appear = ["right", "--groups", "10", "--class-order", "appearance"];
    let said = succeed(here, &[&words[..], &appear].concat()).stderr;
    assert!(!said.contains("labelled"), "{said}");
}

#[test]
fn any_csv_of_five_classes_and_seven_features_is_interpolated() {
    let folder = folder();
    own_table(folder.path());
    let own = [
        "--data",
        "own.csv",
        "--label",
        "kind",
        "--features",
        "f0,f1,f2,f3,f4,f5,f6",
    ];
    let mut arguments = vec![
        "interpolate",
        "--engine",
        "cpu",
        "--model",
        "own.safetensors",
    ];
    arguments.extend(own);
    arguments.extend(["--out", "out", "--groups", "3"]);
    let said = succeed(folder.path(), &arguments).stderr;
    assert!(
        said.contains("does not name its classes") && said.contains("kind 0, kind 1"),
        "{said}"
    );
    assert!(!said.contains("labelled"), "{said}");
    let found = files(&folder.path().join("out"));
    assert!(found.contains_key("report.html") && found.contains_key("C/scatter.svg"));
    let page = String::from_utf8_lossy(&found["report.html"]);
    assert!(
        page.contains("As labelled"),
        "the report says how the items were answered"
    );
    let scatter = String::from_utf8(found["A/scatter.svg"].clone()).expect("UTF-8");
    assert_eq!(
        scatter.matches("<svg ").count(),
        1 + 21,
        "21 pairs of 7 features"
    );
    let ternary = String::from_utf8(found["A/ternary.svg"].clone()).expect("UTF-8");
    assert!(
        ternary.contains("opacity: what they sum to"),
        "three of five classes"
    );
    let manifest = json(folder.path().join("out/manifest.json"));
    assert_eq!(manifest["data"]["drawn"], 100, "all rows of a file");

    // The same table through predict: each kind is told.
    let mut arguments = vec!["predict", "--engine", "cpu", "--model", "own.safetensors"];
    arguments.extend(own);
    let all = succeed(folder.path(), &arguments).stdout;
    assert_eq!(all.lines().count(), 101);
    assert!(all.starts_with("item,predicted,kind 0,kind 1,"), "{all}");
    let right = all
        .lines()
        .skip(1)
        .enumerate()
        .filter(|(n, line)| line.starts_with(&format!("own#{n},kind {},", n % 5)));
    assert_eq!(right.count(), 100);
    arguments.extend(["own#7"]);
    assert_eq!(succeed(folder.path(), &arguments).stdout.lines().count(), 2);
}

#[test]
fn tables_and_models_that_do_not_fit_are_refused() {
    let folder = folder();
    let here = folder.path();
    own_table(here);
    let interpolate = |more: &[&'static str], words: &[&str]| {
        let mut arguments = vec!["interpolate", "--engine", "cpu"];
        arguments.extend(more);
        fail(here, &arguments, 1, words);
        assert!(
            !here.join("morphscape-interpolate").exists(),
            "nothing is written"
        );
    };
    interpolate(&["--data", "own.csv"], &["own.csv", "--label COLUMN"]);
    interpolate(
        &[
            "--data",
            "own.csv",
            "--label",
            "kind",
            "--model",
            "own.safetensors",
        ],
        &["line 2", "column \"id\"", "--features"],
    );
    let label = [
        "--data",
        "own.csv",
        "--label",
        "kind",
        "--features",
        "f0,f1",
    ];
    interpolate(&label, &["--model"]);
    let mut small = label.to_vec();
    small.extend(["--model", "own.safetensors"]);
    interpolate(&small, &["expected 7 features", "found 2", "f0, f1"]);
    interpolate(
        &["--data", "own.csv", "--label", "sort", "--model", "iris"],
        &["sort", "kind"],
    );
    interpolate(&["--data", "own.json"], &["own.json", ".csv"]);
    interpolate(&["--data", "none.csv", "--label", "a"], &["none.csv"]);
    interpolate(
        &["--data", "iris", "--label", "species"],
        &["--label", "known"],
    );
    interpolate(&["--data", "hawks", "--data-dir", "nowhere"], &["hawks"]);
    interpolate(&["--data", "seeds", "--model", "iris"], &["setosa"]);
    interpolate(&["--model", "iris", "--scale", "2"], &["--scale"]);
    interpolate(&["--classes", "setosa,virginica"], &["three classes"]);
    interpolate(&["--mesh"], &["--mesh", "no meshes"]);
    std::fs::write(
        here.join("t.json"),
        r#"{"triples":[{"name":"A","items":[0,1,149]}]}"#,
    )
    .expect("written");
    interpolate(
        &["--triples", "t.json"],
        &["t.json", "three different classes"],
    );
    fail(
        here,
        &["predict", "--data", "iris", "iris#150"],
        1,
        &["iris#150"],
    );
    fail(
        here,
        &["predict", "--label", "a", "t10k#1"],
        1,
        &["--label"],
    );
    fail(here, &["sweep", "--data", "own.csv"], 1, &["interpolate"]);
    let run = run(
        here,
        &[
            "predict", "--engine", "cpu", "--data", "iris", "iris#0", "iris#149",
        ],
    );
    assert_eq!(run.stdout.lines().count(), 3);
    assert!(
        run.stdout.contains("\niris#0,setosa,") && run.stdout.contains("\niris#149,virginica,")
    );
}

/// What the options say of a model decides the numbers, so another scale is another run.
#[test]
fn another_scale_is_another_plan() {
    let folder = folder();
    own_table(folder.path());
    let run_with = |scale: &'static str| {
        let arguments = [
            "interpolate",
            "--engine",
            "cpu",
            "--model",
            "own.safetensors",
            "--scale",
            scale,
            "--data",
            "own.csv",
            "--label",
            "kind",
            "--features",
            "f0,f1,f2,f3,f4,f5,f6",
            "--figures",
            "none",
            "--out",
            "out",
        ];
        run(folder.path(), &arguments)
    };
    assert_eq!(run_with("1").code, Some(0));
    assert_eq!(run_with("1").code, Some(0), "the same again");
    let other = run_with("2");
    assert_eq!(other.code, Some(1));
    assert!(
        other.stderr.contains("--scale is 1.0 there and 2.0 now"),
        "{}",
        other.stderr
    );
}

/// Starting over touches the run's own folders and nothing else, whatever its manifest says.
#[test]
fn starting_over_leaves_what_is_not_the_runs() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SMALL);
    let keep = here.join("run/1A/mine.txt");
    std::fs::create_dir_all(here.join("run/1A")).expect("a folder");
    std::fs::write(&keep, "mine").expect("written");
    let mut again = SMALL.to_vec();
    again.extend(["--force", "--figures", "none"]);
    succeed(here, &again);
    assert!(keep.exists(), "a sweep has no folder 1A");
    assert!(
        !here.join("run/report.html").exists(),
        "the old report is gone"
    );
    let manifest = here.join("run/manifest.json");
    std::fs::write(
        &manifest,
        "{\"plan\":{\"job\":\"interpolate\",\"triples\":[{\"name\":\"\"}]}}",
    )
    .expect("written");
    succeed(here, &again);
    assert!(keep.exists(), "a triple without a name is no folder");
}

/// Sides that differ, colours, and grids of two points.
#[test]
fn unusual_grids_are_drawn() {
    let folder = folder();
    for steps in ["2", "3", "45"] {
        let out = format!("steps-{steps}");
        let arguments = [
            "sweep",
            "--engine",
            "cpu",
            "--classes",
            "9,4,5",
            "--groups",
            "1",
            "--steps",
            steps,
            "--mesh",
            "--all-classes",
            "--out",
            &out,
        ];
        succeed(folder.path(), &arguments);
        let found = files(&folder.path().join(&out));
        for figure in FIGURES {
            assert!(
                found.contains_key(&format!("1A.3/{figure}.svg")),
                "{steps}: {figure}"
            );
        }
        let largest = found.values().map(Vec::len).max().expect("files");
        assert!(largest < 16 << 20, "{steps}: a file of {largest} bytes");
    }
}
