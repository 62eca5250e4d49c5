//! From the layers of a file to the steps of a model.
//!
//! ```text
//! layers ─ lower.rs: shapes ─> drafts ─ passes.rs: fold, fuse ─> drafts ─ draft.rs: leave out what was absorbed ─> steps
//! ```
//!
//! Layers are taken in order, each once. Reshapes and a softmax at the end leave no step.

use super::draft::{Draft, Drafts, What, steps};
use super::error::wrong_input;
use super::fold::{Affine, Kind, Linear};
use super::functions::name_of;
use super::layer::{Layer, Op, input_scaling};
use super::lower::Lowering;
use super::output::{End, Finish, Link, Output};
use super::passes;
use super::scaling::InputScaling;
use super::shapes::{check_order, order, shape_from_dense};
use super::sizes::count;
use super::{LayerSummary, ModelError, Step};
use crate::kernels::Activation;

/// What is made of layers.
pub(super) struct Assembled {
    pub(super) steps: Vec<Step>,
    pub(super) layers: Vec<LayerSummary>,
    pub(super) input_shape: Vec<usize>,
    pub(super) scaling: InputScaling,
    pub(super) link: Link,
    pub(super) notes: Vec<String>,
    /// The layer of sigmoids at the end, where logits are what stands before it.
    pub(super) sigmoids: Option<usize>,
}

/// Follows shapes through `layers`, folds and fuses, and checks all of it.
pub(super) fn assemble(
    mut layers: Vec<Layer>,
    input_shape: Option<Vec<usize>>,
    output: Option<Output>,
) -> Result<Assembled, ModelError> {
    let classifies = |op: &Op| match op {
        Op::Dense { .. } | Op::Conv { .. } => true,
        Op::Kernel(kernel) => kernel.classifies(),
        _ => false,
    };
    if !layers.iter().any(|layer| classifies(&layer.op)) {
        return Err(ModelError::NoLayers);
    }
    let input_shape = match input_shape {
        Some(shape) => shape,
        None => shape_from_dense(&layers)?,
    };
    check_order(&layers)?;
    let scaling = input_scaling(&layers);
    let mut lowering = Lowering::new(input_shape.clone())?;
    let no_softmax = |layer: &&Layer| !matches!(layer.op, Op::Softmax);
    let mut behind_softmax = layers.iter().skip_while(no_softmax).skip(1);
    if let Some(layer) = behind_softmax.find(|layer| !layer.op.is_shape()) {
        return Err(order(&layer.name, "a softmax must be the last layer"));
    }
    let (end, at) = end(&layers);
    // Logits are what stands before the sigmoids.
    let sigmoids = (end == End::Sigmoid && output != Some(Output::Logits)).then_some(at);
    if let Some(at) = sigmoids {
        layers[at].op = Op::Activation(Activation::Linear);
    }
    let mut summaries: Vec<LayerSummary> = Vec::with_capacity(layers.len());
    for layer in layers {
        let (name, class, parameters) = (layer.name.clone(), layer.class.clone(), layer.parameters);
        lowering.add(layer)?;
        let shape = lowering.shape().to_vec();
        match summaries.last_mut() {
            // A layer of the file that readers made two of, e.g. a dense one and its activation.
            Some(before) if before.name == name => {
                before.shape = shape;
                before.parameters += parameters;
            }
            _ => summaries.push(LayerSummary {
                name,
                class,
                shape,
                parameters,
            }),
        }
    }
    let last = summaries.len() - 1;
    let shape = lowering.shape();
    let values: usize = shape.iter().product();
    if shape.last() != Some(&values) {
        let expected = "one value a class at the model's end".into();
        return Err(wrong_input(&summaries[last].name, expected, shape));
    }
    let (finish, note) = Finish::of(end, values, output, &name_of)?;
    let mut drafts = lowering.finish();
    passes::run(&mut drafts)?;
    let link = answer(&mut drafts, finish, values);
    check_total(&input_shape, &drafts)?;
    Ok(Assembled {
        scaling,
        steps: steps(drafts.drafts),
        layers: summaries,
        input_shape,
        link,
        notes: note.into_iter().collect(),
        sigmoids,
    })
}

/// What the layers end in, and the layer that says so.
fn end(layers: &[Layer]) -> (End, usize) {
    let mut at = layers.len() - 1;
    while (layers[at].op.is_shape() || matches!(layers[at].op, Op::Activation(Activation::Linear)))
        && let Some(before) = layers[at].takes[0].checked_sub(1)
    {
        at = before;
    }
    let end = match layers[at].op {
        Op::Softmax => End::Softmax,
        Op::Kernel(ref kernel) if kernel.gives_probabilities() => End::Probabilities,
        Op::Activation(Activation::Sigmoid) => End::Sigmoid,
        Op::Activation(Activation::HardSigmoid) => End::SigmoidLike("hard_sigmoid"),
        Op::Activation(activation) => End::Function(activation),
        _ => End::Open,
    };
    (end, at)
}

/// Makes logits of the last values, and two classes of one.
fn answer(drafts: &mut Drafts, finish: Finish, values: usize) -> Link {
    let two = |first: f32, offset: f32| {
        What::Linear(Linear {
            kind: Kind::Dense,
            inputs: 1,
            kernel: vec![first, 1.0],
            bias: vec![offset, 0.0],
        })
    };
    let mut add = |what: What, values: usize, activation: Activation| {
        let mut draft = Draft::new("the classes".to_owned(), vec![drafts.end], what, &[values]);
        draft.activation = activation;
        drafts.drafts.push(draft);
        drafts.end = drafts.drafts.len();
    };
    match (finish, values) {
        // softmax([0, z]) = [1 - sigmoid(z), sigmoid(z)]
        (Finish::Logits | Finish::Sigmoids, 1) => {
            add(two(0.0, 0.0), 2, Activation::Linear);
            Link::Softmax
        }
        (Finish::Logits, _) => Link::Softmax,
        (Finish::Sigmoids, _) => Link::Sigmoid,
        (Finish::Probabilities, 1) => {
            add(two(-1.0, 1.0), 2, Activation::Log);
            Link::Exponential
        }
        (Finish::Probabilities, _) => {
            let what = What::Elementwise(Affine::identity(), values);
            add(what, values, Activation::Log);
            Link::Exponential
        }
    }
}

/// Refuses drafts that give too many values together.
fn check_total(input_shape: &[usize], drafts: &Drafts) -> Result<(), ModelError> {
    let mut total = count("the input", input_shape, 0)?;
    for draft in &drafts.drafts {
        if !matches!(draft.what, What::Absorbed) {
            let name = draft.layers.last().map_or("", String::as_str);
            total = count(name, &draft.shape, total)?;
        }
    }
    Ok(())
}
