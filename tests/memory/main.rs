//! Readers of files that a user gives, exact sections, and the memory they take: apart from the other tests, since
//! these need an allocator that counts, and a process in which nothing else allocates.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/readers.rs"]
mod readers;

mod broken_models;
mod constants;
mod graphs;
mod mutations;
mod sections;

use peak_alloc::PeakAlloc;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts what is allocated; the limits are tested against its peaks.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Tests run one at a time, so that a peak is that of one.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The message of an error with its causes, as the command line shows it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
