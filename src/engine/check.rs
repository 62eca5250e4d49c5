//! A device is held against the twins at length: every variant of every kernel, on sizes at which
//! things go wrong ([`Kernel::checks`]).
//!
//! What a user runs when results look wrong, and pastes into a report of it. Unlike the self-test
//! (`self_test.rs`), which stops at the first kernel that is wrong, this looks at all of them: a
//! lost device is opened anew for the next case, and a panic is a verdict.

use super::compared::{WrongValue, compared};
use super::cpu::CpuEngine;
use super::trouble::in_one_line;
use super::{Engine, EngineError, Trouble};
use crate::kernels::{Check, KERNELS, Kernel, Loads};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Opens the device whose kernels are to load so.
pub type OpenToCheck<'a> = &'a (dyn Fn(Loads) -> Result<Box<dyn Engine>, EngineError> + Sync);

/// One case of a kernel, on a device.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Which kernel.
    pub kernel: Kernel,
    /// How it loads.
    pub loads: Loads,
    /// What is special about the case.
    pub case: String,
    /// `|found - expected| / (1 + |expected|)` of the value for which it is largest; infinite where
    /// a value is no number, or is not equal and has to be, and where there are no values.
    pub largest_error: f32,
    /// What the device took, with compiling what was not compiled before.
    pub time: Duration,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All values are near enough the twin's.
    Agrees,
    /// A value is not.
    Differs(WrongValue),
    /// There are no values: the device's words, or those of a panic.
    Failed(String),
}

impl Verdict {
    /// Whether all is well.
    pub fn agrees(&self) -> bool {
        *self == Self::Agrees
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agrees => f.write_str("ok"),
            Self::Differs(WrongValue {
                index,
                expected,
                found,
            }) => write!(
                f,
                "WRONG: value {index}: expected {expected}, found {found}"
            ),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
        }
    }
}

/// Just more than what every adapter of WebGPU's default limits binds: 128 MiB.
const MORE_THAN_BOUND: u64 = (128 << 20) + 16;

/// Holds a device against the twins. A row comes for every case, whatever happens, in the order of
/// the kernels and of [`Loads::BOTH`].
///
/// `open` is asked for a device for each way of loading, and again after each failure. The two are
/// checked side by side: most of the time goes into compiling, which a driver does on one thread.
pub fn check(open: OpenToCheck<'_>) -> Vec<Checked> {
    // Threads of their own: one of rayon's that waits may take up the other's work, and count it.
    std::thread::scope(|scope| {
        let threads = Loads::BOTH.map(|loads| scope.spawn(move || check_loads(open, loads)));
        let rows = threads.map(|thread| thread.join().expect("a panic is caught in its row"));
        rows.into_iter().flatten().collect()
    })
}

fn check_loads(open: OpenToCheck<'_>, loads: Loads) -> Vec<Checked> {
    let mut rows = Vec::new();
    let mut device = None;
    let kernels = KERNELS.iter().copied();
    for kernel in kernels.filter(|kernel| kernel.spec().loads().contains(&loads)) {
        for check in kernel.checks() {
            rows.push(checked(open, &mut device, (kernel, loads), &check));
        }
    }
    rows
}

fn checked(
    open: OpenToCheck<'_>,
    device: &mut Option<Box<dyn Engine>>,
    (kernel, loads): (Kernel, Loads),
    check: &Check,
) -> Checked {
    let mut time = Duration::ZERO;
    // Nothing of what a panic leaves behind is used: the device is opened anew.
    let result = catch_unwind(AssertUnwindSafe(|| {
        if device.is_none() {
            *device = Some(open(loads)?);
        }
        let device = device.as_deref().ok_or(EngineError::NoAdapter)?;
        compare(device, check, &mut time)
    }));
    let failure = match result {
        Ok(Ok((largest_error, verdict))) => {
            return Checked {
                kernel,
                loads,
                case: check.name.clone(),
                largest_error,
                time,
                verdict,
            };
        }
        Ok(Err(error)) => in_one_line(&error.to_string()),
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            format!("a panic: {}", in_one_line(text.unwrap_or("without a text")))
        }
    };
    *device = None;
    Checked {
        kernel,
        loads,
        case: check.name.clone(),
        largest_error: f32::INFINITY,
        time,
        verdict: Verdict::Failed(failure),
    }
}

/// Runs a case on both sides. A case of the longest buffer is first tried with one that is longer
/// than most devices bind: those refuse it and say how much they do.
fn compare(
    device: &dyn Engine,
    check: &Check,
    time: &mut Duration,
) -> Result<(f32, Verdict), EngineError> {
    let mut case = check.case(MORE_THAN_BOUND);
    let started = Instant::now();
    let mut found = device.run(&case.recording);
    if let Err(EngineError::Device(Trouble::BufferTooLarge { limit, .. })) = found {
        case = check.case(limit);
        found = device.run(&case.recording);
    }
    *time = started.elapsed();
    let found = found?;
    let expected = CpuEngine::new().run(&case.recording)?;
    let compared = compared(&found, &expected, case.is_float, check.tolerance);
    let verdict = compared.wrong.map_or(Verdict::Agrees, Verdict::Differs);
    Ok((compared.largest_error, verdict))
}
