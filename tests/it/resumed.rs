//! Runs that are stopped and started again: how long they took in all, and how much of them is there.

use crate::program::{folder, json, succeed};
use morphscape::engine::cpu::CpuEngine;
use morphscape::{
    Existing, Job, Keep, Observer, Run, RunError, Silent, SweepJob, Triples, remedy_of,
};
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Stops the work once so many frames are done.
struct StopsAt(AtomicUsize);

impl Observer for StopsAt {
    fn advance(&self, done: usize) -> ControlFlow<()> {
        let left = self.0.load(Ordering::SeqCst).saturating_sub(done);
        self.0.store(left, Ordering::SeqCst);
        match left {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

const SWEEP: [&str; 11] = [
    "sweep", "--engine", "cpu", "--groups", "1", "--steps", "5", "--format", "html", "--out", "out",
];

/// The time that a run's report states.
fn computed_in(out: &Path) -> Option<String> {
    let page = std::fs::read_to_string(out.join("report.html")).expect("a report");
    let mark = "<script type=\"application/json\" id=\"run\">";
    let (_, rest) = page.split_once(mark).expect("its data");
    let (data, _) = rest.split_once("</script>").expect("an end");
    let data: Value = serde_json::from_str(data).expect("JSON");
    let facts = data["facts"].as_array().expect("facts");
    let fact = facts.iter().find(|fact| fact[0] == "Computed in")?;
    Some(fact[1].as_str().expect("text").to_owned())
}

fn seconds(out: &Path) -> (f64, Value) {
    let timings = json(out.join("manifest.json"))["timings"].clone();
    (
        timings["compute_s"].as_f64().expect("seconds"),
        timings["computed"].clone(),
    )
}

#[test]
fn a_run_given_again_keeps_the_time_that_it_took() {
    let folder = folder();
    let out = folder.path().join("out");
    succeed(folder.path(), &SWEEP);
    let (first, said) = (seconds(&out), computed_in(&out));
    assert!(first.0 > 0.0 && first.1 == 6, "{first:?}");
    assert!(said.is_some());
    for _ in 0..2 {
        succeed(folder.path(), &SWEEP);
        assert_eq!(seconds(&out), first);
        assert_eq!(computed_in(&out), said);
    }
    // Computing a landscape again adds its time, and the count stays that of the landscapes.
    std::fs::remove_dir_all(out.join("1B.2")).expect("removed");
    succeed(folder.path(), &SWEEP);
    let more = seconds(&out);
    assert!(more.0 > first.0 && more.1 == 6, "{first:?} {more:?}");
    // Starting over starts from zero.
    let mut anew = SWEEP.to_vec();
    anew.push("--force");
    succeed(folder.path(), &anew);
    assert_eq!(seconds(&out).1, 6);

    // A start that was killed recorded no time.
    let manifest = out.join("manifest.json");
    let mut killed = json(manifest.clone());
    killed.as_object_mut().expect("entries").remove("timings");
    std::fs::write(&manifest, killed.to_string()).expect("written");
    std::fs::remove_dir_all(out.join("1B.2")).expect("removed");
    succeed(folder.path(), &SWEEP);
    assert_eq!(seconds(&out).1, 1);
    let said = computed_in(&out).expect("a fact");
    assert!(said.contains(" for 1 of the 6 landscapes; "), "{said}");
    std::fs::write(&manifest, killed.to_string()).expect("written");
    succeed(folder.path(), &SWEEP);
    assert_eq!(computed_in(&out), None);
}

#[test]
fn lines_and_models_given_again_keep_their_time() {
    let folder = folder();
    let here = folder.path();
    let lines = ["lines", "--count", "3", "--engine", "cpu", "--out", "lines"];
    let model = crate::common::golden("../../models/fashion-mnist.safetensors");
    let model = model.display().to_string();
    let models = [
        "models",
        "bundled",
        &model,
        "--groups",
        "1",
        "--steps",
        "3",
        "--engine",
        "cpu",
        "--figures",
        "none",
        "--out",
        "models",
    ];
    for (command, out, count) in [(&lines[..], "lines", 3), (&models, "models", 6)] {
        succeed(here, command);
        let first = seconds(&here.join(out));
        assert!(first.0 > 0.0 && first.1 == count, "{out}: {first:?}");
        let again = succeed(here, command);
        // A finished run of lines is cut again from the start.
        if out == "models" {
            assert_eq!(seconds(&here.join(out)), first);
            assert!(
                again.stderr.contains(
                    "6 landscapes of 2 models, all kept from before; written to models\n"
                ),
                "{}",
                again.stderr
            );
        }
        assert_eq!(seconds(&here.join(out)).1, count);
    }
}

#[test]
fn a_run_that_is_stopped_says_how_much_of_it_is_there() {
    let folder = folder();
    let engine = CpuEngine::new();
    let job = Job::Sweep(SweepJob {
        triples: Triples::groups(10),
        ..SweepJob::default()
    });
    let job = job.load(&Silent).expect("it loads");
    for (keep, out) in [(Keep::Tensors, "whole"), (Keep::RowsAlone, "rows")] {
        let out = folder.path().join(out);
        let run = || Run::new(&job, &engine).keep(keep);
        let stops = StopsAt(AtomicUsize::new(21 * 21 * 52));
        let stopped = run().write_to(&out, Existing::Continue, &stops);
        let stopped = stopped.expect_err("it was stopped");
        assert!(stopped.is_interrupted());
        let RunError::Stopped { done, all: 60, .. } = stopped else {
            panic!("{stopped}");
        };
        assert_eq!(
            stopped.to_string(),
            format!(
                "interrupted: {} holds {done} of 60 landscapes",
                out.display()
            )
        );
        let remedy = remedy_of(&stopped).expect("a remedy");
        assert_eq!(
            remedy.words(|setting| setting.name().to_owned()),
            "give the same command again to resume"
        );
        let (before, computed) = seconds(&out);
        assert!(
            before > 0.0 && computed == done,
            "{before} {computed} {done}"
        );
        assert!(keep == Keep::RowsAlone || done > 0);
        let finished = run().write_to(&out, Existing::Continue, &Silent);
        let finished = finished.expect("it is finished");
        assert_eq!(finished.kept, done);
        let (taken, computed) = seconds(&out);
        assert_eq!(computed, 60);
        assert!(taken > before || done == 0, "{taken} {before}");
    }
}

#[test]
fn a_report_is_named_once_it_is_written() {
    let folder = folder();
    let here = folder.path();
    for (command, out) in [
        (&SWEEP[..], "out"),
        (
            &[
                "interpolate",
                "--groups",
                "1",
                "--engine",
                "cpu",
                "--out",
                "i",
            ],
            "i",
        ),
        (
            &[
                "walk",
                "--walkers",
                "100",
                "--length",
                "10",
                "--engine",
                "cpu",
                "--out",
                "w",
            ],
            "w",
        ),
        (&["plot", "out", "--format", "html"], "out"),
    ] {
        let said = succeed(here, command).stderr;
        let words = format!(
            "written to {out}; open {}\n",
            Path::new(out).join("report.html").display()
        );
        assert!(said.contains(&words), "{command:?}: {said}");
    }
    let none = [
        "sweep",
        "--engine",
        "cpu",
        "--groups",
        "1",
        "--steps",
        "3",
        "--figures",
        "none",
        "--out",
        "n",
    ];
    let said = succeed(here, &none).stderr;
    assert!(said.ends_with("; written to n\n"), "{said}");
}

/// Gives `line` and presses Ctrl-C once `begun` is there; the last line of what it says.
#[cfg(unix)]
fn interrupted(here: &Path, line: &[&str], begun: &Path) -> Option<String> {
    let mut child = crate::program::command(here, line)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    while !begun.exists() && child.try_wait().expect("it is asked").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .output();
    kill.expect("kill runs");
    let output = child.wait_with_output().expect("it ends");
    // One that had finished by then was not interrupted.
    (output.status.code() == Some(130)).then(|| {
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        said.lines().last().unwrap_or_default().to_owned()
    })
}

#[test]
#[cfg(unix)]
fn ctrl_c_says_what_the_same_command_does() {
    let folder = folder();
    let here = folder.path();
    let sweep = [
        "sweep",
        "--engine",
        "cpu",
        "--groups",
        "400",
        "--figures",
        "none",
        "--out",
        "s",
    ];
    let said = interrupted(here, &sweep, &here.join("s/1A.1/landscape.safetensors"));
    let said = said.expect("interrupted");
    assert!(
        said.starts_with("interrupted: s holds ")
            && said.ends_with(" of 2400 landscapes; give the same command again to resume"),
        "{said}"
    );
    let walk = [
        "walk",
        "--engine",
        "cpu",
        "--walkers",
        "1000000",
        "--length",
        "1000000",
        "--out",
        "w",
    ];
    let said = interrupted(here, &walk, &here.join("w/manifest.json")).expect("interrupted");
    assert_eq!(said, "interrupted; the same command starts again");
}

/// An atlas keeps its shards.
#[test]
#[cfg(all(unix, feature = "atlas"))]
fn ctrl_c_counts_the_shards_of_an_atlas() {
    let folder = folder();
    let here = folder.path();
    let plan = [
        "atlas",
        "plan",
        "--per-class",
        "4",
        "--survey",
        "300",
        "--search",
        "20000",
        "--rungs",
        "5,9",
        "--keep",
        "0.1",
        "--shards",
        "400",
        "--engine",
        "cpu",
        "--out",
        "a",
    ];
    succeed(here, &plan);
    let run = ["atlas", "run", "a", "--engine", "cpu"];
    let first = here.join("a/rung=09/part-00000-of-00400.parquet");
    let said = interrupted(here, &run, &first).expect("interrupted");
    assert!(
        said.starts_with("interrupted: a holds ")
            && said.ends_with(" of 400 shards; give the same command again to resume"),
        "{said}"
    );
}
