//! The landscape of a closure: any function may stand where a trained network does.
//!
//!     cargo run --example closure
//!
//! The closure here is the nearest-mean classifier: a class is as likely as its mean image is near.
//! Its means are captured, nothing is trained, and the pipeline does with it what it does with a
//! network from a file.

use morphscape::data::fashion_mnist;
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::model::{AnswerKind, Function, FunctionSpec, Inputs};
use morphscape::pipeline::{Frames, GridJob, MorphMode, MorphSettings, compute_landscapes};
use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::ops::ControlFlow;

/// Images of the test set that the means are taken of.
const LEARNED: usize = 2000;
/// One unit of a logit, in squared grey levels summed over an image.
const UNIT: f32 = 2e5;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let set = fashion_mnist();
    let classes = set.classes().len();
    let mut means = vec![vec![0.0f32; 28 * 28]; classes];
    let mut counts = vec![0.0f32; classes];
    for item in 0..LEARNED {
        let image = set.image(item)?;
        counts[set.label(item)] += 1.0;
        for (sum, level) in means[set.label(item)].iter_mut().zip(&image.levels) {
            *sum += level;
        }
    }
    for (mean, count) in means.iter_mut().zip(counts) {
        mean.iter_mut().for_each(|sum| *sum /= count);
    }

    // What the pipeline has to know of the function; it finds nothing out by itself.
    let spec = FunctionSpec {
        num_classes: classes,
        input_shape: Some(vec![28, 28]),
        answers: AnswerKind::Logits,
        batch_size: 256,
    };
    // The calls all come from this thread, so a plain counter will do.
    let calls = Cell::new(0);
    let nearest_mean = Function::new(spec, |inputs: Inputs| {
        calls.set(calls.get() + 1);
        let logits = inputs.iter().flat_map(|image| {
            means.iter().map(move |mean| {
                let squares = image.iter().zip(mean).map(|(x, m)| (x - m) * (x - m));
                -squares.sum::<f32>() / UNIT
            })
        });
        Ok::<_, Infallible>(logits.collect())
    })?;

    let [a, b, c] = [9, 2, 1].map(|item| set.image(item).expect("held in memory"));
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Cubic));
    let landscape = compute_landscapes(
        &CpuEngine::new(),
        &nearest_mean,
        &settings,
        &[GridJob::new([&a, &b, &c])],
        Frames::Drop,
        &|_frames| ControlFlow::Continue(()),
    )?
    .remove(0);

    // One digit a point: the class that it is taken for. Rows mix A and B, columns go into C.
    for row in 0..landscape.steps {
        let labels = (0..landscape.steps).map(|column| {
            let label = landscape.label(row * landscape.steps + column);
            label.map_or("-".to_owned(), |label| label.to_string())
        });
        println!("{}", labels.collect::<String>());
    }
    println!(
        "{} points, asked for in {} calls",
        landscape.num_frames(),
        calls.get()
    );
    Ok(())
}
