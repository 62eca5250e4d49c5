//! What holds for every input, on seeded random ones.

use crate::common::{Tolerance, assert_close, engines};
use morphscape::data::{Image, fashion_mnist, iris, seeds, sha256_hex};
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::landscape::{Permutation, choose_triples};
use morphscape::mesh::{
    FeatureError, FeatureFinder, PairMesh, Point, cell_size_px, feature_points, fixed_alpha,
    lattice_point, lattice_scale, triangulate,
};
use morphscape::pipeline::{MorphMode, MorphPlan, classify, morph_pair, pair_mesh};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn double_area(a: Point, b: Point, c: Point) -> i64 {
    let at = |p: Point, axis: usize| i64::from(p[axis]);
    (at(b, 0) - at(a, 0)) * (at(c, 1) - at(a, 1)) - (at(b, 1) - at(a, 1)) * (at(c, 0) - at(a, 0))
}

fn random_points(rng: &mut ChaCha8Rng) -> Vec<Point> {
    let side = rng.random_range(8..200);
    let mut points = vec![[0, 0], [side, 0], [0, side], [side, side]];
    for _ in 0..rng.random_range(0..40) {
        let point = [rng.random_range(1..side), rng.random_range(1..side)];
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

#[test]
fn no_point_lies_inside_a_triangle_s_circle() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..300 {
        let points = random_points(&mut rng);
        let triangles = triangulate(&points);
        let side = i64::from(points[1][0]);
        let mut total = 0;
        for triangle in &triangles {
            let [a, b, c] = triangle.map(|i| points[i as usize]);
            let area = double_area(a, b, c);
            assert!(area > 0, "triangles turn one way");
            total += area;
            for &p in &points {
                // The in-circle determinant, exact in 128-bit integers.
                let row = |q: Point| {
                    let (x, y) = (i128::from(q[0] - p[0]), i128::from(q[1] - p[1]));
                    [x, y, x * x + y * y]
                };
                let [r, s, t] = [row(a), row(b), row(c)];
                let inside = r[0] * (s[1] * t[2] - s[2] * t[1])
                    - r[1] * (s[0] * t[2] - s[2] * t[0])
                    + r[2] * (s[0] * t[1] - s[1] * t[0]);
                assert!(
                    inside <= 0,
                    "{p:?} lies inside the circle of {a:?} {b:?} {c:?}"
                );
            }
        }
        assert_eq!(
            total,
            2 * side * side,
            "the triangles cover the square once"
        );
    }
}

#[test]
fn whole_grey_levels_are_rounded_and_weighted() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let odd = [
        -3.0,
        -0.0,
        0.5,
        0.499_999_97,
        1.5,
        254.5,
        254.499_98,
        255.3,
        1e9,
        f32::NAN,
    ];
    let random = (0..290).map(|_| rng.random_range(-9.0..265.0f32));
    let levels: Vec<f32> = odd.into_iter().chain(random).collect();
    // The cast takes 0 for what is no number.
    let whole = |level: f32| level.clamp(0.0, 255.0).round() as u32;
    let image = |channels| Image {
        width_px: levels.len() / channels,
        height_px: 1,
        channels,
        levels: levels.clone(),
    };
    let expected: Vec<u32> = levels.iter().map(|&level| whole(level)).collect();
    let found = image(1).whole_grey_levels();
    assert_eq!(
        found.into_iter().map(u32::from).collect::<Vec<_>>(),
        expected
    );
    let weighted = levels.chunks_exact(3).map(|rgb| {
        let sum = 4899 * whole(rgb[0]) + 9617 * whole(rgb[1]) + 1868 * whole(rgb[2]);
        ((sum + 8192) / 16384) as u8
    });
    assert_eq!(image(3).whole_grey_levels(), weighted.collect::<Vec<u8>>());
}

#[test]
fn feature_points_are_distinct_and_inside_at_every_grid_that_fits() {
    let set = fashion_mnist();
    for grid in 1..=9 {
        for i in 0..200 {
            let points = feature_points(
                &set.image(i).expect("held in memory").whole_grey_levels(),
                28,
                28,
                grid,
            )
            .expect("it fits");
            assert_eq!(points.len(), 4 + grid * grid);
            assert!(
                points
                    .iter()
                    .flatten()
                    .all(|coordinate| (0..28).contains(coordinate))
            );
            let mut distinct = points.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), points.len(), "image {i}, grid {grid}");
        }
    }
    assert!(matches!(
        feature_points(&[0; 784], 28, 28, 10),
        Err(FeatureError::GridTooFine { largest: 9, .. })
    ));
    assert!(matches!(
        feature_points(&[0; 784], 28, 28, 0),
        Err(FeatureError::NoCells)
    ));
    assert!(matches!(
        feature_points(&[0; 9], 3, 3, 1),
        Err(FeatureError::ImageTooSmall { .. })
    ));
}

#[test]
fn a_finder_of_feature_points_remembers_nothing_of_an_image() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut finder = FeatureFinder::default();
    // Faint images after stark ones, small ones after large ones.
    for (width, height, grid, lightest) in [
        (28, 28, 3, 255),
        (9, 40, 2, 6),
        (64, 48, 7, 255),
        (8, 8, 1, 6),
        (28, 28, 9, 255),
    ] {
        let grey: Vec<u8> = (0..width * height)
            .map(|_| rng.random_range(0..=lightest))
            .collect();
        let found = finder.points(&grey, width, height, grid).expect("it fits");
        let alone = feature_points(&grey, width, height, grid).expect("it fits");
        assert_eq!(found, alone, "{width} x {height}, grid {grid}");
    }
}

#[test]
fn a_cell_has_the_point_that_it_would_have_alone() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for n in 0..300 {
        let [width, height] = [0, 1].map(|_| rng.random_range(12..60usize));
        let grid = rng.random_range(1..=width.min(height) / 4);
        let lightest = [3, 255][n % 2];
        let grey: Vec<u8> = (0..width * height)
            .map(|_| rng.random_range(0..=lightest))
            .collect();
        let found = feature_points(&grey, width, height, grid).expect("it fits");
        let cell = cell_size_px(width, height, grid).expect("it fits");
        for (at, [x, y]) in found[4..].iter().enumerate() {
            let (left, top) = (at / grid * cell.0, at % grid * cell.1);
            // An image with one cell has a margin of a pixel.
            let own = (top..=top + cell.1).flat_map(|y| &grey[y * width + left..][..=cell.0]);
            let own: Vec<u8> = own.copied().collect();
            let alone = feature_points(&own, cell.0 + 1, cell.1 + 1, 1).expect("it fits");
            assert_eq!(
                alone[4],
                [x - left as i32, y - top as i32],
                "{width} x {height}, cell {at} of {grid} a side"
            );
        }
    }
}

#[test]
fn folded_and_degenerate_triangles_are_counted_at_any_number_of_alphas() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let area = |[a, b, c]: [Point; 3]| double_area(a, b, c);
    let mut folded = 0;
    for steps in 0..60 {
        let mut points = || -> Vec<Point> {
            let corners = [[0, 0], [9, 0], [0, 9], [9, 9]];
            let mut points = corners.to_vec();
            while points.len() < 12 {
                let point = [0, 1].map(|_| rng.random_range(1..9));
                if !points.contains(&point) {
                    points.push(point);
                }
            }
            points
        };
        let mesh = PairMesh::new(points(), points());
        let alphas: Vec<f64> = (1..=steps % 20)
            .map(|i| f64::from(i) / f64::from(steps % 20 + 1))
            .collect();
        let scale = lattice_scale(10, 10, &alphas);
        let alphas: Vec<i32> = alphas.iter().map(|&alpha| fixed_alpha(alpha)).collect();
        let mut expected = [0; 4];
        for triangle in &mesh.triangles {
            let left = triangle.map(|i| mesh.points_left[i as usize]);
            let right = triangle.map(|i| mesh.points_right[i as usize]);
            let mut count = |points, at: usize| {
                expected[at] += u64::from(area(points) * area(left) < 0);
                expected[at + 1] += u64::from(area(points) == 0);
            };
            count(right, 0);
            for &alpha in &alphas {
                count(
                    [0, 1, 2].map(|n| lattice_point(left[n], right[n], alpha, scale)),
                    2,
                );
            }
        }
        let found = mesh.counts(&alphas, scale);
        let found = [
            found.folded_right,
            found.degenerate_right,
            found.folded,
            found.degenerate,
        ];
        assert_eq!(found, expected, "{} alphas", alphas.len());
        folded += found[2];
    }
    assert!(folded > 100, "{folded}");
}

#[test]
fn a_thousand_random_pairs_give_finite_frames_at_every_grid() {
    let set = fashion_mnist();
    for engine in engines() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut degenerate = 0;
        for n in 0..1000 {
            let grid = [3, 4, 5, 7][n % 4];
            let [left, right] = [0, 1].map(|_| {
                set.image(rng.random_range(0..set.len()))
                    .expect("held in memory")
            });
            let mesh = pair_mesh(&left, &right, grid).expect("it fits");
            let sampling = if n % 8 < 4 {
                Sampling::Cubic
            } else {
                Sampling::Linear
            };
            let plan = MorphPlan {
                left: &left,
                right: &right,
                mesh: &mesh,
                alphas: &[0.05, 0.5, 0.9],
                mode: MorphMode::Clean(sampling),
            };
            let morph = morph_pair(engine.as_ref(), &plan).expect("it morphs");
            degenerate += usize::from(morph.counts.degenerate_right > 0);
            for frame in &morph.frames {
                assert!(
                    frame
                        .levels
                        .iter()
                        .all(|level| (0.0..=255.0).contains(level)),
                    "pair {n}, grid {grid}"
                );
            }
        }
        // The paper's tool stops on each of these: 8 % at grid 3, 22 % at grid 4, 34 % at grid 5, none at 7.
        println!("{degenerate} of 1000 pairs have a triangle without area on the right");
        assert!((100..220).contains(&degenerate), "{degenerate}");
    }
}

#[test]
fn every_pixel_lies_in_a_triangle_of_every_intermediate_mesh() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..200 {
        let left = random_points(&mut rng);
        let side = left[1][0];
        let mut right = left[..4].to_vec();
        right.extend(
            (4..left.len()).map(|_| [rng.random_range(1..side), rng.random_range(1..side)]),
        );
        let mesh = PairMesh::new(left, right);
        let alphas: Vec<f64> = (1..20).map(|i| f64::from(i) / 20.0).collect();
        let scale = lattice_scale(side as usize + 1, side as usize + 1, &alphas);
        let alpha = fixed_alpha(f64::from(rng.random_range(1..20)) / 20.0);
        let at = |i: u32| {
            let (l, r) = (mesh.points_left[i as usize], mesh.points_right[i as usize]);
            lattice_point(l, r, alpha, scale)
        };
        for y in (0..=side).step_by(3) {
            for x in 0..=side {
                let p = [x * scale, y * scale];
                let inside = mesh.triangles.iter().any(|triangle| {
                    let [a, b, c] = triangle.map(at);
                    let turn = double_area(a, b, c).signum();
                    turn != 0
                        && [(a, b), (b, c), (c, a)]
                            .iter()
                            .all(|&(from, to)| turn * double_area(from, to, p) >= 0)
                });
                assert!(inside, "({x}, {y}) of {side} has no owner");
            }
        }
    }
}

#[test]
fn lattices_hold_the_alphas_of_a_grid_exactly() {
    let steps = |last: u32| {
        (1..last)
            .map(|i| f64::from(i) / f64::from(last))
            .collect::<Vec<_>>()
    };
    assert_eq!(lattice_scale(28, 28, &steps(20)), 1200);
    assert_eq!(lattice_scale(28, 28, &[0.25, 0.5, 0.75]), 1212);
    assert_eq!(lattice_scale(1024, 10, &steps(20)), 20);
    assert_eq!(
        lattice_scale(1024, 10, &steps(80)),
        32,
        "none fits: the finest"
    );
    assert!(lattice_scale(4096, 4096, &steps(20)) >= 1);
    assert_eq!(
        lattice_scale(28, 28, &[std::f64::consts::FRAC_1_PI]),
        1213,
        "none fits: the finest"
    );
}

#[test]
fn lattice_points_are_exact_where_they_can_be_and_near_where_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for (side, last) in [
        (28, 20),
        (28, 7),
        (1024, 20),
        (1024, 80),
        (4096, 20),
        (4096, 1000),
    ] {
        let alphas: Vec<f64> = (0..=last).map(|i| f64::from(i) / f64::from(last)).collect();
        let scale = lattice_scale(side as usize, side as usize, &alphas);
        for _ in 0..2000 {
            let [left, right] = [0, 1].map(|_| [0, 1].map(|_| rng.random_range(0..side)));
            let i = rng.random_range(0..=last);
            let found = lattice_point(left, right, fixed_alpha(alphas[i as usize]), scale);
            for axis in 0..2 {
                // Times `last` everything is whole.
                let exact = i64::from(scale) * i64::from((last - i) * left[axis] + i * right[axis]);
                let off = (i64::from(found[axis]) * i64::from(last) - exact).abs();
                let bound = if scale % last == 0 {
                    0
                } else {
                    i64::from(last)
                };
                assert!(
                    off <= bound,
                    "{left:?} {right:?} at {i}/{last} of scale {scale}"
                );
            }
        }
    }
}

#[test]
fn morphs_start_and_end_in_the_images_and_stay_in_a_pair_of_equals() {
    let set = fashion_mnist();
    for engine in engines() {
        for i in 0..20 {
            let (left, right) = (
                set.image(i).expect("held in memory"),
                set.image(i + 100).expect("held in memory"),
            );
            let mesh = pair_mesh(&left, &right, 3).expect("it fits");
            let plan = MorphPlan {
                left: &left,
                right: &right,
                mesh: &mesh,
                alphas: &[0.0, 0.3, 1.0],
                mode: MorphMode::Clean(Sampling::Cubic),
            };
            let frames = morph_pair(engine.as_ref(), &plan)
                .expect("it morphs")
                .frames;
            assert_eq!(
                (&frames[0], &frames[2]),
                (&left, &right),
                "alpha 0 and 1 are the images themselves"
            );
            let mesh = pair_mesh(&left, &left, 3).expect("it fits");
            let plan = MorphPlan {
                left: &left,
                right: &left,
                mesh: &mesh,
                alphas: &[0.4],
                mode: MorphMode::Clean(Sampling::Cubic),
            };
            let frames = morph_pair(engine.as_ref(), &plan)
                .expect("it morphs")
                .frames;
            // Spline coefficients and weights in 32-bit floats.
            assert_close(
                "an image into itself",
                &frames[0].levels,
                &left.levels,
                Tolerance {
                    abs: 5e-3,
                    rel: 0.0,
                },
            );
        }
    }
}

#[test]
fn probabilities_sum_to_one() {
    let set = fashion_mnist();
    let images: Vec<_> = (0..500)
        .map(|i| set.image(i).expect("held in memory"))
        .collect();
    let inputs: Vec<&[f32]> = images.iter().map(|image| image.levels.as_slice()).collect();
    for engine in engines() {
        let answers = classify(
            engine.as_ref(),
            &morphscape::model::bundled_fashion_mnist(),
            &inputs,
        )
        .expect("it classifies");
        let sums: Vec<f32> = answers
            .probabilities
            .chunks_exact(10)
            .map(|row| row.iter().sum())
            .collect();
        assert_close(
            "sums",
            &sums,
            &vec![1.0; sums.len()],
            Tolerance {
                abs: 1e-6,
                rel: 0.0,
            },
        );
    }
    assert!(
        classify(
            &CpuEngine::new(),
            &morphscape::model::bundled_fashion_mnist(),
            &[]
        )
        .expect("nothing")
        .logits
        .is_empty()
    );
}

#[test]
fn seeds_choose_valid_triples_and_always_the_same() {
    let set = fashion_mnist();
    let labels: Vec<usize> = (0..set.len()).map(|i| set.label(i)).collect();
    for seed in 0..50 {
        let triples = choose_triples(&labels, 10, 4, &[[9, 4, 5]], seed).expect("ten classes");
        assert_eq!(
            triples,
            choose_triples(&labels, 10, 4, &[[9, 4, 5]], seed).expect("again")
        );
        assert_eq!(triples[0].classes, [9, 4, 5], "fixed classes are kept");
        for sets in triples.chunks_exact(2) {
            assert_eq!(
                sets[0].classes, sets[1].classes,
                "sets A and B have the same classes"
            );
            for k in 0..3 {
                assert_ne!(sets[0].items[k], sets[1].items[k], "and different items");
                assert_eq!(labels[sets[0].items[k]], sets[0].classes[k]);
            }
        }
    }
    let names: Vec<String> = choose_triples(&labels, 10, 2, &[], 1)
        .expect("ten classes")
        .into_iter()
        .map(|triple| triple.name)
        .collect();
    assert_eq!(names, ["1A", "1B", "2A", "2B"]);
    assert_eq!(
        Permutation::ALL.map(|permutation| permutation.arrange(["x", "y", "z"])),
        [["x", "z", "y"], ["y", "z", "x"], ["x", "y", "z"]]
    );
}

#[test]
fn the_data_are_those_that_their_checksums_name() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let sums = std::fs::read_to_string(data.join("SHA256SUMS")).expect("SHA256SUMS");
    assert_eq!(sums.lines().count(), 5);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").expect("sum and name");
        let content = std::fs::read(data.join(name)).expect(name);
        assert_eq!(sha256_hex([content.as_slice()]), sum, "{name}");
    }
    assert_eq!(iris().len(), 150);
    assert_eq!(seeds().len(), 210);
}
