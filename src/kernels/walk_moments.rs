//! How far walkers have come, summed. Shader: `shaders/walk_moments.wgsl`.
//!
//! Walkers stay on the device; of each group of [`MOMENTS_GROUP`] six numbers come back. Groups
//! are fixed, so that a walk's sums do not depend on how its walkers are cut into batches, as
//! long as batches are whole groups.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, Walker, case, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

/// Walkers that are summed together on the device.
pub const MOMENTS_GROUP: usize = 4096;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "walk_moments",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/walker.wgsl"),
        include_str!("../../shaders/walk_moments.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: MomentsParams::SPEC,
    compiled_for: &[],
    constants: &[&[("WALKERS_EACH", MOMENTS_GROUP as i64 / WORKGROUP_SIZE as i64)]],
    bindings: &[
        Binding {
            name: "walkers",
            access: Access::Read,
            element: Element::Struct(Walker::SPEC),
        },
        Binding {
            name: "moments",
            access: Access::ReadWrite,
            element: Element::Struct(Moments::SPEC),
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the moments kernel.
    struct MomentsParams {
        walkers: u32,
        /// Steps of a walker that has always moved.
        step: u32,
    }
}

shader_struct! {
    /// Sums over walkers of their way from the start, in the walkers' unit.
    pub struct Moments {
        /// Sum of dx.
        pub x: f32,
        /// Sum of dy.
        pub y: f32,
        /// Sum of the distance r.
        pub distance: f32,
        /// Sum of r^2.
        pub square: f32,
        /// Sum of r^4.
        pub fourth: f32,
        /// Number of walkers that are not absorbed.
        pub moving: f32,
    }
}

impl Recording {
    /// Moments of each group of [`MOMENTS_GROUP`] walkers after `step` steps.
    pub fn walk_moments(&mut self, walkers: Buf<Walker>, step: u32) -> Buf<Moments> {
        let params = MomentsParams {
            walkers: walkers.len() as u32,
            step,
        };
        let inputs = [self.id(walkers)];
        let groups = walkers.len().div_ceil(MOMENTS_GROUP);
        self.command(
            Kernel::WalkMoments,
            params,
            &inputs,
            ("walk_moments.moments", groups),
            groups,
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = MomentsParams::of(params);
    let walkers: &[Walker] = bytemuck::cast_slice(inputs[0]);
    let moments: &mut [Moments] = bytemuck::cast_slice_mut(output);
    moments
        .par_iter_mut()
        .zip(walkers.par_chunks(MOMENTS_GROUP))
        .for_each(|(moments, walkers)| {
            let mut sums = [0.0f64; 6];
            for walker in walkers {
                let dx = f64::from(walker.x - walker.x_start);
                let dy = f64::from(walker.y - walker.y_start);
                let square = dx * dx + dy * dy;
                let moving = f64::from(u8::from(walker.steps == params.step));
                let values = [dx, dy, square.sqrt(), square, square * square, moving];
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            let [x, y, distance, square, fourth, moving] = sums.map(|sum| sum as f32);
            *moments = Moments {
                x,
                y,
                distance,
                square,
                fourth,
                moving,
            };
        });
}

/// Of walkers that have come from somewhere.
fn case(recording: &mut Recording) -> &'static [bool] {
    let walkers = recording.upload("case.walkers", &case::wanderers());
    case::kept(recording, case::FLOATS, |r| r.walk_moments(walkers, 12))
}
