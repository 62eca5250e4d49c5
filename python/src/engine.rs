//! The engines of this process: each is opened once, when it is first needed.

use crate::error::{EngineError, InputError, exception};
use morphscape::engine::{Engine, EngineChoice, gpu, open_with};
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// An engine by the name of its choice: `auto`, `gpu` or `cpu`.
///
/// # Errors
/// [`InputError`] for another name, [`EngineError`] where it cannot be had, and in a process that
/// was forked from one with engines: threads do not survive a fork, and work would wait for them
/// for ever.
pub(crate) fn named(py: Python<'_>, name: &str) -> PyResult<Arc<dyn Engine>> {
    type Opened = Mutex<Vec<(String, Arc<dyn Engine>)>>;
    static OPENED: OnceLock<(u32, Opened)> = OnceLock::new();
    let choice = match name {
        "auto" => EngineChoice::Auto,
        "gpu" => EngineChoice::Gpu,
        "cpu" => EngineChoice::Cpu,
        _ => {
            return Err(InputError::new_err(format!(
                "engine: expected \"auto\", \"gpu\" or \"cpu\", found \"{name}\""
            )));
        }
    };
    let here = std::process::id();
    let (process, opened) = OPENED.get_or_init(|| (here, Mutex::default()));
    if *process != here {
        return Err(EngineError::new_err(
            "this process was forked from one that had used morphscape, whose threads are not here; \
             start processes with multiprocessing's \"spawn\" or \"forkserver\", or use morphscape first in the child",
        ));
    }
    // Opening takes a while and may wait for another thread's opening: not with the GIL held.
    py.detach(|| {
        let mut opened = opened.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some((_, engine)) = opened.iter().find(|(known, _)| known == name) {
            return Ok(Arc::clone(engine));
        }
        let say = Box::new(|line: &str| said().push(line.to_owned()));
        // Which kernels have been tested is not written down: nothing is unless a path is given.
        let engine = open_with(gpu::open, None, choice, None, say)?;
        let engine: Arc<dyn Engine> = Arc::from(engine);
        opened.push((name.to_owned(), Arc::clone(&engine)));
        Ok(engine)
    })
    .map_err(|error: morphscape::engine::EngineError| exception(py, &error, &[]))
}

/// What engines have said that nobody has read: that a device is left for the CPU, and why.
fn said() -> MutexGuard<'static, Vec<String>> {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    SAID.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Takes what engines have said since it was asked for last.
#[pyfunction]
pub(crate) fn engine_messages() -> Vec<String> {
    std::mem::take(&mut *said())
}

/// What an engine is and where it computes: `cpu (2 threads)`.
#[pyfunction]
pub(crate) fn engine_name(py: Python<'_>, choice: &str) -> PyResult<String> {
    let engine = named(py, choice)?;
    let info = engine.info();
    Ok(match engine.fallback() {
        Some(left) => format!("cpu, since {}: {}", info.adapter, left.reason),
        None => format!("{} ({})", info.engine.name(), info.adapter),
    })
}
