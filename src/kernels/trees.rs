//! Ensembles of decision trees: random forests and boosted trees. Shader: `shaders/trees.wgsl`.
//!
//! All trees lie in one list of nodes, four words each. A leaf is a chain of weights, one a class; they
//! are whole numbers of a step, a power of two, of which all trees together give 2^30 at most. Sums of
//! floats would be 6e-6 off for a forest of 500 trees: each weight that is added to a score near 1
//! is rounded to that score's last place, and always the same way.

use super::{
    Access, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;
use std::hint::select_unpredictable;

const WORKGROUP_SIZE: u32 = 64;
/// Rows that go through a tree together, while it is in the cache.
const BLOCK_ROWS: usize = 32;
/// In the place of a feature: the node is a weight. In the place of a node: there is none. More
/// than there are of either.
const LEAF: u32 = 1 << 28;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "trees",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/trees.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: TreesParams::SPEC,
    compiled_for: &[],
    constants: &[&[("LEAF", LEAF as i64)]],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "roots",
            access: Access::Read,
            element: Element::U32,
        },
        Binding {
            name: "nodes",
            access: Access::Read,
            element: Element::Vec4U32,
        },
        Binding {
            name: "base",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::U32,
        },
    ],
    // Comparisons; the sums are few beside them.
    flop: |params| u64::from(TreesParams::of(params).trees),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the trees kernel.
    struct TreesParams {
        /// Number of rows.
        rows: u32,
        /// Values between rows of x.
        x_stride: u32,
        /// Values between rows of y.
        y_stride: u32,
        /// Number of trees.
        trees: u32,
        /// What a weight of 1 stands for.
        step: f32,
    }
}

/// A node of a tree, by the numbers of others in the same list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TreeNode {
    /// To `then` where the feature is at most the threshold, else to `otherwise`.
    Branch {
        /// Which value of the row.
        feature: usize,
        /// What it is compared with.
        threshold: f32,
        /// Behind this node in the list.
        then: usize,
        /// Behind this node in the list.
        otherwise: usize,
    },
    /// Adds to the score of a class, and goes on where there is more.
    Leaf {
        /// Which class.
        class: usize,
        /// What is added.
        weight: f32,
        /// Behind this node in the list.
        next: Option<usize>,
    },
}

/// An ensemble of decision trees.
#[derive(Debug, Clone, PartialEq)]
pub struct TreesLayer {
    features: usize,
    classes: usize,
    trees: usize,
    step: f32,
    roots: Constant,
    nodes: Constant,
    base: Constant,
}

impl TreesLayer {
    /// Trees that begin at `roots`, and what each class has before any of them.
    ///
    /// # Panics
    /// When a node names a feature, a class or a node that is not there, or one ahead of itself.
    pub fn new(features: usize, roots: &[usize], nodes: &[TreeNode], base: &[f32]) -> Self {
        let classes = base.len();
        assert!(
            roots.iter().all(|&root| root < nodes.len()),
            "a tree begins at a node"
        );
        assert!(
            nodes.len().max(features) < LEAF as usize,
            "fewer nodes and features than the mark of a leaf"
        );
        let behind = |at: usize, other: usize| {
            assert!(
                other > at && other < nodes.len(),
                "a node goes on to one behind it"
            );
            other as u32
        };
        let step = step(roots, nodes);
        let mut words = Vec::with_capacity(4 * nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            words.extend(match *node {
                TreeNode::Branch {
                    feature,
                    threshold,
                    then,
                    otherwise,
                } => {
                    assert!(feature < features, "a branch asks for a feature of the row");
                    let [then, otherwise] = [then, otherwise].map(|other| behind(at, other));
                    [feature as u32, threshold.to_bits(), then, otherwise]
                }
                TreeNode::Leaf {
                    class,
                    weight,
                    next,
                } => {
                    assert!(class < classes, "a leaf adds to a class");
                    let next = next.map_or(LEAF, |next| behind(at, next));
                    // Steps are powers of two, so nothing but the last place is rounded.
                    let steps = (f64::from(weight) / f64::from(step)).round() as i32;
                    [LEAF, steps.cast_unsigned(), class as u32, next]
                }
            });
        }
        let mut base = base.to_vec();
        base.resize(row_stride(classes), 0.0);
        Self {
            features,
            classes,
            trees: roots.len(),
            step,
            roots: Constant::of_words(roots.iter().map(|&root| root as u32).collect()),
            nodes: Constant::of_words(words),
            base: Constant::new(base),
        }
    }

    /// Values a row it takes.
    pub fn inputs(&self) -> usize {
        self.features
    }
}

/// The power of two that 2^30 times is no less than all trees can give together.
fn step(roots: &[usize], nodes: &[TreeNode]) -> f32 {
    let mut most = vec![0.0f64; nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        let behind = |other: usize| most.get(other).copied().unwrap_or(0.0);
        most[at] = match *node {
            TreeNode::Branch {
                then, otherwise, ..
            } => behind(then).max(behind(otherwise)),
            TreeNode::Leaf { weight, next, .. } => {
                f64::from(weight.abs()) + next.map_or(0.0, behind)
            }
        };
    }
    let total: f64 = roots.iter().map(|&root| most[root]).sum();
    // 2^-126 is the least float of full precision.
    let exponent = total.log2().ceil().max(-96.0) as i32 - 30;
    2.0f64.powi(exponent) as f32
}

impl KernelLayer for TreesLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Trees
    }

    fn outputs(&self) -> usize {
        self.classes
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.trees(takes[0], rows, self)
    }
}

impl Recording {
    /// The scores of rows: `x` is `[rows, row_stride(features)]`, the result
    /// `[rows, row_stride(classes)]`.
    pub fn trees(&mut self, x: Buf<f32>, rows: usize, layer: &TreesLayer) -> Buf<f32> {
        let [x_stride, y_stride] = [layer.features, layer.classes].map(row_stride);
        assert_eq!(
            x.len(),
            rows * x_stride,
            "trees: x is [rows, row_stride(features)]"
        );
        let roots = self.constant("trees.roots", &layer.roots);
        let nodes = self.constant("trees.nodes", &layer.nodes);
        let base = self.constant("trees.base", &layer.base);
        let params = TreesParams {
            rows: rows as u32,
            x_stride: x_stride as u32,
            y_stride: y_stride as u32,
            trees: layer.trees as u32,
            step: layer.step,
        };
        let inputs = [x, roots, nodes, base].map(|buf| self.id(buf));
        let workgroups = params.rows.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("trees.y", rows * y_stride);
        self.command(Kernel::Trees, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = TreesParams::of(params);
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let roots = &inputs[1][..params.trees as usize];
    let nodes: &[[u32; 4]] = bytemuck::cast_slice(inputs[2]);
    let base: &[f32] = bytemuck::cast_slice(inputs[3]);
    let [x_stride, y_stride] = [params.x_stride, params.y_stride].map(|n| n as usize);
    output
        .par_chunks_mut(BLOCK_ROWS * y_stride)
        .zip(x.par_chunks(BLOCK_ROWS * x_stride))
        .for_each(|(y, x)| {
            y.fill(0);
            for &root in roots {
                for (y, x) in y.chunks_exact_mut(y_stride).zip(x.chunks_exact(x_stride)) {
                    let mut at = root;
                    while at != LEAF {
                        let [feature, value, then, otherwise] = nodes[at as usize];
                        if feature == LEAF {
                            let sum = &mut y[then as usize];
                            *sum = sum.wrapping_add(value);
                            at = otherwise;
                        } else {
                            // Which way a row goes no processor foresees.
                            let is_at_most = x[feature as usize] <= f32::from_bits(value);
                            at = select_unpredictable(is_at_most, then, otherwise);
                        }
                    }
                }
            }
            for y in y.chunks_exact_mut(y_stride) {
                for (y, base) in y.iter_mut().zip(base) {
                    let sum = y.cast_signed() as f32 * params.step;
                    *y = (base + sum).to_bits();
                }
            }
        });
}

/// Three trees, one of them a leaf.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::COUNT, 5, 1.0);
    let branch = |feature, threshold, then, otherwise| TreeNode::Branch {
        feature,
        threshold,
        then,
        otherwise,
    };
    let leaf = |class, weight, next| TreeNode::Leaf {
        class,
        weight,
        next,
    };
    let nodes = [
        branch(4, 0.1, 1, 2),
        leaf(0, 0.5, None),
        branch(1, -0.3, 3, 4),
        leaf(2, 0.25, Some(4)),
        leaf(1, 0.75, None),
        leaf(2, 0.125, None),
    ];
    let layer = TreesLayer::new(5, &[0, 2, 5], &nodes, &[0.0, 0.5, -0.5]);
    case::kept(recording, case::FLOATS, |r| r.trees(x, case::COUNT, &layer))
}
