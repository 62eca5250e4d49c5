//! Decision trees as ONNX's `TreeEnsembleClassifier` lists them: columns of attributes, one entry a
//! node, trees and nodes by numbers of their own.

use super::rewrite::attribute;
use crate::kernels::{TreeNode, TreesLayer};
use rten_onnx::onnx::NodeProto;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes of all trees, weights included.
const MAX_NODES: usize = 1 << 24;

/// How far the weights of a forest may be from 1 together.
const SUM: f32 = 1e-3;

/// Trees, and whether their scores are probabilities.
pub(super) struct Ensemble {
    pub(super) layer: TreesLayer,
    pub(super) probabilities: bool,
}

/// A node as the file has it.
struct Listed<'n> {
    mode: &'n str,
    feature: i64,
    threshold: f32,
    then: i64,
    otherwise: i64,
}

/// The trees of a node, over rows of so many features.
pub(super) fn read(node: &NodeProto, features: usize) -> Result<Ensemble, String> {
    let ints = |name: &str| attribute(node, name).map_or(&[][..], |list| &list.ints[..]);
    let floats = |name: &str| attribute(node, name).map_or(&[][..], |list| &list.floats[..]);
    let modes = attribute(node, "nodes_modes").map_or(&[][..], |list| &list.strings[..]);
    let labels = ["classlabels_int64s", "classlabels_strings"]
        .iter()
        .filter_map(|name| attribute(node, name))
        .map(|list| list.ints.len().max(list.strings.len()))
        .max()
        .unwrap_or(0);
    let columns = [
        ints("nodes_treeids"),
        ints("nodes_nodeids"),
        ints("nodes_featureids"),
        ints("nodes_truenodeids"),
        ints("nodes_falsenodeids"),
    ];
    let values = floats("nodes_values");
    let count = modes.len();
    if columns.iter().any(|column| column.len() != count) || values.len() != count {
        return Err("columns of other lengths".into());
    }
    let mut listed: BTreeMap<(i64, i64), Listed<'_>> = BTreeMap::new();
    let mut roots: Vec<(i64, i64)> = Vec::new();
    for k in 0..count {
        let [tree, id, feature, then, otherwise] = columns.map(|column| column[k]);
        // A tree begins with the first of its nodes.
        if roots.last().is_none_or(|&(last, _)| last != tree) {
            roots.push((tree, id));
        }
        let entry = Listed {
            mode: &modes[k],
            feature,
            threshold: values[k],
            then,
            otherwise,
        };
        if listed.insert((tree, id), entry).is_some() {
            return Err(format!("node {id} of tree {tree} twice"));
        }
    }
    let (trees, nodes) = (ints("class_treeids"), ints("class_nodeids"));
    let (classes, weights) = (ints("class_ids"), floats("class_weights"));
    if [nodes.len(), classes.len(), weights.len()] != [trees.len(); 3] {
        return Err("columns of other lengths".into());
    }
    let mut leaves: BTreeMap<(i64, i64), Vec<(usize, f32)>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for k in 0..trees.len() {
        let class = usize::try_from(classes[k])
            .ok()
            .filter(|&class| class < labels);
        let class = class.ok_or("a weight of no class")?;
        seen.insert(class);
        leaves
            .entry((trees[k], nodes[k]))
            .or_default()
            .push((class, weights[k]));
    }
    // Boosted trees of two classes give one score, that of the second, whatever number they name it
    // by. Where no weight is below 0 the score is a probability to onnxruntime, and no logit.
    let alone = labels == 2 && seen.len() == 1;
    let positive = weights.iter().all(|&weight| weight >= 0.0);
    let plain = attribute(node, "post_transform")
        .is_none_or(|transform| matches!(transform.s.as_deref(), None | Some("NONE")));
    let share = 1.0 / roots.len() as f32;
    // A forest of two classes names the second alone; what a tree's share lacks is the first's.
    let is_share = |&weight: &f32| weight <= share * (1.0 + SUM);
    let forest = alone && positive && plain && weights.iter().all(is_share);
    if alone && positive && !forest {
        return Err("one score for two classes, none of it below 0".into());
    }
    if labels < 2 || !(alone || seen.len() == labels) {
        return Err("scores that are not one a class".into());
    }
    if alone {
        let number = usize::from(forest);
        (leaves.values_mut().flatten()).for_each(|(class, _)| *class = number);
    }
    let scores = if alone && !forest { 1 } else { labels };
    let base = match floats("base_values") {
        [] => vec![0.0; scores],
        base if base.len() == scores && !forest => base.to_vec(),
        _ => return Err("base values of other classes".into()),
    };
    let finite = |list: &[f32]| list.iter().all(|value| value.is_finite());
    if !finite(values) || !finite(weights) || !finite(&base) {
        return Err("numbers that are not finite".into());
    }

    // Numbered from the root on, so that each node goes on to one behind it.
    let mut made: Vec<TreeNode> = Vec::new();
    let mut starts = Vec::with_capacity(roots.len());
    // The least and the most that all trees give together, over all classes.
    let (mut least, mut most) = (0.0, 0.0);
    for root in roots {
        starts.push(made.len());
        let mut sums = [f32::INFINITY, f32::NEG_INFINITY];
        // Where a node's number is to be put once it is known: a node made, and which way.
        let mut open = vec![(root, None::<(usize, bool)>)];
        while let Some((key, from)) = open.pop() {
            let at = made.len();
            if at >= MAX_NODES {
                return Err(format!("more than {MAX_NODES} nodes"));
            }
            match from.map(|(parent, way)| (&mut made[parent], way)) {
                Some((TreeNode::Branch { then, .. }, true)) => *then = at,
                Some((TreeNode::Branch { otherwise, .. }, false)) => *otherwise = at,
                _ => {}
            }
            // Each is taken once: a node that two branches share would make no tree.
            let node = listed
                .remove(&key)
                .ok_or("a branch that leads nowhere, or back")?;
            let threshold = match node.mode {
                "BRANCH_LEQ" => node.threshold,
                // Less than a float is at most the one before it.
                "BRANCH_LT" => node.threshold.next_down(),
                "LEAF" => {
                    let mut weights = leaves.remove(&key).unwrap_or_default();
                    if forest {
                        let second: f32 = weights.iter().map(|(_, weight)| weight).sum();
                        weights.push((0, (share - second).max(0.0)));
                    }
                    let sum: f32 = weights.iter().map(|(_, weight)| weight).sum();
                    sums = [sums[0].min(sum), sums[1].max(sum)];
                    let last = weights.len().saturating_sub(1);
                    // A leaf without weights adds nothing.
                    if weights.is_empty() {
                        made.push(TreeNode::Leaf {
                            class: 0,
                            weight: 0.0,
                            next: None,
                        });
                    }
                    for (k, (class, weight)) in weights.into_iter().enumerate() {
                        let next = (k < last).then_some(made.len() + 1);
                        made.push(TreeNode::Leaf {
                            class,
                            weight,
                            next,
                        });
                    }
                    continue;
                }
                other => return Err(format!("the comparison {other}")),
            };
            let feature = usize::try_from(node.feature).ok().filter(|&k| k < features);
            made.push(TreeNode::Branch {
                feature: feature.ok_or("a feature that is not there")?,
                threshold,
                then: 0,
                otherwise: 0,
            });
            open.push(((key.0, node.otherwise), Some((at, false))));
            open.push(((key.0, node.then), Some((at, true))));
        }
        least += sums[0];
        most += sums[1];
    }
    if starts.is_empty() || !listed.is_empty() {
        return Err("nodes of no tree".into());
    }
    let one = |sum: f32| (sum + base.iter().sum::<f32>() - 1.0).abs() <= SUM;
    Ok(Ensemble {
        probabilities: positive && one(least) && one(most),
        layer: TreesLayer::new(features, &starts, &made, &base),
    })
}
