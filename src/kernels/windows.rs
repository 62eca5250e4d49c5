//! How a window moves over an image: the geometry that convolutions and pools share.

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

    /// Whether some window reaches over the image's edge.
    pub fn padded(&self) -> bool {
        (0..2).any(|axis| {
            let end = (self.output[axis] - 1) * self.stride[axis] + self.size[axis];
            self.before[axis] > 0 || end > self.input[axis]
        })
    }
}
