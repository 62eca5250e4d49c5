//! How a window moves over an image: the geometry that convolutions and pools share. Shader:
//! `shaders/shared/windows.wgsl`.

use super::{Buf, row_stride, shader_struct};
use std::ops::Range;

/// Windows over images `[height, width, channels]`. Output pixel (y, x) looks at `size` pixels
/// from row `y * stride[0] - before[0]` and column `x * stride[1] - before[1]` on; those outside
/// the image are padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The images' shape.
    pub input: [usize; 3],
    /// The results' shape.
    pub output: [usize; 3],
    /// Rows and columns of a window.
    pub size: [usize; 2],
    /// Pixels from one window to the next, rows and columns.
    pub stride: [usize; 2],
    /// Padding above and to the left.
    pub before: [usize; 2],
}

impl Windows {
    /// Values an input image.
    pub fn inputs(&self) -> usize {
        self.input.iter().product()
    }

    /// Values a result.
    pub fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// Values of the result of `images`, `[images, row_stride(outputs)]`, whose own values `x`
    /// holds, `[images, row_stride(inputs)]`.
    pub(super) fn result_len(&self, kernel: &str, x: Buf<f32>, images: usize) -> usize {
        assert_eq!(
            x.len(),
            images * row_stride(self.inputs()),
            "{kernel}: x is [images, row_stride(inputs)]"
        );
        images * row_stride(self.outputs())
    }

    /// The windows as parameters of a kernel.
    pub(super) fn params(&self) -> WindowParams {
        WindowParams {
            height: self.input[0] as i32,
            width: self.input[1] as i32,
            channels: self.input[2] as u32,
            out_pixels: (self.output[0] * self.output[1]) as u32,
            out_width: self.output[1] as u32,
            outputs: self.output[2] as u32,
            values: self.outputs() as u32,
            fan: (self.output[2] / self.input[2]) as u32,
            size_y: self.size[0] as i32,
            size_x: self.size[1] as i32,
            stride_y: self.stride[0] as i32,
            stride_x: self.stride[1] as i32,
            before_y: self.before[0] as i32,
            before_x: self.before[1] as i32,
            x_stride: row_stride(self.inputs()) as u32,
            y_stride: row_stride(self.outputs()) as u32,
        }
    }

    /// Whether some window reaches over the image's edge.
    pub fn padded(&self) -> bool {
        (0..2).any(|axis| {
            let end = (self.output[axis] - 1) * self.stride[axis] + self.size[axis];
            self.before[axis] > 0 || end > self.input[axis]
        })
    }
}

shader_struct! {
    /// [`Windows`] in the parameters of a kernel, where it stands first: the shader wants its
    /// struct at a multiple of 16 bytes.
    pub(super) struct WindowParams {
        /// Rows of x.
        pub(super) height: i32,
        /// Columns of x.
        pub(super) width: i32,
        /// Channels of x.
        pub(super) channels: u32,
        /// Pixels of an image of y.
        pub(super) out_pixels: u32,
        /// Columns of y.
        pub(super) out_width: u32,
        /// Channels of y.
        pub(super) outputs: u32,
        /// Values of an image of y.
        pub(super) values: u32,
        /// Channels of y for one of x, where channels stay apart.
        pub(super) fan: u32,
        /// Rows of a window.
        pub(super) size_y: i32,
        /// Columns of a window.
        pub(super) size_x: i32,
        /// Rows from one window to the next.
        pub(super) stride_y: i32,
        /// Columns from one window to the next.
        pub(super) stride_x: i32,
        /// Padding above.
        pub(super) before_y: i32,
        /// Padding to the left.
        pub(super) before_x: i32,
        /// Words between images of x.
        pub(super) x_stride: u32,
        /// Words between images of y.
        pub(super) y_stride: u32,
    }
}

/// What of a window lies inside its image.
pub(super) struct Inside {
    /// Rows of the image.
    pub(super) rows: Range<usize>,
    /// Columns of the image.
    pub(super) columns: Range<usize>,
    /// Row of the window that the first of `rows` is.
    pub(super) first_row: usize,
    /// Column of the window that the first of `columns` is.
    pub(super) first_column: usize,
}

impl WindowParams {
    /// Of the window of an output pixel.
    #[inline(always)]
    pub(super) fn inside(&self, pixel: usize) -> Inside {
        let (row, column) = (
            pixel as i32 / self.out_width as i32,
            pixel as i32 % self.out_width as i32,
        );
        let inside = |start: i32, size: i32, pixels: i32| {
            let first = start.clamp(0, pixels);
            let end = (start + size).clamp(first, pixels);
            (first as usize..end as usize, (first - start) as usize)
        };
        let (rows, first_row) = inside(
            row * self.stride_y - self.before_y,
            self.size_y,
            self.height,
        );
        let (columns, first_column) = inside(
            column * self.stride_x - self.before_x,
            self.size_x,
            self.width,
        );
        Inside {
            rows,
            columns,
            first_row,
            first_column,
        }
    }
}

impl WindowParams {
    /// Values of a channel that a window covers.
    pub(super) fn area(&self) -> u64 {
        (self.size_y * self.size_x) as u64
    }
}
