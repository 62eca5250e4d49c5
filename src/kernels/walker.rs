//! What the kernels of walks share: a walker, and which steps of which walkers a command takes.

use super::{Buf, philox::LANES, shader_struct};

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
        /// Steps taken before it was absorbed.
        pub steps: u32,
    }
}

impl Walker {
    /// A walker at its start.
    pub fn at([x, y]: [f32; 2]) -> Self {
        Self {
            x,
            y,
            x_start: x,
            y_start: y,
            steps: 0,
        }
    }
}

/// Which steps of which walkers: they decide the random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Seed of the walk.
    pub seed: u64,
    /// Number of the first walker of the buffer; the others follow.
    pub first_walker: u32,
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

    /// The words that the shaders' parameters begin with, checked against `walkers`.
    pub(super) fn checked(&self, walkers: Buf<Walker>) -> u32 {
        let count = u32::try_from(walkers.len()).expect("a buffer holds fewer walkers");
        assert!(
            self.first_walker.checked_add(count).is_some()
                && self.first_step.checked_add(self.steps).is_some(),
            "walkers and steps are counted in 32 bits"
        );
        count
    }
}

/// The numbers of the walkers of a group of lanes, `first` being its first.
pub(super) fn numbers(first: u32) -> [u32; LANES] {
    // Lanes past the last walker may count over the end; nobody reads them.
    std::array::from_fn(|lane| first.wrapping_add(lane as u32))
}
