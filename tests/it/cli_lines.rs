//! `morphscape lines` and the class maps beside planes, as a user runs them.

use crate::program::{fail, folder, json, run, succeed};
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
