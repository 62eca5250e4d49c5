//! What the kernels of walks share: a walker, and which steps a command takes.

use super::{Buf, shader_struct};

shader_struct! {
    /// A walker, in columns and rows of its grid, or in units of an endless plane. A lattice
    /// walker's coordinates are whole numbers.
    pub struct Walker {
        /// Where it is: along the columns, to the right.
        pub x: f32,
        /// Along the rows, downwards.
        pub y: f32,
        /// Where it started.
        pub x_start: f32,
        /// Where it started.
        pub y_start: f32,
        /// Its number, which decides its random numbers together with seed and step.
        pub number: u32,
        /// Steps taken before it was absorbed.
        pub steps: u32,
    }
}

impl Walker {
    /// A walker at its start.
    pub fn at([x, y]: [f32; 2], number: u32) -> Self {
        Self {
            x,
            y,
            x_start: x,
            y_start: y,
            number,
            steps: 0,
        }
    }
}

/// Which steps of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Seed of the walk.
    pub seed: u64,
    /// Steps taken before.
    pub first_step: u32,
    /// Steps to take.
    pub steps: u32,
}

impl Span {
    /// The two words of the seed.
    pub(super) fn key(&self) -> [u32; 2] {
        [self.seed as u32, (self.seed >> 32) as u32]
    }

    /// The number of `walkers`, which fits 32 bits as the steps must.
    pub(super) fn checked(&self, walkers: Buf<Walker>) -> u32 {
        assert!(
            self.first_step.checked_add(self.steps).is_some(),
            "steps are counted in 32 bits"
        );
        u32::try_from(walkers.len()).expect("a buffer holds fewer walkers")
    }
}
