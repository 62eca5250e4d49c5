//! Values that change places and nothing else: concatenation, padding, cropping, transposes,
//! channels taken out, repeated pixels. Shader: `shaders/rearrange.wgsl`.
//!
//! One kernel with a list of places instead of one a layer: these layers move memory, and a list
//! costs a fourth more of it while it keeps every shape right by construction.

use super::{
    Access, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "rearrange",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/rearrange.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: RearrangeParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "other",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "places",
            access: Access::Read,
            element: Element::Vec4U32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the rearrange kernel.
    struct RearrangeParams {
        /// Vec4s of y.
        fours: u32,
        /// Vec4s between rows of y.
        stride: u32,
        /// Values between rows of x.
        x_stride: u32,
        /// Values between rows of other.
        other_stride: u32,
        /// Values a row of x; entries from here on are other's.
        inputs: u32,
        /// Values a row of x and other; entries from here on are the fill.
        both: u32,
        /// What stands where neither has a value.
        fill: f32,
    }
}

/// Where each value of a row comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct RearrangeLayer {
    inputs: [usize; 2],
    /// Whole vec4s, [`RearrangeLayer::FILL`] at the end.
    places: Constant,
    values: usize,
    fill: f32,
}

impl RearrangeLayer {
    /// A place that holds the fill.
    pub const FILL: u32 = u32::MAX;

    /// Rows of `places.len()` values. Entry `k` counts the values of a row of `inputs[0]` values
    /// and then, where there is a second, those of its row of `inputs[1]`;
    /// [`RearrangeLayer::FILL`] is `fill`.
    ///
    /// # Panics
    /// When a place is in neither row.
    pub fn new(inputs: [usize; 2], places: Vec<u32>, fill: f32) -> Self {
        let both = inputs[0] + inputs[1];
        let known = |&place: &u32| place == Self::FILL || (place as usize) < both;
        assert!(
            places.iter().all(known),
            "a place is in one of the two rows"
        );
        let values = places.len();
        let mut places = places;
        places.resize(row_stride(values), Self::FILL);
        Self {
            inputs,
            places: Constant::of_words(places),
            values,
            fill,
        }
    }
}

impl KernelLayer for RearrangeLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Rearrange
    }

    fn outputs(&self) -> usize {
        self.values
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.rearrange(takes[0], takes.get(1).copied(), rows, self)
    }
}

impl Recording {
    /// Rows whose values come from other places: `x` is `[rows, row_stride(inputs[0])]`, `other`
    /// `[rows, row_stride(inputs[1])]`.
    pub fn rearrange(
        &mut self,
        x: Buf<f32>,
        other: Option<Buf<f32>>,
        rows: usize,
        layer: &RearrangeLayer,
    ) -> Buf<f32> {
        let [x_stride, other_stride] = layer.inputs.map(row_stride);
        assert_eq!(
            x.len(),
            rows * x_stride,
            "rearrange: x is [rows, row_stride(inputs)]"
        );
        assert_eq!(
            other.map_or(0, Buf::len),
            rows * other_stride,
            "rearrange: other is [rows, row_stride(inputs)]"
        );
        let stride = row_stride(layer.values);
        let places = self.constant("rearrange.places", &layer.places);
        let params = RearrangeParams {
            fours: (rows * stride / 4) as u32,
            stride: stride as u32 / 4,
            x_stride: x_stride as u32,
            other_stride: other_stride as u32,
            inputs: layer.inputs[0] as u32,
            both: (layer.inputs[0] + layer.inputs[1]) as u32,
            fill: layer.fill,
        };
        let inputs = [self.id(x), self.id(other.unwrap_or(x)), self.id(places)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("rearrange.y", rows * stride);
        self.command(Kernel::Rearrange, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = RearrangeParams::of(params);
    let [x, other] = [0, 1].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let places = inputs[2];
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let stride = 4 * params.stride as usize;
    y.par_chunks_exact_mut(stride)
        .enumerate()
        .for_each(|(row, y)| {
            let x = &x[row * params.x_stride as usize..];
            let other = &other[row * params.other_stride as usize..];
            for (y, &place) in y.iter_mut().zip(places) {
                *y = if place < params.inputs {
                    x[place as usize]
                } else if place < params.both {
                    other[(place - params.inputs) as usize]
                } else {
                    params.fill
                };
            }
        });
}

/// Of two rows with gaps, and of one.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::COUNT, 7, 1.0);
    let other = case::rows(recording, case::COUNT, 5, 2.0);
    let places = (0..14).map(|k| match k {
        3 | 9 => RearrangeLayer::FILL,
        k => k * 5 % 12,
    });
    let layer = RearrangeLayer::new([7, 5], places.collect(), 0.5);
    let y = recording.rearrange(x, Some(other), case::COUNT, &layer);
    recording.download(y);
    let layer = RearrangeLayer::new([7, 0], vec![6, 0, 3], 0.0);
    case::kept(recording, case::BITS, |r| {
        r.rearrange(x, None, case::COUNT, &layer)
    })
}
