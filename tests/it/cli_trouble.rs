//! Trouble with a device as a user of the command line sees it.
//!
//! The program is this test itself, started once more with a device that fails: what is shipped
//! knows nothing of such devices.

use crate::faulty::{Fault, Faulty, fits};
use crate::program::{Run, finished, folder, json};
use morphscape::cli::Cli;
use morphscape::engine::{Engine, EngineChoice, EngineError, Trouble};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The arguments and the fault of a program that this test plays.
const ARGUMENTS: &str = "MORPHSCAPE_TEST_ARGUMENTS";
const FAULT: &str = "MORPHSCAPE_TEST_FAULT";

/// The device of a fault's name; `none` is a machine without a GPU.
fn open_device(_: EngineChoice, _: Option<&str>) -> Option<Result<Box<dyn Engine>, EngineError>> {
    let fault = std::env::var(FAULT).expect("set");
    // The fourth run is in the second wave of the sweep of these tests.
    let device = match fault.as_str() {
        "none" => return None,
        "closed" => {
            let adapter = "Faulty".to_owned();
            let reason = "the driver is older than the kernel".to_owned();
            return Some(Err(Trouble::NoDevice { adapter, reason }.into()));
        }
        "healthy" => Faulty::new(Fault::None, 0),
        "lost" => Faulty::new(Fault::Lost, 3),
        "validation" => Faulty::new(Fault::Validation, 0),
        "memory" => Faulty::new(Fault::Memory(100_000), 0),
        "nan" => Faulty::new(Fault::NotANumber, 0),
        "garbage" => Faulty::new(Fault::Garbage, 0),
        "nan-later" => Faulty::new(Fault::NotANumber, 1),
        other => panic!("no fault is called {other}"),
    };
    Some(Ok(Box::new(device)))
}

/// Not a test of its own: the program of the others.
#[test]
fn the_program() {
    if let Ok(arguments) = std::env::var(ARGUMENTS) {
        let words = ["morphscape"].into_iter().chain(arguments.split(' '));
        std::process::exit(Cli::of_words(words).run_on(open_device).into());
    }
}

fn run(folder: &Path, fault: &str, arguments: &str) -> Run {
    let program = std::env::current_exe().expect("this test");
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(["--exact", "cli_trouble::the_program", "--nocapture"])
        .env(ARGUMENTS, arguments)
        .env(FAULT, fault)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_RUNTIME_DIR", folder);
    finished(command.output().expect("it starts"))
}

/// The paper's job with fewer triples.
const SWEEP: &str = "sweep --figures none --groups 1";

/// Runs `arguments` on a device of a fault, and on the CPU engine alone: what the user sees of the
/// first is `note` and the last line, and all landscapes are the same to the bit. The manifest's
/// entry on the engine.
fn goes_on(fault: &str, arguments: &str, note: &str) -> Value {
    let folder = folder();
    let run_of = |out: &str, engine: &str| {
        let arguments = format!("{arguments} --out {out} --engine {engine}");
        let run = run(folder.path(), fault, &arguments);
        assert_eq!(run.code, Some(0), "{fault}: {}", run.stderr);
        run.stderr
    };
    let stderr = run_of("auto", "auto");
    run_of("cpu", "cpu");
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{fault}: {stderr}");
    assert!(fits(lines[0], note), "{fault}: {stderr}");
    let cpu = landscapes(&folder.path().join("cpu"));
    assert!(!cpu.is_empty());
    assert!(landscapes(&folder.path().join("auto")) == cpu, "{fault}");
    json(folder.path().join("auto/manifest.json"))["engine"].clone()
}

/// Names and bytes of a run's landscapes.
fn landscapes(run: &Path) -> Vec<(String, Vec<u8>)> {
    let names = json(run.join("manifest.json"))["landscapes"].clone();
    let names: Vec<String> = serde_json::from_value(names).expect("names");
    let bytes = |name: &String| std::fs::read(run.join(name).join("landscape.safetensors"));
    names
        .into_iter()
        .map(|name| (name.clone(), bytes(&name).expect("it is there")))
        .collect()
}

/// The manifest's entry on an engine that was left for this reason.
fn left(reason: &str) -> Value {
    let threads = std::thread::available_parallelism().expect("known").get();
    let threads = format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
    json!({
        "engine": "gpu", "adapter": "Faulty", "driver": "Test, 1.0",
        "fallback": {"engine": "cpu", "adapter": threads, "driver": "", "reason": reason},
    })
}

/// Auto goes on and says why; `--engine gpu` stops with exit code 1 and one line.
fn auto_goes_on_and_gpu_stops(fault: &str, reason: &str, remedy: &str) {
    let note = format!("note: {reason}; going on with the CPU engine");
    let engine = goes_on(fault, SWEEP, &note);
    let said = engine["fallback"]["reason"].as_str().expect("a reason");
    assert!(fits(said, reason), "{fault}: {said}");
    assert_eq!(engine, left(said), "{fault}");
    for engine in ["--engine gpu", "--engine auto --adapter Faulty"] {
        let folder = folder();
        let run = run(folder.path(), fault, &format!("{SWEEP} {engine} --out out"));
        assert_eq!(run.code, Some(1), "{fault}: {}", run.stderr);
        let line = format!("error: {reason}; {remedy}\n");
        assert!(fits(&run.stderr, &line), "{fault}: {}", run.stderr);
    }
}

#[test]
fn a_validation_error() {
    auto_goes_on_and_gpu_stops(
        "validation",
        "adapter Faulty failed while it worked: Validation Error: a buffer is too small",
        "use --engine cpu",
    );
}

#[test]
fn out_of_memory() {
    auto_goes_on_and_gpu_stops(
        "memory",
        "adapter Faulty is out of memory: no room for the buffers",
        "close what else uses its memory, use smaller images or --engine cpu",
    );
}

#[test]
fn a_driver_that_computes_nan() {
    auto_goes_on_and_gpu_stops(
        "nan",
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found NaN; \
         its driver is Test, 1.0",
        "update the driver, or use --engine cpu",
    );
}

#[test]
fn a_driver_that_computes_garbage() {
    auto_goes_on_and_gpu_stops(
        "garbage",
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found *; \
         its driver is Test, 1.0",
        "update the driver, or use --engine cpu",
    );
}

#[test]
fn a_device_that_answers_nan_in_the_middle_of_a_run() {
    auto_goes_on_and_gpu_stops(
        "nan-later",
        "adapter Faulty answers NaN where the CPU engine answers finite logits",
        "update the driver, or use --engine cpu",
    );
}

#[test]
fn an_adapter_that_opens_no_device_is_not_begun_on() {
    let reason = "adapter Faulty opens no device: the driver is older than the kernel";
    let note = format!("note: {reason}; going on with the CPU engine");
    let engine = goes_on("closed", SWEEP, &note);
    assert_eq!(engine["engine"], "cpu");
    assert_eq!(engine["fallback"], Value::Null);
    let folder = folder();
    let stopped = run(folder.path(), "closed", &format!("{SWEEP} --engine gpu"));
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    let remedy = "use another --adapter or --engine cpu";
    assert_eq!(
        stopped.stderr,
        format!("error: --engine gpu: {reason}; {remedy}\n")
    );
}

/// 60 landscapes: more than one wave.
const LONG_SWEEP: &str = "sweep --figures none --groups 10";
const LOST: &str = "adapter Faulty was lost while it worked: the driver took it for hung";

#[test]
fn a_lost_device_leaves_what_is_finished() {
    let note = format!("note: {LOST}; going on with the CPU engine");
    assert_eq!(goes_on("lost", LONG_SWEEP, &note), left(LOST));

    let folder = folder();
    let arguments = format!("{LONG_SWEEP} --engine gpu --out out");
    let stopped = run(folder.path(), "lost", &arguments);
    assert_eq!(stopped.code, Some(1), "{}", stopped.stderr);
    let remedy = "run the command again, what is finished is kept, or use --engine cpu";
    assert_eq!(stopped.stderr, format!("error: {LOST}; {remedy}\n"));
    // The same command again, on a device that is well by now.
    let again = run(folder.path(), "healthy", &arguments);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(
        again.stderr.contains("48 landscapes kept from before"),
        "{}",
        again.stderr
    );
    let engine = json(folder.path().join("out/manifest.json"))["engine"].clone();
    assert_eq!(engine["fallback"], Value::Null);
}

#[test]
fn a_run_that_went_over_to_the_cpu_is_gone_on_with_wherever_auto_comes_to() {
    let folder = folder();
    let arguments = format!("{LONG_SWEEP} --out out");
    let first = run(folder.path(), "lost", &arguments);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let out = folder.path().join("out");
    let before = landscapes(&out);
    let plan = json(out.join("manifest.json"))["plan"].clone();
    assert_eq!(plan["engine"], "gpu");
    // The device is gone for good, or is well again: the run is the same.
    for fault in ["none", "healthy"] {
        std::fs::remove_dir_all(out.join("3B.2")).expect("removed");
        let again = run(folder.path(), fault, &arguments);
        assert_eq!(again.code, Some(0), "{fault}: {}", again.stderr);
        assert!(
            again.stderr.contains("59 landscapes kept from before"),
            "{}",
            again.stderr
        );
        assert!(landscapes(&out) == before, "{fault}");
        let manifest = json(out.join("manifest.json"));
        assert_eq!(manifest["plan"], plan, "{fault}");
        assert_eq!(manifest["engine"], left(LOST), "{fault}");
    }
    // A run that never left its device is none for the CPU engine, as before.
    let healthy = run(folder.path(), "healthy", &format!("{SWEEP} --out healthy"));
    assert_eq!(healthy.code, Some(0), "{}", healthy.stderr);
    let other = run(folder.path(), "none", &format!("{SWEEP} --out healthy"));
    assert_eq!(other.code, Some(1));
    assert!(
        other
            .stderr
            .contains("engine is \"gpu\" there and \"cpu\" now"),
        "{}",
        other.stderr
    );
}

#[test]
fn every_job_says_that_it_went_over() {
    let jobs = [
        "interpolate --figures none --data iris",
        "walk --figures none --walkers 10000 --length 50",
        "morph t10k#1 t10k#2 --steps 5",
    ];
    for job in jobs {
        let folder = folder();
        let run = run(folder.path(), "validation", &format!("{job} --out out"));
        assert_eq!(run.code, Some(0), "{job}: {}", run.stderr);
        let reason =
            "adapter Faulty failed while it worked: Validation Error: a buffer is too small";
        let note = format!("note: {reason}; going on with the CPU engine");
        assert_eq!(
            run.stderr.matches(&note).count(),
            1,
            "{job}: {}",
            run.stderr
        );
        let manifest = json(folder.path().join("out/manifest.json"));
        assert_eq!(manifest["engine"], left(reason), "{job}");
    }
}
