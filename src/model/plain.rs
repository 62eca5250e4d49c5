//! Layers from a file that holds only weights: `NAME.kernel` `[in, out]` and `NAME.bias`
//! `[out]`, with `input.mean` and `input.std` for standardised inputs.

use super::file::TensorSource;
use super::layer::{Layer, Op};
use super::{ModelError, PlainOptions};
use crate::kernels::Activation;

/// The dense layers of a plain file in the order of the numbers in their names
/// (`dense_2` before `dense_10`), the activation of `options` between them.
pub(super) fn layers(
    options: PlainOptions,
    tensors: &mut TensorSource<'_>,
) -> Result<Vec<Layer>, ModelError> {
    let mut names: Vec<String> = tensors
        .names()
        .iter()
        .filter_map(|name| name.strip_suffix(".kernel").map(str::to_owned))
        .collect();
    names.sort_by_key(|name| (number_in(name), name.clone()));
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
    if tensors.names().contains("input.mean") || tensors.names().contains("input.std") {
        let (shape, mean) = tensors.take("input.mean", &[None])?;
        let (_, std) = tensors.take("input.std", &[Some(shape[0])])?;
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
        push("input", "Affine", Op::Affine { scale, offset }, parameters);
    }
    if let Some(scale) = options.scale {
        let affine = Op::Affine {
            scale: vec![scale],
            offset: vec![0.0],
        };
        push("--scale", "Affine", affine, 0);
    }
    let last = names.len().saturating_sub(1);
    for (i, name) in names.into_iter().enumerate() {
        let activation = match options.activation {
            _ if i == last => Activation::Linear,
            Some(activation) => activation,
            None => return Err(ModelError::ActivationNeeded),
        };
        let (shape, kernel) = tensors.take(&format!("{name}.kernel"), &[None, None])?;
        let (_, bias) = tensors.take(&format!("{name}.bias"), &[Some(shape[1])])?;
        let parameters = kernel.len() + bias.len();
        let dense = Op::Dense {
            inputs: shape[0],
            kernel,
            bias,
        };
        push(&name, "Dense", dense, parameters);
        push(&name, "Dense", Op::Activation(activation), 0);
    }
    Ok(layers)
}

fn number_in(name: &str) -> u64 {
    let digits: String = name
        .chars()
        .rev()
        .take_while(char::is_ascii_digit)
        .collect();
    digits
        .chars()
        .rev()
        .collect::<String>()
        .parse()
        .unwrap_or(0)
}
