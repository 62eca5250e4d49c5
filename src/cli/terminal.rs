//! The terminal: what is said on stderr, the progress bar, lines beside it, and Ctrl-C.

use super::text::{Spelling, counted, note_text, option_name};
use crate::engine::OpenDevice;
use crate::job::{Note, Observer, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How much to say on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Errors and results alone.
    Quiet,
    /// What a user should know as well.
    Normal,
    /// The engine, and where the time goes as well.
    Verbose,
}

/// The terminal that a command runs on. Clones speak through one bar.
#[derive(Debug, Clone)]
pub(super) struct Terminal {
    verbosity: Verbosity,
    /// Where devices come from.
    pub(super) open_device: OpenDevice,
    /// How settings are spelled in notes.
    spelling: Spelling,
    bar: Arc<Mutex<Option<ProgressBar>>>,
    interrupted: Arc<AtomicBool>,
}

impl Terminal {
    /// A terminal without a bar; from here on Ctrl-C asks the work to stop, and a second one ends
    /// the process.
    pub(super) fn new(verbosity: Verbosity, open_device: OpenDevice) -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pressed = Arc::clone(&interrupted);
        // Only the first handler of a process can be set; there is one terminal a process.
        let _ = ctrlc::set_handler(move || {
            if pressed.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
        Self {
            verbosity,
            open_device,
            spelling: option_name,
            bar: Arc::default(),
            interrupted,
        }
    }

    /// The same with another spelling of settings.
    pub(super) fn spelling(&self, spelling: Spelling) -> Self {
        Self {
            spelling,
            ..self.clone()
        }
    }

    /// Whether results beyond the files are wanted on stdout.
    pub(super) fn shows_results(&self) -> bool {
        self.verbosity > Verbosity::Quiet
    }

    /// Whether more is asked for than the usual.
    pub(super) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Says what a user should know.
    pub(super) fn say(&self, text: impl Display) {
        self.say_from(Verbosity::Normal, text);
    }

    /// Says what a user wants to hear who asked for more.
    pub(super) fn say_more(&self, text: impl Display) {
        self.say_from(Verbosity::Verbose, text);
    }

    fn say_from(&self, least: Verbosity, text: impl Display) {
        if self.verbosity >= least {
            self.to_stderr(text);
        }
    }

    /// A line to stderr; that nobody reads it any more is no failure.
    pub(super) fn to_stderr(&self, text: impl Display) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        match self.bar() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn bar(&self) -> Option<ProgressBar> {
        self.bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Observer for Terminal {
    /// Shows a bar; nothing is drawn in a pipe or when quiet.
    fn begin(&self, stage: Stage) {
        let target = match self.verbosity {
            Verbosity::Quiet => ProgressDrawTarget::hidden(),
            _ => ProgressDrawTarget::stderr(),
        };
        let template = format!(
            "{{bar:30}} {{human_pos}}/{{human_len}} {}, {{per_sec}}, {{eta}} left{{msg}}",
            stage.unit
        );
        let style = ProgressStyle::with_template(&template).expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(stage.total as u64), target).with_style(style);
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, done: usize) -> ControlFlow<()> {
        if let (Some(bar), true) = (self.bar(), done > 0) {
            bar.inc(done as u64);
        }
        match self.interrupted.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn keep(&self, done: usize, landscapes: usize) {
        if let Some(bar) = self.bar() {
            bar.inc(done as u64);
            // What was not computed says nothing of how long the rest takes.
            bar.reset_eta();
            bar.set_message(format!(" ({} kept)", counted(landscapes, "landscape")));
        }
    }

    fn end(&self) {
        let shown = self
            .bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(bar) = shown {
            bar.finish_and_clear();
        }
    }

    fn note(&self, note: &Note) {
        self.say(note_text(note, self.spelling));
    }
}
