//! A device is held against the twins before it is used, kernel by kernel.
//!
//! A driver can compile a shader and compute garbage. So the first recording that uses a kernel
//! waits until the kernel's small job ([`Kernel::case`]) has run on the device and on the CPU
//! engine, and both agree. A kernel that no job uses is neither compiled nor tested: compiling the
//! five of the paper's job alone takes lavapipe longer than the job.
//!
//! What has passed is remembered in the user's cache folder: an empty file for each kernel, named
//! by a digest of all that could make it fail another time. What has failed is not remembered.

use super::compared::compared;
use super::cpu::CpuEngine;
use super::{Engine, EngineError, EngineInfo, Trouble};
use crate::data::sha256_hex;
use crate::kernels::{Case, Downloads, KERNELS, Kernel, Loads, Recording};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// How far a float may be from the twin's: absolute near 0, and relative to larger values. Engines
/// promise as much for probabilities.
const TOLERANCE: f32 = 1e-4;

/// A device that tests each kernel before it is first used.
pub struct SelfTested {
    device: Box<dyn Engine>,
    passed: Mutex<HashSet<Kernel>>,
    /// Where it is remembered, if anywhere.
    folder: Option<PathBuf>,
}

impl SelfTested {
    /// `device`, which remembers in `folder` what has passed. A folder that cannot be written is
    /// as good as none: kernels are tested each time.
    pub fn new(device: Box<dyn Engine>, folder: Option<PathBuf>) -> Self {
        Self {
            device,
            passed: Mutex::default(),
            folder,
        }
    }

    fn has_passed(&self, kernel: Kernel) -> bool {
        // No lock is held while a kernel is tested: the twins' threads might take up another run.
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.contains(&kernel)
    }

    /// Tests a kernel, unless that was done before.
    fn ensure(&self, kernel: Kernel) -> Result<(), EngineError> {
        if !self.has_passed(kernel) {
            let case = kernel.case();
            let file = self.folder.as_ref().map(|folder| {
                let name = digest(kernel, &case.recording, self.device.info());
                folder.join(format!("{}-{name}", kernel.spec().name))
            });
            if !file.as_ref().is_some_and(|file| file.exists()) {
                compare(self.device.as_ref(), kernel, &case)?;
                if let (Some(folder), Some(file)) = (&self.folder, file) {
                    // Not remembered, it is tested again.
                    let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, ""));
                }
            }
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            passed.insert(kernel);
        }
        Ok(())
    }
}

impl Engine for SelfTested {
    fn info(&self) -> &EngineInfo {
        self.device.info()
    }

    fn batch_buffer_bytes(&self) -> usize {
        self.device.batch_buffer_bytes()
    }

    fn release_memory(&self) {
        self.device.release_memory();
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        // In the table's order, so that a kernel that another one's job needs is blamed itself.
        for &kernel in KERNELS {
            let mut commands = recording.commands().iter();
            if commands.any(|command| command.kernel == kernel) {
                self.ensure(kernel)?;
            }
        }
        self.device.run(recording)
    }
}

/// Holds an engine's kernel against its twin.
///
/// # Errors
/// [`Trouble::Wrong`] when values differ or are no numbers; else as [`Engine::run`].
pub fn self_test(engine: &dyn Engine, kernel: Kernel) -> Result<(), EngineError> {
    compare(engine, kernel, &kernel.case())
}

fn compare(engine: &dyn Engine, kernel: Kernel, case: &Case) -> Result<(), EngineError> {
    let found = engine.run(&case.recording)?;
    let expected = CpuEngine::new().run(&case.recording)?;
    let Some(wrong) = compared(&found, &expected, case.is_float, TOLERANCE).wrong else {
        return Ok(());
    };
    let info = engine.info();
    Err(Trouble::Wrong {
        adapter: info.adapter.clone(),
        driver: info.driver.clone(),
        kernel: kernel.spec().name,
        index: wrong.index,
        expected: wrong.expected,
        found: wrong.found,
    }
    .into())
}

/// What a kernel's passing depends on: the program, the shader, the job, the adapter and its
/// driver.
fn digest(kernel: Kernel, case: &Recording, info: &EngineInfo) -> String {
    let words = case.buffers().iter().filter_map(|buffer| buffer.given());
    let params = case.commands().iter();
    let params = params.map(|command| command.params.as_slice());
    let job = words.chain(params).map(bytemuck::cast_slice);
    let names = [env!("CARGO_PKG_VERSION"), &info.adapter, &info.driver].map(str::as_bytes);
    let shaders = [Loads::Buffers, Loads::Textures].map(|loads| kernel.spec().wgsl(loads, &[]));
    // The parts cannot run into each other: a zero byte is in none of the texts.
    let texts = names
        .into_iter()
        .chain(shaders.iter().map(String::as_bytes))
        .flat_map(|text| [text, b"\0"]);
    sha256_hex(texts.chain(job))[..32].to_owned()
}

/// The folder in which this program remembers self-tests, where the system has one for caches.
pub fn cache_folder() -> Option<PathBuf> {
    let place = |variable: &str| {
        let path = PathBuf::from(std::env::var_os(variable)?);
        path.is_absolute().then_some(path)
    };
    let caches = if cfg!(windows) {
        place("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        place("HOME").map(|home| home.join("Library/Caches"))
    } else {
        place("XDG_CACHE_HOME").or_else(|| place("HOME").map(|home| home.join(".cache")))
    };
    Some(caches?.join("morphscape").join("self-tests"))
}
