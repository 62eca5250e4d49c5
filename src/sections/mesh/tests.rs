//! Cuts and their undoing on a unit square.

use super::super::SectionError;
use super::*;

const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];

/// A unit square whose columns are the given functions `(c, a, b)` of the place, `c + ax + by`.
fn square(functions: &[[f64; 3]]) -> Mesh {
    let mut mesh = Mesh::new(&SQUARE, functions.len(), 1000);
    for c in 0..4 {
        let [x, y] = mesh.xy[c];
        for (k, [f, a, b]) in functions.iter().enumerate() {
            mesh.row_mut(c)[k] = f + a * x + b * y;
        }
    }
    mesh
}

/// Every link leads back, faces cover the square, Euler's formula holds.
fn check(mesh: &Mesh) {
    let live: Vec<usize> = (0..mesh.origin.len())
        .filter(|&h| mesh.origin[h] != NONE)
        .collect();
    for &h in &live {
        assert_eq!(
            mesh.before[mesh.next[h] as usize], h as u32,
            "half-edge {h}"
        );
        assert_eq!(mesh.face[mesh.next[h] as usize], mesh.face[h]);
        assert_eq!(mesh.origin[mesh.next[h] as usize], mesh.origin[h ^ 1]);
    }
    let corners = (0..mesh.xy.len()).filter(|&c| mesh.leaving[c] != NONE);
    for corner in corners.clone() {
        assert_eq!(mesh.origin[mesh.leaving[corner] as usize], corner as u32);
    }
    assert_eq!(mesh.faces().count(), mesh.num_faces());
    assert_eq!(
        corners.count() + mesh.num_faces() - live.len() / 2,
        1,
        "Euler"
    );
    let area: f64 = mesh.faces().map(|f| mesh.area(f)).sum();
    assert!((area - 1.0).abs() < 1e-14, "{area}");
}

#[test]
fn lines_through_one_corner_make_no_slivers() {
    // Three lines through the middle, which two of them make a corner; a diagonal.
    let mut mesh = square(&[
        [-0.5, 1.0, 0.0],
        [-0.5, 0.0, 1.0],
        [-1.0, 1.0, 1.0],
        [0.0, 1.0, -1.0],
    ]);
    for (column, faces) in [(0, 2), (1, 4), (2, 6), (3, 8)] {
        assert!(mesh.cut(Cut::Zero(column)).expect("few faces"));
        check(&mesh);
        assert_eq!(mesh.num_faces(), faces);
    }
    assert!(!mesh.cut(Cut::Difference(0, 0)).expect("no cut"));
}

#[test]
fn dissolving_leaves_the_envelope_alone() {
    // The largest of three functions; the border of the first two goes on under the third.
    let mut mesh = square(&[[0.0; 3], [-0.5, 1.0, 0.0], [-0.5, 0.0, 2.0]]);
    mesh.retag();
    for (winner, column) in [(1, 1), (2, 2)] {
        mesh.cut(Cut::Difference(column, 0)).expect("few faces");
        for f in mesh.faces().collect::<Vec<_>>() {
            if mesh.is_above(f) {
                mesh.winner[f] = winner;
            }
        }
        for c in 0..mesh.num_corners() {
            let largest = mesh.row(c)[0].max(mesh.row(c)[column]);
            mesh.row_mut(c)[0] = largest;
        }
    }
    check(&mesh);
    assert_eq!(mesh.num_faces(), 4);
    mesh.dissolve();
    check(&mesh);
    assert_eq!(mesh.num_faces(), 3);
    let mut winners: Vec<u32> = mesh.faces().map(|f| mesh.winner[f]).collect();
    winners.sort_unstable();
    assert_eq!(winners, [0, 1, 2]);
}

#[test]
fn corners_that_dissolved_stay_out_of_later_cuts() {
    // The border of the first two dissolves under the third; then a cut passes where its end was.
    let mut mesh = square(&[
        [0.0; 3],
        [-0.5, 1.0, 0.0],
        [1.0, 0.0, 0.0],
        [-0.5, 1.0, 0.0],
    ]);
    mesh.retag();
    mesh.cut(Cut::Difference(1, 0)).expect("few faces");
    for f in 0..mesh.side.len() {
        mesh.winner[f] = 2;
        mesh.tag[f] = 0;
    }
    mesh.dissolve();
    check(&mesh);
    assert_eq!(mesh.num_faces(), 1);
    mesh.cut(Cut::Zero(3)).expect("few faces");
    check(&mesh);
    assert_eq!(mesh.num_faces(), 2);
}

#[test]
fn random_lines_keep_the_cover() {
    let mut seed = 1u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / (1u64 << 31) as f64 - 0.5
    };
    for _ in 0..50 {
        let lines: Vec<[f64; 3]> = (0..12)
            .map(|_| {
                let (a, b) = (random(), random());
                // Every other line through a corner or a rounded place, to meet ties.
                let [x, y] = [(random() * 4.0).round() / 4.0 + 0.5, random() + 0.5];
                [-(a * x + b * y), a, b]
            })
            .collect();
        let mut mesh = square(&lines);
        for column in 0..lines.len() {
            mesh.cut(Cut::Zero(column)).expect("few faces");
        }
        check(&mesh);
    }
}

#[test]
fn the_limit_is_an_error() {
    let mut mesh = square(&[[-0.5, 1.0, 0.0], [-0.4, 1.0, 0.0]]);
    mesh.max_faces = 2;
    assert!(mesh.cut(Cut::Zero(0)).is_ok());
    assert!(matches!(
        mesh.cut(Cut::Zero(1)),
        Err(SectionError::TooManyRegions { limit: 2 })
    ));
}
