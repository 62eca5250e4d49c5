//! Support vector machines: for each pair of classes the probability of the first where it is one of
//! the two. Shader: `shaders/support_vectors.wgsl`.

use super::{
    Access, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "support_vectors",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/support_vectors.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: SupportVectorsParams::SPEC,
    compiled_for: &[],
    constants: &[&[("POLYNOMIAL", 0), ("RADIAL", 1), ("HYPERBOLIC", 2)]],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "starts",
            access: Access::Read,
            element: Element::U32,
        },
        Binding {
            name: "vectors",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "coefficients",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "pairs",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    // Products with the features of about as many vectors as a pair of classes has.
    flop: |params| 2 * u64::from(SupportVectorsParams::of(params).features),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the support vectors kernel.
    struct SupportVectorsParams {
        /// Number of rows.
        rows: u32,
        /// Values between rows of x.
        x_stride: u32,
        /// Values between rows of y.
        y_stride: u32,
        /// Values a row and a vector.
        features: u32,
        /// Number of classes.
        classes: u32,
        /// How rows and vectors are compared, see [`Similarity`].
        similarity: u32,
        /// The factor of distances and products.
        gamma: f32,
        /// What is added to products.
        shift: f32,
        /// The power of a polynomial.
        degree: u32,
    }
}

/// How alike a row x and a support vector s are. Where that is their product alone, a machine is a
/// dense layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Similarity {
    /// `(gamma x s + shift)^degree`
    Polynomial {
        /// The factor of the product.
        gamma: f32,
        /// What is added to it.
        shift: f32,
        /// The power.
        degree: u32,
    },
    /// `exp(-gamma |x - s|^2)`
    Radial {
        /// The factor of the squared distance.
        gamma: f32,
    },
    /// `tanh(gamma x s + shift)`
    Hyperbolic {
        /// The factor of the product.
        gamma: f32,
        /// What is added to it.
        shift: f32,
    },
}

impl Similarity {
    /// Its number, gamma, shift and degree, as the shader has them.
    fn words(self) -> (u32, f32, f32, u32) {
        match self {
            Self::Polynomial {
                gamma,
                shift,
                degree,
            } => (0, gamma, shift, degree),
            Self::Radial { gamma } => (1, gamma, 0.0, 1),
            Self::Hyperbolic { gamma, shift } => (2, gamma, shift, 1),
        }
    }
}

/// From the decision between two classes to a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairOfClasses {
    /// What the decision is before any vector is looked at.
    pub rho: f32,
    /// The factor of the decision; below 0 where the decision speaks for the first class.
    pub slope: f32,
    /// What is added to it.
    pub offset: f32,
}

/// A support vector machine of two classes and more.
#[derive(Debug, Clone, PartialEq)]
pub struct SupportVectorsLayer {
    features: usize,
    classes: usize,
    similarity: Similarity,
    starts: Constant,
    vectors: Constant,
    coefficients: Constant,
    pairs: Constant,
}

impl SupportVectorsLayer {
    /// `counts` are the vectors of each class, one after the other in `vectors`, `[vectors, features]`;
    /// `coefficients` are `[vectors, classes - 1]`, one for each other class in their order; `pairs`
    /// are (0, 1), (0, 2) .. (1, 2) ..
    ///
    /// # Panics
    /// When lists have other lengths than these, or there are fewer than two classes.
    pub fn new(
        features: usize,
        similarity: Similarity,
        counts: &[usize],
        vectors: &[f32],
        coefficients: &[f32],
        pairs: &[PairOfClasses],
    ) -> Self {
        let classes = counts.len();
        let count: usize = counts.iter().sum();
        assert!(classes >= 2, "a pair of classes at least");
        assert_eq!(vectors.len(), count * features, "[vectors, features]");
        assert_eq!(
            coefficients.len(),
            count * (classes - 1),
            "[vectors, classes - 1]"
        );
        assert_eq!(pairs.len(), classes * (classes - 1) / 2, "one a pair");
        let mut starts = vec![0];
        let mut end = 0;
        starts.extend(counts.iter().map(|&count| {
            end += count as u32;
            end
        }));
        let some =
            |list: &[f32]| Constant::new(if list.is_empty() { &[0.0] } else { list }.to_vec());
        let pairs = (pairs.iter()).flat_map(|pair| [pair.rho, pair.slope, pair.offset, 0.0]);
        Self {
            features,
            classes,
            similarity,
            starts: Constant::of_words(starts),
            vectors: some(vectors),
            coefficients: some(coefficients),
            pairs: Constant::new(pairs.collect()),
        }
    }

    /// Values a row it takes.
    pub fn inputs(&self) -> usize {
        self.features
    }

    /// Numbers it was made of.
    pub fn parameters(&self) -> usize {
        self.vectors.len() + self.coefficients.len() + self.pairs.len() / 4 * 3
    }
}

impl KernelLayer for SupportVectorsLayer {
    fn kernel(&self) -> Kernel {
        Kernel::SupportVectors
    }

    fn outputs(&self) -> usize {
        self.classes * (self.classes - 1) / 2
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.support_vectors(takes[0], rows, self)
    }
}

impl Recording {
    /// Probabilities of the first of each pair of classes: `x` is `[rows, row_stride(features)]`, the
    /// result `[rows, row_stride(pairs)]`.
    pub fn support_vectors(
        &mut self,
        x: Buf<f32>,
        rows: usize,
        layer: &SupportVectorsLayer,
    ) -> Buf<f32> {
        let [x_stride, y_stride] = [layer.features, layer.outputs()].map(row_stride);
        assert_eq!(
            x.len(),
            rows * x_stride,
            "support_vectors: x is [rows, row_stride(features)]"
        );
        let starts = self.constant("support_vectors.starts", &layer.starts);
        let vectors = self.constant("support_vectors.vectors", &layer.vectors);
        let coefficients = self.constant("support_vectors.coefficients", &layer.coefficients);
        let pairs = self.constant("support_vectors.pairs", &layer.pairs);
        let (similarity, gamma, shift, degree) = layer.similarity.words();
        let params = SupportVectorsParams {
            rows: rows as u32,
            x_stride: x_stride as u32,
            y_stride: y_stride as u32,
            features: layer.features as u32,
            classes: layer.classes as u32,
            similarity,
            gamma,
            shift,
            degree,
        };
        let inputs = [x, starts, vectors, coefficients, pairs].map(|buf| self.id(buf));
        let workgroups = params.rows.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("support_vectors.y", rows * y_stride);
        self.command(Kernel::SupportVectors, params, &inputs, y, workgroups)
    }
}

/// Where a pair of classes `first < second` stands among all.
pub(super) fn pair(classes: usize, first: usize, second: usize) -> usize {
    first * (2 * classes - first - 1) / 2 + second - first - 1
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = SupportVectorsParams::of(params);
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let starts = inputs[1];
    let vectors: &[f32] = bytemuck::cast_slice(inputs[2]);
    let coefficients: &[f32] = bytemuck::cast_slice(inputs[3]);
    let pairs: &[[f32; 4]] = bytemuck::cast_slice(inputs[4]);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [features, classes] = [params.features, params.classes].map(|n| n as usize);
    let others = classes - 1;
    let kernel = |x: &[f32], s: &[f32]| {
        let product = || -> f32 { x.iter().zip(s).map(|(x, s)| x * s).sum() };
        match params.similarity {
            0 => (params.gamma * product() + params.shift).powi(params.degree.cast_signed()),
            1 => {
                let squared: f32 = x.iter().zip(s).map(|(x, s)| (x - s) * (x - s)).sum();
                (-params.gamma * squared).exp()
            }
            _ => (params.gamma * product() + params.shift).tanh(),
        }
    };
    y.par_chunks_exact_mut(params.y_stride as usize)
        .zip(x.par_chunks_exact(params.x_stride as usize))
        .for_each(|(y, x)| {
            y.fill(0.0);
            let x = &x[..features];
            for class in 0..classes {
                for vector in starts[class] as usize..starts[class + 1] as usize {
                    let value = kernel(x, &vectors[vector * features..][..features]);
                    let own = &coefficients[vector * others..][..others];
                    for (k, coefficient) in own.iter().enumerate() {
                        let other = k + usize::from(k >= class);
                        let at = pair(classes, class.min(other), class.max(other));
                        y[at] += coefficient * value;
                    }
                }
            }
            for (y, [rho, slope, offset, _]) in y.iter_mut().zip(pairs) {
                let u = (slope * (*y + rho) + offset).clamp(-17.0, 17.0);
                *y = 1.0 / (1.0 + u.exp());
            }
        });
}

/// Three classes, one of them of one vector.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::COUNT, 5, 1.0);
    let pairs = [(0.1, -1.5, 0.2), (-0.2, -0.7, 0.1), (0.3, -2.0, -0.4)];
    let layer = SupportVectorsLayer::new(
        5,
        Similarity::Radial { gamma: 0.4 },
        &[3, 1, 2],
        &case::values(1, 6 * 5),
        &case::values(2, 6 * 2),
        &pairs.map(|(rho, slope, offset)| PairOfClasses { rho, slope, offset }),
    );
    case::kept(recording, case::FLOATS, |r| {
        r.support_vectors(x, case::COUNT, &layer)
    })
}
