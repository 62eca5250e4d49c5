//! Functions of the host program as models: the same answers as the network of a file that they
//! copy, on every engine; called from one thread, in batches of the size they name; what is wrong
//! with their answers is an error.

#[path = "../../examples/closure.rs"]
#[allow(dead_code, reason = "a program of its own")]
mod closure;

use crate::common::{Tolerance, assert_close, engines};
use morphscape::data::{Image, fashion_mnist, iris};
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::landscape::{Landscape, argmax};
use morphscape::model::{
    AnswerKind, Classifier, Function, FunctionSpec, HostError, HostNetwork, Inputs, Model,
    ModelError, ModelOptions, bundled_fashion_mnist, bundled_table_model, read_model,
};
use morphscape::pipeline::{
    Frames, GridJob, InputPlace, MorphMode, MorphSettings, PipelineError, RowJob, classify,
    compute_landscapes, compute_landscapes_of, interpolate_rows,
};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};

const CLEAN: MorphMode = MorphMode::Clean(Sampling::Cubic);

/// Points a side: enough that two landscapes are more than one batch of most sizes here.
const STEPS: usize = 9;

fn go_on(_: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn spec(batch_size: usize) -> FunctionSpec {
    FunctionSpec {
        num_classes: 10,
        input_shape: Some(vec![28, 28]),
        answers: AnswerKind::Logits,
        batch_size,
    }
}

/// The bundled network 784-128-10, written down anew: dense, ReLU, dense, in 64-bit floats.
struct ByHand {
    layers: Vec<(Vec<f32>, Vec<f32>)>,
}

impl ByHand {
    fn new() -> Self {
        let file = std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/models/fashion-mnist.safetensors"
        ));
        let file = file.expect("the bundled model");
        let tensors = safetensors::SafeTensors::deserialize(&file).expect("tensors");
        let values = |view: &safetensors::tensor::TensorView<'_>| -> Vec<f32> {
            let words = view.data().chunks_exact(4);
            words
                .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                .collect()
        };
        // Kernels [inputs, outputs] and biases [outputs], in the order of the sizes of 784-128-10.
        let find = |shape: &[usize]| {
            let found = tensors.tensors().into_iter();
            let found = found
                .map(|(_, view)| view)
                .find(|view| view.shape() == shape);
            values(&found.unwrap_or_else(|| panic!("a tensor of {shape:?}")))
        };
        Self {
            layers: [(784, 128), (128, 10)]
                .map(|(inputs, outputs)| (find(&[inputs, outputs]), find(&[outputs])))
                .into(),
        }
    }

    fn logits(&self, levels: &[f32]) -> Vec<f32> {
        let mut x: Vec<f64> = levels
            .iter()
            .map(|&level| f64::from(level) / 255.0)
            .collect();
        for (number, (kernel, bias)) in self.layers.iter().enumerate() {
            let mut sums: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
            for (row, value) in kernel.chunks_exact(bias.len()).zip(&x) {
                for (sum, &weight) in sums.iter_mut().zip(row) {
                    *sum += f64::from(weight) * value;
                }
            }
            if number == 0 {
                sums.iter_mut().for_each(|sum| *sum = sum.max(0.0));
            }
            x = sums;
        }
        x.into_iter().map(|sum| sum as f32).collect()
    }

    fn all(&self, inputs: &Inputs) -> Vec<f32> {
        inputs.iter().flat_map(|image| self.logits(image)).collect()
    }
}

fn images(items: &[usize]) -> Vec<Image> {
    let set = fashion_mnist();
    let images = items.iter().map(|&item| set.image(item));
    images.collect::<Result<_, _>>().expect("held in memory")
}

fn jobs(images: &[Image]) -> Vec<GridJob<'_>> {
    images
        .chunks(3)
        .map(|three| GridJob::new([&three[0], &three[1], &three[2]]))
        .collect()
}

fn compute(
    engine: &dyn Engine,
    model: &dyn Classifier,
    mode: MorphMode,
    frames: Frames,
    images: &[Image],
) -> Result<Vec<Landscape>, PipelineError> {
    let settings = MorphSettings::new(STEPS, 3, mode);
    compute_landscapes(engine, model, &settings, &jobs(images), frames, &go_on)
}

#[test]
fn a_closure_gives_the_landscapes_of_the_file_that_it_copies() {
    let by_hand = ByHand::new();
    let images = images(&[9, 2, 1, 0, 3, 16, 5, 8, 11]);
    let file = bundled_fashion_mnist();
    for engine in engines() {
        for mode in [CLEAN, MorphMode::Published, MorphMode::CrossFade] {
            for frames in [Frames::Drop, Frames::Keep] {
                let closure = Function::new(spec(100), |inputs: Inputs| {
                    Ok::<_, HostError>(by_hand.all(&inputs))
                });
                let closure = closure.expect("a good description");
                let of = |model: &dyn Classifier| {
                    compute(engine.as_ref(), model, mode, frames, &images).expect("landscapes")
                };
                let (found, expected) = (of(&closure), of(&file));
                assert_eq!(found.len(), expected.len());
                for (n, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let name = format!("{} {mode:?}, landscape {n}", engine.info().adapter);
                    let tolerance = Tolerance {
                        abs: 1e-5,
                        rel: 1e-5,
                    };
                    let whole = |landscape: &Landscape, values: &[f32]| -> Vec<f32> {
                        (0..landscape.num_frames())
                            .filter(|&k| !landscape.is_failed(k))
                            .flat_map(|k| values[10 * k..10 * (k + 1)].to_vec())
                            .collect()
                    };
                    for (found_values, expected_values) in [
                        (&found.probabilities, &expected.probabilities),
                        (&found.logits, &expected.logits),
                    ] {
                        assert_close(
                            &name,
                            &whole(found, found_values),
                            &whole(expected, expected_values),
                            tolerance,
                        );
                    }
                    for k in 0..found.num_frames() {
                        assert_eq!(found.label(k), expected.label(k), "{name}, frame {k}");
                    }
                    assert_eq!(found.morph, expected.morph, "{name}");
                    assert!(mode == MorphMode::Published || found.is_whole(), "{name}");
                    // Bits, as a failed frame is NaN.
                    let bits = |inputs: &Option<Vec<f32>>| {
                        let inputs = inputs.as_ref()?.iter();
                        Some(inputs.map(|value| value.to_bits()).collect::<Vec<_>>())
                    };
                    assert!(bits(&found.inputs) == bits(&expected.inputs), "{name}");
                    assert_eq!(found.inputs.is_some(), frames == Frames::Keep);
                }
            }
        }
    }
}

/// Models of every kind that are asked together answer as each does alone, whichever comes first;
/// the frames of the first are kept where that is wanted.
#[test]
fn models_that_are_asked_together_answer_as_alone() {
    let by_hand = ByHand::new();
    let images = images(&[9, 2, 1, 0, 3, 16]);
    let file = bundled_fashion_mnist();
    let cnn = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/fashion-mnist-cnn.safetensors"
    );
    let cnn = read_model(cnn.as_ref(), &ModelOptions::default()).expect("a model");
    let closure = |size| {
        let closure = Function::new(spec(size), |inputs: Inputs| {
            Ok::<_, HostError>(by_hand.all(&inputs))
        });
        closure.expect("a good description")
    };
    let (one, other) = (closure(100), closure(7));
    let orders: [&[&dyn Classifier]; 4] = [
        &[&file, &cnn, &file],
        &[&cnn, &one, &file],
        &[&one, &file, &other, &cnn],
        &[&other, &one],
    ];
    for engine in engines() {
        for mode in [CLEAN, MorphMode::Published] {
            for (frames, models) in [Frames::Drop, Frames::Keep]
                .into_iter()
                .flat_map(|frames| orders.map(|models| (frames, models)))
            {
                let settings = MorphSettings::new(STEPS, 3, mode);
                let jobs = jobs(&images);
                let engine = engine.as_ref();
                let done = AtomicUsize::new(0);
                let progress = |points| {
                    done.fetch_add(points, Ordering::Relaxed);
                    ControlFlow::Continue(())
                };
                let together =
                    compute_landscapes_of(engine, models, &settings, &jobs, frames, &progress)
                        .expect("landscapes");
                assert_eq!(together.len(), models.len());
                let points = models.len() * jobs.len() * STEPS * STEPS;
                assert_eq!(done.into_inner(), points, "each frame once a model");
                for (n, (found, &model)) in together.iter().zip(models).enumerate() {
                    let kept = if n == 0 { frames } else { Frames::Drop };
                    let alone = compute(engine, model, mode, kept, &images).expect("landscapes");
                    let bits = |landscapes: &[Landscape]| -> Vec<u32> {
                        (landscapes.iter())
                            .flat_map(|one| [&one.logits, &one.probabilities])
                            .chain(landscapes.iter().filter_map(|one| one.inputs.as_ref()))
                            .flatten()
                            .map(|value| value.to_bits())
                            .collect()
                    };
                    let name = format!("{} {mode:?} {frames:?}, model {n}", engine.info().adapter);
                    assert!(bits(found) == bits(&alone), "{name}");
                    for (found, alone) in found.iter().zip(&alone) {
                        assert_eq!(found.morph, alone.morph, "{name}");
                        assert_eq!(found.inputs.is_some(), alone.inputs.is_some(), "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_closure_gives_the_landscapes_of_rows() {
    let table = iris();
    let file = bundled_table_model("iris").expect("a bundled model");
    let rows = [[0, 50, 100], [3, 70, 120], [49, 99, 149]];
    let jobs = rows.map(|items| {
        let [a, b, c] = items.map(|item| table.row(item));
        RowJob { a, b, c }
    });
    let inner = CpuEngine::new();
    let spec = FunctionSpec {
        num_classes: 3,
        input_shape: None,
        answers: AnswerKind::Probabilities,
        batch_size: 50,
    };
    // A function that uses this library itself while its own landscapes are made.
    let closure = Function::new(spec, |inputs: Inputs| {
        let rows: Vec<&[f32]> = inputs.iter().collect();
        classify(&inner, &file, &rows).map(|answers| answers.probabilities)
    });
    let closure = closure.expect("a good description");
    for engine in engines() {
        let of = |model: &dyn Classifier| {
            interpolate_rows(engine.as_ref(), model, 11, &jobs, &go_on).expect("landscapes")
        };
        for (found, expected) in of(&closure).iter().zip(&of(&file)) {
            let tolerance = Tolerance {
                abs: 1e-5,
                rel: 0.0,
            };
            assert_close(
                "probabilities",
                &found.probabilities,
                &expected.probabilities,
                tolerance,
            );
            assert_eq!(found.inputs, expected.inputs);
        }
    }
}

/// What a function has seen.
#[derive(Default)]
struct Seen {
    threads: RefCell<Vec<ThreadId>>,
    batches: RefCell<Vec<usize>>,
}

impl Seen {
    fn zeros(&self, inputs: &Inputs) -> Vec<f32> {
        assert_eq!(inputs.values.len(), inputs.rows * 28 * 28);
        assert_eq!(inputs.iter().len(), inputs.rows);
        self.threads.borrow_mut().push(thread::current().id());
        self.batches.borrow_mut().push(inputs.rows);
        vec![0.0; 10 * inputs.rows]
    }
}

#[test]
fn batches_have_the_size_that_is_named_and_come_from_one_thread() {
    let images = images(&[9, 2, 1, 0, 3, 16, 5, 8, 11]);
    for engine in engines() {
        for size in [1, 7, 100, 1 << 20] {
            let seen = Seen::default();
            let function = Function::new(spec(size), |inputs: Inputs| {
                Ok::<_, HostError>(seen.zeros(&inputs))
            });
            let settings = MorphSettings::new(STEPS, 3, CLEAN);
            let function = function.expect("a good description");
            let finished = AtomicUsize::new(0);
            let progress = |frames| {
                finished.fetch_add(frames, Ordering::Relaxed);
                ControlFlow::Continue(())
            };
            let jobs = jobs(&images);
            let landscapes = compute_landscapes(
                engine.as_ref(),
                &function,
                &settings,
                &jobs,
                Frames::Drop,
                &progress,
            );
            assert_eq!(landscapes.expect("landscapes").len(), 3);
            assert_eq!(finished.into_inner(), 3 * STEPS * STEPS, "progress");
            let batches = seen.batches.borrow();
            let (last, full) = batches.split_last().expect("it was called");
            assert!(full.iter().all(|&rows| rows == size), "{size}: {batches:?}");
            assert!(*last <= size);
            // Of the last column's points, which are one image, a batch asks once.
            let asked: usize = batches.iter().sum();
            let inner = STEPS * (STEPS - 1);
            assert!(
                asked >= 3 * (inner + 1) && asked < 3 * STEPS * STEPS,
                "{asked}"
            );
            let here = thread::current().id();
            assert!(seen.threads.borrow().iter().all(|&thread| thread == here));
        }
    }
}

/// An error of the function's own.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no luck after {0} calls")]
struct NoLuck(usize);

#[test]
fn an_error_of_the_function_passes_unchanged() {
    let images = images(&[9, 2, 1, 0, 3, 16, 5, 8, 11]);
    let calls = Cell::new(0);
    let function = Function::new(spec(40), |inputs: Inputs| {
        calls.set(calls.get() + 1);
        match calls.get() {
            3 => Err(NoLuck(3)),
            _ => Ok(vec![0.0; 10 * inputs.rows]),
        }
    });
    let function = function.expect("a good description");
    let error = compute(&CpuEngine::new(), &function, CLEAN, Frames::Drop, &images)
        .expect_err("the third call fails");
    let text = error.to_string();
    let PipelineError::Network { from, to, source } = error else {
        panic!("{error:?}");
    };
    // The second landscape has begun: a landscape of 9 x 9 points has 73 inputs.
    assert!(
        matches!(from, InputPlace::Point { landscape: 1, .. }),
        "{text}"
    );
    assert!(
        matches!(to, InputPlace::Point { landscape: 1, .. }),
        "{text}"
    );
    assert!(
        text.starts_with("the model failed when it was asked for point "),
        "{text}"
    );
    assert_eq!(source.downcast_ref::<NoLuck>(), Some(&NoLuck(3)));
    assert_eq!(calls.get(), 3, "no call after an error");
}

#[test]
fn answers_that_cannot_be_used_are_errors() {
    let images = images(&[9, 2, 1]);
    let say = |answers: AnswerKind, answer: &dyn Fn(&Inputs) -> Vec<f32>| {
        let spec = FunctionSpec {
            answers,
            ..spec(16)
        };
        let function = Function::new(spec, |inputs: Inputs| Ok::<_, HostError>(answer(&inputs)));
        let function = function.expect("a good description");
        let rows: Vec<&[f32]> = images.iter().map(|image| &image.levels[..]).collect();
        let alone = classify(&CpuEngine::new(), &function, &rows);
        let grid = compute(&CpuEngine::new(), &function, CLEAN, Frames::Drop, &images);
        let [alone, grid] = [alone.map(drop), grid.map(drop)];
        [alone, grid].map(|result| result.expect_err("it is refused").to_string())
    };
    let shape = say(AnswerKind::Logits, &|inputs| vec![0.0; 9 * inputs.rows]);
    assert_eq!(
        shape[0],
        "the model was asked for 3 input(s): expected 3 x 10 answers, found 27"
    );
    assert!(shape[1].contains("expected 16 x 10 answers, found 144"));

    let nan = say(AnswerKind::Logits, &|inputs| {
        let mut answers = vec![0.0; 10 * inputs.rows];
        answers[27] = f32::NAN;
        answers
    });
    assert_eq!(
        nan[0],
        "the model answers input 2 with NaN for class 7; expected finite numbers"
    );
    assert!(
        nan[1].starts_with("the model answers point ")
            && nan[1].contains(" of landscape 0 with NaN"),
        "{}",
        nan[1]
    );

    let logits = say(AnswerKind::Probabilities, &|inputs| {
        (0..10 * inputs.rows).map(|n| n as f32).collect()
    });
    assert!(
        logits[0].contains("input 0") && logits[0].ends_with("does it answer logits?"),
        "{}",
        logits[0]
    );
    let negative = say(AnswerKind::Probabilities, &|inputs| {
        [1.5, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].repeat(inputs.rows)
    });
    assert!(negative[1].contains("none negative"), "{}", negative[1]);
}

#[test]
fn probabilities_become_their_logarithms() {
    let spec = FunctionSpec {
        num_classes: 3,
        input_shape: Some(vec![1]),
        answers: AnswerKind::Probabilities,
        batch_size: 2,
    };
    let sure = Function::new(spec, |inputs: Inputs| {
        Ok::<_, HostError>([0.25, 0.75, 0.0].repeat(inputs.rows))
    });
    let sure = sure.expect("a good description");
    let answers = classify(&CpuEngine::new(), &sure, &[&[0.0], &[1.0], &[2.0]]).expect("answers");
    let tolerance = Tolerance {
        abs: 1e-6,
        rel: 1e-6,
    };
    let expected = [0.25, 0.75, 0.0].repeat(3);
    assert_close(
        "probabilities",
        &answers.probabilities,
        &expected,
        tolerance,
    );
    let logits = [0.25f32.ln(), 0.75f32.ln(), 1e-38f32.ln()].repeat(3);
    assert_close("logits", &answers.logits, &logits, tolerance);
}

#[test]
fn a_function_within_a_model_is_one() {
    let by_hand = ByHand::new();
    let function = Function::new(spec(64), move |inputs: Inputs| {
        Ok::<_, HostError>(by_hand.all(&inputs))
    });
    let function: Arc<dyn HostNetwork + Send + Sync> =
        Arc::new(function.expect("a good description"));
    let names = |count: usize| Some((0..count).map(|n| n.to_string()).collect());
    let model = Model::from_host(function.clone(), names(10), "by hand, 1").expect("a model");
    assert!(model.runs_on_host());
    assert_eq!(model.sha256(), "by hand, 1");
    assert_eq!(model.input_shape(), Some(&[28, 28][..]));
    assert_eq!(model.network().to_string(), "a function of the program");
    assert!(model.check_image_shape([28, 28, 3]).is_err());
    let image = &images(&[9])[0];
    let file = bundled_fashion_mnist();
    let [found, expected] = [&model, &file].map(|model| {
        let answers = classify(&CpuEngine::new(), model, &[&image.levels]);
        argmax(&answers.expect("answers").logits)
    });
    assert_eq!(found, expected);
    let refused = Model::from_host(function, names(9), "by hand, 1");
    assert!(matches!(
        refused,
        Err(ModelError::ClassNames { outputs: 10, found }) if found.len() == 9
    ));
}

#[test]
fn a_description_that_makes_no_sense_is_refused() {
    let refused = |spec: FunctionSpec| {
        let function = Function::new(spec, |_: Inputs| Ok::<Vec<f32>, HostError>(Vec::new()));
        function.expect_err("no sense").to_string()
    };
    assert!(refused(spec(0)).contains("batch size: expected at least 1, found 0"));
    let one = FunctionSpec {
        num_classes: 1,
        ..spec(1)
    };
    assert!(refused(one).contains("two or more classes"));
    let empty = FunctionSpec {
        input_shape: Some(vec![28, 0]),
        ..spec(1)
    };
    assert!(refused(empty).contains("input shape"));
}

/// On the threads of the pool, whose work the slots wait for; every one of them at once.
#[test]
fn callers_on_all_threads_of_the_pool_do_not_block_it() {
    let images = images(&[9, 2, 1]);
    let results = rayon::broadcast(|_| {
        let function = Function::new(spec(50), |inputs: Inputs| {
            Ok::<_, HostError>(vec![0.0; 10 * inputs.rows])
        });
        let function = function.expect("a good description");
        let landscapes = compute(&CpuEngine::new(), &function, CLEAN, Frames::Drop, &images);
        landscapes.map(|landscapes| landscapes.len())
    });
    assert!(results.into_iter().all(|count| count.is_ok_and(|n| n == 1)));
}

#[test]
fn a_job_can_be_stopped_while_the_function_is_asked() {
    let images = images(&[9, 2, 1, 0, 3, 16]);
    let calls = Cell::new(0);
    let function = Function::new(spec(10), |inputs: Inputs| {
        calls.set(calls.get() + 1);
        Ok::<_, HostError>(vec![0.0; 10 * inputs.rows])
    });
    let function = function.expect("a good description");
    let settings = MorphSettings::new(STEPS, 3, CLEAN);
    let stop = |frames| match frames {
        0 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let stopped = compute_landscapes(
        &CpuEngine::new(),
        &function,
        &settings,
        &jobs(&images),
        Frames::Drop,
        &stop,
    );
    assert!(matches!(stopped, Err(PipelineError::Interrupted)));
    assert_eq!(calls.get(), 1);
}

#[test]
fn the_example_runs() {
    closure::main().expect("it prints a landscape");
}
