//! The library as a host program uses it, without the command line: jobs as data, runs that verify,
//! functions as models, several jobs at once.

use crate::common::{Tolerance, assert_close};
use morphscape::engine::cpu::CpuEngine;
use morphscape::job::{Observer, Stage};
use morphscape::model::{AnswerKind, Function, FunctionSpec, Inputs, Model, bundled_fashion_mnist};
use morphscape::pipeline::classify;
use morphscape::{
    Existing, InterpolateJob, Job, JobError, Keep, LoadedModel, Note, Run, RunError, RunFolder,
    Sample, Setting, Silent, SweepJob, Triples, remedy_of,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn small() -> SweepJob {
    let mut job = SweepJob {
        triples: Triples::groups(1).seed(3),
        ..SweepJob::default()
    };
    job.morph.steps = 5;
    job
}

fn tensors(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name).join("landscape.safetensors")).expect("tensors")
}

/// What the manifest keeps is the job: read back it is the same, options and all.
#[test]
fn a_job_is_its_own_plan() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let engine = CpuEngine::new();
    let job = Job::Sweep(small());
    let loaded = job.load(&Silent).expect("it loads");
    Run::new(&loaded, &engine)
        .write_to(&out, Existing::Continue, &Silent)
        .expect("it runs");
    let plan = RunFolder::open(&out).expect("a run").manifest()["plan"].clone();
    let read: Job = serde_json::from_value(plan).expect("a job");
    assert_eq!(read, job);
    let rows = Job::Interpolate(InterpolateJob::default());
    let text = serde_json::to_string(&rows).expect("plain data");
    assert_eq!(serde_json::from_str::<Job>(&text).expect("a job"), rows);
    // What an older manifest does not say has its default.
    let bare: Job = serde_json::from_str(r#"{"job":"sweep"}"#).expect("a job");
    assert_eq!(bare, Job::Sweep(SweepJob::default()));
}

/// A run that no command line began verifies, and one whose tensors were changed does not.
#[test]
fn a_run_of_the_library_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let engine = CpuEngine::new();
    let job = small().load(&Silent).expect("it loads");
    let outcome = Run::new(&job, &engine)
        .keep(Keep::TensorsAndFrames)
        .write_to(&out, Existing::Continue, &Silent)
        .expect("it runs");
    assert_eq!((outcome.landscapes, outcome.kept), (6, 0));
    let verified = |sample| {
        let run = RunFolder::open(&out).expect("a run");
        run.verify(sample, &engine, &Silent).expect("it is checked")
    };
    let whole = verified(Sample::All);
    assert!(whole.holds(), "{whole:?}");
    let check = whole.landscapes.expect("computed again");
    assert_eq!((check.landscapes, check.points), ([6, 6], 6 * 25));
    // Again: everything is kept.
    let again = Run::new(&job, &engine)
        .keep(Keep::TensorsAndFrames)
        .write_to(&out, Existing::Continue, &Silent)
        .expect("it runs");
    assert_eq!(again.kept, 6);
    // Another plan is refused, with what differs and what to do.
    let mut other = small();
    other.morph.grid = 4;
    let other = other.load(&Silent).expect("it loads");
    let refused = Run::new(&other, &engine)
        .keep(Keep::TensorsAndFrames)
        .write_to(&out, Existing::Continue, &Silent)
        .expect_err("another plan");
    let text = refused.to_string();
    assert!(text.contains("`grid` is 3 there and 4 now"), "{text}");
    assert!(
        !text.contains("--"),
        "an error of the library names no option: {text}"
    );
    let remedy = remedy_of(&refused).expect("something to do");
    assert_eq!(
        remedy.words(|setting| setting.name().to_owned()),
        "use another out, or force to write over it"
    );
    // Values that were changed in place.
    let path = out.join("1A.2/landscape.safetensors");
    let mut bytes = std::fs::read(&path).expect("tensors");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    assert!(!verified(Sample::Of(0)).holds());
}

/// Two jobs at once in two threads come to the bytes of each alone.
#[test]
fn two_jobs_run_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = CpuEngine::new();
    let run = |seed: u64, name: &str| {
        let job = SweepJob {
            triples: Triples::groups(2).seed(seed),
            ..small()
        };
        let job = job.load(&Silent).expect("it loads");
        Run::new(&job, &engine)
            .write_to(&folder.path().join(name), Existing::Continue, &Silent)
            .expect("it runs");
    };
    run(1, "one-alone");
    run(2, "two-alone");
    std::thread::scope(|scope| {
        scope.spawn(|| run(1, "one"));
        scope.spawn(|| run(2, "two"));
    });
    for (together, alone) in [("one", "one-alone"), ("two", "two-alone")] {
        for name in ["1A.1", "2B.3"] {
            let bytes = |run: &str| tensors(&folder.path().join(run), name);
            assert!(bytes(together) == bytes(alone), "{together}/{name}");
        }
    }
    assert!(
        tensors(&folder.path().join("one"), "1A.1") != tensors(&folder.path().join("two"), "1A.1")
    );
}

/// A function of the host program in the place of a model's file: a run as any other.
#[test]
fn a_run_asks_a_function() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = CpuEngine::new();
    let file = bundled_fashion_mnist();
    let names = file.classes().expect("named").to_vec();
    let spec = FunctionSpec {
        num_classes: 10,
        input_shape: Some(vec![28, 28]),
        answers: AnswerKind::Logits,
        batch_size: 100,
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let function = Function::new(spec, move |inputs: Inputs| {
        counted.fetch_add(1, Ordering::Relaxed);
        let rows: Vec<&[f32]> = inputs.iter().collect();
        classify(&CpuEngine::new(), &file, &rows).map(|answers| answers.logits)
    })
    .expect("it fits");
    let model = LoadedModel {
        model: Model::from_host(Arc::new(function), Some(names), "of this test").expect("named"),
        path: "a function".into(),
    };
    let job = Job::Sweep(small());
    let asked = job.load_with(model, &Silent).expect("it loads");
    let read = job.load(&Silent).expect("it loads");
    for (job, name) in [(&asked, "asked"), (&read, "read")] {
        Run::new(job, &engine)
            .write_to(&folder.path().join(name), Existing::Continue, &Silent)
            .expect("it runs");
    }
    assert!(calls.load(Ordering::Relaxed) > 0);
    let landscape = |name: &str| {
        let run = RunFolder::open(folder.path().join(name)).expect("a run");
        run.landscape("1B.2").expect("a landscape").landscape
    };
    let (asked, read) = (landscape("asked"), landscape("read"));
    let tolerance = Tolerance {
        abs: 1e-5,
        rel: 0.0,
    };
    assert_close(
        "asked",
        &asked.probabilities,
        &read.probabilities,
        tolerance,
    );
}

/// Stops after so many inputs, and writes down what it hears.
struct Stopping {
    left: AtomicUsize,
    notes: Mutex<Vec<Note>>,
    stages: Mutex<Vec<Stage>>,
}

impl Observer for Stopping {
    fn begin(&self, stage: Stage) {
        self.stages.lock().expect("not poisoned").push(stage);
    }

    fn advance(&self, done: usize) -> ControlFlow<()> {
        let left = self.left.load(Ordering::Relaxed);
        self.left
            .store(left.saturating_sub(done), Ordering::Relaxed);
        match left > done {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    fn note(&self, note: &Note) {
        self.notes.lock().expect("not poisoned").push(note.clone());
    }
}

/// An observer hears stages and notes, and stops a run, which then goes on from where it stood.
#[test]
fn an_observer_hears_and_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let engine = CpuEngine::new();
    let observer = Stopping {
        left: AtomicUsize::new(30),
        notes: Mutex::default(),
        stages: Mutex::default(),
    };
    let job = small().load(&observer).expect("it loads");
    let stopped = Run::new(&job, &engine)
        .write_to(&out, Existing::Continue, &observer)
        .expect_err("it was stopped");
    assert!(stopped.is_interrupted(), "{stopped}");
    assert!(RunFolder::open(&out).is_err(), "it is not finished");
    let stages = observer.stages.lock().expect("not poisoned").clone();
    assert_eq!(
        stages,
        [Stage {
            total: 6 * 25,
            unit: "frames"
        }]
    );
    Run::new(&job, &engine)
        .write_to(&out, Existing::Continue, &Silent)
        .expect("it goes on");
    assert!(RunFolder::open(&out).is_ok());
}

/// What does not fit is an error that names a setting, and no panic.
#[test]
fn jobs_that_cannot_be_are_refused() {
    let refused = |job: Job| job.load(&Silent).expect_err("it does not fit");
    let steps = |steps: usize| {
        let mut job = small();
        job.morph.steps = steps;
        Job::Sweep(job)
    };
    for number in [0, 1, 1002] {
        let error = refused(steps(number));
        assert!(
            matches!(error.refused_setting(), Some((Setting::Steps, _))),
            "{error}"
        );
    }
    let mut cells = small();
    for grid in [0, 27, 1000] {
        cells.morph.grid = grid;
        refused(Job::Sweep(cells.clone()));
    }
    let no_data = SweepJob {
        data: "nothing/there".into(),
        ..small()
    };
    let error = refused(Job::Sweep(no_data));
    assert!(
        matches!(
            error.refused_setting(),
            Some((Setting::Data, "nothing/there"))
        ),
        "{error}"
    );
    let classes = SweepJob {
        triples: Triples::Groups(morphscape::Groups {
            classes: vec!["9,4,4".into()],
            ..Default::default()
        }),
        ..small()
    };
    assert!(refused(Job::Sweep(classes)).to_string().contains("9,4,4"));
    let none = Job::Sweep(SweepJob {
        triples: Triples::groups(0),
        ..small()
    });
    assert!(matches!(refused(none), JobError::Unfit { .. }));
    let rows = InterpolateJob {
        steps: 1,
        ..InterpolateJob::default()
    };
    refused(Job::Interpolate(rows));
    // Rows alone have no figures.
    let folder = tempfile::tempdir().expect("a folder");
    let job = small().load(&Silent).expect("it loads");
    let error = Run::new(&job, &CpuEngine::new())
        .keep(Keep::RowsAlone)
        .figures(Default::default())
        .write_to(&folder.path().join("out"), Existing::Continue, &Silent)
        .expect_err("it does not fit");
    assert!(matches!(error, RunError::Refused { .. }), "{error}");
    assert!(
        !folder.path().join("out").exists(),
        "nothing is left behind"
    );
}
