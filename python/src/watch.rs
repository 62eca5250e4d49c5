//! Work without the GIL, while the caller's thread listens.
//!
//! ```text
//! a callable:      the caller's thread computes; between batches, and every 50 ms while it waits for
//!                  frames, it looks for signals (`pipeline/host.rs`)
//! a model of ours: a thread of its own computes; the caller's looks for signals every 50 ms
//! both:            the same, and the thread that computes has the caller's call the callable
//! ```
//!
//! Python runs handlers of signals on the main thread alone, so it must be the caller's that looks; and a
//! callable may hold what belongs to the thread that called us, so it must be the caller's that calls it.

use crate::error::{Places, exception};
use morphscape::job::{Note, Observer};
use pyo3::prelude::*;
use std::cell::RefCell;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// How often signals are looked for, and progress is told.
const EVERY: Duration = Duration::from_millis(50);

/// Listens while work is done.
pub(crate) struct Watch {
    caller: ThreadId,
    /// Called with the number of inputs done so far.
    progress: Option<Py<PyAny>>,
    done: AtomicUsize,
    stop: AtomicBool,
    last: Mutex<Instant>,
    /// What a handler of a signal or the progress raised.
    raised: Mutex<Option<PyErr>>,
    notes: Mutex<Vec<String>>,
}

impl Watch {
    /// Listens on the calling thread; `progress` is called with the number of inputs done.
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Self {
        Self {
            caller: thread::current().id(),
            progress,
            done: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            last: Mutex::new(Instant::now()),
            raised: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// What the user should know, heard so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.notes))
    }

    /// Looks for signals and tells progress.
    fn listen(&self) {
        let heard = Python::attach(|py| {
            py.check_signals()?;
            match &self.progress {
                Some(call) => call
                    .call1(py, (self.done.load(Ordering::Relaxed),))
                    .map(drop),
                None => Ok(()),
            }
        });
        if let Err(raised) = heard {
            self.stop.store(true, Ordering::Relaxed);
            locked(&self.raised).get_or_insert(raised);
        }
    }

    /// So many more inputs are done; says whether to go on.
    pub(crate) fn go_on(&self, done: usize) -> ControlFlow<()> {
        self.done.fetch_add(done, Ordering::Relaxed);
        if thread::current().id() == self.caller {
            let mut last = locked(&self.last);
            if last.elapsed() >= EVERY {
                *last = Instant::now();
                drop(last);
                self.listen();
            }
        }
        match self.stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// Does `work` without the GIL: on the calling thread where callables alone are asked, else on one of
    /// its own. `places` are the landscapes it computes.
    pub(crate) fn run<T: Send, E: Error + Send + 'static>(
        &self,
        py: Python<'_>,
        asks_callables: bool,
        places: Places<'_>,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> PyResult<T> {
        let result = py.detach(|| match asks_callables {
            true => work(),
            false => self.beside(work),
        });
        if let Some(raised) = locked(&self.raised).take() {
            return Err(raised);
        }
        let result = result.map_err(|error| exception(py, &error, places))?;
        // The bar ends full; what a handler raises now is raised.
        if let Some(call) = &self.progress {
            call.call1(py, (self.done.load(Ordering::Relaxed),))?;
        }
        Ok(result)
    }

    /// Does `work` on a thread of its own; meanwhile listens, and does what that thread asks for.
    fn beside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let (sender, requests) = channel::<Request>();
            let worker = scope.spawn(move || {
                CALLER.set(Some(sender));
                let result = work();
                CALLER.set(None);
                result
            });
            let mut last = Instant::now();
            loop {
                match requests.recv_timeout(EVERY.saturating_sub(last.elapsed())) {
                    Ok(request) => request(),
                    // The worker is done, or has panicked.
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if last.elapsed() >= EVERY {
                    last = Instant::now();
                    self.listen();
                }
            }
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

/// Something to do on the thread that called us.
type Request = Box<dyn FnOnce() + Send>;

thread_local! {
    /// Of a thread that computes beside the caller's: whom to ask.
    static CALLER: RefCell<Option<Sender<Request>>> = const { RefCell::new(None) };
}

/// Does `work` on the thread that called us, which listens if it is not this one.
pub(crate) fn on_callers_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Some(caller) = CALLER.with_borrow(Clone::clone) else {
        return work();
    };
    let (sender, answer) = channel();
    // A caller that listens no more has panicked, and this thread is about to end with it.
    let _ = caller.send(Box::new(move || drop(sender.send(work()))));
    answer.recv().expect("the caller answers while it listens")
}

impl Observer for Watch {
    fn advance(&self, done: usize) -> ControlFlow<()> {
        self.go_on(done)
    }

    fn keep(&self, done: usize, _landscapes: usize) {
        self.done.fetch_add(done, Ordering::Relaxed);
    }

    fn note(&self, note: &Note) {
        locked(&self.notes).push(note.to_string());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}
