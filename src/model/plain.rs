//! Layers from a file that holds only the weights of dense layers: Keras's `NAME.kernel`
//! `[in, out]` or PyTorch's `NAME.weight` `[out, in]`, with `NAME.bias` `[out]`, and `input.mean`
//! and `input.std` for standardised inputs.
//!
//! Tensors have no order in a `.safetensors` file. It is told by the numbers in the names, where
//! the names are alike but for those (`dense_0`, `dense_1`; `0`, `2`; `net.0`, `net.2`), else by
//! the shapes, where they fit each other in one way only, else by the user; and it is said
//! which it was. Guessing further, by words such as `hidden` and `out`, was rejected.

use super::ModelError;
use super::functions::name_of;
use super::keras::Description;
use super::layer::{Layer, Op, STATED_SCALING};
use super::options::{Layout, ModelOptions};
use super::weights::{LayerId, Variable, Weights};
use crate::kernels::Activation;

/// The matrix of a layer as the file has it.
struct Matrix {
    name: String,
    inputs: usize,
    outputs: usize,
    role: Role,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// `[in, out]`
    Kernel,
    /// `[out, in]`
    Weight,
}

impl Role {
    fn variable(self) -> Variable {
        let roles: &[&str] = match self {
            Self::Kernel => &["kernel"],
            Self::Weight => &["weight"],
        };
        Variable { roles, position: 0 }
    }
}

/// The dense layers of a plain file, the activation of `options` between them.
pub(super) fn describe(
    options: &ModelOptions,
    mut weights: Weights<'_>,
) -> Result<Description, ModelError> {
    let matrices = matrices(&weights)?;
    // PyTorch flattens images channel by channel.
    let layout = match matrices.iter().any(|matrix| matrix.role == Role::Weight) {
        true => Layout::ChannelsFirst,
        false => Layout::ChannelsLast,
    };
    if matrices.len() > 1 && options.activation.is_none() {
        return Err(ModelError::ActivationNeeded);
    }
    let matrices = in_order(matrices, &options.layers)?;
    let mut layers = Vec::new();
    let mut push = |name: &str, class: &str, op, parameters| {
        layers.push(Layer {
            name: name.to_owned(),
            class: class.to_owned(),
            takes: vec![layers.len()],
            op,
            parameters,
        });
    };
    if let Some((affine, parameters)) = standardisation(&mut weights)? {
        push("input", STATED_SCALING, affine, parameters);
    }
    let last = matrices.len().saturating_sub(1);
    let mut said = Vec::new();
    for (i, matrix) in matrices.into_iter().enumerate() {
        let between = options.activation.filter(|_| i != last);
        let activation = between.unwrap_or(Activation::Linear);
        let Matrix {
            name,
            inputs,
            outputs,
            role,
        } = matrix;
        let mut text = format!("{name} {inputs}-{outputs}");
        if i != last {
            text = format!("{text} {}", name_of(activation));
        }
        let id = LayerId::named(&name);
        let kernel = weights.take(&id, role.variable(), &[None, None])?.1;
        let kernel = match role {
            Role::Kernel => kernel,
            Role::Weight => transposed(&kernel, inputs),
        };
        let bias = Variable {
            roles: &["bias"],
            position: 1,
        };
        let mut parameters = kernel.len();
        let bias = if weights.has(&id, bias) {
            parameters += outputs;
            weights.take(&id, bias, &[Some(outputs)])?.1
        } else {
            text += " without bias";
            vec![0.0; outputs]
        };
        said.push(text);
        let dense = Op::Dense {
            inputs,
            kernel,
            bias,
        };
        push(&name, "Dense", dense, parameters);
        push(&name, "Dense", Op::Activation(activation), 0);
    }
    weights.finish("NAME.kernel or NAME.weight, and NAME.bias, of dense layers")?;
    Ok(Description {
        layers,
        input_shape: None,
        layout,
        notes: vec![format!("layers {}", said.join(", "))],
        outputs: Vec::new(),
    })
}

/// `(x - mean) / std` as a scaling, and how many values the file holds for it.
fn standardisation(weights: &mut Weights<'_>) -> Result<Option<(Op, usize)>, ModelError> {
    let id = LayerId::named("input");
    let [mean, std] = [&["mean"], &["std"]].map(|roles| Variable { roles, position: 0 });
    if !weights.has(&id, mean) && !weights.has(&id, std) {
        return Ok(None);
    }
    let (shape, mean) = weights.take(&id, mean, &[None])?;
    let (_, std) = weights.take(&id, std, &[Some(shape[0])])?;
    if let Some(index) = std.iter().position(|&std| std <= 0.0) {
        return Err(ModelError::Config {
            place: format!("tensor \"input.std\", value {index}"),
            expected: "a standard deviation above 0".into(),
            found: std[index].to_string(),
        });
    }
    let scale: Vec<f64> = std.iter().map(|&std| 1.0 / f64::from(std)).collect();
    let offset = mean
        .iter()
        .zip(&scale)
        .map(|(&mean, scale)| -f64::from(mean) * scale)
        .collect();
    let parameters = mean.len() + std.len();
    Ok(Some((Op::Affine { scale, offset }, parameters)))
}

/// The matrices of the file, by name.
fn matrices(weights: &Weights<'_>) -> Result<Vec<Matrix>, ModelError> {
    let mut matrices = Vec::new();
    for role in [Role::Kernel, Role::Weight] {
        let suffix = role.variable().roles[0];
        for (name, shape) in weights.with_role(suffix) {
            let [inputs, outputs] = match (&shape[..], role) {
                (&[inputs, outputs], Role::Kernel) => [inputs, outputs],
                (&[outputs, inputs], Role::Weight) => [inputs, outputs],
                _ => {
                    let layer = match shape.len() {
                        1 => "a normalisation layer",
                        4 => "a convolution",
                        _ => "no dense layer",
                    };
                    return Err(ModelError::NotDense {
                        name: format!("{name}.{suffix}"),
                        layer,
                        found: shape,
                    });
                }
            };
            matrices.push(Matrix {
                name,
                inputs,
                outputs,
                role,
            });
        }
    }
    Ok(matrices)
}

/// The matrices from input to output: as `order` says, or as names or shapes do.
fn in_order(mut matrices: Vec<Matrix>, order: &[String]) -> Result<Vec<Matrix>, ModelError> {
    let unclear = |matrices: &[Matrix]| {
        let listed = matrices.iter().take(20);
        let listed: Vec<String> = listed
            .map(|matrix| format!("{} {}-{}", matrix.name, matrix.inputs, matrix.outputs))
            .collect();
        ModelError::LayerOrder {
            found: listed.join(", "),
        }
    };
    let order: Vec<usize> = if !order.is_empty() {
        let place = |name: &String| matrices.iter().position(|matrix| matrix.name == *name);
        let order: Option<Vec<usize>> = order.iter().map(place).collect();
        let mut sorted = order.clone().unwrap_or_default();
        sorted.sort_unstable();
        let all = sorted.into_iter().eq(0..matrices.len());
        order.filter(|_| all).ok_or_else(|| unclear(&matrices))?
    } else if let Some(order) = by_number(&matrices) {
        order
    } else {
        by_shape(&matrices).ok_or_else(|| unclear(&matrices))?
    };
    let mut taken: Vec<Option<Matrix>> = matrices.drain(..).map(Some).collect();
    Ok(order.into_iter().filter_map(|i| taken[i].take()).collect())
}

/// The order of names that differ only in their numbers.
fn by_number(matrices: &[Matrix]) -> Option<Vec<usize>> {
    let mut keys = Vec::with_capacity(matrices.len());
    for (i, matrix) in matrices.iter().enumerate() {
        let (texts, mut numbers) = split_numbers(&matrix.name)?;
        let mut texts = texts;
        // Keras numbers the first of a class not at all: dense, dense_1.
        if numbers.is_empty() {
            texts += "_\0";
            numbers.push(0);
        }
        keys.push((numbers, texts, i));
    }
    keys.sort_unstable();
    let alike = keys
        .windows(2)
        .all(|pair| pair[0].1 == pair[1].1 && pair[0].0 != pair[1].0);
    alike.then(|| keys.into_iter().map(|(_, _, i)| i).collect())
}

/// A name with a mark in the place of each number, and the numbers.
fn split_numbers(name: &str) -> Option<(String, Vec<u64>)> {
    let (mut texts, mut numbers) = (String::new(), Vec::new());
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit());
        let end = end.unwrap_or(digits.len());
        texts += &rest[..start];
        texts.push('\0');
        numbers.push(digits[..end].parse().ok()?);
        rest = &digits[end..];
    }
    texts += rest;
    Some((texts, numbers))
}

/// The one order in which each matrix takes as many values as the one before gives; nothing
/// where there is none, more than one, or too many to tell.
fn by_shape(matrices: &[Matrix]) -> Option<Vec<usize>> {
    /// Depth-first; a search of more steps than this is given up.
    const MAX_STEPS: usize = 100_000;
    let mut found: Option<Vec<usize>> = None;
    let mut stack: Vec<Vec<usize>> = (0..matrices.len()).map(|first| vec![first]).collect();
    let mut steps = 0;
    while let Some(chain) = stack.pop() {
        steps += matrices.len();
        if steps > MAX_STEPS {
            return None;
        }
        if chain.len() == matrices.len() && found.replace(chain.clone()).is_some() {
            return None;
        }
        let outputs = matrices[*chain.last()?].outputs;
        let next = (0..matrices.len()).filter(|next| matrices[*next].inputs == outputs);
        for next in next.filter(|next| !chain.contains(next)) {
            stack.push([&chain[..], &[next]].concat());
        }
    }
    found
}

/// `[out, in]` as `[in, out]`.
fn transposed(weight: &[f32], inputs: usize) -> Vec<f32> {
    let columns = 0..inputs;
    columns
        .flat_map(|input| weight.iter().skip(input).step_by(inputs))
        .copied()
        .collect()
}
