//! `devices --check`: on two drivers that share no code, and on devices that fail as they are told.

use crate::drivers::{DRIVER_VARIABLES, both};
use crate::faulty::{Fault, Faulty, fits};
use crate::program::{Run, command, finished, folder};
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Checked, Engine, EngineError, EngineInfo, Trouble, Verdict, check};
use morphscape::kernels::{Downloads, KERNELS, Kernel, Recording};
use std::sync::atomic::{AtomicUsize, Ordering};

/// All cases there are.
fn num_cases() -> usize {
    let cases = |kernel: &Kernel| kernel.spec().loads().len() * kernel.checks().len();
    KERNELS.iter().map(cases).sum()
}

/// The rows of a device of that fault.
fn checked(fault: Fault) -> Vec<Checked> {
    let rows = check(&|_| Ok(Box::new(Faulty::new(fault, 0))));
    assert_eq!(rows.len(), num_cases(), "{fault:?}");
    rows
}

#[test]
fn a_device_that_computes_as_the_twins_agrees_everywhere() {
    for row in checked(Fault::None) {
        assert_eq!(row.verdict, Verdict::Agrees, "{row:?}");
        assert_eq!(row.largest_error, 0.0, "{row:?}");
    }
}

#[test]
fn wrong_values_are_seen_in_every_case() {
    for (fault, words) in [
        (Fault::Garbage, "WRONG: value *: expected *, found *"),
        (Fault::NotANumber, "WRONG: value *: expected *, found *"),
    ] {
        for row in checked(fault) {
            assert!(fits(&row.verdict.to_string(), words), "{fault:?}: {row:?}");
            assert!(row.largest_error > 1e-4, "{fault:?}: {row:?}");
        }
    }
}

#[test]
fn a_device_that_never_runs_has_a_row_for_every_case() {
    let words = "FAILED: adapter Faulty was lost while it worked: the driver took it for hung";
    for row in checked(Fault::Lost) {
        assert_eq!(row.verdict.to_string(), words, "{row:?}");
        assert!(row.largest_error.is_infinite());
    }
    let closed = |_| {
        Err(Trouble::NoDevice {
            adapter: "Closed".into(),
            reason: "no".into(),
        }
        .into())
    };
    let rows = check(&closed);
    assert_eq!(rows.len(), num_cases());
    let words = "FAILED: adapter Closed opens no device: no";
    assert!(rows.iter().all(|row| row.verdict.to_string() == words));
}

/// The CPU engine, but for one kernel, on which it panics; after that it is of no use.
struct Panics {
    cpu: CpuEngine,
    on: Kernel,
    panicked: AtomicUsize,
}

impl Engine for Panics {
    fn info(&self) -> &EngineInfo {
        self.cpu.info()
    }

    fn batch_buffer_bytes(&self) -> usize {
        self.cpu.batch_buffer_bytes()
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let mut commands = recording.commands().iter();
        if commands.any(|command| command.kernel == self.on) {
            self.panicked.fetch_add(1, Ordering::Relaxed);
        }
        assert!(
            self.panicked.load(Ordering::Relaxed) == 0,
            "the driver\nhas had enough"
        );
        self.cpu.run(recording)
    }
}

#[test]
fn a_panic_is_a_row_and_the_next_case_has_a_new_device() {
    let opened = AtomicUsize::new(0);
    let on = Kernel::WalkMoments;
    let rows = check(&|_| {
        opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Panics {
            cpu: CpuEngine::new(),
            on,
            panicked: AtomicUsize::new(0),
        }))
    });
    let (panicked, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.kernel == on);
    assert_eq!(panicked.len(), on.checks().len());
    for row in &panicked {
        let words = "FAILED: a panic: the driver has had enough";
        assert_eq!(row.verdict.to_string(), words);
    }
    assert!(others.iter().all(|row| row.verdict.agrees()), "{others:?}");
    // One for each way of loading, and one after each panic.
    assert_eq!(opened.into_inner(), 2 + panicked.len());
}

fn devices(arguments: &[&str], drivers: &std::ffi::OsStr) -> Run {
    let folder = folder();
    let mut command = command(folder.path(), arguments);
    for variable in DRIVER_VARIABLES {
        command.env(variable, drivers);
    }
    finished(command.output().expect("the program starts"))
}

/// Lavapipe and SwiftShader compute every variant of every kernel as the twins do.
#[test]
#[cfg(target_os = "linux")]
fn two_drivers_agree_with_the_twins_on_every_variant() {
    let place = folder();
    let Some(drivers) = both(place.path()) else {
        return;
    };
    let run = devices(&["devices", "--check", "-v"], &drivers);
    println!("{}", run.stdout);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    for adapter in ["llvmpipe", "SwiftShader"] {
        let is_heading = |line: &str| line.starts_with(adapter) && line.contains("Vulkan");
        let table = run.stdout.split("\n\n").find(|part| is_heading(part));
        let table = table.unwrap_or_else(|| panic!("no table of {adapter}: {}", run.stdout));
        let lines: Vec<&str> = table.lines().collect();
        let [_, _, cases @ .., sum] = &lines[..] else {
            panic!("no lines: {table}");
        };
        assert!(cases.iter().all(|line| line.ends_with("  ok")), "{table}");
        assert_eq!(cases.len(), num_cases(), "{table}");
        assert!(sum.starts_with(&format!("{} cases agree", num_cases())));
        for kernel in KERNELS {
            let mut lines = cases.iter();
            let name = format!("{kernel} ");
            assert!(lines.any(|line| line.starts_with(&name)), "{kernel}");
        }
    }

    let unknown = ["devices", "--check", "--adapter", "Voodoo 2"];
    let run = devices(&unknown, &drivers);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        ["Voodoo 2", "llvmpipe", "SwiftShader"]
            .iter()
            .all(|word| run.stderr.contains(word)),
        "{}",
        run.stderr
    );
    let none = devices(&["devices", "--check"], "nowhere.json".as_ref());
    assert_eq!(none.code, Some(1), "{}", none.stdout);
    let alone = devices(&["devices", "--adapter", "llvmpipe"], &drivers);
    assert_eq!(alone.code, Some(2), "--adapter is for --check");
}
