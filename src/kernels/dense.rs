//! A dense layer. Shader: `shaders/dense.wgsl`.
//!
//! The twin is that of a convolution (`products.rs`), on images of one pixel. Rejected: the product of
//! crate matrixmultiply, which packs all rows and all weights anew for each batch.

use super::activation::{ACTIVATION, ActivationParams};
use super::convolution::{Convolution, arranged};
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, case, row_stride, shader_struct,
};
use std::mem::offset_of;
use std::sync::Arc;

const WORKGROUP_SIZE: u32 = 64;
/// Rows and columns that one invocation of the shader computes.
const BLOCK: usize = 8;
pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "dense",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/dense.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: DenseParams::SPEC,
    compiled_for: &[(
        ACTIVATION,
        offset_of!(DenseParams, activation) / size_of::<u32>(),
    )],
    constants: &[&[("BLOCK_ROWS", BLOCK as i64)]],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
            element: Element::Vec4F32,
        },
        Binding {
            name: "w",
            access: Access::Load,
            element: Element::Vec4F32,
        },
        Binding {
            name: "bias",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |params| 2 * u64::from(DenseParams::of(params).inputs),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the dense kernel.
    struct DenseParams {
        /// What comes last.
        activation: ActivationParams,
        /// Number of rows.
        rows: u32,
        /// Values a row of x.
        inputs: u32,
        /// Vec4s between rows of x.
        x_stride: u32,
        /// Vec4s between rows of w, even.
        w_stride: u32,
        /// Vec4s between rows of y.
        y_stride: u32,
    }
}

/// The weights of a dense layer, padded with zeros as the shader wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseLayer {
    inputs: usize,
    outputs: usize,
    /// `[padded inputs, padded outputs]`, row-major.
    kernel: Constant,
    /// `[padded outputs]`
    bias: Constant,
    activation: Activation,
}

impl DenseLayer {
    /// A layer from its kernel `[inputs, outputs]`, row-major, and bias `[outputs]`.
    ///
    /// # Panics
    /// When the kernel does not hold `inputs * outputs` values for the bias's `outputs`.
    pub fn new(inputs: usize, kernel: &[f32], bias: &[f32], activation: Activation) -> Self {
        let outputs = bias.len();
        assert_eq!(
            kernel.len(),
            inputs * outputs,
            "a dense kernel is [inputs, outputs]"
        );
        let stride = outputs.next_multiple_of(BLOCK);
        let mut padded = vec![0.0; row_stride(inputs) * stride];
        for (to, from) in padded
            .chunks_exact_mut(stride)
            .zip(kernel.chunks_exact(outputs))
        {
            to[..outputs].copy_from_slice(from);
        }
        let mut padded_bias = bias.to_vec();
        padded_bias.resize(stride, 0.0);
        Self {
            inputs,
            outputs,
            kernel: Constant::arranged(padded, move |weights| {
                let [x_stride, y_stride] = [inputs, outputs].map(|n| row_stride(n) as u32);
                let windows = WindowParams::of_rows(inputs as u32, x_stride, y_stride);
                arranged(&windows, &weights[..inputs * stride], stride)
            }),
            bias: Constant::new(padded_bias),
            activation,
        }
    }

    /// The layer on a plane of its inputs: it takes (x, y) and gives what this one gives at
    /// `origin + x p + y q`. Summed in 64-bit floats and rounded once: three vectors in the place of
    /// all weights.
    ///
    /// # Panics
    /// When the origin or a direction has not as many values as the layer takes.
    pub fn on_plane(&self, origin: &[f64], directions: [&[f64]; 2]) -> Self {
        let stride = self.bias.len();
        let through = |x: &[f64]| -> Vec<f64> {
            assert_eq!(x.len(), self.inputs, "a row that the layer takes");
            let mut sums = vec![0.0; self.outputs];
            let rows = self.kernel.values().chunks_exact(stride);
            for (&x, row) in x.iter().zip(rows).filter(|(x, _)| **x != 0.0) {
                for (sum, &weight) in sums.iter_mut().zip(row) {
                    *sum += x * f64::from(weight);
                }
            }
            sums
        };
        let rounded = |sums: Vec<f64>| sums.into_iter().map(|sum| sum as f32);
        let at_origin = through(origin);
        let at_origin = at_origin.iter().zip(self.bias.values());
        let bias: Vec<f32> = at_origin
            .map(|(sum, &bias)| (sum + f64::from(bias)) as f32)
            .collect();
        let kernel: Vec<f32> = directions
            .into_iter()
            .flat_map(|x| rounded(through(x)))
            .collect();
        Self::new(2, &kernel, &bias, self.activation)
    }

    /// Values a row it takes.
    pub fn inputs(&self) -> usize {
        self.inputs
    }
}

impl KernelLayer for DenseLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Dense
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.dense(takes[0], rows, self)
    }

    fn on_plane(&self, origin: &[f64], directions: [&[f64]; 2]) -> Option<Arc<dyn KernelLayer>> {
        let own = origin.len() == self.inputs;
        own.then(|| Arc::new(Self::on_plane(self, origin, directions)) as Arc<dyn KernelLayer>)
    }
}

impl Recording {
    /// `activation(x W + b)`: `x` is `[rows, row_stride(inputs)]`, the result
    /// `[rows, row_stride(outputs)]`.
    pub fn dense(&mut self, x: Buf<f32>, rows: usize, layer: &DenseLayer) -> Buf<f32> {
        let (x_stride, y_stride) = (row_stride(layer.inputs), row_stride(layer.outputs));
        assert_eq!(
            x.len(),
            rows * x_stride,
            "dense: x is [rows, row_stride(inputs)]"
        );
        let kernel = self.constant("dense.kernel", &layer.kernel);
        let bias = self.constant("dense.bias", &layer.bias);
        let params = DenseParams {
            rows: rows as u32,
            inputs: layer.inputs as u32,
            x_stride: x_stride as u32 / 4,
            w_stride: layer.bias.len() as u32 / 4,
            y_stride: y_stride as u32 / 4,
            activation: layer.activation.params(),
        };
        let inputs = [self.id(x), self.id(kernel), self.id(bias)];
        let invocations = rows.div_ceil(BLOCK) * (layer.bias.len() / BLOCK);
        let workgroups = invocations.div_ceil(WORKGROUP_SIZE as usize);
        self.command(
            Kernel::Dense,
            params,
            &inputs,
            ("dense.y", rows * y_stride),
            workgroups,
        )
    }
}

/// A row is an image of one pixel, whose channels are its values.
fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = DenseParams::of(params);
    let [x, weights, bias] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let [x_stride, y_stride] = [params.x_stride, params.y_stride].map(|vec4s| 4 * vec4s);
    let windows = WindowParams::of_rows(params.inputs, x_stride, y_stride);
    let layer = Convolution {
        windows: &windows,
        weights,
        bias,
        activation: Activation::of(params.activation),
        pooled: false,
        y_stride: y_stride as usize,
    };
    layer.run(x, None, bytemuck::cast_slice_mut(output));
}

/// Two layers, one on the other.
fn case(recording: &mut Recording) -> &'static [bool] {
    let (inputs, outputs) = (30, 17);
    let x = case::rows(recording, case::COUNT, inputs, 1.0);
    let layer = |inputs, outputs| {
        let kernel = case::values(1, inputs * outputs);
        DenseLayer::new(inputs, &kernel, &case::values(2, outputs), Activation::Relu)
    };
    let y = recording.dense(x, case::COUNT, &layer(inputs, outputs));
    recording.download(y);
    case::kept(recording, case::FLOATS, |r| {
        r.dense(y, case::COUNT, &layer(outputs, 3))
    })
}
