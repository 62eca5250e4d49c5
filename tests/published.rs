//! Published mode against the paper's tool: its own frames, and the pairs at which it stops.
//! `tests/golden/README.md` says where the values come from.

mod common;

use common::{engines, golden, golden_json};
use morphscape::data::{Image, ImageSet, fashion_mnist};
use morphscape::mesh::{PairMesh, Point};
use morphscape::pipeline::{MorphMode, MorphPlan, morph_pair, pair_mesh};
use serde_json::Value;

fn index(value: &Value) -> usize {
    value.as_u64().expect("an index") as usize
}

fn points(value: &Value) -> Vec<Point> {
    let point = |p: &Value| [0, 1].map(|k| p[k].as_f64().expect("a coordinate") as i32);
    value
        .as_array()
        .expect("points")
        .iter()
        .map(point)
        .collect()
}

fn triangles(value: &Value) -> Vec<[u32; 3]> {
    let triangle = |t: &Value| [0, 1, 2].map(|k| index(&t[k]) as u32);
    value
        .as_array()
        .expect("triangles")
        .iter()
        .map(triangle)
        .collect()
}

const ALPHAS: [f64; 3] = [0.25, 0.5, 0.75];

/// A pair of the tool's, and what it made of it at [`ALPHAS`].
struct GoldenPair {
    left: Image,
    right: Image,
    /// With the tool's own triangles.
    mesh: PairMesh,
    frames: Vec<Vec<u8>>,
    /// The left and the right side of each frame as the tool stored it.
    sides: [Vec<Vec<u8>>; 2],
}

fn golden_pairs(images: &ImageSet) -> Vec<GoldenPair> {
    let header = golden_json("morph.json");
    let bytes = std::fs::read(golden("morph_u8.bin")).expect("morph_u8.bin");
    let frames_of = |name: &str, n: usize| -> Vec<Vec<u8>> {
        let list = header["u8"].as_array().expect("u8");
        let entry = list.iter().find(|entry| entry["name"] == name);
        let start = index(&entry.expect(name)["offset"]) + n * 3 * 784;
        bytes[start..start + 3 * 784]
            .chunks_exact(784)
            .map(<[u8]>::to_vec)
            .collect()
    };
    let pairs = header["pairs"].as_array().expect("pairs").iter();
    pairs
        .enumerate()
        .map(|(n, pair)| GoldenPair {
            left: images.image(index(&pair["left"])),
            right: images.image(index(&pair["right"])),
            mesh: PairMesh::with_triangles(
                points(&pair["points_left"]),
                points(&pair["points_right"]),
                triangles(&pair["simplices"]),
            ),
            frames: frames_of("frame_u8", n),
            sides: ["left_warp_u8", "right_warp_u8"].map(|name| frames_of(name, n)),
        })
        .collect()
}

/// Pixels that differ from the tool's, in words, over all pairs and frames; a pixel that one
/// stored value more or less on one side does not explain fails.
fn differences(
    engine: &dyn morphscape::engine::Engine,
    pairs: &[GoldenPair],
    own_mesh: bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for (n, pair) in pairs.iter().enumerate() {
        let own = pair_mesh(&pair.left, &pair.right, 3).expect("28 x 28 fits a grid of 3");
        let plan = MorphPlan {
            left: &pair.left,
            right: &pair.right,
            mesh: if own_mesh { &own } else { &pair.mesh },
            alphas: &ALPHAS,
            mode: MorphMode::Published,
        };
        let morph = morph_pair(engine, &plan).expect("a golden pair morphs");
        assert_eq!(morph.counts.failed, 0);
        for (a, frame) in morph.frames.iter().enumerate() {
            for (k, (&level, &expected)) in frame.levels.iter().zip(&pair.frames[a]).enumerate() {
                if level == f32::from(expected) {
                    continue;
                }
                let [left, right] = [0, 1].map(|side| pair.sides[side][a][k]);
                let blend = |left: u8, right: u8| {
                    ((1.0 - ALPHAS[a]) * f64::from(left) + ALPHAS[a] * f64::from(right)).trunc()
                };
                assert_eq!(
                    blend(left, right),
                    f64::from(expected),
                    "the golden data agree"
                );
                let near = |value: u8| [-1, 0, 1].map(|by| value.wrapping_add_signed(by));
                let lefts = near(left);
                let explained = lefts.iter().any(|&l| blend(l, right) == f64::from(level))
                    || near(right).iter().any(|&r| {
                        // At a corner of two triangles another one's rounding moves both sides.
                        let l = if own_mesh { &lefts[..] } else { &lefts[1..2] };
                        l.iter().any(|&l| blend(l, r) == f64::from(level))
                    });
                found.push(format!(
                    "pair {n}, alpha {}, x {}, y {}: {level} for {expected} of {left} and {right}",
                    ALPHAS[a],
                    k % 28,
                    k / 28
                ));
                assert!(explained, "{}", found[found.len() - 1]);
            }
        }
    }
    found
}

#[test]
fn frames_are_the_tool_s_to_the_pixel() {
    let pairs = golden_pairs(&fashion_mnist());
    assert_eq!(pairs.len(), 6);
    for engine in engines() {
        let found = differences(engine.as_ref(), &pairs, false);
        println!(
            "{}: {} of {} pixels differ\n{}",
            engine.info().engine,
            found.len(),
            6 * 3 * 784,
            found.join("\n")
        );
        // The issue asks for 0.5 %, 70 pixels; the tool's linear algebra rounds a little differently.
        assert!(found.len() <= 10, "{} pixels differ", found.len());
        // Where two triangles share a pixel, the order of ours may leave it to the other one.
        let own = differences(engine.as_ref(), &pairs, true);
        println!("with our own triangles: {}\n{}", own.len(), own.join("\n"));
        assert!(own.len() <= 30, "{} pixels differ", own.len());
    }
}

/// scipy 1.17.1, `Delaunay(points_left).simplices` of the last singular pair; of the six pairs of
/// `morph.json` it gives the triangles of scipy 1.10.1 that are stored there.
const QHULL_TRIANGLES: [[u32; 3]; 20] = [
    [5, 2, 0],
    [5, 6, 2],
    [5, 4, 8],
    [4, 7, 8],
    [4, 5, 0],
    [7, 4, 0],
    [3, 12, 1],
    [12, 11, 1],
    [12, 3, 2],
    [6, 12, 2],
    [7, 10, 8],
    [10, 11, 8],
    [11, 10, 1],
    [11, 9, 8],
    [12, 9, 11],
    [9, 12, 6],
    [9, 5, 8],
    [9, 6, 5],
    [10, 7, 0],
    [1, 10, 0],
];

#[test]
fn frames_fail_where_the_tool_stops() {
    let images = fashion_mnist();
    let alphas: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();
    let singular = golden_json("singular_pairs.json");
    let singular = singular["pairs"].as_array().expect("pairs");
    assert_eq!(singular.len(), 4);
    for engine in engines() {
        let failing = |left: &Image, right: &Image, mesh: &PairMesh| -> Vec<f64> {
            let plan = MorphPlan {
                left,
                right,
                mesh,
                alphas: &alphas,
                mode: MorphMode::Published,
            };
            let morph = morph_pair(engine.as_ref(), &plan).expect("it morphs");
            let failed: Vec<f64> = morph
                .frames
                .iter()
                .zip(&alphas)
                .filter(|(frame, _)| frame.is_failed())
                .map(|(_, alpha)| *alpha)
                .collect();
            assert_eq!(morph.counts.failed, failed.len() as u64);
            failed
        };
        for (n, pair) in singular.iter().enumerate() {
            let [left, right] = ["left", "right"].map(|side| images.image(index(&pair[side])));
            let expected: Vec<f64> =
                serde_json::from_value(pair["failing_alphas"].clone()).expect("alphas");
            let mut mesh = pair_mesh(&left, &right, 3).expect("28 x 28 fits a grid of 3");
            if n == 3 {
                // The tool's triangulation (Qhull) takes the other diagonal of four points on one
                // circle, and with it a triangle that loses its area halfway.
                assert_eq!(failing(&left, &right, &mesh), Vec::<f64>::new());
                mesh.triangles = QHULL_TRIANGLES.to_vec();
            }
            assert_eq!(failing(&left, &right, &mesh), expected, "singular pair {n}");
        }
        for (n, pair) in golden_pairs(&images).iter().enumerate() {
            let failed = failing(&pair.left, &pair.right, &pair.mesh);
            assert!(failed.is_empty(), "pair {n}: {failed:?}");
        }
    }
}
