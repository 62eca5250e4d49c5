//! Logits at points of a plane, in 64-bit floats: the first affine step is taken to the plane once,
//! as three vectors, so that no point costs a product as wide as the input.

use super::SectionError;
use super::forward::{self, Part};
use super::network::{Op, SectionNetwork};
use super::plane::ItemPlane;
use ndarray::ArrayView2;
use rayon::prelude::*;

/// The first affine step on a plane: at (alpha, beta) it gives `a + alpha u + beta v`.
#[derive(Debug, Clone, PartialEq)]
pub struct PushedForward {
    /// What it gives at the plane's origin.
    pub a: Vec<f64>,
    /// Change along alpha.
    pub u: Vec<f64>,
    /// Change along beta.
    pub v: Vec<f64>,
}

/// The first step of a network taken to a plane; nothing where it is not affine or not alone in
/// taking the input.
pub fn push_forward(network: &SectionNetwork, plane: &ItemPlane) -> Option<PushedForward> {
    let step = network.steps.first()?;
    let alone = network.steps[1..]
        .iter()
        .all(|step| !step.takes.contains(&0));
    if !alone || plane.origin.len() != network.num_inputs() {
        return None;
    }
    let of = |x: &[f64], part| forward::affine(&step.op, &[x], network.sizes[1], part);
    Some(PushedForward {
        a: of(&plane.origin, Part::Whole)?,
        u: of(&plane.u, Part::Linear)?,
        v: of(&plane.v, Part::Linear)?,
    })
}

/// Logits at places (alpha, beta) of a plane, `[points, classes]`, on all cores. A value that is
/// not finite stays in the result: the point failed.
///
/// # Errors
/// [`SectionError::Lengths`].
pub fn plane_logits(
    network: &SectionNetwork,
    plane: &ItemPlane,
    places: &[[f64; 2]],
) -> Result<Vec<f64>, SectionError> {
    /// Points that go through the network together.
    const CHUNK: usize = 512;
    if plane.origin.len() != network.num_inputs() {
        return Err(SectionError::Lengths {
            expected: network.num_inputs(),
            found: plane.origin.len(),
        });
    }
    let pushed = push_forward(network, plane);
    let chunks = places
        .par_chunks(CHUNK)
        .flat_map_iter(|chunk| match &pushed {
            Some(pushed) => {
                let mut rows = vec![0.0; chunk.len() * pushed.a.len()];
                pulp::Arch::new().dispatch(|| {
                    for (row, [alpha, beta]) in rows.chunks_exact_mut(pushed.a.len()).zip(chunk) {
                        let parts = pushed.a.iter().zip(&pushed.u).zip(&pushed.v);
                        for (y, ((a, u), v)) in row.iter_mut().zip(parts) {
                            *y = a + alpha * u + beta * v;
                        }
                    }
                });
                through(network, 1, rows)
            }
            None => through(
                network,
                0,
                chunk.iter().flat_map(|&at| plane.point(at)).collect(),
            ),
        });
    Ok(chunks.collect())
}

/// Logits of rows of points of the space, `[points, classes]`, on all cores.
///
/// # Panics
/// When the values are not whole points.
pub fn point_logits(network: &SectionNetwork, points: &[f64]) -> Vec<f64> {
    let width = network.num_inputs();
    assert!(points.len().is_multiple_of(width), "whole points");
    let chunks = points.par_chunks(64 * width);
    chunks
        .flat_map_iter(|chunk| through(network, 0, chunk.to_vec()))
        .collect()
}

/// Rows of value `first` through the steps after it.
fn through(network: &SectionNetwork, first: usize, rows: Vec<f64>) -> Vec<f64> {
    let count = rows.len() / network.sizes[first].max(1);
    let last_use = network.last_use();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); first];
    values.push(rows);
    for (i, step) in network.steps.iter().enumerate().skip(first) {
        let outputs = network.sizes[i + 1];
        let of = |v: usize, row: usize| &values[v][row * network.sizes[v]..][..network.sizes[v]];
        let value = match &step.op {
            Op::Dense { weight, bias } => {
                let inputs = network.sizes[step.takes[0]];
                let x = ArrayView2::from_shape((count, inputs), &values[step.takes[0]][..]);
                let w = ArrayView2::from_shape((inputs, outputs), &weight[..]);
                let (x, w) = x
                    .and_then(|x| w.map(|w| (x, w)))
                    .expect("sizes were checked at load");
                let mut y = x.dot(&w).into_raw_vec_and_offset().0;
                for row in y.chunks_exact_mut(outputs) {
                    row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
                }
                y
            }
            Op::Largest {
                slope,
                windows: None,
            } => {
                let x = &values[step.takes[0]];
                x.iter()
                    .map(|&u| if u > 0.0 { u } else { slope * u })
                    .collect()
            }
            _ => (0..count)
                .flat_map(|row| {
                    let takes: Vec<&[f64]> = step.takes.iter().map(|&v| of(v, row)).collect();
                    network.step_on(i, &takes)
                })
                .collect(),
        };
        values.push(value);
        for (v, value) in values.iter_mut().enumerate() {
            if last_use[v] <= i && v != i + 1 {
                *value = Vec::new();
            }
        }
    }
    values.pop().expect("the logits")
}
