//! Attention, and the operations of which users make their own: `ops.matmul`, `ops.transpose`,
//! `ops.reshape`, `ops.softmax`, `ops.mean`.

use super::graph::Node;
use super::layers::{Reader, Value, variable};
use super::options::{Options, numbers, short};
use crate::model::ModelError;
use crate::model::layer::{Arrangement, Op, Pooling};
use crate::model::one_kernel::{Product, Weighing};
use crate::model::weights::LayerId;
use std::sync::Arc;

/// Rank of `[tokens, channels]`.
const TOKENS: Option<usize> = Some(2);

impl Reader<'_> {
    /// A MultiHeadAttention of a query, a value and a key, which is the value where there is none.
    pub(super) fn attention(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        takes: &[Value],
    ) -> Result<Value, ModelError> {
        self.check_call(node)?;
        let (query, value, key) = match *takes {
            [query, value] => (query, value, value),
            [query, value, key] => (query, value, key),
            _ => {
                return Err(ModelError::Config {
                    place: format!("layer \"{}\", a MultiHeadAttention", node.id.name),
                    expected: "a query and a value, and maybe a key".into(),
                    found: format!("{} inputs", takes.len()),
                });
            }
        };
        for flag in ["use_gate", "flash_attention"] {
            options.only(flag, "false", |value| value == false)?;
        }
        options.only("sliding_window", "none", |_| false)?;
        options.only("attention_axes", "1, the axis of tokens", |axes| {
            numbers(axes).is_some_and(|axes| axes == [1.0])
        })?;
        if [query, value, key].iter().any(|value| value.rank != TOKENS) {
            return Err(ModelError::Config {
                place: format!("layer \"{}\", a MultiHeadAttention", node.id.name),
                expected: "values [batch, tokens, channels]".into(),
                found: "others".into(),
            });
        }
        let heads = options.size("num_heads")?;
        let key_dim = options.size("key_dim")?;
        let value_dim = match options.get("value_dim") {
            Some(_) => options.size("value_dim")?,
            None => key_dim,
        };
        let query = self.projected(
            node,
            options,
            query,
            ["query", "query_dense"],
            [heads, key_dim],
        )?;
        let key = self.projected(node, options, key, ["key", "key_dense"], [heads, key_dim])?;
        let value = self.projected(
            node,
            options,
            value,
            ["value", "value_dense"],
            [heads, value_dim],
        )?;
        let scale = 1.0 / (key_dim as f32).sqrt();
        let scores = Op::Kernel(Arc::new(Product::Scores { heads, scale }));
        self.push(node, vec![query.number, key.number], scores, 0);
        let scores = self.last(None);
        self.push(node, vec![scores.number], Op::Kernel(Arc::new(Weighing)), 0);
        let weights = self.last(None);
        let mixed = Op::Kernel(Arc::new(Product::Mixture));
        self.push(node, vec![weights.number, value.number], mixed, 0);
        let mixed = self.last(None);
        let joined = Op::Reshape(Some(vec![0, heads * value_dim]));
        self.push(node, vec![mixed.number], joined, 0);
        let joined = self.last(TOKENS);
        let id = inside(&node.id, ["attention_output", "output_dense"]);
        let shape = [Some(heads), Some(value_dim), None];
        let (shape, kernel) = self.weights.take(&id, variable(&["kernel"], 0), &shape)?;
        let channels = shape[2];
        options.only("output_shape", &format!("[{channels}]"), |shape| {
            numbers(shape).is_some_and(|shape| shape == [channels as f64])
        })?;
        let bias = self.bias(&id, options, 1, channels)?;
        self.dense_of(
            node,
            options,
            joined,
            [heads * value_dim, channels],
            [kernel, bias],
        )
    }

    /// Refuses what a call says beside its tensors: masks, scores beside the values.
    fn check_call(&self, node: &Node<'_>) -> Result<(), ModelError> {
        let options = node.call.options.into_iter().flatten();
        for (key, value) in options {
            let tensor = ["query", "value", "key"].contains(&key.as_str());
            if !(tensor || value.is_null() || value == false) {
                return Err(ModelError::Config {
                    place: format!("layer \"{}\", inbound_nodes", node.id.name),
                    expected: "no mask and no scores".into(),
                    found: format!("{key} = {}", short(value)),
                });
            }
        }
        Ok(())
    }

    /// A dense layer to the heads of an attention, side by side.
    fn projected(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
        names: [&str; 2],
        [heads, width]: [usize; 2],
    ) -> Result<Value, ModelError> {
        let id = inside(&node.id, names);
        let shape = [None, Some(heads), Some(width)];
        let (shape, kernel) = self.weights.take(&id, variable(&["kernel"], 0), &shape)?;
        let bias = match options.flag("use_bias", true)? {
            true => {
                let shape = [Some(heads), Some(width)];
                self.values(&id, variable(&["bias"], 1), &shape)?
            }
            false => vec![0.0; heads * width],
        };
        self.dense_of(
            node,
            options,
            from,
            [shape[0], heads * width],
            [kernel, bias],
        )
    }

    fn dense_of(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
        [inputs, outputs]: [usize; 2],
        [kernel, bias]: [Vec<f32>; 2],
    ) -> Result<Value, ModelError> {
        debug_assert_eq!(bias.len(), outputs);
        let biases = match options.flag("use_bias", true)? {
            true => outputs,
            false => 0,
        };
        let parameters = kernel.len() + biases;
        let op = Op::Dense {
            inputs,
            kernel,
            bias,
        };
        self.push(node, vec![from.number], op, parameters);
        Ok(self.last(TOKENS))
    }

    /// An operation of Keras 3 on tokens; nothing where it is another one.
    pub(super) fn operation_on_tokens(
        &mut self,
        node: &Node<'_>,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let options = Options {
            layer: &node.id.name,
            config: &node.entry["config"],
        };
        let module = node.entry["module"].as_str().unwrap_or_default();
        // Layers share these names; only operations have this module.
        if !module.contains(".ops.") {
            return Ok(None);
        }
        Ok(Some(match (node.class, takes) {
            ("Reshape", &[from]) => {
                let expected = "-1 for the batch, and whole numbers above 0";
                let wrong = || options.wrong("newshape", expected);
                let shape = options
                    .get("newshape")
                    .and_then(numbers)
                    .ok_or_else(wrong)?;
                let size = |&size: &f64| (1.0..1e9).contains(&size).then_some(size as usize);
                let sizes: Option<Vec<usize>> = match shape.split_first() {
                    Some((first, sizes)) if *first == -1.0 && !sizes.is_empty() => {
                        sizes.iter().map(size).collect()
                    }
                    _ => None,
                };
                let sizes = sizes.ok_or_else(wrong)?;
                let rank = Some(sizes.len());
                self.push(node, vec![from.number], Op::Reshape(Some(sizes)), 0);
                self.last(rank)
            }
            ("Transpose", &[from]) => {
                let wrong = || options.wrong("axes", "0 for the batch, and the axes behind it");
                let axes = options.get("axes").and_then(numbers).ok_or_else(wrong)?;
                let axes: Option<Vec<usize>> = match axes.split_first() {
                    Some((first, axes)) if *first == 0.0 => axes
                        .iter()
                        .map(|&axis| (axis >= 1.0).then(|| axis as usize - 1))
                        .collect(),
                    _ => None,
                };
                let order = Arrangement::Permute(axes.ok_or_else(wrong)?);
                self.push(node, vec![from.number], Op::Arrange(order), 0);
                self.last(from.rank)
            }
            ("Matmul", &[a, b]) => {
                let rank = a.rank.filter(|rank| b.rank == Some(*rank));
                let rank = rank.filter(|rank| [2, 3].contains(rank));
                let rank = rank.ok_or_else(|| ModelError::Config {
                    place: format!("layer \"{}\", a Matmul", node.id.name),
                    expected: "matrices [batch, .., rows, columns] of as many axes".into(),
                    found: "others".into(),
                })?;
                let product = Op::Kernel(Arc::new(Product::Matrices));
                self.push(node, vec![a.number, b.number], product, 0);
                let product = self.last(Some(3));
                match rank {
                    2 => self.axis(node, product, 1, false),
                    _ => {
                        let order = Op::Arrange(Arrangement::Permute(vec![1, 0, 2]));
                        self.push(node, vec![product.number], order, 0);
                        self.last(Some(3))
                    }
                }
            }
            ("Softmax", &[from]) => {
                options.last_axis(from.rank)?;
                self.softmax(node, from)
            }
            ("Mean", &[from]) => {
                options.only("keepdims", "false", |value| value == false)?;
                options.only("axis", "1, the axis of tokens", |axis| *axis == 1)?;
                if from.rank != TOKENS || options.get("axis").is_none() {
                    return Err(options.wrong("axis", "1, the axis of tokens"));
                }
                let image = self.axis(node, from, 1, true);
                let mean = Op::GlobalPool(Pooling::Average);
                self.push(node, vec![image.number], mean, 0);
                self.last(Some(1))
            }
            _ => return Ok(None),
        }))
    }
}

/// A layer inside a layer, by its name and by that of the attribute that holds it.
fn inside(id: &LayerId, [name, attribute]: [&str; 2]) -> LayerId {
    let mut inside = id.inside(name, attribute);
    inside.shared = id.shared;
    inside
}
