//! Images of another size, each pixel between two rows and two columns of what there was. Shader:
//! `shaders/resample.wgsl`.

use super::{
    Access, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "resample",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/resample.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: ResampleParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "rows",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "columns",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    // Three mixtures of a difference, a product and a sum.
    flop: |_| 9,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the resample kernel.
    struct ResampleParams {
        /// Vec4s of y.
        fours: u32,
        /// Values between rows of x.
        x_stride: u32,
        /// Values between rows of y.
        y_stride: u32,
        /// Values of a row of y, without its padding.
        values: u32,
        /// Channels of both.
        channels: u32,
        /// Columns of x.
        width: u32,
        /// Columns of y.
        out_width: u32,
    }
}

/// Where a row or a column of the result lies among those that are there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Between {
    /// Two neighbours, or one twice.
    pub of: [usize; 2],
    /// Weight of the second, 0 to 1.
    pub second: f32,
}

/// Images `[height, width, channels]` of another height and width.
#[derive(Debug, Clone, PartialEq)]
pub struct ResampleLayer {
    input: [usize; 3],
    output: [usize; 2],
    rows: Constant,
    columns: Constant,
}

impl ResampleLayer {
    /// Images of `input` whose rows and columns become those between what `rows` and `columns` say.
    ///
    /// # Panics
    /// When a row or a column is not there.
    pub fn new(input: [usize; 3], rows: &[Between], columns: &[Between]) -> Self {
        let table = |places: &[Between], size: usize| {
            assert!(
                places
                    .iter()
                    .all(|place| place.of.iter().all(|&at| at < size)),
                "rows and columns lie inside the image"
            );
            let entry =
                |place: &Between| [place.of[0] as f32, place.of[1] as f32, place.second, 0.0];
            Constant::new(places.iter().flat_map(entry).collect())
        };
        Self {
            input,
            output: [rows.len(), columns.len()],
            rows: table(rows, input[0]),
            columns: table(columns, input[1]),
        }
    }
}

impl KernelLayer for ResampleLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Resample
    }

    fn outputs(&self) -> usize {
        self.output[0] * self.output[1] * self.input[2]
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.resample(takes[0], rows, self)
    }
}

impl Recording {
    /// Images of another size: `x` is `[images, row_stride(inputs)]`, the result
    /// `[images, row_stride(outputs)]`.
    pub fn resample(&mut self, x: Buf<f32>, images: usize, layer: &ResampleLayer) -> Buf<f32> {
        let x_stride = row_stride(layer.input.iter().product());
        let y_stride = row_stride(layer.outputs());
        assert_eq!(
            x.len(),
            images * x_stride,
            "resample: x is [images, row_stride(inputs)]"
        );
        let rows = self.constant("resample.rows", &layer.rows);
        let columns = self.constant("resample.columns", &layer.columns);
        let params = ResampleParams {
            fours: (images * y_stride / 4) as u32,
            x_stride: x_stride as u32,
            y_stride: y_stride as u32,
            values: layer.outputs() as u32,
            channels: layer.input[2] as u32,
            width: layer.input[1] as u32,
            out_width: layer.output[1] as u32,
        };
        let inputs = [x, rows, columns].map(|buf| self.id(buf));
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("resample.y", images * y_stride);
        self.command(Kernel::Resample, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = ResampleParams::of(params);
    let [x, rows, columns] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let (rows, columns) = (rows.as_chunks::<4>().0, columns.as_chunks::<4>().0);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [x_stride, y_stride, values, channels, width] = [
        params.x_stride,
        params.y_stride,
        params.values,
        params.channels,
        params.width,
    ]
    .map(|n| n as usize);
    let mixed = |a: f32, b: f32, weight: f32| a + weight * (b - a);
    y.par_chunks_exact_mut(y_stride)
        .zip(x.par_chunks_exact(x_stride))
        .for_each(|(y, x)| {
            let (own, padding) = y.split_at_mut(values);
            padding.fill(0.0);
            let lines = own.chunks_exact_mut(params.out_width as usize * channels);
            for (line, row) in lines.zip(rows) {
                let of = |at: f32| &x[at as usize * width * channels..][..width * channels];
                let (above, below) = (of(row[0]), of(row[1]));
                for (pixel, column) in line.chunks_exact_mut(channels).zip(columns) {
                    let [left, right] = [column[0], column[1]].map(|at| at as usize * channels);
                    for (c, y) in pixel.iter_mut().enumerate() {
                        let upper = mixed(above[left + c], above[right + c], column[2]);
                        let lower = mixed(below[left + c], below[right + c], column[2]);
                        *y = mixed(upper, lower, row[2]);
                    }
                }
            }
        });
}

/// More rows than there were, and fewer columns.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6 * 3, 3.0);
    let between = |first, second, weight| Between {
        of: [first, second],
        second: weight,
    };
    let rows: Vec<Between> = (0..9)
        .map(|k| between(k * 2 / 3, (k * 2 / 3 + 1).min(6), 0.3))
        .collect();
    let columns = [between(0, 1, 0.0), between(2, 3, 0.75), between(5, 5, 0.5)];
    let layer = ResampleLayer::new([7, 6, 3], &rows, &columns);
    case::kept(recording, case::FLOATS, |r| {
        r.resample(x, case::NUM_IMAGES, &layer)
    })
}
