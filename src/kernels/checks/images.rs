//! Cases of the kernels that make frames.

use super::case::{FLOATS, values};
use super::{Checks, Recording};
use crate::kernels::{Buf, FrameJob, PairJob, Sampling, WarpGeometry, row_stride};
use crate::mesh::{PairMesh, Point, lattice_scale};

/// Images of levels that vary slowly, so that a pixel on an edge does not hang on the last bit.
fn waves(recording: &mut Recording, count: usize, shape: [usize; 3]) -> Buf<f32> {
    let [height, width, channels] = shape;
    let stride = row_stride(height * width * channels);
    let mut levels = Vec::with_capacity(count * stride);
    for image in 0..count {
        for pixel in 0..height * width {
            let [x, y] = [pixel % width, pixel / width].map(|at| at as f32);
            let level = |c| 120.0 + 100.0 * (0.2 * x + 0.13 * y + (image + c) as f32).sin();
            levels.extend((0..channels).map(level));
        }
        levels.resize((image + 1) * stride, 0.0);
    }
    recording.upload("case.images", &levels)
}

fn record_spline(recording: &mut Recording, count: usize, shape: [usize; 3]) {
    let images = waves(recording, count, shape);
    let coefficients = recording.spline(images, count, shape);
    recording.download(coefficients);
}

pub(super) fn spline(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for (count, shape) in [
            (0, [4, 4, 1]),
            (1, [4, 4, 1]),
            (1, [5, 63, 1]),
            (2, [33, 7, 3]),
            (1, [64, 4, 1]),
            (1, [65, 28, 1]),
            (1, [4, 1100, 1]),
        ] {
            record_spline(recording, count, shape);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_spline(recording, 3, [35, 33, 3]);
        FLOATS
    });
}

fn record_pieces(recording: &mut Recording, count: usize, shape: [usize; 3], sampling: Sampling) {
    let images = waves(recording, count, shape);
    let pieces = recording.pieces(images, count, shape, sampling);
    recording.download(pieces);
}

pub(super) fn pieces(checks: &mut Checks, sampling: Sampling) {
    checks.add("ragged", move |recording| {
        for (count, shape) in [
            (0, [4, 4, 1]),
            (1, [4, 4, 1]),
            (1, [9, 7, 1]),
            (1, [8, 65, 1]),
            (1, [5, 66, 1]),
            (3, [11, 9, 3]),
        ] {
            record_pieces(recording, count, shape, sampling);
        }
        FLOATS
    });
    checks.add_folded(move |recording| {
        record_pieces(recording, 3, [10, 65, 1], sampling);
        FLOATS
    });
}

/// A mesh of the image's corners and so many points inside, which are elsewhere in the right image:
/// triangles fold, and those that meet at two points that fall together have no area.
fn mesh([height, width, _]: [usize; 3], inner: usize) -> PairMesh {
    let [right, bottom] = [width, height].map(|side| side as i32 - 1);
    let corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]];
    let within = |share: f32, last: i32| {
        // Not on the edge, where points would be corners of triangles without area.
        1 + ((0.5 + 0.5 * share) * (last - 1) as f32) as i32 % (last - 1)
    };
    let scattered = |stream: u32| {
        let shares = values(stream, 4 * inner);
        let place = |share: &[f32]| [within(share[0], right), within(share[1], bottom)];
        shares.chunks_exact(2).map(place).collect::<Vec<Point>>()
    };
    let mut left = corners.to_vec();
    for point in scattered(5) {
        if left.len() < 4 + inner && !left.contains(&point) {
            left.push(point);
        }
    }
    let mut moved = corners.to_vec();
    moved.extend(&scattered(6)[..left.len() - 4]);
    if let [.., last, before] = &mut moved[4..] {
        *last = *before;
    }
    PairMesh::new(left, moved)
}

fn record_warp(
    recording: &mut Recording,
    shape: [usize; 3],
    inner: usize,
    alphas: &[f64],
    sampling: Sampling,
) {
    let [height, width, _] = shape;
    let mesh = mesh(shape, inner);
    let geometry = WarpGeometry {
        shape,
        scale: lattice_scale(width, height, alphas),
        sampling,
    };
    let images = waves(recording, 2, shape);
    let pair = PairJob {
        left: 0,
        right: 1,
        mesh: &mesh,
    };
    let jobs: Vec<FrameJob> = alphas
        .iter()
        .map(|&alpha| FrameJob::new(0, alpha))
        .collect();
    let frames = recording.warp(images, 2, &geometry, &[pair], &jobs);
    recording.download(frames);
}

pub(super) fn warp(checks: &mut Checks, sampling: Sampling) {
    // Non-square, three channels, more rows than one strip has, one frame and none.
    checks.add("ragged", move |recording| {
        for (shape, inner, alphas) in [
            ([4, 4, 1], 0, &[0.5][..]),
            ([28, 28, 1], 9, &[0.0, 0.05, 1.0]),
            ([31, 17, 3], 5, &[0.25, 0.5, 0.75]),
            ([32, 11, 1], 5, &[0.25]),
            ([33, 11, 1], 5, &[0.25]),
            ([8, 8, 1], 2, &[]),
        ] {
            record_warp(recording, shape, inner, alphas, sampling);
        }
        FLOATS
    });
    // Cells side by side, the last of them narrower, and of more triangles than are numbered at once.
    checks.add("fine meshes", move |recording| {
        for (shape, inner) in [([6, 1100, 1], 60), ([70, 43, 3], 90), ([60, 60, 1], 600)] {
            record_warp(recording, shape, inner, &[0.25, 0.75], sampling);
        }
        FLOATS
    });
    checks.add_folded(move |recording| {
        let alphas = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
        record_warp(recording, [31, 17, 3], 5, &alphas, sampling);
        FLOATS
    });
}
