//! Planes and triangles as a user runs them.

use crate::program::{fail, files, folder, json, succeed};
use std::collections::BTreeMap;
use std::path::Path;

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = files(folder)
        .into_iter()
        .filter(|name| name != "manifest.json");
    names
        .map(|name| {
            let content = std::fs::read(folder.join(&name)).expect("a file");
            (name, content)
        })
        .collect()
}

#[test]
fn a_run_of_planes_is_resumed_verified_and_drawn_again() {
    let folder = folder();
    let run = [
        "sweep",
        "--kind",
        "plane",
        "--triples",
        "dbviz:1+2",
        "--steps",
        "9",
        "--engine",
        "cpu",
        "--out",
        "planes",
    ];
    let said = succeed(folder.path(), &run);
    assert!(said.stdout.contains("dbviz-1.3"), "{}", said.stdout);
    assert!(!said.stdout.contains("into C"), "{}", said.stdout);
    let out = folder.path().join("planes");
    assert!(!out.join("dbviz-1.1").exists());
    let plan = json(out.join("manifest.json"))["plan"].clone();
    assert_eq!(plan["flat"]["kind"], "plane");
    let before = bytes(&out.join("dbviz-2.3"));
    assert!(before.contains_key("map.svg"), "{:?}", before.keys());
    assert!(!before.contains_key("mesh.svg"));
    // A landscape that a killed run had not finished is computed again, to the same bytes.
    std::fs::remove_dir_all(out.join("dbviz-2.3")).expect("removed");
    succeed(folder.path(), &run);
    assert_eq!(bytes(&out.join("dbviz-2.3")), before);
    let checked = succeed(folder.path(), &["verify", "planes", "--engine", "cpu"]);
    assert!(
        checked.stdout.contains("2 of 2") || checked.stderr.contains("2 of 2"),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    succeed(folder.path(), &["plot", "planes"]);
    assert_eq!(bytes(&out.join("dbviz-2.3")), before);
    let page = std::fs::read_to_string(out.join("report.html")).expect("a report");
    assert!(page.contains("\"kind\":\"plane\""));
    // Another kind is another run.
    let mut other = run;
    other[2] = "triangle";
    fail(
        folder.path(),
        &other,
        1,
        &["--kind is \"plane\" there and \"triangle\" now"],
    );
    let walk = ["walk", "--landscape", "planes/dbviz-1.3"];
    fail(folder.path(), &walk, 1, &["found a plane"]);
}

#[test]
fn triangles_and_rows_have_measures_of_the_same_columns() {
    let folder = folder();
    let triangle = [
        "sweep",
        "--kind",
        "triangle",
        "--triples",
        "dbviz:1",
        "--steps",
        "9",
        "--engine",
        "cpu",
        "--summary-only",
        "--out",
        "rows",
    ];
    succeed(folder.path(), &triangle);
    let summary = std::fs::read_to_string(folder.path().join("rows/summary.csv")).expect("a table");
    let [heading, row] = [0, 1].map(|n| summary.lines().nth(n).expect("a line").split(','));
    let fields: Vec<(&str, &str)> = heading.zip(row).collect();
    for (name, value) in fields {
        let is_left_out = name.starts_with("order_") || name.ends_with("intruders");
        assert!(is_left_out || !value.is_empty(), "{name} is empty");
        assert_ne!(name, "folded");
    }
    succeed(
        folder.path(),
        &[
            "interpolate",
            "--kind",
            "plane",
            "--steps",
            "7",
            "--groups",
            "2",
            "--engine",
            "cpu",
            "--out",
            "iris",
        ],
    );
    assert!(folder.path().join("iris/A.3/scatter.svg").exists());
    assert!(!folder.path().join("iris/A").exists());
    succeed(folder.path(), &["verify", "iris", "--engine", "cpu"]);
}

#[test]
fn options_that_belong_to_another_kind_are_refused() {
    let folder = folder();
    for (arguments, words) in [
        (&["--kind", "plane", "--mode", "published"][..], "--mode"),
        (&["--kind", "cross-fade", "--grid", "4"], "--grid"),
        (&["--clipped"], "--clipped"),
        (&["--kind", "triangle", "--range", "0.2"], "--range"),
        (&["--kind", "triangle", "--clipped"], "--clipped"),
        (&["--kind", "plane", "--range", "0.1,0.2,0.3"], "--range"),
    ] {
        let command: Vec<&str> = ["sweep"].iter().chain(arguments).copied().collect();
        fail(folder.path(), &command, 1, &[words]);
        assert!(!folder.path().join("morphscape-sweep").exists());
    }
    let draws = ["sweep", "--triples", "dbviz:x"];
    fail(folder.path(), &draws, 2, &["dbviz:SEED"]);
    let clipped = ["interpolate", "--kind", "plane", "--clipped"];
    fail(folder.path(), &clipped, 1, &["--clipped"]);
}
