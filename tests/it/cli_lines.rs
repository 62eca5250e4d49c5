//! `morphscape lines` and the class maps beside planes, as a user runs them.

use crate::program::{fail, folder, json, run, succeed};
use morphscape::sections::{LineOptions, SectionNetwork, SpaceKind, exact_line};
use serde_json::Value;
use std::path::Path;

fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn many_lines_are_exact_and_a_killed_run_ends_with_the_same_bytes() {
    let folder = folder();
    let command = [
        "lines", "--count", "40", "--seed", "2", "--steps", "21", "--out", "lines",
    ];
    let said = succeed(folder.path(), &command);
    assert!(said.stdout.contains("95 % interval"), "{}", said.stdout);
    let out = folder.path().join("lines");
    let table = rows(&out.join("lines.csv"));
    assert_eq!(table.len(), 40);
    let sections = json(out.join("sections.json"));
    let sections = sections["sections"].as_array().expect("sections");
    for (row, section) in table.iter().zip(sections) {
        assert_eq!(
            (row[1].as_str(), row[5].as_str()),
            (section["items"][0].as_str().expect("a name"), "exact")
        );
        // Each is what the line between the two alone is.
        assert_eq!(section["label"]["kind"], "exact");
        let changes: usize = row[9].parse().expect("a count");
        assert_eq!(
            section["classes"].as_array().map(Vec::len),
            Some(changes + 1)
        );
    }
    let [from, to] = [1, 2].map(|k| table[7][k].as_str());
    let alone = succeed(folder.path(), &["line", from, to, "--out", "alone"]);
    assert_eq!(
        alone.stdout.lines().count(),
        2 + table[7][9].parse::<usize>().expect("a count")
    );
    let alone = json(folder.path().join("alone/sections.json"))["sections"][0].clone();
    let off = |k: usize| {
        let of = |section: &Value| section["breaks"][k].as_f64().expect("a break");
        (of(&alone) - of(&sections[7])).abs()
    };
    assert!((0..table[7][8].parse().expect("a count")).all(|k| off(k) < 1e-11));
    // As a run leaves its folder that was killed in the middle of its twelfth line.
    let bytes = |name: &str| std::fs::read(out.join(name)).expect("a file");
    let files = ["sections.json", "lines.csv", "sections.safetensors"];
    let before = files.map(bytes);
    let mut begun = String::new();
    for section in &sections[..11] {
        begun += &format!("{section}\n");
    }
    begun += &sections[11].to_string()[..40];
    std::fs::write(out.join("sections.rows.jsonl"), begun).expect("written");
    let mut manifest = json(out.join("manifest.json"));
    manifest["finished"] = false.into();
    std::fs::write(out.join("manifest.json"), manifest.to_string()).expect("written");
    for name in files {
        std::fs::remove_file(out.join(name)).expect("removed");
    }
    let again = succeed(folder.path(), &command);
    assert!(
        again.stderr.contains("11 kept from before"),
        "{}",
        again.stderr
    );
    assert_eq!(files.map(bytes), before);
    assert!(!out.join("sections.rows.jsonl").exists());
    let checked = succeed(folder.path(), &["verify", "lines"]);
    assert!(
        checked.stdout.contains("cut again: 6 lines"),
        "{}",
        checked.stdout
    );
    // A class interval that was moved is found out, by the hash and by cutting again.
    let text = String::from_utf8(before[0].clone()).expect("text");
    let from = format!("\"from\":0.0,\"to\":{}", sections[0]["breaks"][1]);
    assert!(text.contains(&from), "{from}");
    let moved = text.replacen(&from, "\"from\":0.0,\"to\":0.123", 1);
    std::fs::write(out.join("sections.json"), moved).expect("written");
    let checked = run(folder.path(), &["verify", "lines"]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stdout.contains("line 1"), "{}", checked.stdout);
}

#[test]
fn pairs_of_ones_own_and_rows_are_cut() {
    let folder = folder();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write(
        "pairs.json",
        r#"{"pairs":[["iris#3", 70], [0, "iris#140"]]}"#,
    );
    let table = [
        "lines",
        "--data",
        "iris",
        "--pairs",
        "pairs.json",
        "--out",
        "rows",
    ];
    let said = succeed(folder.path(), &table);
    assert!(said.stderr.contains("2 lines"), "{}", said.stderr);
    assert_eq!(
        rows(&folder.path().join("rows/lines.csv"))[1][2],
        "iris#140"
    );
    write("same.json", r#"{"pairs":[["iris#3", 3]]}"#);
    let same = ["lines", "--data", "iris", "--pairs", "same.json"];
    fail(folder.path(), &same, 1, &["--pairs", "pair 1", "twice"]);
    write("none.json", r#"{"pairs":[]}"#);
    let none = ["lines", "--data", "iris", "--pairs", "none.json"];
    fail(folder.path(), &none, 1, &["at least one pair"]);
    write("other.json", r#"{"pairs":[["iris#3"]]}"#);
    let other = ["lines", "--data", "iris", "--pairs", "other.json"];
    fail(folder.path(), &other, 1, &["expected {\"pairs\""]);
    let sampled = [
        "lines", "--count", "3", "--exact", "off", "--engine", "cpu", "--out", "sampled",
    ];
    let said = succeed(folder.path(), &sampled);
    assert!(said.stdout.contains("not known"), "{}", said.stdout);
    let few = [
        "lines",
        "--count",
        "3",
        "--max-regions",
        "5",
        "--out",
        "few",
    ];
    fail(
        folder.path(),
        &few,
        1,
        &["line 1, from", "more than 5 pieces"],
    );
}

#[test]
fn class_maps_say_how_far_they_can_be_trusted() {
    let folder = folder();
    let sweep = |arguments: &[&str]| {
        let common = [
            "sweep",
            "--triples",
            "dbviz:1",
            "--steps",
            "21",
            "--engine",
            "cpu",
        ];
        let command: Vec<&str> = common.iter().chain(arguments).copied().collect();
        succeed(folder.path(), &command)
    };
    let map = |name: &str| {
        let path = folder.path().join(name).join("dbviz-1.3/sections.json");
        json(path)["sections"][0].clone()
    };
    let said = sweep(&["--kind", "plane", "--out", "plane"]);
    assert!(
        said.stdout.contains("of 1 exact class maps"),
        "{}",
        said.stdout
    );
    let exact = map("plane");
    assert_eq!(exact["label"]["kind"], "exact");
    let share: f64 = exact["area_share"]
        .as_object()
        .expect("shares")
        .values()
        .filter_map(Value::as_f64)
        .sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    let parts = exact["components"].as_array().expect("parts").len() as u64;
    assert_eq!(exact["certificate"]["components"], parts);
    // What the table of the run says of it.
    assert_eq!(
        rows(&folder.path().join("plane/maps.csv"))[0][3],
        parts.to_string()
    );
    let page = std::fs::read_to_string(folder.path().join("plane/report.html")).expect("a page");
    assert!(page.contains("Finding"));
    let svg =
        std::fs::read_to_string(folder.path().join("plane/dbviz-1.3/map.svg")).expect("a map");
    assert!(svg.contains("line: exact boundary"));

    sweep(&["--kind", "triangle", "--out", "triangle"]);
    let triangle = map("triangle");
    assert_eq!(triangle["label"]["kind"], "exact");
    // Half of the parallelogram of the two sides.
    let flat = |name: &str| {
        let file = folder
            .path()
            .join(name)
            .join("dbviz-1.3/landscape.safetensors");
        let file = morphscape::LandscapeFile::read(&file).expect("a landscape");
        file.landscape.flat.expect("places")
    };
    let [_, b, c] = flat("triangle").anchors;
    let area = triangle["area"].as_f64().expect("an area");
    assert!((area - b[0] * c[1] / 2.0).abs() < 1e-9);
    assert_eq!(
        triangle["certificate"]["components"],
        triangle["components"].as_array().expect("parts").len()
    );

    sweep(&["--kind", "plane", "--max-regions", "100", "--out", "many"]);
    let many = map("many");
    assert_eq!(many["label"]["kind"], "certified");
    assert!(
        many["because"]
            .as_str()
            .is_some_and(|why| why.contains("more than 100"))
    );
    // Bounds and tiles prove what the cells give.
    for (class, share) in exact["area_share"].as_object().expect("shares") {
        let off =
            share.as_f64().expect("a share") - many["area_share"][class].as_f64().unwrap_or(0.0);
        assert!(off.abs() < 1e-9, "class {class} off by {off}");
    }
    let lengths = [&exact, &many].map(|map| map["boundary_total"].as_f64().expect("a length"));
    assert!(
        (lengths[0] - lengths[1]).abs() < 1e-6 * lengths[0],
        "{lengths:?}"
    );

    sweep(&["--kind", "plane", "--clipped", "--out", "clipped"]);
    let clipped = map("clipped");
    assert_eq!(clipped["label"]["kind"], "sampled");
    assert!(
        clipped["sentence"]
            .as_str()
            .is_some_and(|text| text.contains("not affine"))
    );
    sweep(&["--kind", "plane", "--exact", "off", "--out", "off"]);
    assert!(
        map("off")["sentence"]
            .as_str()
            .is_some_and(|text| text.contains("not asked for"))
    );

    // A share that was changed is found out by computing again.
    let path = folder.path().join("plane/dbviz-1.3/sections.json");
    let text = std::fs::read_to_string(&path).expect("a file");
    let count = format!("\"regions\": {}", exact["regions"]);
    std::fs::write(&path, text.replacen(&count, "\"regions\": 7", 1)).expect("written");
    let checked = run(folder.path(), &["verify", "plane", "--engine", "cpu"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.stdout.contains("regions 7 there"),
        "{}",
        checked.stdout
    );
}

#[test]
fn margins_of_items_are_the_golden_ones() {
    let folder = folder();
    let golden = json(crate::common::golden("planes/margins.json"));
    let items = golden["items"].as_array().expect("items");
    let mut pairs = Vec::new();
    for item in items {
        let directions = item["directions"].as_array().expect("directions");
        pairs.extend(directions.iter().map(|other| [&item["item"], other]));
    }
    let list = serde_json::json!({ "pairs": pairs });
    std::fs::write(folder.path().join("pairs.json"), list.to_string()).expect("written");
    let said = succeed(
        folder.path(),
        &["lines", "--pairs", "pairs.json", "--out", "margins"],
    );
    assert!(
        said.stdout.contains("margin of 30 of 30 items"),
        "{}",
        said.stdout
    );
    let of_items = rows(&folder.path().join("margins/margins.csv"));
    let of_lines = rows(&folder.path().join("margins/lines.csv"));
    assert_eq!((of_items.len(), of_lines.len()), (30, 600));
    let near = |found: &str, expected: f64, what: &str| {
        let found: f64 = found.parse().unwrap_or(f64::NAN);
        assert!(
            (found - expected).abs() <= 1e-10 * expected.max(1.0),
            "{what}: {found}, expected {expected}"
        );
    };
    for (n, item) in items.iter().enumerate() {
        let of = &item["bundled"];
        let what = format!("item {}", item["item"]);
        near(&of_items[n][5], of["mean"].as_f64().expect("a mean"), &what);
        for k in 0..20 {
            let row = &of_lines[20 * n + k];
            let what = format!("{what}, direction {k}");
            if of["fragile"][k] == false {
                match of["delta"][k].as_f64() {
                    Some(delta) => near(&row[17], delta, &what),
                    None => assert_eq!(row[17], "", "{what}"),
                }
            }
            match of["exact_first_10"].get(k).and_then(Value::as_f64) {
                Some(exact) => near(&row[16], exact, &what),
                None => assert!(k >= 10 || row[16].is_empty(), "{what}"),
            }
        }
    }
    // Drawn items: so many lines from each.
    let drawn = [
        "lines",
        "--count",
        "3",
        "--directions",
        "8",
        "--seed",
        "5",
        "--out",
        "drawn",
    ];
    succeed(folder.path(), &drawn);
    let of_lines = rows(&folder.path().join("drawn/lines.csv"));
    assert_eq!(of_lines.len(), 24);
    assert!((0..24).all(|n| of_lines[n][1] == of_lines[n / 8 * 8][1]));
    assert_eq!(rows(&folder.path().join("drawn/margins.csv")).len(), 3);
}

#[test]
fn connecting_paths_meet_only_the_classes_of_their_ends() {
    let folder = folder();
    let lines = ["lines", "--count", "40", "--seed", "4", "--connect"];
    let said = succeed(folder.path(), &lines);
    assert!(
        said.stdout.contains("pairs are connected"),
        "{}",
        said.stdout
    );
    let table = rows(&folder.path().join("morphscape-lines/lines.csv"));
    let (mut bent, mut straight) = (None, 0);
    for row in &table {
        // The straight line does where it meets two classes at most.
        let barrier: f64 = row[20].parse().expect("a number");
        let connected = (row[18].as_str(), row[19].as_str());
        assert_eq!(connected == ("certified", "0"), barrier <= 0.0, "{row:?}");
        straight += usize::from(barrier <= 0.0);
        if row[18] == "certified" && row[19] != "0" {
            bent = bent.or(Some(row.clone()));
        }
    }
    assert!((1..40).contains(&straight), "{straight}");
    let bent = bent.expect("a path with a bend");
    let line = ["line", &bent[1], &bent[2], "--connect", "--out", "bent"];
    let said = succeed(folder.path(), &line);
    assert!(
        said.stderr.contains("connected: a path with"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("margin: moved towards"),
        "{}",
        said.stderr
    );
    let content = std::fs::read(folder.path().join("bent/sections.safetensors")).expect("a file");
    let tensors = safetensors::SafeTensors::deserialize(&content).expect("tensors");
    let path = tensors.tensor("path").expect("a path");
    let knots: usize = bent[19].parse().expect("a count");
    assert_eq!(path.shape(), [knots + 2, 784]);
    let values: Vec<f64> = (path.data().chunks_exact(8))
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("eight bytes")))
        .collect();
    assert!(values.iter().all(|x| (0.0..=1.0).contains(x)));
    let section = json(folder.path().join("bent/sections.json"))["sections"][0].clone();
    let model = morphscape::model::bundled_fashion_mnist();
    let network = SectionNetwork::new(&model, SpaceKind::Images).expect("a network");
    let points: Vec<&[f64]> = values.chunks_exact(784).collect();
    for leg in points.windows(2) {
        let line = exact_line(&network, leg[0], leg[1], &LineOptions::default()).expect("a leg");
        for class in line.classes {
            let own = section["path"]["classes"].as_array().expect("classes");
            assert!(own.contains(&class.into()), "{class} of {own:?}");
        }
    }
}
