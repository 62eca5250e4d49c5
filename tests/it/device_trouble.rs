//! Trouble with a device, a fault at a time: what comes out, and what the user sees.
//!
//! The device is made of the CPU engine, so that what comes out where it is left must be what the
//! CPU engine alone gives, to the bit.

use crate::common::{grid_jobs, images_of, paper_triples};
use crate::faulty::{Fault, Faulty, fits};
use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Engine, EngineKind, SelfTested, WithFallback, self_test};
use morphscape::kernels::{KERNELS, Kernel, Sampling, acceptance_entries};
use morphscape::landscape::Landscape;
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{
    Frames, MorphMode, MorphSettings, Motion, PipelineError, Starts, WalkPlan, WalkRecord,
    compute_landscapes, walk, walk_paths,
};
use morphscape::{Setting, remedy_of};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

/// An error and what can be done about it, as the command line says it.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let option = |setting: Setting| format!("--{}", setting.name().replace('_', "-"));
    let remedy = remedy_of(error).expect("something to do");
    format!("{error}; {}", remedy.words(option))
}

/// Twelve landscapes of 11 x 11.
fn landscapes(engine: &dyn Engine) -> Result<Vec<Landscape>, PipelineError> {
    let images = images_of(&paper_triples(2));
    let jobs = grid_jobs(&images);
    let settings = MorphSettings::new(11, 3, MorphMode::Clean(Sampling::Cubic));
    let go_on = |_| ControlFlow::Continue(());
    let model = bundled_fashion_mnist();
    compute_landscapes(engine, &model, &settings, &jobs, Frames::Keep, &go_on)
}

/// Where walkers are after every so many steps.
type Paths = Vec<Vec<[f32; 2]>>;

/// A walk of three groups of walkers on a lattice of 9 x 9.
fn walked(engine: &dyn Engine) -> Result<(WalkRecord, Paths), PipelineError> {
    const SIDE: usize = 9;
    let entries = (0..SIDE * SIDE).map(|point| {
        let (x, y) = (point % SIDE, point / SIDE);
        let inside = [x + 1 < SIDE, x > 0, y + 1 < SIDE, y > 0];
        acceptance_entries(inside.map(|inside| if inside { 0.8 } else { 0.0 }))
    });
    let motion = Motion::Lattice {
        entries: entries.collect(),
        strides: [1, SIDE as i32],
    };
    let target = (0..SIDE * SIDE).map(|point| point % SIDE == 0).collect();
    let job = WalkPlan {
        motion: &motion,
        starts: &Starts::At([4.0, 4.0]),
        walkers: 10_000,
        steps: 300,
        seed: 5,
        moments_at: &[10, 100, 300],
        occupation_at: &[50, 200],
        targets: &[target],
        shape: [SIDE, SIDE],
    };
    let go_on = |_| ControlFlow::Continue(());
    Ok((
        walk(engine, &job, &go_on)?,
        walk_paths(engine, &job, 7, 30)?,
    ))
}

/// What an engine was heard to say.
type Said = Arc<Mutex<Vec<String>>>;

/// The engine that `--engine auto` makes of a device, without a memory of tests.
fn auto(device: Faulty) -> (WithFallback, Said) {
    let said = Said::default();
    let heard = Arc::clone(&said);
    let say = move |text: &str| heard.lock().expect("no panic").push(text.to_owned());
    let tested = SelfTested::new(Box::new(device), None);
    (WithFallback::new(Box::new(tested), Box::new(say)), said)
}

/// A job on a device of that fault is what it is on the CPU engine alone, and `line` is said, once.
fn goes_on(fault: Fault, from: usize, line: &str) {
    let (engine, said) = auto(Faulty::new(fault, from));
    let found = landscapes(&engine).expect("the CPU engine goes on");
    assert!(
        found == landscapes(&CpuEngine::new()).expect("it runs"),
        "{fault:?}"
    );
    let said = said.lock().expect("no panic").clone();
    assert_eq!(said.len(), 1, "{fault:?}: {said:?}");
    assert!(fits(&said[0], line), "{fault:?}: {said:?}");
    let fallback = engine.fallback().expect("the device was left");
    assert!(said[0].starts_with(&format!("{}; ", fallback.reason)));
    assert_eq!(fallback.to.engine, EngineKind::Cpu);
    assert_eq!(engine.info().adapter, "Faulty");
}

/// The same job on that device alone stops with `message`.
fn stops(fault: Fault, from: usize, message: &str) {
    let engine = SelfTested::new(Box::new(Faulty::new(fault, from)), None);
    let error = landscapes(&engine).expect_err("there is no other engine");
    assert!(fits(&whole(&error), message), "{fault:?}: {error}");
}

#[test]
fn a_lost_device() {
    goes_on(
        Fault::Lost,
        1,
        "adapter Faulty was lost while it worked: the driver took it for hung; going on with the CPU engine",
    );
    stops(
        Fault::Lost,
        1,
        "adapter Faulty was lost while it worked: the driver took it for hung; \
         run the command again, what is finished is kept, or use --engine cpu",
    );
}

#[test]
fn a_validation_error() {
    goes_on(
        Fault::Validation,
        1,
        "adapter Faulty failed while it worked: Validation Error: a buffer is too small; going on with the CPU engine",
    );
    stops(
        Fault::Validation,
        1,
        "adapter Faulty failed while it worked: Validation Error: a buffer is too small; use --engine cpu",
    );
}

#[test]
fn a_driver_that_computes_nan_is_found_out_before_its_first_use() {
    goes_on(
        Fault::NotANumber,
        0,
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found NaN; \
         its driver is Test, 1.0; going on with the CPU engine",
    );
    stops(
        Fault::NotANumber,
        0,
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found NaN; \
         its driver is Test, 1.0; update the driver, or use --engine cpu",
    );
}

#[test]
fn a_driver_that_computes_garbage_is_found_out_before_its_first_use() {
    goes_on(
        Fault::Garbage,
        0,
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found *; \
         its driver is Test, 1.0; going on with the CPU engine",
    );
    stops(
        Fault::Garbage,
        0,
        "adapter Faulty computes wrongly: the self-test of kernel spline expected * at value 0, found *; \
         its driver is Test, 1.0; update the driver, or use --engine cpu",
    );
}

#[test]
fn a_device_that_answers_nan_in_the_middle_of_a_run() {
    goes_on(
        Fault::NotANumber,
        1,
        "adapter Faulty answers NaN where the CPU engine answers finite logits; going on with the CPU engine",
    );
    stops(
        Fault::NotANumber,
        1,
        "adapter Faulty answers NaN where the CPU engine answers finite logits; update the driver, or use --engine cpu",
    );
}

#[test]
fn a_batch_without_memory_is_halved_until_it_fits() {
    let roomy = Faulty::new(Fault::None, 0);
    let expected = landscapes(&roomy).expect("it runs");
    let largest = roomy.ran().into_iter().max().expect("it ran");
    for part in [2, 3, 4] {
        let cramped = Faulty::new(Fault::Memory(largest / part), 0);
        assert!(
            landscapes(&cramped).expect("it runs") == expected,
            "1/{part}"
        );
        let ran = cramped.ran();
        assert!(
            ran.iter().all(|&bytes| bytes <= largest / part),
            "1/{part}: {ran:?}"
        );
        assert!(cramped.runs() > ran.len(), "1/{part}: some did not fit");
    }
    // Nothing is said of it, and the device is not left.
    let (engine, said) = auto(Faulty::new(Fault::Memory(largest / 4), 0));
    assert!(landscapes(&engine).expect("it runs") == expected);
    assert!(said.lock().expect("no panic").is_empty());
    assert!(engine.fallback().is_none());
}

#[test]
fn a_device_without_memory_for_the_smallest_batch() {
    goes_on(
        Fault::Memory(1 << 16),
        1,
        "adapter Faulty is out of memory: no room for the buffers; going on with the CPU engine",
    );
    stops(
        Fault::Memory(1 << 16),
        1,
        "adapter Faulty is out of memory: no room for the buffers; \
         close what else uses its memory, use smaller images or --engine cpu",
    );
}

#[test]
fn walks_go_on_and_are_halved_too() {
    let expected = walked(&CpuEngine::new()).expect("it walks");
    // A group of walkers before and after a step.
    let group_bytes = 2 * 24 * 4096;
    for (fault, from) in [
        (Fault::Lost, 0),
        (Fault::Lost, 1),
        (Fault::Validation, 0),
        (Fault::Memory(group_bytes / 4), 0),
    ] {
        let (engine, said) = auto(Faulty::new(fault, from));
        assert!(walked(&engine).expect("it walks") == expected, "{fault:?}");
        assert_eq!(said.lock().expect("no panic").len(), 1, "{fault:?}");
    }
    let cramped = Faulty::new(Fault::Memory(6 * group_bytes), 0);
    assert!(walked(&cramped).expect("it walks") == expected);
    assert!(cramped.runs() > cramped.ran().len(), "some did not fit");
}

#[test]
fn a_model_whose_sums_are_too_large_is_not_blamed_on_the_device() {
    let set = fashion_mnist();
    let mut image = set.image(0).expect("held in memory");
    image.levels[400] = f32::INFINITY;
    let rows = [&image.levels[..]];
    let (engine, said) = auto(Faulty::new(Fault::None, 0));
    let model = bundled_fashion_mnist();
    let error = morphscape::pipeline::classify(&engine, &model, &rows).expect_err("no number");
    assert!(matches!(error, PipelineError::NotFinite { .. }), "{error}");
    assert!(said.lock().expect("no panic").is_empty());
}

#[test]
fn every_kernel_s_test_passes_on_every_engine_and_fails_on_a_faulty_one() {
    for &kernel in KERNELS {
        let name = kernel.spec().name;
        let case = kernel.case();
        let mut commands = case.recording.commands().iter();
        assert!(commands.any(|command| command.kernel == kernel), "{name}");
        for engine in crate::common::engines() {
            self_test(engine.as_ref(), kernel).unwrap_or_else(|error| panic!("{error}"));
        }
        for fault in [Fault::Garbage, Fault::NotANumber] {
            let error = self_test(&Faulty::new(fault, 0), kernel).expect_err("it is wrong");
            let text = whole(&error);
            assert!(
                text.contains(&format!("self-test of kernel {name} ")),
                "{text}"
            );
        }
    }
}

#[test]
fn a_kernel_is_tested_once_and_remembered_for_its_driver() {
    let folder = crate::program::folder();
    let remembered = || crate::program::files(folder.path());
    let case = Kernel::Conv.case().recording;
    let tested = |fault| {
        SelfTested::new(
            Box::new(Faulty::new(fault, 0)),
            Some(folder.path().to_owned()),
        )
    };
    // What fails is not remembered.
    for _ in 0..2 {
        let error = tested(Fault::Garbage).run(&case).expect_err("it is wrong");
        assert!(error.to_string().contains("computes wrongly"), "{error}");
        assert!(remembered().is_empty());
    }
    tested(Fault::None).run(&case).expect("it passes");
    assert_eq!(remembered().len(), 1, "the one kernel that was used");
    assert!(remembered()[0].starts_with("conv-"), "{:?}", remembered());
    // What has passed is not tested again.
    tested(Fault::Garbage).run(&case).expect("it is remembered");
    // A folder that cannot be there is no error.
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    let nowhere = SelfTested::new(Box::new(Faulty::new(Fault::None, 0)), Some(file));
    nowhere.run(&case).expect("it is tested each time");
}
