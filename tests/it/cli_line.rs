//! `morphscape line` as a user runs it.

use crate::program::{fail, files, folder, json, succeed};
use safetensors::SafeTensors;
use serde_json::json;

/// The intervals that the program prints: from, to, class.
fn printed(stdout: &str) -> Vec<(f64, f64, String)> {
    let rows = stdout.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |k: usize| fields[k].parse().expect("a number");
        (number(0), number(1), fields[2].to_owned())
    });
    rows.collect()
}

#[test]
fn a_line_of_images_is_exact_and_reads_back() {
    let folder = folder();
    let line = ["line", "t10k#3318", "t10k#5187"];
    let run = succeed(folder.path(), &line);
    assert!(run.stderr.contains("exact"), "{}", run.stderr);
    assert!(run.stderr.contains("21 points"), "{}", run.stderr);
    let intervals = printed(&run.stdout);
    assert_eq!(
        (intervals[0].0, intervals[intervals.len() - 1].1),
        (0.0, 1.0)
    );
    assert!(intervals.windows(2).all(|pair| pair[0].1 == pair[1].0));
    let out = folder.path().join("morphscape-line");
    assert_eq!(
        files(&out),
        [
            "line.svg",
            "manifest.json",
            "sections.json",
            "sections.safetensors"
        ]
    );
    let section = json(out.join("sections.json"))["sections"][0].clone();
    assert_eq!(section["label"], json!({"kind": "exact"}));
    assert_eq!(section["unit"], "pixel/255");
    assert_eq!(
        section["intervals"].as_array().map(Vec::len),
        Some(intervals.len())
    );
    for (printed, written) in intervals
        .iter()
        .zip(section["intervals"].as_array().expect("a list"))
    {
        // Numbers read back to the last bit.
        assert_eq!(Some(printed.1), written["to"].as_f64());
    }
    let content = std::fs::read(out.join("sections.safetensors")).expect("a file");
    let tensors = SafeTensors::deserialize(&content).expect("tensors");
    let t = tensors.tensor("t").expect("ends of pieces");
    assert_eq!(t.dtype(), safetensors::Dtype::F64);
    assert_eq!(
        t.shape(),
        [section["pieces"].as_u64().expect("a count") as usize + 1]
    );
    // The same command finds its folder; another one is refused there.
    let again = succeed(folder.path(), &line);
    assert_eq!(again.stdout, run.stdout);
    let other = ["line", "t10k#3318", "t10k#1"];
    fail(folder.path(), &other, 1, &["morphscape-line", "another"]);
}

#[test]
fn a_line_of_rows_is_in_units_of_the_model() {
    let folder = folder();
    let run = succeed(
        folder.path(),
        &[
            "line", "iris#32", "iris#70", "--data", "iris", "--out", "rows",
        ],
    );
    let intervals = printed(&run.stdout);
    let classes: Vec<&str> = intervals
        .iter()
        .map(|(_, _, class)| class.as_str())
        .collect();
    assert_eq!(classes, ["setosa", "versicolor"]);
    // The golden line of these two rows; features are 32-bit floats here.
    assert!(
        (intervals[0].1 - 0.7079005259637026).abs() < 1e-6,
        "{}",
        intervals[0].1
    );
    let section = json(folder.path().join("rows/sections.json"))["sections"][0].clone();
    assert_eq!(section["unit"], "features as the model scales them");
    assert_eq!(section["pieces"], 11);
}

#[test]
fn a_network_without_exact_sections_is_sampled_and_says_why() {
    let folder = folder();
    let sampled = succeed(
        folder.path(),
        &[
            "line", "t10k#0", "t10k#1", "--exact", "off", "--steps", "101", "--engine", "cpu",
        ],
    );
    assert!(
        sampled.stderr.contains("sampled at 101 points"),
        "{}",
        sampled.stderr
    );
    let exact = succeed(
        folder.path(),
        &["line", "t10k#0", "t10k#1", "--out", "exact"],
    );
    let (sampled, exact) = (printed(&sampled.stdout), printed(&exact.stdout));
    assert_eq!(sampled.len(), exact.len());
    for (a, b) in sampled.iter().zip(&exact) {
        assert!(
            (a.1 - b.1).abs() <= 0.5 / 100.0 + 1e-9 && a.2 == b.2,
            "{a:?}, {b:?}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = folder();
    let say = |arguments: &[&str], code: i32, words: &[&str]| {
        fail(folder.path(), arguments, code, words);
    };
    say(
        &["line", "t10k#0", "t10k#0"],
        1,
        &["t10k#0", "two different inputs"],
    );
    say(&["line", "t10k#0", "t10k#99999"], 1, &["t10k#99999"]);
    say(&["line", "t10k#0", "nothing.png"], 1, &["nothing.png"]);
    say(&["line", "t10k#0"], 2, &["TO"]);
    say(
        &["line", "t10k#0", "t10k#1", "--steps", "1"],
        1,
        &["--steps 1"],
    );
    say(
        &["line", "t10k#0", "t10k#1", "--max-regions", "3"],
        1,
        &["more than 3 pieces"],
    );
    say(
        &["line", "t10k#0", "t10k#1", "--label", "x"],
        1,
        &["--label"],
    );
}

#[test]
fn models_without_exact_sections_are_sampled_and_said_to_be() {
    let folder = folder();
    std::fs::write(
        folder.path().join("names.txt"),
        "setosa\nversicolor\nvirginica\n",
    )
    .expect("written");
    for (file, why) in [
        // A graph that the library runs as a whole, and a layer that sections do not know.
        ("variant_clipped_softmax", "run as a whole"),
        ("variant_forest_probabilities", "TreeEnsembleClassifier"),
    ] {
        let model = crate::common::golden(&format!("onnx/{file}.onnx"));
        let model = model.display().to_string();
        let of_model = |command: &[&str]| {
            let given = ["--data", "iris", "--model", &model, "--engine", "cpu"];
            // Told, in the place of the labels that the forest was fitted with.
            let given = given.iter().chain(&["--class-names", "names.txt"]);
            let words: Vec<&str> = command.iter().chain(given).copied().collect();
            succeed(folder.path(), &words)
        };
        let out = |what: &str| format!("{file}-{what}");
        let section = |path: &str| json(folder.path().join(path))["sections"][0].clone();

        let line = out("line");
        let said = of_model(&["line", "iris#3", "iris#120", "--connect", "--out", &line]);
        for word in [
            why,
            "sampling 21 points",
            "sampled at 21 points",
            "no path is sought",
        ] {
            assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
        }
        let found = section(&format!("{line}/sections.json"));
        assert_eq!(found["label"], json!({"kind": "sampled", "points": 21}));
        assert!(found["margin"].is_null() && found["path"].is_null());

        let lines = out("lines");
        let said = of_model(&["lines", "--count", "2", "--out", &lines]);
        assert!(said.stderr.contains(why), "{}", said.stderr);
        assert!(
            said.stdout.contains("the lines are sampled"),
            "{}",
            said.stdout
        );
        assert_eq!(
            section(&format!("{lines}/sections.json"))["label"]["kind"],
            "sampled"
        );

        let planes = out("planes");
        let said = of_model(&[
            "interpolate",
            "--kind",
            "plane",
            "--groups",
            "1",
            "--steps",
            "5",
            "--out",
            &planes,
        ]);
        assert!(said.stderr.contains(why), "{}", said.stderr);
        let map = section(&format!("{planes}/A.3/sections.json"));
        assert_eq!(map["label"]["kind"], "sampled");
        let sentence = map["sentence"].as_str().expect("a sentence");
        assert!(sentence.contains(why), "{sentence}");
        let finding = "1 of 1 class maps are certified or sampled";
        assert!(said.stdout.contains(finding), "{}", said.stdout);
    }
}
