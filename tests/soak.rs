//! The paper's job again and again in one process: memory, open files and objects of the device
//! stay what they are after the first rounds; apart from the other tests, whose memory would be
//! counted with it. A short run in every test; the long one by
//!
//!     cargo test --release --test soak -- --ignored --nocapture
#![cfg(target_os = "linux")]

mod common;

use common::{engines, grid_jobs, images_of, paper_triples};
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::gpu::{AdapterKind, GpuEngine, list_adapters};
use morphscape::kernels::Sampling;
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{Frames, MorphMode, MorphSettings, compute_landscapes};
use peak_alloc::PeakAlloc;
use std::ops::ControlFlow;
use std::sync::Mutex;

/// What may stay allocated of a round: nothing of a landscape, whose logits and probabilities take
/// 34 KiB. Measured: nothing.
const SLACK_HEAP_KIB: usize = 2;

/// What a round may add to the memory of the process, the driver's included: about one landscape of
/// its 30.
const SLACK_RESIDENT_KIB: usize = 32;

/// By how much that memory goes up and down by itself, however many the rounds: pages that the
/// allocator keeps or gives back, of what an engine keeps for its next recording too. Measured: up to
/// 12 MiB.
const SWING_RESIDENT_KIB: usize = 24 << 10;

/// Counts what is allocated.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: they look at the process they are in.
static ALONE: Mutex<()> = Mutex::new(());

/// What the process holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    heap_kib: usize,
    resident_kib: usize,
    open_files: usize,
}

impl Held {
    fn now() -> Self {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
        let resident = pages.split(' ').nth(1).expect("the second is resident");
        let pages: usize = resident.parse().expect("a number");
        Self {
            heap_kib: MEMORY.current_usage() >> 10,
            // Linux counts in pages of 4 KiB on the machines that tests run on.
            resident_kib: 4 * pages,
            open_files: std::fs::read_dir("/proc/self/fd")
                .expect("Linux has it")
                .count(),
        }
    }
}

/// Computes the paper's 30 landscapes with an engine of `open`, `rounds` times, and says how much
/// more is held at the end than after `warm` of them. `objects` counts those of the device.
fn soak<E: Engine>(
    what: &str,
    [warm, rounds]: [usize; 2],
    mut open: impl FnMut(Option<E>) -> E,
    objects: impl Fn(&E) -> usize,
) {
    let images = images_of(&paper_triples(5));
    let jobs = grid_jobs(&images);
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Cubic));
    let model = bundled_fashion_mnist();
    let go_on = |_| ControlFlow::Continue(());
    let mut engine = None;
    let mut first = None;
    let mut before = None;
    for round in 1..=rounds {
        let opened = open(engine.take());
        let landscapes =
            compute_landscapes(&opened, &model, &settings, &jobs, Frames::Drop, &go_on)
                .expect("it runs");
        assert!(
            *first.get_or_insert_with(|| landscapes.clone()) == landscapes,
            "{what}: round {round} gives other bytes"
        );
        drop(landscapes);
        // What is kept for the next job depends on which of two groups of landscapes came first.
        opened.release_memory();
        let held = (Held::now(), objects(&opened));
        if round <= warm || round == rounds || round % 100 == 0 {
            println!("{what}: round {round}: {:?}, {} objects", held.0, held.1);
        }
        if round == warm {
            before = Some(held);
        }
        if round == rounds {
            let (before, objects_before) = before.expect("the warm round is before the last");
            let (after, objects_after) = held;
            let since = rounds - warm;
            let resident = SWING_RESIDENT_KIB + since * SLACK_RESIDENT_KIB;
            assert!(
                after.heap_kib <= before.heap_kib + since * SLACK_HEAP_KIB
                    && after.resident_kib <= before.resident_kib + resident,
                "{what}: memory grew from {before:?} to {after:?} in {since} rounds"
            );
            assert_eq!(after.open_files, before.open_files, "{what}: open files");
            assert_eq!(
                objects_after, objects_before,
                "{what}: objects of the device"
            );
        }
        engine = Some(opened);
    }
}

/// Opens the software adapter anew in every `anew`th round. An engine holds a little more in its
/// second round than in its first, so both of `rounds` are equally long after an opening.
fn soak_software(rounds: [usize; 2], anew: usize) {
    assert_eq!(rounds[0] % anew, rounds[1] % anew, "rounds alike");
    let software = list_adapters()
        .into_iter()
        .find(|adapter| adapter.kind == AdapterKind::Software);
    let Some(software) = software else {
        // Says so, and fails where an adapter is required.
        engines();
        return;
    };
    let mut round = 0;
    let what = format!("{}, opened anew every {anew} rounds", software.name);
    let open = |engine: Option<GpuEngine>| {
        round += 1;
        let kept = engine.filter(|_| round % anew != 0);
        kept.unwrap_or_else(|| GpuEngine::open(Some(&software.name)).expect("it opens"))
    };
    soak(&what, rounds, open, GpuEngine::live_objects);
}

#[test]
fn a_few_jobs_leave_nothing_behind() {
    let _alone = ALONE.lock();
    soak("cpu", [3, 8], |_| CpuEngine::new(), |_| 0);
    soak_software([4, 7], 3);
}

#[test]
#[ignore = "minutes"]
fn five_hundred_jobs_leave_nothing_behind() {
    let _alone = ALONE.lock();
    soak("cpu", [20, 500], |_| CpuEngine::new(), |_| 0);
    soak_software([10, 50], 5);
}
