//! The work in flight: how much of it there is at once, and when it is no longer wanted.
//!
//! A piece of work is stopped, between two batches of the engine, by the next of its kind from the
//! same page, by the browser closing its connection, and by the end of the server. Which is the next a
//! page says by a number: a request that it has given up may be read after the one that replaced it.

use crate::job::Observer;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pieces of work that are computed at once; each uses all threads by itself.
const AT_ONCE: usize = 2;
/// Pieces of work that wait for one of these.
const WAITING: usize = 16;
/// Pages and kinds of work of which the newest is known.
const KNOWN: usize = 256;
/// How often waiting work looks whether it is still wanted.
const TICK: Duration = Duration::from_millis(20);

/// What is computed; a page wants only the newest of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    View,
    Frames,
    Boundary,
    Save,
}

/// All work of a server.
#[derive(Debug, Default)]
pub(super) struct Work {
    state: Mutex<State>,
    freed: Condvar,
    ended: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    waiting: usize,
    started: u64,
    newest: Vec<((String, Kind), Newest)>,
}

/// The newest work of a kind from a page.
#[derive(Debug, Clone, Copy)]
struct Newest {
    /// By the page's own count.
    turn: u64,
    /// By the order in which it was read.
    number: u64,
}

/// Why work does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotBegun {
    /// It is no longer wanted.
    Unwanted,
    /// There is too much else.
    Busy,
}

/// A piece of work that may run; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    work: &'a Work,
    of: (String, Kind),
    number: u64,
    stream: &'a TcpStream,
}

impl Work {
    /// Begins work for a page, once there is room for it. Older work of the kind is no longer
    /// wanted from here on.
    pub(super) fn begin<'a>(
        &'a self,
        (page, turn): (&str, u64),
        kind: Kind,
        stream: &'a TcpStream,
    ) -> Result<Ticket<'a>, NotBegun> {
        let of = (page.to_owned(), kind);
        let mut state = self.state();
        let is_late =
            |(known, newest): &((String, Kind), Newest)| *known == of && newest.turn > turn;
        if state.newest.iter().any(is_late) {
            return Err(NotBegun::Unwanted);
        }
        state.started += 1;
        let number = state.started;
        state.newest.retain(|(known, _)| *known != of);
        if state.newest.len() == KNOWN {
            state.newest.remove(0);
        }
        state.newest.push((of.clone(), Newest { turn, number }));
        self.freed.notify_all();
        if state.waiting == WAITING {
            return Err(NotBegun::Busy);
        }
        // The connection only says whether it is still there while work runs.
        let _ = stream.set_nonblocking(true);
        state.waiting += 1;
        while state.running >= AT_ONCE && self.is_wanted(&state, &of, number, stream) {
            let waited = self.freed.wait_timeout(state, TICK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
        if !self.is_wanted(&state, &of, number, stream) {
            return Err(NotBegun::Unwanted);
        }
        state.running += 1;
        drop(state);
        Ok(Ticket {
            work: self,
            of,
            number,
            stream,
        })
    }

    /// From here on no work is wanted.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.freed.notify_all();
    }

    /// Whether the server ends.
    pub(super) fn is_over(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Pieces of work that run, and that wait.
    pub(super) fn in_flight(&self) -> [usize; 2] {
        let state = self.state();
        [state.running, state.waiting]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wanted(
        &self,
        state: &State,
        of: &(String, Kind),
        number: u64,
        stream: &TcpStream,
    ) -> bool {
        let is_newest =
            |(known, newest): &((String, Kind), Newest)| known != of || newest.number == number;
        !self.is_over() && state.newest.iter().all(is_newest) && is_open(stream)
    }
}

/// Whether somebody waits for the answer.
fn is_open(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
        ),
    }
}

impl Observer for Ticket<'_> {
    fn advance(&self, _done: usize) -> ControlFlow<()> {
        let state = self.work.state();
        match (self.work).is_wanted(&state, &self.of, self.number, self.stream) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.work.state().running -= 1;
        self.work.freed.notify_all();
    }
}
