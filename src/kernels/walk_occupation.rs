//! How many walkers stand at each grid point. Shader: `shaders/walk_occupation.wgsl`.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, Walker, case, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "walk_occupation",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/walker.wgsl"),
        include_str!("../../shaders/walk_occupation.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: OccupationParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "walkers",
            access: Access::Read,
            element: Element::Struct(Walker::SPEC),
        },
        Binding {
            name: "occupation",
            access: Access::ReadWrite,
            element: Element::AtomicU32,
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the occupation kernel.
    struct OccupationParams {
        walkers: u32,
        /// Of points.
        columns: u32,
        /// Of points.
        rows: u32,
    }
}

impl Recording {
    /// Number of walkers nearest to each point of a grid `[rows, columns]`, row-major.
    pub fn walk_occupation(&mut self, walkers: Buf<Walker>, shape: [usize; 2]) -> Buf<u32> {
        let [rows, columns] = shape;
        let params = OccupationParams {
            walkers: walkers.len() as u32,
            columns: columns as u32,
            rows: rows as u32,
        };
        let inputs = [self.id(walkers)];
        self.command(
            Kernel::WalkOccupation,
            params,
            &inputs,
            ("walk_occupation.occupation", rows * columns),
            walkers.len().div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = OccupationParams::of(params);
    let walkers: &[Walker] = bytemuck::cast_slice(inputs[0]);
    let last = [params.columns - 1, params.rows - 1].map(|last| last as f32);
    let points = output.len();
    let counts = walkers
        .par_chunks(1 << 14)
        .map(|walkers| {
            let mut counts = vec![0; points];
            for walker in walkers {
                let [column, row] = [(walker.x, last[0]), (walker.y, last[1])]
                    .map(|(at, last)| (at + 0.5).floor().clamp(0.0, last) as usize);
                counts[row * params.columns as usize + column] += 1;
            }
            counts
        })
        .reduce(
            || vec![0; points],
            |mut sums, counts| {
                sums.iter_mut()
                    .zip(counts)
                    .for_each(|(sum, count)| *sum += count);
                sums
            },
        );
    output.copy_from_slice(&counts);
}

/// Of walkers that have come from somewhere.
fn case(recording: &mut Recording) -> &'static [bool] {
    let walkers = recording.upload("case.walkers", &case::wanderers());
    case::kept(recording, case::BITS, |r| {
        r.walk_occupation(walkers, [case::ROWS, case::COLUMNS])
    })
}
