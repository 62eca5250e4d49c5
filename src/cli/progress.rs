//! The progress bar, lines beside it, and Ctrl-C.

use super::Verbosity;
use super::text::counted;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The bar on the terminal.
static SHOWN: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Writes to stderr while the bar, if there is one, is out of the way.
pub(super) fn beside_bar(write: impl FnOnce()) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown.and_then(|bar| bar.upgrade()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Counts frames on a terminal and stops the job after Ctrl-C.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over `frames` frames; nothing is drawn in a pipe or when quiet.
    pub(super) fn new(frames: usize, verbosity: Verbosity) -> Self {
        Self::counting(frames, "frames", verbosity)
    }

    /// A bar over so many things of a name.
    pub(super) fn counting(total: usize, what: &str, verbosity: Verbosity) -> Self {
        // Only the first of a process can be set; it serves them all.
        let _ = ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        let target = if verbosity == Verbosity::Quiet {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let template = format!(
            "{{bar:30}} {{human_pos}}/{{human_len}} {what}, {{per_sec}}, {{eta}} left{{msg}}"
        );
        let style = ProgressStyle::with_template(&template).expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(total as u64), target).with_style(style);
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.downgrade());
        Self { bar }
    }

    /// Tells that `frames` more are finished.
    pub(super) fn advance(&self, frames: usize) -> ControlFlow<()> {
        self.bar.inc(frames as u64);
        if interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Tells that `frames` more were there already, those of `landscapes` in all.
    pub(super) fn keep(&self, frames: usize, landscapes: usize) {
        self.bar.inc(frames as u64);
        // What was not computed says nothing of how long the rest takes.
        self.bar.reset_eta();
        let text = format!(" ({} kept)", counted(landscapes, "landscape"));
        self.bar.set_message(text);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether Ctrl-C was pressed.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
