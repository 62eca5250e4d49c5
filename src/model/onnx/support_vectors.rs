//! Support vector machines as ONNX's `SVMClassifier` lists them, which is libsvm's way.

use super::node::text;
use super::rewrite::attribute;
use crate::kernels::{PairOfClasses, Similarity, SupportVectorsLayer};
use rten_onnx::onnx::NodeProto;

/// Classes of one machine; coupling them takes steps by their square.
const MAX_CLASSES: usize = 256;

/// The largest power of a polynomial; powers are products one by one.
const MAX_DEGREE: f32 = 64.0;

/// What a machine is.
pub(super) enum Machine {
    /// Where rows and vectors are multiplied: weights `[features, pairs]` and a bias for each pair, of
    /// the logit of its first class.
    Dense { weights: Vec<f32>, bias: Vec<f32> },
    /// Probabilities of the first of each pair.
    Vectors(SupportVectorsLayer),
}

/// The machine of a node, over rows of so many features, and its number of classes.
pub(super) fn read(node: &NodeProto, features: usize) -> Result<(Machine, usize), String> {
    let floats = |name: &str| attribute(node, name).map_or(&[][..], |list| &list.floats[..]);
    let counts = attribute(node, "vectors_per_class").map_or(&[][..], |list| &list.ints[..]);
    let counts: Option<Vec<usize>> = (counts.iter())
        .map(|&count| usize::try_from(count).ok())
        .collect();
    let counts = counts.ok_or("vectors of no class")?;
    let classes = counts.len();
    let labels = ["classlabels_ints", "classlabels_strings"]
        .iter()
        .filter_map(|name| attribute(node, name))
        .map(|list| list.ints.len().max(list.strings.len()))
        .max();
    if !(2..=MAX_CLASSES).contains(&classes) || labels != Some(classes) {
        return Err("vectors that are not of each class".into());
    }
    let pairs = classes * (classes - 1) / 2;
    let [slopes, offsets, rho] = ["prob_a", "prob_b", "rho"].map(floats);
    if slopes.is_empty() && offsets.is_empty() {
        return Err("no probabilities: fitted without `probability=True`".into());
    }
    if [slopes.len(), offsets.len(), rho.len()] != [pairs; 3] {
        return Err("lists that are not one entry a pair of classes".into());
    }
    let vectors = floats("support_vectors");
    let listed = floats("coefficients");
    let fits = |list: &[f32], each: usize| {
        let count = (counts.iter()).try_fold(0usize, |all, &count| all.checked_add(count));
        count.and_then(|count| count.checked_mul(each)) == Some(list.len())
    };
    if !fits(vectors, features) || !fits(listed, classes - 1) {
        return Err("vectors or coefficients of another length".into());
    }
    let similarity = similarity(node, floats("kernel_params"))?;
    let lists = [slopes, offsets, rho, vectors, listed];
    if lists
        .iter()
        .any(|list| list.iter().any(|value| !value.is_finite()))
    {
        return Err("numbers that are not finite".into());
    }
    if !matches!(text(node, "post_transform"), None | Some("NONE")) {
        return Err("a function of its answers".into());
    }
    // The file has a row for each other class, and in it a coefficient for each vector.
    let count = listed.len() / (classes - 1);
    let coefficients: Vec<f32> = (0..count)
        .flat_map(|vector| (0..classes - 1).map(move |other| listed[other * count + vector]))
        .collect();
    let pairs: Vec<PairOfClasses> = (0..pairs)
        .map(|pair| PairOfClasses {
            rho: rho[pair],
            slope: slopes[pair],
            offset: offsets[pair],
        })
        .collect();
    let machine = match similarity {
        Some(similarity) => Machine::Vectors(SupportVectorsLayer::new(
            features,
            similarity,
            &counts,
            vectors,
            &coefficients,
            &pairs,
        )),
        None => dense(&counts, vectors, &coefficients, &pairs),
    };
    Ok((machine, classes))
}

/// A machine of products, summed up in 64-bit floats.
fn dense(
    counts: &[usize],
    vectors: &[f32],
    coefficients: &[f32],
    pairs: &[PairOfClasses],
) -> Machine {
    let (classes, total) = (counts.len(), counts.iter().sum::<usize>());
    let features = vectors.len().checked_div(total).unwrap_or(0);
    let starts: Vec<usize> = (0..=classes).map(|k| counts[..k].iter().sum()).collect();
    let mut weights = vec![0.0; features * pairs.len()];
    let both = (0..classes).flat_map(|a| (a + 1..classes).map(move |b| (a, b)));
    for (pair, ((a, b), decision)) in both.zip(pairs).enumerate() {
        // One entry for each other class, their own left out.
        for (class, column) in [(a, b - 1), (b, a)] {
            for vector in starts[class]..starts[class + 1] {
                let by = f64::from(coefficients[vector * (classes - 1) + column]);
                for feature in 0..features {
                    weights[feature * pairs.len() + pair] -= f64::from(decision.slope)
                        * by
                        * f64::from(vectors[vector * features + feature]);
                }
            }
        }
    }
    let bias = (pairs.iter())
        .map(|p| -(f64::from(p.slope) * f64::from(p.rho) + f64::from(p.offset)) as f32);
    Machine::Dense {
        weights: weights.iter().map(|&weight: &f64| weight as f32).collect(),
        bias: bias.collect(),
    }
}

/// How a node compares rows and vectors; nothing where it multiplies them.
fn similarity(node: &NodeProto, parameters: &[f32]) -> Result<Option<Similarity>, String> {
    let kind = text(node, "kernel_type").unwrap_or("LINEAR");
    if kind == "LINEAR" {
        return Ok(None);
    }
    let &[gamma, shift, degree] = parameters else {
        return Err("kernel_params other than gamma, coef0 and degree".into());
    };
    if !(gamma.is_finite() && shift.is_finite()) {
        return Err("numbers that are not finite".into());
    }
    match kind {
        "RBF" => Ok(Some(Similarity::Radial { gamma })),
        "SIGMOID" => Ok(Some(Similarity::Hyperbolic { gamma, shift })),
        "POLY" if degree.fract() == 0.0 && (0.0..=MAX_DEGREE).contains(&degree) => {
            Ok(Some(Similarity::Polynomial {
                gamma,
                shift,
                degree: degree as u32,
            }))
        }
        "POLY" => Err(format!("the power {degree}")),
        other => Err(format!("the kernel {other}")),
    }
}
