//! How a window moves over an image: the geometry that convolutions and pools share. Shader:
//! `shaders/shared/windows.wgsl`.

use super::{Buf, row_stride, shader_struct};
use std::ops::Range;

/// Windows over images `[height, width, channels]`. Output pixel (y, x) looks at `size` pixels
/// from row `y * stride[0] - before[0]` and column `x * stride[1] - before[1]` on, `dilation`
/// apart; those outside the image are padding.
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
    /// Pixels from one of a window's to the next, rows and columns: 1 where they are neighbours.
    pub dilation: [usize; 2],
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

    /// Panics where `x` does not hold `images`, `[images, row_stride(inputs)]`.
    pub(super) fn check_len(&self, kernel: &str, x: Buf<f32>, images: usize) {
        assert_eq!(
            x.len(),
            images * row_stride(self.inputs()),
            "{kernel}: x is [images, row_stride(inputs)]"
        );
    }

    /// Values of the result of `images`, `[images, row_stride(outputs)]`, whose own values `x`
    /// holds, `[images, row_stride(inputs)]`.
    pub(super) fn result_len(&self, kernel: &str, x: Buf<f32>, images: usize) -> usize {
        self.check_len(kernel, x, images);
        images * row_stride(self.outputs())
    }

    /// The windows as parameters of a kernel that keeps so many groups of channels apart.
    pub(super) fn params(&self, groups: usize) -> WindowParams {
        WindowParams {
            height: self.input[0] as i32,
            width: self.input[1] as i32,
            channels: self.input[2] as u32,
            out_pixels: (self.output[0] * self.output[1]) as u32,
            out_width: self.output[1] as u32,
            outputs: self.output[2] as u32,
            values: self.outputs() as u32,
            fan: (self.output[2] / groups) as u32,
            size_y: self.size[0] as i32,
            size_x: self.size[1] as i32,
            stride_y: self.stride[0] as i32,
            stride_x: self.stride[1] as i32,
            before_y: self.before[0] as i32,
            before_x: self.before[1] as i32,
            x_stride: row_stride(self.inputs()) as u32,
            y_stride: row_stride(self.outputs()) as u32,
            dilation_y: self.dilation[0] as i32,
            dilation_x: self.dilation[1] as i32,
            group_inputs: (self.input[2] / groups) as u32,
            groups: groups as u32,
        }
    }

    /// Whether some window reaches over the image's edge.
    pub fn padded(&self) -> bool {
        self.params(1).padded()
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
        /// Channels of y a group.
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
        /// Rows from one of a window's to the next.
        pub(super) dilation_y: i32,
        /// Columns from one of a window's to the next.
        pub(super) dilation_x: i32,
        /// Channels of x a group.
        pub(super) group_inputs: u32,
        /// Groups of channels that stay apart.
        pub(super) groups: u32,
    }
}

/// Of a window along one axis, what lies inside the image: numbers of its pixels, and where the
/// first of them is.
pub(super) struct Inside {
    pub(super) taps: Range<usize>,
    pub(super) first: usize,
}

impl WindowParams {
    /// Rows of values as images of one pixel, for a product of all their values: `inputs` of a row of
    /// x, as many as fit a row of y.
    pub(super) fn of_rows(inputs: u32, x_stride: u32, y_stride: u32) -> Self {
        Self {
            height: 1,
            width: 1,
            channels: inputs,
            out_pixels: 1,
            out_width: 1,
            outputs: y_stride,
            values: y_stride,
            fan: y_stride,
            size_y: 1,
            size_x: 1,
            stride_y: 1,
            stride_x: 1,
            before_y: 0,
            before_x: 0,
            x_stride,
            y_stride,
            dilation_y: 1,
            dilation_x: 1,
            group_inputs: inputs,
            groups: 1,
        }
    }

    /// Rows of the windows of a row of output pixels.
    #[inline(always)]
    pub(super) fn rows(&self, row: usize) -> Inside {
        let start = row as i32 * self.stride_y - self.before_y;
        inside(start, self.size_y, self.dilation_y, self.height)
    }

    /// Columns of the windows of a column of output pixels.
    #[inline(always)]
    pub(super) fn columns(&self, column: usize) -> Inside {
        let start = column as i32 * self.stride_x - self.before_x;
        inside(start, self.size_x, self.dilation_x, self.width)
    }

    /// Values of a channel that a window covers.
    pub(super) fn area(&self) -> u64 {
        (self.size_y * self.size_x) as u64
    }

    /// Products of an output value.
    pub(super) fn taps(&self) -> usize {
        (self.size_y * self.size_x) as usize * self.group_inputs as usize
    }

    /// Whether some window reaches over the image's edge.
    pub(super) fn padded(&self) -> bool {
        let over = |out: i32, stride: i32, size: i32, dilation: i32, pixels: i32| {
            (out - 1) * stride + (size - 1) * dilation + 1 > pixels
        };
        let [out_width, out_height] = [self.out_width, self.out_pixels / self.out_width];
        self.before_y > 0
            || self.before_x > 0
            || over(
                out_height as i32,
                self.stride_y,
                self.size_y,
                self.dilation_y,
                self.height,
            )
            || over(
                out_width as i32,
                self.stride_x,
                self.size_x,
                self.dilation_x,
                self.width,
            )
    }
}

#[inline(always)]
fn inside(start: i32, size: i32, dilation: i32, pixels: i32) -> Inside {
    // Pixel t of the window is at start + t dilation.
    let before = (-start).max(0) as u32;
    let first = before.div_ceil(dilation as u32).min(size as u32);
    let end = ((pixels - start).max(0) as u32)
        .div_ceil(dilation as u32)
        .clamp(first, size as u32);
    Inside {
        taps: first as usize..end as usize,
        first: (start + first as i32 * dilation).max(0) as usize,
    }
}
