//! Published mode against the paper's tool: its own frames, and the pairs at which it stops; what
//! becomes of a frame that failed; and the comparison of modes.
//! `tests/golden/README.md` says where the values come from.

use crate::common::{
    engines, golden, golden_json, grid_jobs, images_of, index, paper_triples, points,
};
use crate::program::{fail, folder, json, succeed};
use morphscape::data::{Image, ImageSet, fashion_mnist};
use morphscape::engine::Engine;
use morphscape::engine::cpu::CpuEngine;
use morphscape::kernels::Sampling;
use morphscape::landscape::{
    Landscape, LandscapeFile, LatticeWeights, Permutation, Triple, order_asymmetry,
};
use morphscape::mesh::{PairMesh, Point, triangulate, triangulate_as_qhull};
use morphscape::model::bundled_fashion_mnist;
use morphscape::pipeline::{
    Frames, GridJob, MorphMode, MorphPlan, MorphSettings, compute_landscapes, morph_grid,
    morph_pair, pair_mesh,
};
use serde_json::Value;
use std::ops::ControlFlow;

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
            left: images.image(index(&pair["left"])).expect("held in memory"),
            right: images.image(index(&pair["right"])).expect("held in memory"),
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

/// The mesh of published mode at grid 3.
fn published_mesh(left: &Image, right: &Image) -> PairMesh {
    let mesh = MorphMode::Published.mesh(left, right, 3);
    mesh.expect("28 x 28 fits a grid of 3")
}

/// Pixels that differ from the tool's, in words, over all pairs and frames; a pixel that one
/// stored value more or less on one side does not explain fails.
fn differences(engine: &dyn Engine, pairs: &[GoldenPair]) -> Vec<String> {
    let mut found = Vec::new();
    for (n, pair) in pairs.iter().enumerate() {
        let mesh = published_mesh(&pair.left, &pair.right);
        assert_eq!(
            mesh, pair.mesh,
            "pair {n}: points or triangles, in the tool's order"
        );
        let plan = MorphPlan {
            left: &pair.left,
            right: &pair.right,
            mesh: &mesh,
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
                let explained = near(left)
                    .iter()
                    .any(|&l| blend(l, right) == f64::from(level))
                    || near(right)
                        .iter()
                        .any(|&r| blend(left, r) == f64::from(level));
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
        let found = differences(engine.as_ref(), &pairs);
        println!(
            "{}: {} of {} pixels differ\n{}",
            engine.info().engine,
            found.len(),
            6 * 3 * 784,
            found.join("\n")
        );
        // The issue asks for 0.5 %, 70 pixels; the tool's linear algebra rounds a little differently.
        assert!(found.len() <= 10, "{} pixels differ", found.len());
    }
}

/// Numbers of points or triangles, one after the other, in groups of `N`.
fn in_groups<const N: usize>(values: &Value) -> Vec<[u32; N]> {
    let numbers: Vec<u32> = serde_json::from_value(values.clone()).expect("numbers");
    let groups = numbers.chunks_exact(N);
    groups
        .map(|group| std::array::from_fn(|k| group[k]))
        .collect()
}

#[test]
fn triangles_are_scipy_s_in_its_order() {
    let scipy = golden_json("qhull.json");
    let features = golden_json("features_grid3.json");
    let images = features["images"].as_array().expect("images").iter();
    let letters = scipy["images"].as_array().expect("images");
    assert_eq!(letters.len(), 500);
    for (image, letters) in images.zip(letters) {
        let corners = letters.as_str().expect("letters").bytes().map(|c| c - b'a');
        let corners: Vec<u32> = corners.map(u32::from).collect();
        let expected: Vec<&[u32]> = corners.chunks_exact(3).collect();
        let found = triangulate_as_qhull(&points(&image["p"])).expect("points of an image");
        assert_eq!(found, expected, "image {}", image["i"]);
    }
    let sets = scipy["sets"].as_array().expect("sets");
    assert_eq!(sets.len(), 99);
    for (n, set) in sets.iter().enumerate() {
        let points: Vec<Point> = in_groups::<2>(&set["points"])
            .into_iter()
            .map(|point| point.map(|v| v as i32))
            .collect();
        let found = triangulate_as_qhull(&points).expect("points that are not near a line");
        assert_eq!(found, in_groups::<3>(&set["triangles"]), "set {n}");
    }
}

#[test]
fn every_test_image_has_the_tool_s_triangles() {
    let set = fashion_mnist();
    let unknown = (0..set.len()).filter(|&i| {
        let image = set.image(i).expect("held in memory");
        let mesh = published_mesh(&image, &image);
        triangulate_as_qhull(&mesh.points_left).is_none()
    });
    assert_eq!(unknown.count(), 0);
}

/// Whatever the points, there are no triangles, or Delaunay triangles.
#[test]
fn triangles_as_qhull_s_are_delaunay_s() {
    let mut state = 1u64;
    let mut below = |end: i32| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
        ((state >> 33) % end as u64) as i32
    };
    let double_area =
        |[a, b, c]: [Point; 3]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let mut known = 0;
    for _ in 0..20_000 {
        let (side, count) = (1 + below(12), below(12));
        let points: Vec<Point> = (0..count).map(|_| [below(side), below(side)]).collect();
        let Some(triangles) = triangulate_as_qhull(&points) else {
            continue;
        };
        known += 1;
        let others = triangulate(&points);
        assert_eq!(triangles.len(), others.len(), "{points:?}");
        let area = |triangles: &[[u32; 3]]| -> i32 {
            let areas = triangles.iter().map(|triangle| {
                let area = double_area(triangle.map(|k| points[k as usize]));
                assert!(area > 0, "{points:?}: {triangle:?}");
                area
            });
            areas.sum()
        };
        assert_eq!(area(&triangles), area(&others), "{points:?}");
        for triangle in &triangles {
            let corners = triangle.map(|k| points[k as usize]);
            for &[x, y] in &points {
                // The point lifted, below the plane of the lifted corners?
                let lifted = corners.map(|[cx, cy]| [cx - x, cy - y]);
                let high = lifted.map(|[dx, dy]| i64::from(dx * dx + dy * dy));
                let minor = |a: usize, b: usize| {
                    i64::from(lifted[a][0] * lifted[b][1] - lifted[b][0] * lifted[a][1])
                };
                let inside = high[0] * minor(1, 2) - high[1] * minor(0, 2) + high[2] * minor(0, 1);
                assert!(
                    inside <= 0,
                    "{points:?}: [{x}, {y}] is inside of {triangle:?}"
                );
            }
        }
    }
    assert!(known > 4_000, "{known}");
}

#[test]
fn a_mesh_without_the_tool_s_triangles_is_counted() {
    // A thousand times as wide as high.
    let wide = |seed: usize| Image {
        width_px: 4096,
        height_px: 4,
        channels: 1,
        levels: (0..4096 * 4)
            .map(|k| ((k * 31 + k * k * seed) % 251) as f32)
            .collect(),
    };
    let (left, right) = (wide(7), wide(12));
    let mesh = MorphMode::Published.mesh(&left, &right, 1);
    let mesh = mesh.expect("it fits a grid of 1");
    assert_eq!(triangulate_as_qhull(&mesh.points_left), None);
    assert_eq!(mesh.triangles, triangulate(&mesh.points_left));
    let plan = MorphPlan {
        left: &left,
        right: &right,
        mesh: &mesh,
        alphas: &[0.5],
        mode: MorphMode::Published,
    };
    let morph = morph_pair(&CpuEngine::new(), &plan).expect("it morphs");
    assert_eq!(morph.counts.stand_in, 1);
}

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
            let [left, right] = ["left", "right"]
                .map(|side| images.image(index(&pair[side])).expect("held in memory"));
            let expected: Vec<f64> =
                serde_json::from_value(pair["failing_alphas"].clone()).expect("alphas");
            let mesh = published_mesh(&left, &right);
            assert_eq!(failing(&left, &right, &mesh), expected, "singular pair {n}");
        }
        for (n, pair) in golden_pairs(&images).iter().enumerate() {
            let failed = failing(&pair.left, &pair.right, &pair.mesh);
            assert!(failed.is_empty(), "pair {n}: {failed:?}");
        }
    }
}

/// The three landscapes of each triple.
fn landscapes(
    engine: &dyn Engine,
    triples: &[Triple],
    mode: MorphMode,
    frames: Frames,
) -> Vec<Landscape> {
    let images = images_of(triples);
    let jobs = grid_jobs(&images);
    let settings = MorphSettings::new(21, 3, mode);
    let go_on = |_| ControlFlow::Continue(());
    compute_landscapes(
        engine,
        &bundled_fashion_mnist(),
        &settings,
        &jobs,
        frames,
        &go_on,
    )
    .expect("the job runs")
}

#[test]
fn engines_classify_the_same_frames_and_agree() {
    let triples = paper_triples(5);
    let cpu = landscapes(
        &CpuEngine::new(),
        &triples,
        MorphMode::Published,
        Frames::Keep,
    );
    for engine in engines() {
        let other = landscapes(
            engine.as_ref(),
            &triples,
            MorphMode::Published,
            Frames::Keep,
        );
        let mut worst = 0.0f32;
        for (n, (found, expected)) in other.iter().zip(&cpu).enumerate() {
            let bits = |landscape: &Landscape| -> Vec<u32> {
                let frames = landscape.inputs.iter().flatten();
                frames.map(|level| level.to_bits()).collect()
            };
            assert!(bits(found) == bits(expected), "landscape {n}: frames");
            for k in 0..expected.num_frames() {
                assert_eq!(
                    found.is_failed(k),
                    expected.is_failed(k),
                    "landscape {n}, {k}"
                );
                let (p, q) = (found.probabilities_of(k), expected.probabilities_of(k));
                worst = p
                    .iter()
                    .zip(q)
                    .map(|(p, q)| (p - q).abs())
                    .fold(worst, f32::max);
                let mut sorted = q.to_vec();
                sorted.sort_by(|a, b| b.total_cmp(a));
                if sorted[0] - sorted[1] > 1e-3 {
                    assert_eq!(found.label(k), expected.label(k), "landscape {n}, {k}");
                }
            }
        }
        println!("{}: worst difference {worst:e}", engine.info().engine);
        assert!(worst <= 1e-4, "{worst}");
    }
    let failed: usize = cpu.iter().map(Landscape::num_failed).sum();
    println!("{failed} of 13230 frames failed");
    assert!((1300..4000).contains(&failed), "about a sixth: {failed}");
}

#[test]
fn a_grid_is_the_tool_run_on_its_own_frames() {
    let set = fashion_mnist();
    let triple = &paper_triples(5)[4..5];
    let grids = landscapes(
        &CpuEngine::new(),
        triple,
        MorphMode::Published,
        Frames::Keep,
    );
    for (order, landscape) in Permutation::ALL.into_iter().zip(&grids) {
        let [a, b, c] = order
            .arrange(triple[0].items)
            .map(|item| set.image(item).expect("held in memory"));
        let go_on = |_| ControlFlow::Continue(());
        let grid = morph_grid(
            &CpuEngine::new(),
            GridJob::new([&a, &b, &c]),
            &MorphSettings::new(21, 3, MorphMode::Published),
            &go_on,
        )
        .expect("it morphs");
        let kept = landscape.inputs.as_ref().expect("kept frames");
        for (k, frame) in grid.frames.iter().enumerate() {
            let levels = &kept[784 * k..784 * (k + 1)];
            assert_eq!(landscape.is_failed(k), frame.is_failed(), "frame {k}");
            assert_eq!(landscape.is_failed(k), levels[0].is_nan(), "frame {k}");
            if !frame.is_failed() {
                assert_eq!(levels, &frame.levels[..], "frame {k}");
                let is_level = |level: &f32| (0.0..=255.0).contains(level) && level.fract() == 0.0;
                assert!(levels.iter().all(is_level), "frame {k}: 8-bit levels");
            }
        }
        // A, B and C are themselves, and so is the last column, whatever failed.
        for (k, image) in (0..21)
            .map(|i| (21 * i + 20, &c))
            .chain([(0, &a), (420, &b)])
        {
            assert_eq!(grid.frames[k].levels, image.levels, "frame {k}");
        }
        let failed = landscape.num_failed() as u64;
        assert_eq!(grid.counts.failed, failed);
        assert_eq!(
            landscape.morph.as_ref().expect("meshes").counts.failed,
            failed
        );
    }
    // Triple 3A: from A to B the tool stops at every mix, and then there is no row to lead into C.
    let gone = (1..20).filter(|i| (0..20).all(|j| grids[1].is_failed(21 * i + j)));
    assert_eq!(gone.count(), 19, "rows of 3A.2");
    assert!(!grids[1].is_failed(0) && !grids[1].is_failed(420));
}

/// Between an image and itself the mesh stands still and the spline passes through every level,
/// so that only the truncation is left. Width, height and channels all differ.
#[test]
fn a_colour_image_morphs_into_itself_but_for_the_truncation() {
    let image = crate::common::image(23, 14, 3, |x, y, channel| {
        ((x * 37 + y * 91 + channel * 53 + x * y) % 256) as f32
    });
    let mesh = pair_mesh(&image, &image, 3).expect("it fits");
    let plan = MorphPlan {
        left: &image,
        right: &image,
        mesh: &mesh,
        alphas: &[0.5],
        mode: MorphMode::Published,
    };
    let morph = morph_pair(&CpuEngine::new(), &plan).expect("it morphs");
    assert_eq!(morph.counts.failed, 0);
    for (k, (found, level)) in morph.frames[0].levels.iter().zip(&image.levels).enumerate() {
        // One side, or both, may be stored as one level less.
        assert!(
            (level - 1.0..=*level).contains(found),
            "{k}: {found} for {level}"
        );
    }
}

#[test]
fn a_cross_fade_does_not_depend_on_the_order() {
    let asymmetry = |mode| {
        let grids = landscapes(
            &CpuEngine::new(),
            &paper_triples(5)[..4],
            mode,
            Frames::Drop,
        );
        let each = grids.chunks_exact(3).map(|grids| {
            let probabilities = [0, 1, 2].map(|n| &grids[n].probabilities[..]);
            order_asymmetry(probabilities, 21, 10, LatticeWeights::All).expect("a lattice")
        });
        each.collect::<Vec<_>>()
    };
    for found in asymmetry(MorphMode::CrossFade) {
        // Levels are rounded to 32 bits once a stage, in another order.
        assert!(found.asymmetry < 1e-6, "{found:?}");
        assert_eq!(found.label_agreement, 1.0);
    }
    for found in asymmetry(MorphMode::Clean(Sampling::Cubic)) {
        assert!(found.asymmetry > 1e-3, "a morph does: {found:?}");
    }
}

#[test]
fn a_cross_fade_blends_pixel_by_pixel() {
    let set = fashion_mnist();
    let [left, right] = [9, 2].map(|i| set.image(i).expect("held in memory"));
    let mesh = pair_mesh(&left, &right, 3).expect("28 x 28 fits a grid of 3");
    let plan = MorphPlan {
        left: &left,
        right: &right,
        mesh: &mesh,
        alphas: &[0.0, 0.25, 1.0],
        mode: MorphMode::CrossFade,
    };
    for engine in engines() {
        let frames = morph_pair(engine.as_ref(), &plan)
            .expect("it blends")
            .frames;
        assert_eq!((&frames[0], &frames[2]), (&left, &right));
        for (k, level) in frames[1].levels.iter().enumerate() {
            assert_eq!(*level, 0.75 * left.levels[k] + 0.25 * right.levels[k]);
        }
    }
}

#[test]
fn failed_frames_are_counted_written_and_read_as_gaps() {
    let folder = folder();
    let triple = &paper_triples(5)[4];
    let list = format!(
        r#"{{"triples":[{{"name":"t","items":{:?}}}]}}"#,
        triple.items
    );
    std::fs::write(folder.path().join("t.json"), list).expect("written");
    let sweep = [
        "sweep",
        "--mode",
        "published",
        "--triples",
        "t.json",
        "--engine",
        "cpu",
        "--mesh",
        "--format",
        "svg,html",
        "--save-frames",
        "--out",
        "out",
    ];
    succeed(folder.path(), &sweep);
    let out = folder.path().join("out");
    assert_eq!(
        json(out.join("manifest.json"))["plan"]["morph"]["mode"],
        "published"
    );
    let summary = std::fs::read_to_string(out.join("summary.csv")).expect("summary.csv");
    let mut failed_in_all = 0;
    for line in summary.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let path = out.join(fields[0]).join("landscape.safetensors");
        let file = LandscapeFile::read(&path).expect("our own file");
        let failed = file.landscape.num_failed();
        assert_eq!(fields[fields.len() - 1], failed.to_string(), "{line}");
        assert_eq!(
            file.landscape.morph.as_ref().expect("meshes").counts.failed,
            failed as u64
        );
        // Variation is empty where no path is whole.
        let whole = (0..file.landscape.steps).any(|i| {
            (0..file.landscape.steps)
                .all(|j| !file.landscape.is_failed(i * file.landscape.steps + j))
        });
        assert_eq!(fields[7].is_empty(), !whole, "{line}");
        let bytes = std::fs::read(&path).expect("the file");
        let says = String::from_utf8_lossy(&bytes).contains("singular matrix");
        assert_eq!(says, failed > 0, "metadata of {}", fields[0]);
        for figure in [
            "line", "surface", "map", "paths", "sheet", "mesh", "ternary", "scatter",
        ] {
            let svg = out.join(fields[0]).join(format!("{figure}.svg"));
            let svg = std::fs::read_to_string(svg).expect(figure);
            assert!(!svg.contains("NaN"), "{figure} of {}", fields[0]);
            let names_it = ["map", "sheet"].contains(&figure) && failed > 0;
            assert!(
                !names_it || svg.contains("failed"),
                "{figure} of {}",
                fields[0]
            );
        }
        failed_in_all += failed;
    }
    assert!(
        failed_in_all > 1000,
        "triple 3A fails most: {failed_in_all}"
    );
    // `plot` reads the gaps back.
    succeed(folder.path(), &["plot", "out"]);
}

#[test]
fn what_published_mode_cannot_do_is_refused_and_failed_frames_are_left_out() {
    let folder = folder();
    for command in [&["sweep"][..], &["morph", "t10k#9", "t10k#2"]] {
        let arguments = [command, &["--mode", "published", "--sampling", "linear"]].concat();
        fail(folder.path(), &arguments, 1, &["cubic", "--mode clean"]);
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("it").count(), 0);
    let pair = ["t10k#4052", "t10k#1819"];
    let morph = [
        "morph",
        pair[0],
        pair[1],
        "--mode",
        "published",
        "--engine",
        "cpu",
        "--out",
        "pair",
    ];
    let run = succeed(folder.path(), &morph);
    assert!(run.stderr.contains("19 frames failed"), "{}", run.stderr);
    let out = folder.path().join("pair");
    assert_eq!(json(out.join("morph.json"))["counts"]["failed"], 19);
    let frames = std::fs::read_dir(&out).expect("the folder");
    let is_frame = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("frame-");
    let frames = frames.filter(|entry| is_frame(&entry.as_ref().expect("an entry").file_name()));
    assert_eq!(frames.count(), 2, "the two images");
}

#[test]
fn compare_reports_the_tool_s_share() {
    let folder = folder();
    let compare = [
        "compare", "--groups", "2", "--steps", "7", "--engine", "cpu", "--out", "out",
    ];
    let run = succeed(folder.path(), &compare);
    assert!(run.stdout.contains("total variation"), "{}", run.stdout);
    assert!(run.stdout.contains("is the morph tool's"), "{}", run.stdout);
    let out = folder.path().join("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let rows = |text: &str| -> Vec<Vec<String>> {
        let fields = |line: &str| line.split(',').map(str::to_owned).collect();
        text.lines().skip(1).map(fields).collect()
    };
    let number = |text: &String| text.parse::<f64>().expect("a number");
    // The shares are those of the triples' means.
    let triples = rows(&read("triples.csv"));
    assert_eq!(triples.len(), 4);
    let measured: Vec<_> = triples.iter().filter(|row| !row[9].is_empty()).collect();
    let mean = |column: usize| {
        let sum: f64 = measured.iter().map(|row| number(&row[column])).sum();
        sum / measured.len() as f64
    };
    let shares = rows(&read("tool_share.csv"));
    assert_eq!(shares.len(), 6);
    for (n, share) in shares.iter().enumerate() {
        let first = 9 + n / 2 * 3;
        let (published, other) = (mean(first), mean(first + 1 + n % 2));
        assert!((number(&share[2]) - published).abs() < 1e-5, "{share:?}");
        assert!((number(&share[3]) - other).abs() < 1e-5, "{share:?}");
        let expected = (published - other) / published;
        assert!((number(&share[4]) - expected).abs() < 1e-4, "{share:?}");
        assert!(number(&share[5]) <= expected && expected <= number(&share[6]));
    }
    assert!(read("compare.svg").contains("in published mode"));
    let manifest = json(out.join("manifest.json"));
    assert!(
        manifest["finding"]
            .as_str()
            .expect("a sentence")
            .contains("of 84 paths")
    );
    // The same command gives the same bytes; another plan is refused.
    let before = ["triples.csv", "tool_share.csv", "compare.svg"].map(&read);
    succeed(folder.path(), &compare);
    assert_eq!(
        before,
        ["triples.csv", "tool_share.csv", "compare.svg"].map(read)
    );
    let other = [&compare[..], &["--seed", "2"]].concat();
    fail(folder.path(), &other, 1, &["another run"]);
}
