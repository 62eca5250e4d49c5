//! `morphscape verify`: what it finds of what was done to a run, and what it says of one that
//! nothing was done to.

use crate::program::{Run, fail, folder, json, run, succeed};
use std::path::Path;

const SWEEP: [&str; 9] = [
    "sweep", "--engine", "cpu", "--groups", "1", "--steps", "5", "--out", "run",
];

fn verify(here: &Path, more: &[&str]) -> Run {
    let own = ["verify", "run", "--engine", "cpu"];
    run(here, &[&own[..], more].concat())
}

/// How many files the manifest names.
fn num_files(here: &Path) -> usize {
    json(here.join("run/manifest.json"))["files"]
        .as_object()
        .expect("files")
        .len()
}

#[test]
fn a_run_that_nothing_was_done_to_holds() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SWEEP);
    let files = num_files(here);
    // Of each of six landscapes its tensors, frames, surfaces and seven figures; table and report.
    assert_eq!(files, 6 * 9 + 2 + 6);
    let adapter = json(here.join("run/manifest.json"))["engine"]["adapter"].clone();
    let adapter = adapter.as_str().expect("threads");
    let held = verify(here, &["--all"]);
    assert_eq!(
        held.stdout,
        format!(
            "files: {files} of {files} as they were written\n\
             summary: 6 rows as the landscapes measure\n\
             computed again: 6 of 6 landscapes, 150 points, on the CPU engine, {adapter}; the run was on the CPU engine, {adapter}\n    \
             logits equal to the bit\n    \
             probabilities equal to the bit\n    \
             labels that differ: 0\n"
        )
    );
    assert_eq!((held.code, held.stderr.as_str()), (Some(0), ""));
    let sample = verify(here, &["--sample", "2"]);
    assert!(
        sample.stdout.contains("2 of 6 landscapes, 50 points"),
        "{}",
        sample.stdout
    );
    let files_only = verify(here, &["--sample", "0"]);
    assert_eq!(
        files_only.stdout.lines().count(),
        2,
        "{}",
        files_only.stdout
    );
    // Whoever draws again or walks there says so in the manifest.
    succeed(
        here,
        &[
            "plot",
            "run",
            "--all-classes",
            "--format",
            "svg,png,html",
            "--dpi",
            "40",
        ],
    );
    let more = num_files(here);
    assert!(more > files);
    let drawn = verify(here, &[]);
    assert_eq!(drawn.code, Some(0), "{}{}", drawn.stdout, drawn.stderr);
    let walk = [
        "walk",
        "--engine",
        "cpu",
        "--landscape",
        "run/1A.2",
        "--walkers",
        "50",
        "--length",
        "20",
        "--out",
        "walked",
    ];
    succeed(here, &walk);
    assert!(num_files(here) > more);
    let walked = verify(here, &[]);
    assert_eq!(walked.code, Some(0), "{}{}", walked.stdout, walked.stderr);
    // Drawing again does not hide a table that was changed before.
    let summary = here.join("run/summary.csv");
    let text = std::fs::read_to_string(&summary).expect("a table");
    std::fs::write(&summary, text.replacen("Sandal", "Bag", 1)).expect("written");
    succeed(here, &["plot", "run"]);
    let changed = verify(here, &["--sample", "0"]);
    assert_eq!(changed.code, Some(1));
    assert!(
        changed
            .stdout
            .contains("    summary.csv  changed: SHA-256 "),
        "{}",
        changed.stdout
    );
    // Gone on with, all is as it was.
    succeed(here, &SWEEP);
    assert_eq!(verify(here, &[]).code, Some(0));
}

#[test]
fn what_was_changed_is_named() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SWEEP);
    let files = num_files(here);
    let found = |name: &str, change: &dyn Fn(&mut Vec<u8>), stdout: &[&str], differences: &str| {
        let path = here.join("run").join(name);
        let whole = std::fs::read(&path).expect("a file");
        let mut content = whole.clone();
        change(&mut content);
        match content.is_empty() {
            true => std::fs::remove_file(&path).expect("removed"),
            false => std::fs::write(&path, content).expect("written"),
        }
        let verified = verify(here, &["--all"]);
        for words in stdout {
            assert!(
                verified.stdout.contains(words),
                "{words}: {}",
                verified.stdout
            );
        }
        let error = format!(
            "error: run: expected the run as it was written and as it is computed again, found {differences} (above)\n"
        );
        assert_eq!((verified.code, verified.stderr), (Some(1), error), "{name}");
        std::fs::write(&path, whole).expect("written");
    };
    let one_less = format!("files: {} of {files} as they were written\n", files - 1);
    // A bit of a probability.
    found(
        "1A.2/landscape.safetensors",
        &|content| {
            let at = content.len() - 3;
            content[at] ^= 1;
        },
        &[
            &one_less,
            "    1A.2/landscape.safetensors  changed: SHA-256 ",
            "summary: not held against the landscapes, of which not all can be read\n",
            "    1A.2  cannot be read: run/1A.2/landscape.safetensors: expected the content that was written, found another, by its SHA-256; the file was damaged or changed\n",
        ],
        "2 differences",
    );
    // The same by one who leaves the digest out, so that only computing it again tells by how much.
    found(
        "1A.2/landscape.safetensors",
        &|content| {
            let key = content.windows(8).position(|key| key == b"\"sha256\"");
            content[key.expect("a digest") + 1] = b'S';
            let at = content.len() - 4;
            content[at..].copy_from_slice(&0.75f32.to_le_bytes());
        },
        &[
            "    1A.2/landscape.safetensors  changed",
            "    1A.2  probabilities ",
            "expected at most 1e-4: 1A.2, row 4, column 4, Ankle boot: 0.75 there and ",
            "summary: not as the landscapes measure\n    summary.csv  line 3: not what 1A.2 measures, 1A.2,",
        ],
        // The file, its row of the table, its values.
        "3 differences",
    );
    found(
        "summary.csv",
        &|content| {
            let at = content
                .iter()
                .rposition(|&byte| byte == b'.')
                .expect("a number");
            content[at + 1] = if content[at + 1] == b'9' { b'8' } else { b'9' };
        },
        &[
            &one_less,
            "    summary.csv  changed: SHA-256 ",
            "summary: not as the landscapes measure\n    summary.csv  line 7: not what 1B.3 measures, 1B.3,t10k#",
        ],
        "2 differences",
    );
    found(
        "1B.1/map.svg",
        &|content| content.clear(),
        &[
            &one_less,
            "    1B.1/map.svg  missing\n",
            "labels that differ: 0",
        ],
        "1 difference",
    );
    // A file that is none of the run's is said, and no difference.
    std::fs::write(here.join("run/1A.1/notes.txt"), "mine").expect("written");
    std::fs::write(here.join("run/notes.txt"), "mine").expect("written");
    let extra = verify(here, &["-v"]);
    assert_eq!(extra.code, Some(0), "{}", extra.stderr);
    assert!(
        extra
            .stderr
            .starts_with("note: 1A.1/notes.txt does not belong to this run\n"),
        "{}",
        extra.stderr
    );
    std::fs::remove_file(here.join("run/1A.1/notes.txt")).expect("removed");
    // A manifest that was changed: hashes and values, so that only the plan tells.
    let manifest = here.join("run/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let change = |from: &str, to: &str, words: &[&str]| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&manifest, text.replace(from, to)).expect("written");
        fail(here, &["verify", "run", "--engine", "cpu"], 1, words);
    };
    change(
        "\"steps\": 5",
        "\"steps\": 7",
        &["found 6 differences (above)"],
    );
    change(
        "\"sampling\": \"cubic\"",
        "\"sampling\": \"cubist\"",
        &[
            "error: run: the plan in its manifest is none of this version; run it again: ",
            "cubist",
        ],
    );
    change(
        "\"items\": [\n",
        "\"items\": [\n          0,\n",
        &[
            "error: run: cannot compute it again: its job comes to another plan, the list of triples is ",
        ],
    );
    change(
        "\"finished\": true",
        "\"finished\": false",
        &["expected a finished run"],
    );
    change(
        "\"files\"",
        "\"fils\"",
        &["hashes of the run's files", "--force"],
    );
    std::fs::write(&manifest, &text).expect("written");
    // Another version's run is computed again all the same.
    let version = format!("\"program\": \"{}\"", env!("CARGO_PKG_VERSION"));
    std::fs::write(&manifest, text.replace(&version, "\"program\": \"0.0.9\"")).expect("written");
    let other = verify(here, &[]);
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    assert!(
        other.stderr.contains(&format!(
            "note: the run is of program version \"0.0.9\", and this is \"{}\"\n",
            env!("CARGO_PKG_VERSION")
        )),
        "{}",
        other.stderr
    );
    fail(
        here,
        &["verify", "nothing"],
        1,
        &["nothing: expected the folder of a run"],
    );
}

/// Model and data are found where the command says, or where they are said to be now, and must be
/// the same ones.
#[test]
fn model_and_data_that_moved_are_said_and_must_be_the_same() {
    let folder = folder();
    let here = folder.path();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let copy = |model: &str, name: &str| {
        std::fs::copy(models.join(model), here.join(name)).expect("copied");
    };
    copy("iris.safetensors", "mine.safetensors");
    copy("iris-paper.safetensors", "other.safetensors");
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/iris.csv");
    let text = std::fs::read_to_string(&table).expect("iris");
    std::fs::write(here.join("rows.csv"), &text).expect("written");
    let label = text
        .lines()
        .next()
        .and_then(|heading| heading.rsplit(',').next());
    let interpolate = [
        "interpolate",
        "--engine",
        "cpu",
        "--groups",
        "2",
        "--model",
        "mine.safetensors",
        "--data",
        "rows.csv",
        "--label",
        label.expect("a heading"),
        "--figures",
        "none",
        "--out",
        "run",
    ];
    succeed(here, &interpolate);
    assert_eq!(verify(here, &["--all"]).code, Some(0));
    std::fs::rename(
        here.join("mine.safetensors"),
        here.join("moved.safetensors"),
    )
    .expect("moved");
    fail(
        here,
        &["verify", "run", "--engine", "cpu"],
        1,
        &[
            "error: run: cannot compute it again: mine.safetensors: expected a .keras, .h5, .safetensors, .onnx or model.json file, found nothing there; did you mean \"moved.safetensors\"?",
        ],
    );
    let moved = verify(here, &["--all", "--model", "moved.safetensors"]);
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    let other = verify(here, &["--model", "other.safetensors"]);
    assert_eq!(other.code, Some(1));
    assert!(
        other.stderr.starts_with(
            "error: run: cannot compute it again: its job comes to another plan, the SHA-256 of the model's file is \""
        ),
        "{}",
        other.stderr
    );
    std::fs::write(here.join("rows.csv"), text.replacen("5.1", "5.2", 1)).expect("written");
    std::fs::write(here.join("kept.csv"), &text).expect("written");
    let changed = verify(here, &["--model", "moved.safetensors"]);
    assert!(
        changed
            .stderr
            .starts_with("error: run: cannot compute it again: ")
            && changed.stderr.contains(" there and "),
        "{}",
        changed.stderr
    );
    let kept = verify(
        here,
        &["--model", "moved.safetensors", "--data", "kept.csv"],
    );
    assert_eq!(kept.code, Some(0), "{}", kept.stderr);
}

/// Without a word the engine is the other one, and both agree.
#[test]
fn the_other_engine_computes_the_same_up_to_rounding() {
    let folder = folder();
    let here = folder.path();
    let has_adapter = run(here, &["predict", "t10k#0", "--engine", "gpu"]).code == Some(0);
    if !has_adapter {
        assert!(
            std::env::var("MORPHSCAPE_REQUIRE_GPU").is_err(),
            "MORPHSCAPE_REQUIRE_GPU=1, and there is no adapter"
        );
        succeed(here, &SWEEP);
        let same = succeed(here, &["verify", "run"]);
        assert!(
            same.stderr.contains("note: there is no other engine"),
            "{}",
            same.stderr
        );
        return;
    }
    for (engine, mode, then, now) in [
        ("cpu", "clean", "the run was on the CPU engine, ", ""),
        ("gpu", "published", "", "on the CPU engine, "),
    ] {
        let sweep = [
            "sweep",
            "--engine",
            engine,
            "--mode",
            mode,
            "--groups",
            "2",
            "--steps",
            "7",
            "--out",
            engine,
            "--figures",
            "none",
        ];
        succeed(here, &sweep);
        let other = succeed(here, &["verify", engine, "--all"]);
        let line = other
            .stdout
            .lines()
            .find(|line| line.starts_with("computed again: 12 of 12"));
        let line = line.unwrap_or_else(|| panic!("{}", other.stdout));
        assert!(line.contains(then) && line.contains(now), "{line}");
        assert!(
            other.stdout.contains("logits at most ")
                && other.stdout.contains("labels that differ: 0"),
            "{}",
            other.stdout
        );
    }
}

/// Of other jobs the files are checked.
#[test]
fn of_a_walk_a_comparison_and_a_morph_the_files_are_checked() {
    let folder = folder();
    let here = folder.path();
    let jobs: [(&[&str], &str, &str); 3] = [
        (
            &["walk", "--walkers", "50", "--length", "20"],
            "walk.csv",
            "walk",
        ),
        (
            &["compare", "--groups", "1", "--steps", "3"],
            "triples.csv",
            "compare",
        ),
        (
            &["morph", "t10k#1", "t10k#2", "--steps", "3"],
            "frame-001.png",
            "morph",
        ),
    ];
    for (job, file, name) in jobs {
        succeed(
            here,
            &[job, &["--engine", "cpu", "--out", "run", "--force"]].concat(),
        );
        let held = succeed(here, &["verify", "run"]);
        let files = num_files(here);
        assert_eq!(
            held.stdout,
            format!("files: {files} of {files} as they were written\n")
        );
        assert_eq!(
            held.stderr,
            format!("note: of a {name} the files are checked, and nothing is computed again\n")
        );
        std::fs::write(here.join("run").join(file), "other").expect("written");
        let changed = run(here, &["verify", "run"]);
        assert_eq!(changed.code, Some(1), "{}", changed.stdout);
        assert!(
            changed.stdout.contains(&format!("    {file}  changed: ")),
            "{}",
            changed.stdout
        );
    }
}
