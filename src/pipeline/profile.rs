//! How long the stages of a job take on an engine, beside what the engine could do at best.
//!
//! The job is run once on an engine that only writes down what it is asked for, which gives the
//! host's part (mixes, feature points, meshes, recording) and the recordings. Then the commands
//! of one kernel at a time are run, some times more and once: the difference is theirs alone,
//! without uploads, start-up or download. No engine needs clocks of its own for it.

use super::{Frames, GridJob, MorphSettings, PipelineError, compute_landscapes};
use crate::engine::{Engine, EngineError, EngineInfo};
use crate::kernels::{
    Activation, DenseLayer, Downloads, ElementwiseLayer, KERNELS, Kernel, Recording, Work,
};
use crate::model::Classifier;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What an engine does at best, measured with kernels of ours.
#[derive(Debug, Clone, Copy)]
pub struct Peak {
    /// Floating-point operations a second of a product of two matrices of 1024 x 1024.
    pub flop_per_s: f64,
    /// Bytes a second in and out of a copy, of 1 MiB or of 16, whichever is faster.
    pub bytes_per_s: f64,
}

/// A kernel's part of a job.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Which kernel.
    pub kernel: Kernel,
    /// What its commands had to do.
    pub work: Work,
    /// How long they took.
    pub seconds: f64,
}

impl Stage {
    /// The share of what the roofline allows: of the peak of operations, or of that of bytes
    /// where their number is what limits (Williams, Waterman, Patterson, *Roofline*, 2009).
    pub fn roofline_share(&self, peak: Peak) -> f64 {
        let at_best = (self.work.flop as f64 / peak.flop_per_s)
            .max(self.work.bytes as f64 / peak.bytes_per_s);
        at_best / self.seconds
    }
}

/// The stages of a job.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Inputs of all landscapes.
    pub frames: usize,
    /// From items in memory to answers in memory.
    pub seconds: f64,
    /// The host's part, which runs beside the engine's.
    pub host_seconds: f64,
    /// Kernel by kernel, in the table's order.
    pub stages: Vec<Stage>,
}

/// Seconds of work that make a difference worth timing.
const WORTH_TIMING_S: f64 = 0.05;
/// Most times that commands are run over.
const MOST_TIMES: usize = 64;

/// Measures an engine's peaks, medians of `rounds` (one at least): the fastest difference of two times would be
/// the noisiest.
///
/// # Errors
/// When the engine fails.
pub fn peak(engine: &dyn Engine, rounds: usize) -> Result<Peak, EngineError> {
    const SIDE: usize = 1024;
    let rounds = rounds.max(1);
    let mut product = Recording::new();
    let x = product.upload("peak.x", &vec![1.0f32; SIDE * SIDE]);
    let weights = vec![1.0; SIDE * SIDE];
    let layer = DenseLayer::new(SIDE, &weights, &[0.0; SIDE], Activation::Linear);
    product.dense(x, SIDE, &layer);
    let seconds = |recording: &Recording, kernel| {
        let seconds = kernel_seconds(engine, &[recording], kernel, rounds)?;
        Ok::<f64, EngineError>(median(seconds))
    };
    // Small copies stay in a processor's cache, large ones fill a GPU.
    let mut bytes_per_s = 0.0f64;
    for copied in [(1 << 20) / 4, (16 << 20) / 4] {
        let mut copy = Recording::new();
        let x = copy.upload("peak.copied", &vec![1.0f32; copied]);
        let layer = ElementwiseLayer::new(SIDE, &[1.0], &[0.0], Activation::Linear);
        copy.elementwise(x, None, copied / SIDE, &layer);
        let copying = seconds(&copy, Kernel::Elementwise)?;
        bytes_per_s = bytes_per_s.max((2 * 4 * copied) as f64 / copying);
    }
    Ok(Peak {
        flop_per_s: (2 * SIDE * SIDE * SIDE) as f64 / seconds(&product, Kernel::Dense)?,
        bytes_per_s,
    })
}

/// Measures a job on an engine; medians of `rounds` (one at least), after one to warm up.
///
/// # Errors
/// As [`compute_landscapes`].
pub fn profile(
    engine: &dyn Engine,
    model: &dyn Classifier,
    settings: &MorphSettings,
    jobs: &[GridJob<'_>],
    rounds: usize,
) -> Result<Profile, PipelineError> {
    let run = |engine: &dyn Engine| {
        let started = Instant::now();
        let go_on = |_| ControlFlow::Continue(());
        compute_landscapes(engine, model, settings, jobs, Frames::Drop, &go_on)?;
        Ok::<f64, PipelineError>(started.elapsed().as_secs_f64())
    };
    let rounds = rounds.max(1);
    run(engine)?;
    let (mut whole, mut host) = (Vec::new(), Vec::new());
    let mut recordings = Vec::new();
    for _ in 0..rounds {
        whole.push(run(engine)?);
        let scribe = Scribe::new(engine);
        host.push(run(&scribe)?);
        recordings = scribe.recordings();
    }
    let recordings: Vec<&Recording> = recordings.iter().collect();
    let mut stages = Vec::new();
    for &kernel in KERNELS {
        let works = recordings.iter().map(|recording| recording.work(kernel));
        let work = works.fold(Work::default(), |sum, work| Work {
            flop: sum.flop + work.flop,
            bytes: sum.bytes + work.bytes,
        });
        if work.bytes > 0 {
            let seconds = kernel_seconds(engine, &recordings, kernel, rounds)?;
            stages.push(Stage {
                kernel,
                work,
                seconds: median(seconds),
            });
        }
    }
    Ok(Profile {
        frames: jobs.len() * settings.steps * settings.steps,
        seconds: median(whole),
        host_seconds: median(host),
        stages,
    })
}

/// Seconds that one kernel's commands of some recordings take, `rounds` times.
fn kernel_seconds(
    engine: &dyn Engine,
    recordings: &[&Recording],
    kernel: Kernel,
    rounds: usize,
) -> Result<Vec<f64>, EngineError> {
    let mut sums = vec![0.0; rounds];
    for recording in recordings {
        let once = recording.only(kernel, 1);
        let time = |recording: &Recording| {
            let started = Instant::now();
            engine.run(recording)?;
            Ok::<f64, EngineError>(started.elapsed().as_secs_f64())
        };
        time(&once)?;
        let times = (WORTH_TIMING_S / time(&once)?)
            .ceil()
            .min(MOST_TIMES as f64) as usize;
        let more = recording.only(kernel, 1 + times);
        for sum in &mut sums {
            let difference = time(&more)? - time(&once)?;
            *sum += difference.max(0.0) / times as f64;
        }
    }
    Ok(sums)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// An engine that writes down what another one would be asked for, and answers zeros.
struct Scribe<'a> {
    engine: &'a dyn Engine,
    recordings: Mutex<Vec<Recording>>,
}

impl<'a> Scribe<'a> {
    fn new(engine: &'a dyn Engine) -> Self {
        let recordings = Mutex::default();
        Self { engine, recordings }
    }

    fn recordings(self) -> Vec<Recording> {
        let recordings = self.recordings.into_inner();
        recordings.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Scribe<'_> {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }

    fn batch_buffer_bytes(&self) -> usize {
        self.engine.batch_buffer_bytes()
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let words = recording.downloads().iter();
        let words = words.map(|&id| vec![0; recording.buffers()[id].words]);
        let downloads = Downloads::new(recording, words.collect());
        let mut recordings = self
            .recordings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recordings.push(recording.clone());
        Ok(downloads)
    }
}
