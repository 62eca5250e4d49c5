//! `morphscape walk` as a user runs it.

use crate::common::golden;
use crate::program::{fail, files, folder, json, succeed};
use morphscape::data::TensorFile;
use std::path::Path;

fn result(folder: &Path, name: &str) -> String {
    let manifest = json(folder.join("manifest.json"));
    assert_eq!(manifest["finished"], true);
    manifest["results"][name]
        .as_str()
        .unwrap_or_else(|| panic!("no result {name}: {}", manifest["results"]))
        .to_owned()
}

fn number(text: &str, position: usize) -> f64 {
    let word = text.split_whitespace().nth(position).expect("a word");
    word.parse()
        .unwrap_or_else(|_| panic!("\"{word}\" of \"{text}\""))
}

#[test]
fn a_free_walk_writes_its_table_figures_and_report() {
    let folder = folder();
    let small = [
        "walk",
        "--engine",
        "cpu",
        "--walkers",
        "5000",
        "--length",
        "400",
    ];
    let run = succeed(folder.path(), &small);
    assert!(run.stdout.contains("exponent"), "{}", run.stdout);
    let out = folder.path().join("morphscape-walk");
    assert_eq!(
        files(&out),
        [
            "manifest.json",
            "report.html",
            "spread.svg",
            "walk.csv",
            "walk.safetensors",
            "walkers.svg"
        ]
    );
    let alpha = number(&result(&out, "exponent"), 0);
    assert!((alpha - 1.0).abs() < 0.03, "{alpha}");
    let table = std::fs::read_to_string(out.join("walk.csv")).expect("a table");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(
        rows[0],
        "step,time,msd,msd_error,mean_distance,mean_x,mean_y,moving"
    );
    // The first step of every walker is one long.
    assert!(
        rows[1].starts_with("1,1.000000000,1.000000000,0.000000000,1.000000000,"),
        "{}",
        rows[1]
    );
    assert!(rows.last().expect("rows").starts_with("400,"));
    let page = std::fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("exponent") && page.matches("<figure").count() == 2);

    // The same again gives the same bytes; another walk is refused.
    let before = std::fs::read(out.join("walk.safetensors")).expect("tensors");
    succeed(folder.path(), &small);
    assert_eq!(
        std::fs::read(out.join("walk.safetensors")).expect("tensors"),
        before
    );
    let other = [&small[..], &["--seed", "2"]].concat();
    fail(
        folder.path(),
        &other,
        1,
        &["another run", "seed is 1 there and 2 now"],
    );
    succeed(
        folder.path(),
        &[&other[..], &["--force", "--figures", "none"]].concat(),
    );
    assert_eq!(
        files(&out),
        ["manifest.json", "walk.csv", "walk.safetensors"]
    );
}

#[test]
fn langevin_walkers_in_a_bowl_spread_as_they_should() {
    let folder = folder();
    let walk = [
        "walk",
        "--engine",
        "cpu",
        "--surface",
        "bowl",
        "--bowl",
        "0.5,0.5",
        "--walk",
        "langevin",
        "--temperature",
        "0.5",
        "--dt",
        "0.005",
        "--length",
        "400",
        "--figures",
        "none",
    ];
    succeed(folder.path(), &walk);
    // 1 - e^-4 at t = 2.
    let msd = number(
        &result(&folder.path().join("morphscape-walk"), "at the end"),
        1,
    );
    assert!((msd - 0.9817).abs() < 0.03, "{msd}");
}

#[test]
fn engines_walk_a_fractal_alike() {
    let folder = folder();
    let tensors: Vec<Vec<f32>> = ["cpu", "gpu"]
        .iter()
        .filter(|engine| {
            **engine == "cpu" || std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1")
        })
        .map(|engine| {
            let walk = [
                "walk",
                "--engine",
                engine,
                "--surface",
                "fractal",
                "--hurst",
                "0.4",
                "--height",
                "2",
                "--steps",
                "33",
                "--walkers",
                "2000",
                "--length",
                "200",
                "--format",
                "svg,png",
                "--out",
                engine,
            ];
            succeed(folder.path(), &walk);
            let out = folder.path().join(engine);
            assert!(files(&out).contains(&"occupation.png".to_owned()));
            let mut file = TensorFile::read(&out.join("walk.safetensors")).expect("tensors");
            file.take("potential", &[33, 33]).expect("a potential");
            file.take("occupation", &[33, 33]).expect("an occupation")
        })
        .collect();
    for occupation in &tensors {
        assert!((occupation.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(*occupation == tensors[0], "lattice walks agree to the bit");
    }
}

#[test]
fn a_landscape_of_a_run_is_walked_on_with_passages_that_agree() {
    let folder = folder();
    let triples = folder.path().join("triples.json");
    std::fs::write(
        &triples,
        r#"{"triples":[{"name":"1A","items":[1565,1411,0]}]}"#,
    )
    .expect("a file");
    let sweep = [
        "sweep",
        "--engine",
        "cpu",
        "--triples",
        "triples.json",
        "--steps",
        "11",
        "--figures",
        "none",
        "--out",
        "run",
    ];
    succeed(folder.path(), &sweep);
    let walk = [
        "walk",
        "--engine",
        "cpu",
        "--landscape",
        "run/1A.1",
        "--walkers",
        "4000",
        "--potential",
        "margin",
        "--temperature",
        "4",
        "--basins",
        "a,C",
    ];
    let run = succeed(folder.path(), &walk);
    let out = folder.path().join("morphscape-walk");
    for name in ["basin C before basin A", "mean steps until basin C"] {
        let text = result(&out, name);
        // "... exactly, ... by walkers (+0.3 standard errors)"
        let (_, rest) = text
            .split_once('(')
            .unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(number(rest, 0).abs() <= 3.0, "{name}: {text}");
    }
    assert!(
        files(&out).contains(&"committor.svg".to_owned()),
        "{}",
        run.stdout
    );
    let mut file = TensorFile::read(&out.join("walk.safetensors")).expect("tensors");
    let h = file.take("committor", &[11, 11]).expect("a committor");
    assert_eq!((h[0], h[120]), (0.0, 1.0));
    assert_eq!(
        file.take("passage_steps", &[11, 11]).expect("times")[120],
        0.0
    );

    // Finer points; the Langevin walk; edges that absorb.
    for more in [
        &["--steps", "31"][..],
        &["--walk", "langevin"],
        &["--edges", "absorbing"],
        &["--class", "Bag", "--start", "0.5,0.25"],
        &["--start", "minimum"],
    ] {
        let walk = [
            "walk",
            "--engine",
            "cpu",
            "--landscape",
            "run/1A.2",
            "--walkers",
            "500",
            "--force",
        ];
        succeed(folder.path(), &[&walk[..], more].concat());
    }
    // Items on the spot are the same landscape.
    let items = [
        "walk",
        "--engine",
        "cpu",
        "--items",
        "t10k#1565,t10k#0,t10k#1411",
        "--steps",
        "11",
        "--out",
        "items",
    ];
    succeed(folder.path(), &items);
    let run = [
        "walk",
        "--engine",
        "cpu",
        "--landscape",
        "run/1A.1",
        "--out",
        "same",
    ];
    succeed(folder.path(), &run);
    let potential = |name: &str| {
        let path = folder.path().join(name).join("walk.safetensors");
        let mut file = TensorFile::read(&path).expect("tensors");
        file.take("potential", &[11, 11]).expect("a potential")
    };
    assert_eq!(potential("items"), potential("same"));

    // A landscape with a NaN.
    let path = folder.path().join("run/1A.3/landscape.safetensors");
    let mut bytes = std::fs::read(&path).expect("a landscape");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    bytes[8 + header + 40..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    // Made by another program, which gives no digest.
    let digest = bytes.windows(8).position(|key| key == b"\"sha256\"");
    bytes[digest.expect("a digest") + 1] = b'S';
    std::fs::write(&path, bytes).expect("written");
    let walk = ["walk", "--landscape", "run/1A.3", "--out", "broken"];
    fail(
        folder.path(),
        &walk,
        1,
        &["1A.3", "finite number", "found NaN"],
    );
}

/// The line of a report that holds a landscape's walk.
fn walk_line(run: &Path, name: &str) -> Option<String> {
    let page = std::fs::read_to_string(run.join("report.html")).expect("a report");
    let start = format!("<script type=\"text/plain\" id=\"walk-{name}\">");
    let lines: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with(&start))
        .collect();
    assert!(lines.len() <= 1, "{name}: one walk");
    lines.first().map(|line| (*line).to_owned())
}

#[test]
fn the_report_of_the_run_shows_the_last_walk_on_a_landscape() {
    let folder = folder();
    let here = folder.path();
    let triples = here.join("triples.json");
    let text = r#"{"triples":[{"name":"1A","items":[1565,1411,0]}]}"#;
    std::fs::write(&triples, text).expect("a file");
    let cpu = ["--engine", "cpu", "--steps", "9", "--out", "run"];
    let sweep = [&["sweep", "--triples", "triples.json"], &cpu[..]].concat();
    succeed(here, &sweep);
    let run = here.join("run");
    let before = std::fs::read_to_string(run.join("report.html")).expect("a report");
    let walk = |landscape: &str, more: &[&str]| {
        let walk = [
            "walk",
            "--engine",
            "cpu",
            "--walkers",
            "500",
            "--length",
            "300",
            "--potential",
            "margin",
            "--temperature",
            "4",
            "--force",
            "--landscape",
            landscape,
        ];
        succeed(here, &[&walk[..], more].concat())
    };
    let walks = |name: &str| {
        let mut found = files(&run.join(name));
        found.retain(|file| file.starts_with("walk"));
        found
    };
    let all = [
        "walk-committor.svg",
        "walk-occupation.svg",
        "walk-spread.svg",
        "walk-walkers.svg",
        "walk.json",
    ];

    // The folder and the page get the walk; nothing else of the page is drawn again.
    let said = walk("run/1A.3", &["--format", "png"]);
    assert!(
        said.stderr.contains("in the run's report"),
        "{}",
        said.stderr
    );
    assert_eq!(walks("1A.3"), all);
    let first = walk_line(&run, "1A.3").expect("the walk is in the page");
    let after = std::fs::read_to_string(run.join("report.html")).expect("a report");
    assert_eq!(after.replace(&format!("{first}\n"), ""), before);
    let shown = json(run.join("1A.3/walk.json"));
    let names: Vec<&str> = (shown["facts"].as_array().expect("facts").iter())
        .map(|fact| fact[0].as_str().expect("a name"))
        .collect();
    for name in ["walk", "exponent", "basin B before basin A"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }

    // The next walk takes its place, with fewer figures; a walk without figures leaves it.
    walk("run/1A.3/landscape.safetensors", &["--walk", "langevin"]);
    assert_eq!(walks("1A.3"), [&all[1..]].concat());
    let second = walk_line(&run, "1A.3").expect("the walk is in the page");
    assert_ne!(first, second);
    walk("run/1A.3", &["--figures", "none"]);
    assert_eq!(walk_line(&run, "1A.3").as_ref(), Some(&second));
    assert_eq!(walk_line(&run, "1A.1"), None);

    // A run drawn again keeps its walks, as does one computed again.
    succeed(here, &["plot", "run", "--figures", "all"]);
    assert_eq!(walk_line(&run, "1A.3").as_ref(), Some(&second));
    succeed(here, &sweep);
    assert_eq!(walk_line(&run, "1A.3").as_ref(), Some(&second));

    // Without a report there is a note, and the figures are there for the next one.
    std::fs::remove_file(run.join("report.html")).expect("removed");
    let said = walk("run/1A.1", &[]);
    for word in ["note: ", "report.html", "morphscape plot"] {
        assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
    }
    succeed(here, &["plot", "run"]);
    assert!(walk_line(&run, "1A.1").is_some());
    // A page of another version has no place for walks.
    let page = std::fs::read_to_string(run.join("report.html")).expect("a report");
    let page = page.replace("<section id=\"walk-part\"", "<section id=\"other\"");
    std::fs::write(run.join("report.html"), &page).expect("written");
    let said = walk("run/1A.2", &[]);
    assert!(
        said.stderr.contains("not of this version"),
        "{}",
        said.stderr
    );

    // A landscape outside its run has no report.
    std::fs::rename(run.join("1A.2"), here.join("1A.2")).expect("moved");
    let said = walk("1A.2", &[]);
    assert!(!said.stderr.contains("run's report"), "{}", said.stderr);
    std::fs::rename(here.join("1A.2"), run.join("1A.2")).expect("moved");

    // What is no walk is said.
    std::fs::write(run.join("1A.2/walk.json"), "[]").expect("written");
    fail(here, &["plot", "run"], 1, &["walk.json", "remove it"]);

    // A run that starts over has no walks.
    let other = [&sweep[..], &["--grid", "4", "--force"]].concat();
    succeed(here, &other);
    for name in ["1A.1", "1A.2", "1A.3"] {
        assert!(walks(name).is_empty(), "{name}");
        assert_eq!(walk_line(&run, name), None);
    }
}

#[test]
fn walks_that_cannot_be_are_refused() {
    let folder = folder();
    let here = folder.path();
    let refused = |more: &[&str], code, words: &[&str]| {
        fail(
            here,
            &[&["walk", "--engine", "cpu"], more].concat(),
            code,
            words,
        );
    };
    refused(
        &["--walkers", "0"],
        2,
        &["--walkers", "from 1 to 1000000000"],
    );
    refused(&["--length", "0"], 2, &["--length", "from 1 to 16777216"]);
    let bowl = ["--surface", "bowl"];
    for temperature in ["0", "-2", "NaN"] {
        let more = [&bowl[..], &["--temperature", temperature]].concat();
        refused(&more, 1, &["temperature: expected a number above 0"]);
    }
    let langevin = ["--surface", "fractal", "--walk", "langevin", "--dt"];
    for dt in ["1", "0", "-0.1"] {
        refused(
            &[&langevin[..], &[dt]].concat(),
            1,
            &["time step", "jumps over a cell", "--dt"],
        );
    }
    refused(
        &["--dt", "0.1"],
        1,
        &["--dt", "a lattice walk has no time step"],
    );
    refused(&["--drift", "1.5"], 1, &["--drift 1.5", "-1 to 1"]);
    refused(&["--edges", "absorbing"], 1, &["flat surface has no edges"]);
    refused(&["--start", "uniform"], 1, &["--start uniform"]);
    refused(&["--start", "1.5,0"], 1, &["whole numbers"]);
    refused(
        &[&bowl[..], &["--start", "2,0"]].concat(),
        1,
        &["each from -1 to 1"],
    );
    refused(
        &[&bowl[..], &["--bowl", "1"]].concat(),
        1,
        &["--bowl", "found 1"],
    );
    refused(
        &["--surface", "fractal", "--hurst", "2"],
        1,
        &["--hurst 2", "0 to 1"],
    );
    refused(&["--basins", "A,A"], 1, &["--basins A,A"]);
    refused(
        &["--landscape", "nowhere"],
        1,
        &["--landscape nowhere", "finished run"],
    );
    refused(
        &["--items", "t10k#1,t10k#2"],
        1,
        &["three items", "found 2"],
    );
    refused(
        &["--landscape", "x", "--surface", "bowl"],
        2,
        &["cannot be used with"],
    );
    let readme = golden("README.md");
    let file = readme.to_str().expect("a path");
    refused(&["--landscape", file], 1, &["--landscape"]);
    assert!(
        files(here).is_empty(),
        "nothing was written: {:?}",
        files(here)
    );
}
