//! Feature points of one's own, as a user gives them.

use crate::program::{fail, folder, json, succeed};
use serde_json::{Value, json as value};
use std::path::Path;

const ITEMS: [&str; 3] = ["t10k#0", "t10k#1", "t10k#2"];

fn write(folder: &Path, name: &str, points: &Value) {
    let text = value!({ "points": points }).to_string();
    std::fs::write(folder.join(name), text).expect("written");
}

#[test]
fn points_that_are_those_found_give_the_same_frames() {
    let folder = folder();
    let [left, right, _] = ITEMS;
    let morph = [
        "morph",
        left,
        right,
        "--steps",
        "5",
        "--engine",
        "cpu",
        "--save-frames",
    ];
    let found: Vec<&str> = morph.iter().copied().chain(["--out", "found"]).collect();
    succeed(folder.path(), &found);
    let facts = json(folder.path().join("found/morph.json"));
    // The corners, which come first, are always points.
    let inner = |key: &str| facts[key].as_array().expect("points")[4..].to_vec();
    write(
        folder.path(),
        "points.json",
        &value!({left: inner("points_left"), right: inner("points_right")}),
    );
    let given = ["--points", "points.json", "--out", "given"];
    let given: Vec<&str> = morph.iter().copied().chain(given).collect();
    succeed(folder.path(), &given);
    let again = json(folder.path().join("given/morph.json"));
    for key in ["points_left", "points_right", "triangles"] {
        assert_eq!(again[key], facts[key], "{key}");
    }
    for k in 0..5 {
        let frame = |out: &str| {
            let path = folder.path().join(out).join(format!("frame-{k:03}.png"));
            std::fs::read(path).expect("a frame")
        };
        assert_eq!(frame("found"), frame("given"), "frame {k}");
    }
    let mesh = |out: &str| std::fs::read(folder.path().join(out).join("mesh.png")).expect("a mesh");
    assert_eq!(mesh("found"), mesh("given"));
    // One point elsewhere is seen in the mesh and in the frames between.
    let mut moved = inner("points_left");
    moved[4] = value!([11, 9]);
    write(
        folder.path(),
        "moved.json",
        &value!({left: moved, right: inner("points_right")}),
    );
    let other = ["--points", "moved.json", "--out", "moved"];
    let other: Vec<&str> = morph.iter().copied().chain(other).collect();
    succeed(folder.path(), &other);
    assert_ne!(mesh("moved"), mesh("given"));
}

#[test]
fn a_sweep_goes_through_the_points_it_is_given() {
    let folder = folder();
    let set = morphscape::data::fashion_mnist();
    let items: Vec<usize> = {
        let mut items: Vec<usize> = Vec::new();
        for k in 0..100 {
            if items.len() < 3 && items.iter().all(|&other| set.label(other) != set.label(k)) {
                items.push(k);
            }
        }
        items
    };
    let name = |k: usize| format!("t10k#{}", items[k]);
    let lists = value!({
        name(0): [[8.4, 8], [20, 9], [14, 20]],
        name(1): [[6, 12], [22, 12], [13, 25]],
        name(2): [[10, 4], [18, 5], [15, 15]],
    });
    write(folder.path(), "points.json", &lists);
    let triples = value!({"triples": [{"name": "own", "items": items}]}).to_string();
    std::fs::write(folder.path().join("triples.json"), triples).expect("written");
    let sweep = [
        "sweep",
        "--triples",
        "triples.json",
        "--points",
        "points.json",
        "--steps",
        "5",
        "--engine",
        "cpu",
        "--figures",
        "none",
        "--out",
        "own",
    ];
    succeed(folder.path(), &sweep);
    let path = folder.path().join("own/own.3/landscape.safetensors");
    let file = morphscape::LandscapeFile::read(&path).expect("a landscape");
    let meshes = file.landscape.morph.expect("meshes");
    assert_eq!(meshes.a_to_b.points_left[4..], [[8, 8], [20, 9], [14, 20]]);
    assert_eq!(
        meshes.a_to_b.points_right[4..],
        [[6, 12], [22, 12], [13, 25]]
    );
    // The middle mix's lie half way; a half is rounded away from zero.
    assert_eq!(
        meshes.mix_to_c.points_left[4..],
        [[7, 10], [21, 11], [14, 23]]
    );
    succeed(folder.path(), &["verify", "own", "--engine", "cpu"]);
    let plan = json(folder.path().join("own/manifest.json"))["plan"].clone();
    assert!(plan["points_sha256"].is_string());
    // Other points are another run.
    let mut other = lists.clone();
    other[name(2)][0] = value!([11, 4]);
    write(folder.path(), "points.json", &other);
    fail(
        folder.path(),
        &sweep,
        1,
        &["the SHA-256 of the feature points is "],
    );

    let refused = |change: &dyn Fn(&mut Value), words: &[&str]| {
        let mut lists = lists.clone();
        change(&mut lists);
        write(folder.path(), "bad.json", &lists);
        let mut sweep = sweep;
        (sweep[4], sweep[12]) = ("bad.json", "bad");
        fail(folder.path(), &sweep, 1, words);
        assert!(!folder.path().join("bad").exists(), "{words:?}");
    };
    let shorter = |lists: &mut Value| lists[name(1)] = value!([[6, 12]]);
    refused(&shorter, &[&name(1), "as many points in both", "3 and 1"]);
    let missing = |lists: &mut Value| {
        lists.as_object_mut().expect("lists").remove(&name(2));
    };
    refused(&missing, &[&name(2), "expected its points"]);
    let outside = |lists: &mut Value| lists[name(0)][1] = value!([28, 3]);
    refused(&outside, &[&name(0), "point 2", "0 to 27"]);
    let twice = |lists: &mut Value| lists[name(0)][1] = value!([8, 8]);
    refused(&twice, &[&name(0), "point 2", "once"]);
    let corner = |lists: &mut Value| lists[name(0)][1] = value!([0, 27]);
    refused(&corner, &["corners"]);
    let text = |lists: &mut Value| lists[name(0)] = value!("none");
    refused(&text, &["expected {\"points\""]);
    let fade = ["sweep", "--kind", "cross-fade", "--points", "points.json"];
    fail(folder.path(), &fade, 1, &["--points", "warps nothing"]);
}
