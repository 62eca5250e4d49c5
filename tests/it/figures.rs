//! Figures: their pixels against golden pictures, and their structure against the values.
//!
//! The goldens in `tests/golden/figures` are drawn from closed forms on small grids and were
//! looked at. `MORPHSCAPE_REWRITE_GOLDEN=1 cargo test --test it figures::` draws them anew; a
//! difference leaves the expected, the actual and the differing pixels under `target/`.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must not pass a comparison"
)]

use morphscape::data::{Picture, read_image_file};
use morphscape::landscape::{
    About, DataPoints, GridKind, GridMeshes, Items, Landscape, LandscapeFile, Permutation,
};
use morphscape::mesh::PairMesh;
use morphscape::plot::{
    Camera, Figure, FigureOptions, FigureSet, LinePlot, Marks, Ternary, TernaryPanel, Tiles,
    group_figures, landscape_figures, line_plot, plotly_figure, surface_plot, svg_to_png,
    ternary_plot,
};
use std::path::{Path, PathBuf};

const STEPS: usize = 9;
const CLASSES: usize = 4;

/// Probabilities at (s, t): A falls, B grows with s; C grows with t; a fourth class, the
/// intruder, peaks in the middle.
fn probabilities(s: f64, t: f64) -> [f64; CLASSES] {
    let logits = [
        6.0 * (1.0 - s) * (1.0 - t),
        6.0 * s * (1.0 - t),
        7.0 * t,
        7.5 - 30.0 * ((s - 0.5).powi(2) + (t - 0.4).powi(2)),
    ];
    let weights = logits.map(f64::exp);
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

fn grid() -> Landscape {
    let unit = |index: usize| index as f64 / (STEPS - 1) as f64;
    let probabilities: Vec<f32> = (0..STEPS * STEPS)
        .flat_map(|k| probabilities(unit(k / STEPS), unit(k % STEPS)))
        .map(|p| p as f32)
        .collect();
    Landscape {
        steps: STEPS,
        num_classes: CLASSES,
        logits: probabilities.iter().map(|p| p.ln()).collect(),
        probabilities,
        inputs: None,
        kind: GridKind::Rows,
        morph: None,
        flat: None,
    }
}

fn named(items: Items, landscape: Landscape) -> LandscapeFile {
    let settings = serde_json::json!({"mode": "clean", "sampling": "cubic"});
    LandscapeFile {
        about: About {
            name: "1A.3".into(),
            permutation: Permutation::IntoZ,
            item_names: ["t10k#1", "t10k#2", "t10k#3"].map(str::to_owned),
            item_classes: [0, 1, 2],
            class_names: ["Coat", "Bag <&\">", "Boot", "Shirt"]
                .map(str::to_owned)
                .to_vec(),
            model: "a model".into(),
            model_sha256: "00".into(),
            items,
            settings: settings.as_object().cloned().unwrap_or_default(),
            finer_measures: None,
        },
        landscape,
    }
}

/// Frames of 10 x 8 pixels: a ramp that turns from horizontal to vertical.
fn images() -> LandscapeFile {
    let mut landscape = grid();
    let shape = [8, 10, 1];
    let unit = |index: usize| index as f32 / (STEPS - 1) as f32;
    landscape.inputs = Some(
        (0..STEPS * STEPS)
            .flat_map(|k| {
                (0..80).map(move |pixel| {
                    let (x, y) = ((pixel % 10) as f32 / 9.0, (pixel / 10) as f32 / 7.0);
                    let t = unit(k % STEPS);
                    255.0 * ((1.0 - t) * x + t * y) * (1.0 - 0.5 * unit(k / STEPS))
                })
            })
            .collect(),
    );
    let left = vec![[0, 0], [9, 0], [0, 7], [9, 7], [3, 3]];
    let mesh = |x, y| {
        let mut right = left.clone();
        right[4] = [x, y];
        PairMesh::new(left.clone(), right)
    };
    landscape.morph = Some(GridMeshes {
        counts: Default::default(),
        a_to_b: mesh(6, 4),
        mix_to_c: mesh(5, 2),
    });
    named(Items::Images { shape }, landscape)
}

fn rows() -> (LandscapeFile, DataPoints) {
    let mut landscape = grid();
    let features = ["length", "width", "depth"].map(str::to_owned).to_vec();
    let unit = |index: usize| index as f32 / (STEPS - 1) as f32;
    landscape.inputs = Some(
        (0..STEPS * STEPS)
            .flat_map(|k| {
                let (s, t) = (unit(k / STEPS), unit(k % STEPS));
                [5.0 + s - t, 2.0 + t, 0.1 + 0.5 * s * t]
            })
            .collect(),
    );
    let file = named(
        Items::Rows {
            features: features.clone(),
        },
        landscape,
    );
    let rows: Vec<f32> = (0..30)
        .flat_map(|n| {
            let n = n as f32;
            [
                4.5 + 0.06 * n,
                1.8 + 0.04 * ((n * 7.0) % 30.0),
                0.3 + 0.2 * (n * 0.7).sin(),
            ]
        })
        .collect();
    let data = DataPoints {
        features,
        class_names: file.about.class_names.clone(),
        rows,
        every: 1,
        labels: (0..30).map(|n| n % 3).collect(),
        probabilities: (0..30)
            .flat_map(|n| {
                let mut row = [0.1f32; 4];
                row[n % 3] = 0.7;
                row
            })
            .collect(),
    };
    (file, data)
}

/// A landscape with two peaks of the intruder and a dip between, so that its surface has
/// critical points of each kind.
fn wavy() -> LandscapeFile {
    let mut file = rows().0;
    let unit = |index: usize| index as f64 / (STEPS - 1) as f64;
    let landscape = &mut file.landscape;
    landscape.logits = (0..STEPS * STEPS)
        .flat_map(|k| {
            let (s, t) = (unit(k / STEPS), unit(k % STEPS));
            let peak = |s0: f64, t0: f64| (-40.0 * ((s - s0).powi(2) + (t - t0).powi(2))).exp();
            let intruder = 6.0 * (peak(0.25, 0.4) + 1.1 * peak(0.75, 0.5) + 0.8 * peak(0.3, 0.9));
            [
                3.0 * (1.0 - s) * (1.0 - t),
                3.0 * s * (1.0 - t),
                3.0 * t,
                intruder,
            ]
        })
        .map(|logit| logit as f32)
        .collect();
    landscape.probabilities = landscape
        .logits
        .chunks_exact(CLASSES)
        .flat_map(|row| {
            let weights: Vec<f32> = row.iter().map(|logit| logit.exp()).collect();
            let sum: f32 = weights.iter().sum();
            weights.into_iter().map(move |weight| weight / sum)
        })
        .collect();
    file
}

fn all_figures() -> Vec<(String, String)> {
    let options = FigureOptions::default();
    let images = images();
    let frames = Tiles::of(&images);
    let of_images = landscape_figures(
        &images,
        frames.as_ref(),
        None,
        FigureSet::AllWithMesh,
        &options,
    );
    let (rows, data) = rows();
    let of_rows = landscape_figures(&rows, None, None, FigureSet::All, &options);
    let group = Permutation::ALL.map(|permutation| {
        let mut file = rows.clone();
        file.about.name = format!("1A.{}", permutation.number());
        file.about.permutation = permutation;
        file
    });
    let marks = Marks {
        critical_points: true,
        barriers: true,
    };
    let marked = FigureOptions {
        classes: Some(vec![3, 0]),
        marks,
        ..options
    };
    let mut of_marked = landscape_figures(&wavy(), None, None, FigureSet::All, &marked);
    of_marked.retain(|figure| ["map", "surface"].contains(&figure.name));
    let of_group = group_figures(group.each_ref(), Some(&data), &[0, 1, 2, 3]);
    assert_eq!(of_group.len(), 3);
    let named = |kind: &str, figures: Vec<Figure>| -> Vec<(String, String)> {
        figures
            .into_iter()
            .map(|figure| (format!("{kind}-{}", figure.name), figure.svg))
            .collect()
    };
    let mut all = named("images", of_images);
    all.extend(named("rows", of_rows));
    all.extend(named("rows", of_group));
    all.extend(named("marked", of_marked));
    let dense = landscape_points(3000);
    let classes = vec![0; 3000];
    all.push((
        "density".into(),
        ternary_plot(&Ternary {
            title: "many points",
            subtitle: "",
            corners: [0, 1, 2],
            class_names: &images.about.class_names,
            panels: &[TernaryPanel {
                points: "points",
                colored_by: "",
                probabilities: &dense,
                classes: &classes,
                anchors: &[],
            }],
            legend: &[],
        }),
    ));
    all
}

/// Probabilities spread over the triangle by a low-discrepancy sequence.
fn landscape_points(n: usize) -> Vec<f32> {
    (0..n)
        .flat_map(|n| {
            let (u, v) = (
                (n as f64 * 0.754_877_67) % 1.0,
                (n as f64 * 0.569_840_29) % 1.0,
            );
            let weights = [u * u, v * (1.0 - u * u), (1.0 - v) * (1.0 - u * u), 0.0];
            weights.map(|weight| weight as f32)
        })
        .collect()
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/figures")
        .join(format!("{name}.png"))
}

/// Trigonometry may differ in its last bit from machine to machine and move an edge by a
/// fraction of a pixel. So levels may differ by a little, and a few by more; but in no tile of
/// the picture more than this share of them, which a lost line, label or colour exceeds.
const MAX_LEVEL_DIFFERENCE: f32 = 24.0;
const TILE_PX: usize = 24;
const MAX_DIFFERENT_IN_A_TILE: f64 = 0.02;

/// The largest share of differing levels in a tile.
fn worst_tile(different: &[bool], [height, width, channels]: [usize; 3]) -> f64 {
    let mut worst = 0.0f64;
    for top in (0..height).step_by(TILE_PX) {
        for left in (0..width).step_by(TILE_PX) {
            let (mut count, mut all) = (0, 0);
            for y in top..(top + TILE_PX).min(height) {
                for x in left..(left + TILE_PX).min(width) {
                    let levels = &different[(y * width + x) * channels..][..channels];
                    count += levels.iter().filter(|&&d| d).count();
                    all += channels;
                }
            }
            worst = worst.max(count as f64 / all as f64);
        }
    }
    worst
}

#[test]
fn figures_look_as_they_did_when_they_were_looked_at() {
    let rewrite = std::env::var("MORPHSCAPE_REWRITE_GOLDEN").is_ok_and(|value| value == "1");
    let actual_folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures");
    std::fs::create_dir_all(&actual_folder).expect("a folder under target");
    let mut failures = Vec::new();
    for (name, svg) in all_figures() {
        let png = svg_to_png(&svg, 64);
        if rewrite {
            std::fs::write(golden(&name), &png).expect("the golden is written");
        }
        let actual = actual_folder.join(format!("{name}.actual.png"));
        std::fs::write(&actual, &png).expect("the picture is written");
        let found = read_image_file(&actual, None).expect("our own PNG");
        let expected = match read_image_file(&golden(&name), None) {
            Ok(expected) => expected,
            Err(error) => {
                failures.push(format!(
                    "{name}: no golden picture ({error}); see {}",
                    actual.display()
                ));
                continue;
            }
        };
        if expected.shape() != found.shape() {
            failures.push(format!(
                "{name}: expected {}, found {}",
                expected.shape_text(),
                found.shape_text()
            ));
            continue;
        }
        let different: Vec<bool> = expected
            .levels
            .iter()
            .zip(&found.levels)
            .map(|(a, b)| !((a - b).abs() <= MAX_LEVEL_DIFFERENCE))
            .collect();
        let share = worst_tile(&different, expected.shape());
        if share > MAX_DIFFERENT_IN_A_TILE {
            let difference = actual_folder.join(format!("{name}.difference.png"));
            let picture = Picture {
                width_px: found.width_px,
                height_px: found.height_px,
                channels: found.channels,
                levels: different.iter().map(|&d| if d { 255 } else { 0 }).collect(),
            };
            std::fs::write(&difference, picture.to_png()).expect("the difference is written");
            failures.push(format!(
                "{name}: {:.1} % of the levels of a tile differ; expected {}, actual {}, difference {}",
                100.0 * share,
                golden(&name).display(),
                actual.display(),
                difference.display()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn figures_are_well_formed_and_say_what_they_show() {
    for (name, svg) in all_figures() {
        // Names from outside are text, never markup.
        assert!(!svg.contains("Bag <&"), "{name}");
        if name.starts_with("images") || name.starts_with("rows") {
            let group = [
                "Group 1A",
                "x t10k#1, y t10k#2, z t10k#3",
                "permutations 3, 1, 2",
                "a model",
            ];
            let one = [
                "1A.3",
                "A t10k#1, B t10k#2, C t10k#3",
                "permutation 3",
                "a model",
            ];
            for words in if name.contains("group") { group } else { one } {
                assert!(svg.contains(words), "{name}: expected \"{words}\"");
            }
            if !name.ends_with("-mesh") {
                assert!(svg.contains("Bag &lt;&amp;"), "{name}: names the class B");
            }
        }
        if name.starts_with("images") {
            assert!(svg.contains("clean mode, cubic sampling"), "{name}");
        }
    }
}

/// The colours of the map's cells are those of the predicted classes, and its boundaries are
/// where they change.
#[test]
fn the_decision_map_shows_each_prediction() {
    let file = images();
    let svg = morphscape::plot::decision_map(&file, None, None, Marks::default(), 0);
    let png = Path::new(env!("CARGO_TARGET_TMPDIR")).join("map-structure.png");
    std::fs::write(&png, svg_to_png(&svg, 96)).expect("written");
    let picture = read_image_file(&png, None).expect("our own PNG");
    // The map is the rectangle of cells: found by its first cell's place in the SVG.
    let cell = svg
        .split("<rect x=\"")
        .nth(1)
        .expect("the first cell follows the background");
    let number = |text: &str, key: &str| -> f64 {
        let from = text.find(key).expect(key) + key.len();
        text[from..]
            .split('"')
            .next()
            .and_then(|value| value.parse().ok())
            .expect("a number")
    };
    let left: f64 = cell
        .split('"')
        .next()
        .and_then(|x| x.parse().ok())
        .expect("x");
    let (top, side) = (number(cell, " y=\""), number(cell, "width=\""));
    for k in 0..STEPS * STEPS {
        let [i, j] = file.landscape.drawn_place(k);
        let (x, y) = (
            (left + side * (j as f64 + 0.5)) as usize,
            (top + side * (i as f64 + 0.5)) as usize,
        );
        let pixel = &picture.levels[(y * picture.width_px + x) * 3..][..3];
        // Pale or strong, the hue is the class's: the channels lie on the line from white to it.
        let distance = |class: usize| {
            let hex = morphscape::plot::class_color_hex(class);
            let color: Vec<f32> = (0..3)
                .map(|c| {
                    u8::from_str_radix(&hex[1 + 2 * c..3 + 2 * c], 16).expect("a colour") as f32
                })
                .collect();
            let along: Vec<f32> = color.iter().map(|c| 255.0 - c).collect();
            let found: Vec<f32> = pixel.iter().map(|p| 255.0 - p).collect();
            let dot: f32 = along.iter().zip(&found).map(|(a, b)| a * b).sum();
            let norm: f32 = along.iter().map(|a| a * a).sum();
            (0..3)
                .map(|c| (found[c] - dot / norm * along[c]).powi(2))
                .sum::<f32>()
        };
        let nearest = (0..CLASSES)
            .min_by(|&a, &b| distance(a).total_cmp(&distance(b)))
            .expect("classes");
        assert_eq!(Some(nearest), file.landscape.label(k), "frame {k}");
    }
}

/// What a ridge hides is not seen: with the camera low before a high front row, the colour of
/// the low ground behind it does not show.
#[test]
fn a_surface_hides_what_lies_behind_it() {
    let mut file = images();
    // A wall at t = 1, which stands nearest at azimuth 0, of probability 1; the rest is 0.
    for k in 0..STEPS * STEPS {
        let wall = k % STEPS >= STEPS - 2;
        let row = &mut file.landscape.probabilities[k * CLASSES..(k + 1) * CLASSES];
        row.copy_from_slice(if wall {
            &[1.0, 0.0, 0.0, 0.0]
        } else {
            &[0.0, 1.0, 0.0, 0.0]
        });
    }
    let count = |azimuth: f64| {
        let camera = Camera {
            azimuth,
            elevation: 8.0,
        };
        let svg = surface_plot(&file, &[0], camera, Marks::default());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hidden-{azimuth}.png"));
        std::fs::write(&path, svg_to_png(&svg, 96)).expect("written");
        let picture = read_image_file(&path, None).expect("our own PNG");
        // Viridis's lowest colour, unshaded or a quarter darker; the colour bar is cut off.
        (0..picture.height_px)
            .flat_map(|y| (0..picture.width_px - 100).map(move |x| (x, y)))
            .filter(|&(x, y)| {
                let pixel = &picture.levels[(y * picture.width_px + x) * 3..][..3];
                pixel[0] < 80.0 && pixel[1] < 12.0 && pixel[2] > 55.0
            })
            .count()
    };
    let (behind, before) = (count(0.0), count(180.0));
    assert!(
        before > 3000,
        "from behind the low ground is seen: {before} pixels"
    );
    assert!(
        behind < 200,
        "from the front the wall hides it: {behind} pixels"
    );
}

#[test]
fn a_plotly_figure_holds_the_values() {
    let file = images();
    let figure = plotly_figure(&file, &[2, 3]);
    let data = figure["data"].as_array().expect("traces");
    assert_eq!(data.len(), 2);
    for (trace, class) in data.iter().zip([2, 3]) {
        assert_eq!(trace["type"], "surface");
        for k in 0..STEPS * STEPS {
            let z = trace["z"][k / STEPS][k % STEPS].as_f64().expect("a number") as f32;
            assert_eq!(z, file.landscape.probabilities_of(k)[class]);
        }
    }
    let title = figure["layout"]["scene"]["xaxis"]["title"]["text"].as_str();
    assert_eq!(title, Some("into C (Boot)"));
}

#[test]
fn an_atlas_gives_the_frames_back() {
    let file = images();
    let tiles = Tiles::of(&file).expect("frames were kept");
    let again = Tiles::from_atlas(&tiles.atlas(), STEPS, tiles.shape());
    let (padded, frame, tile) = tiles.padded_atlas(64, GridKind::Morph);
    assert_eq!((frame, tile), ([10, 8], [16, 8]));
    assert_eq!([padded.width_px, padded.height_px], [16 * STEPS, 8 * STEPS]);
    for k in 0..STEPS * STEPS {
        assert_eq!(again.tile(k), tiles.tile(k), "frame {k}");
        let levels = file.input(k).expect("kept");
        for (pixel, level) in levels.iter().enumerate() {
            let (x, y) = (k % STEPS * 16 + pixel % 10, k / STEPS * 8 + pixel / 10);
            assert_eq!(padded.levels[y * padded.width_px + x], level.round() as u8);
        }
    }
}

#[test]
fn a_picture_too_large_gets_fewer_dots() {
    let svg = line_plot(&LinePlot {
        title: "",
        subtitle: "",
        axis: "",
        probabilities: &[0.0, 1.0],
        num_classes: 1,
        cycles: &[],
        cycle_names: &[],
        classes: &[],
    });
    let png = svg_to_png(&svg, 60_000);
    let width = u32::from_be_bytes(png[16..20].try_into().expect("a PNG"));
    assert_eq!(width, 20_000);
}

/// A frame that failed is a gap in every figure: nothing of its value is drawn, and what stands
/// beside it is.
#[test]
fn failed_frames_are_gaps() {
    let mut file = images();
    let frames = Tiles::of(&file).expect("kept frames");
    let whole = file.clone();
    let gaps: Vec<usize> = (0..STEPS - 1).map(|j| 4 * STEPS + j).collect();
    for k in &gaps {
        file.landscape.probabilities[k * CLASSES..(k + 1) * CLASSES].fill(f32::NAN);
    }
    let draw = |file: &LandscapeFile| {
        let options = FigureOptions::default();
        landscape_figures(file, Some(&frames), None, FigureSet::AllWithMesh, &options)
    };
    let count = |svg: &str, what: &str| svg.matches(what).count();
    for (before, after) in draw(&whole).iter().zip(draw(&file)) {
        let (before, after, name) = (&before.svg, &after.svg, before.name);
        assert!(!after.contains("NaN") && !after.contains("inf"), "{name}");
        let fewer = |what: &str| count(before, what) - count(after, what);
        match name {
            "map" => assert_eq!(fewer("<rect"), gaps.len() - 1, "a cell each, a legend more"),
            "line" => assert_eq!(
                count(after, "<polyline") - count(before, "<polyline"),
                CLASSES,
                "each line is in two"
            ),
            // The frames of the middle row but the last, and that of the first column again.
            "paths" => assert_eq!(fewer("<image"), gaps.len() + 1, "{name}"),
            "ternary" | "scatter" => assert!(fewer("<circle") >= gaps.len(), "{name}"),
            "surface" => assert!(after.len() < before.len(), "{name}: two rows of cells less"),
            "sheet" => assert!(after.contains("failed"), "{name}"),
            _ => {}
        }
    }
    let figure = plotly_figure(&file, &[0]);
    let row = &figure["data"][0]["z"][4];
    assert!(row[0].is_null() && !row[STEPS - 1].is_null(), "{row}");
}
