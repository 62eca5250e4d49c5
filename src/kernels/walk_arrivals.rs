//! How many walkers have come to a target, and after how many steps. Shader:
//! `shaders/walk_arrivals.wgsl`.
//!
//! Sums of whole numbers in 64 bits, which are two words on a device; engines agree to the bit.
//! A target is given point by point, as a walk may have several.

use super::walk_moments::MOMENTS_GROUP;
use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, Walker, case, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "walk_arrivals",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/walker.wgsl"),
        include_str!("../../shaders/walk_arrivals.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: ArrivalsParams::SPEC,
    compiled_for: &[],
    constants: &[&[("WALKERS_EACH", MOMENTS_GROUP as i64 / WORKGROUP_SIZE as i64)]],
    bindings: &[
        Binding {
            name: "targets",
            access: Access::Read,
            element: Element::U32,
        },
        Binding {
            name: "walkers",
            access: Access::Read,
            element: Element::Struct(Walker::SPEC),
        },
        Binding {
            name: "arrivals",
            access: Access::ReadWrite,
            element: Element::Struct(Arrivals::SPEC),
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the arrivals kernel.
    struct ArrivalsParams {
        walkers: u32,
        /// Of points.
        columns: u32,
        /// Of points.
        rows: u32,
        /// Walkers of as many steps or more go on.
        steps_below: u32,
    }
}

shader_struct! {
    /// Sums over walkers at a target, of 64 bits in two words.
    pub struct Arrivals {
        /// Number of walkers.
        pub walkers: u32,
        /// Sum of their steps n, low word.
        pub steps_low: u32,
        /// High word.
        pub steps_high: u32,
        /// Sum of n^2, low word.
        pub squares_low: u32,
        /// High word.
        pub squares_high: u32,
    }
}

impl Arrivals {
    /// Sum of the steps.
    pub fn steps(&self) -> u64 {
        u64::from(self.steps_high) << 32 | u64::from(self.steps_low)
    }

    /// Sum of the steps' squares, right for walkers of fewer than 2^26 steps.
    pub fn squares(&self) -> u64 {
        u64::from(self.squares_high) << 32 | u64::from(self.squares_low)
    }
}

impl Recording {
    /// Arrivals of each group of [`MOMENTS_GROUP`] walkers: those of fewer than `steps_below`
    /// steps that are nearest to a point of the target, where `target` `[rows, columns]` is 1.
    ///
    /// # Panics
    /// When `target` does not fill the shape.
    pub fn walk_arrivals(
        &mut self,
        walkers: Buf<Walker>,
        target: Buf<u32>,
        shape: [usize; 2],
        steps_below: u32,
    ) -> Buf<Arrivals> {
        let [rows, columns] = shape;
        assert_eq!(
            target.len(),
            rows * columns,
            "walk_arrivals: a target fills the shape"
        );
        let params = ArrivalsParams {
            walkers: walkers.len() as u32,
            columns: columns as u32,
            rows: rows as u32,
            steps_below,
        };
        let inputs = [self.id(target), self.id(walkers)];
        let groups = walkers.len().div_ceil(MOMENTS_GROUP);
        self.command(
            Kernel::WalkArrivals,
            params,
            &inputs,
            ("walk_arrivals.arrivals", groups),
            groups,
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = ArrivalsParams::of(params);
    let (target, walkers): (&[u32], &[Walker]) = (inputs[0], bytemuck::cast_slice(inputs[1]));
    let arrivals: &mut [Arrivals] = bytemuck::cast_slice_mut(output);
    let last = [params.columns - 1, params.rows - 1].map(|last| last as f32);
    arrivals
        .par_iter_mut()
        .zip(walkers.par_chunks(MOMENTS_GROUP))
        .for_each(|(arrivals, walkers)| {
            let (mut count, mut steps, mut squares) = (0, 0u64, 0u64);
            for walker in walkers {
                let [column, row] = [(walker.x, last[0]), (walker.y, last[1])]
                    .map(|(at, last)| (at + 0.5).floor().clamp(0.0, last) as usize);
                let there = target[row * params.columns as usize + column] == 1;
                if there && walker.steps < params.steps_below {
                    let taken = u64::from(walker.steps);
                    count += 1;
                    steps += taken;
                    squares = squares.wrapping_add(taken * taken);
                }
            }
            *arrivals = Arrivals {
                walkers: count,
                steps_low: steps as u32,
                steps_high: (steps >> 32) as u32,
                squares_low: squares as u32,
                squares_high: (squares >> 32) as u32,
            };
        });
}

/// Of walkers that have come from somewhere.
fn case(recording: &mut Recording) -> &'static [bool] {
    let walkers = recording.upload("case.walkers", &case::wanderers());
    let target: Vec<u32> = (0..case::ROWS * case::COLUMNS)
        .map(|k| u32::from(k % 3 == 1))
        .collect();
    let target = recording.upload("case.target", &target);
    case::kept(recording, case::BITS, |r| {
        r.walk_arrivals(walkers, target, [case::ROWS, case::COLUMNS], 1 << 24)
    })
}
