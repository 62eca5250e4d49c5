//! The frames along two paths of a landscape, with or without their meshes, and the whole sheet
//! (Powers, Shi, Liebovitch, Figs. 1 and 2).

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::caption::{class_label, failed_label, subtitle, title};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MESH_EDGE, MESH_IRREGULAR, MESH_POINT, MUTED, PAPER, RULE,
    SMALL_SIZE, color, opaque, text_width,
};
use super::tiles::{Tiles, tile_png};
use crate::data::Picture;
use crate::landscape::{Landscape, LandscapeFile};
use crate::mesh::PairMesh;
use plotters::style::{RGBColor, TRANSPARENT};

const WIDTH: f64 = 1200.0;
/// Frames shown of a path at most.
const MAX_FRAMES: usize = 21;
const MAX_MESHED: usize = 6;

/// The grid indices of a path of `steps` points that are shown, evenly, both ends included.
fn shown(steps: usize, most: usize) -> Vec<usize> {
    let count = steps.min(most);
    (0..count)
        .map(|n| (n * (steps - 1) + (count - 1) / 2) / (count - 1))
        .collect()
}

/// A path as it is drawn: its name, its frames, and the mesh it is morphed by.
struct Path<'a> {
    name: String,
    frames: Vec<usize>,
    alphas: Vec<f64>,
    mesh: Option<&'a PairMesh>,
}

fn paths(file: &LandscapeFile, most: usize) -> [Path<'_>; 2] {
    let landscape = &file.landscape;
    let steps = landscape.steps;
    let indices = shown(steps, most);
    let alphas: Vec<f64> = indices
        .iter()
        .map(|&index| index as f64 / (steps - 1) as f64)
        .collect();
    let meshes = landscape.morph.as_ref();
    let meshes = [
        meshes.map(|meshes| &meshes.a_to_b),
        meshes.map(|meshes| &meshes.mix_to_c),
    ];
    let mut meshes = meshes.into_iter();
    let shown = landscape.kind.shown_paths(steps, file.item_class_names());
    shown.map(|(path, name)| Path {
        name,
        frames: indices.iter().map(|&n| path.point(n)).collect(),
        alphas: alphas.clone(),
        mesh: meshes.next().flatten(),
    })
}

/// Draws the frames along two paths, of a morph from A to B and from the middle mix into C, as SVG, each framed in the colour
/// of its predicted class, with the probabilities below it.
pub fn path_strips(file: &LandscapeFile, frames: &Tiles) -> String {
    const BAR: f64 = 44.0;
    let classes = file.predicted_classes();
    let paths = paths(file, MAX_FRAMES);
    let count = paths[0].frames.len() as f64;
    let pitch = ((WIDTH - 2.0 * MARGIN) / count).min(140.0);
    let side = pitch - 7.0;
    let [frame_height, frame_width, _] = frames.shape();
    let tile = [side, side * frame_height as f64 / frame_width as f64];
    let strip = 28.0 + tile[1] + 8.0 + BAR + 46.0;
    let height = HEADER + 2.0 * strip + 56.0;
    let mut canvas = Canvas::new(WIDTH, height, &title(file), &subtitle(file));
    for (row, path) in paths.iter().enumerate() {
        let top = HEADER + strip * row as f64;
        canvas.text(
            [MARGIN, top + 16.0],
            &path.name,
            Type::new(LABEL_SIZE, INK, Anchor::Start),
        );
        for (n, (&k, alpha)) in path.frames.iter().zip(&path.alphas).enumerate() {
            let at = [MARGIN + 3.0 + pitch * n as f64, top + 28.0];
            draw_tile(&mut canvas, file, frames, k, at, tile);
            stacked_bar(
                &mut canvas,
                file,
                &classes,
                k,
                [at[0], at[1] + tile[1] + 8.0],
                [side, BAR],
            );
            if n % 5 == 0 || path.frames.len() <= 11 {
                canvas.text(
                    [at[0] + side / 2.0, at[1] + tile[1] + BAR + 24.0],
                    &format!("{alpha:.2}")
                        .replace(".00", "")
                        .replace("0.50", "0.5"),
                    Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
                );
            }
        }
    }
    let mut x = MARGIN;
    let mut y = HEADER + 2.0 * strip;
    let mut note = |canvas: &mut Canvas, mark: Option<RGBColor>, text: &str| {
        // A viewer of the SVG may take a wider font than the one that is measured.
        let width = 1.22 * text_width(text, SMALL_SIZE) + if mark.is_some() { 36.0 } else { 14.0 };
        if x + width > WIDTH {
            (x, y) = (MARGIN, y + 22.0);
        }
        let mut left = x;
        if let Some(shade) = mark {
            canvas.rectangle([x, y + 2.0], [13.0, 13.0], opaque(shade), None);
            left += 19.0;
        }
        let shade = if mark.is_some() { INK } else { MUTED };
        let look = Type::new(SMALL_SIZE, shade, Anchor::Start);
        canvas.text([left, y + 13.0], text, look);
        x += width;
    };
    note(
        &mut canvas,
        None,
        "frames: predicted class; bars: probabilities",
    );
    for &class in &classes {
        note(&mut canvas, Some(color(class)), &class_label(file, class));
    }
    note(&mut canvas, Some(RULE), "all others");
    if file.landscape.num_failed() > 0 {
        note(&mut canvas, None, "crossed out: failed");
    }
    canvas.finish()
}

/// A frame with a border in the colour of its predicted class.
fn draw_tile(
    canvas: &mut Canvas,
    file: &LandscapeFile,
    frames: &Tiles,
    k: usize,
    at: Place,
    size: [f64; 2],
) {
    let Some(label) = file.landscape.label(k) else {
        draw_gap(canvas, at, size);
        return;
    };
    canvas.picture(at, size, &tile_png(frames, k));
    let edge = Stroke {
        color: opaque(color(label)),
        width_px: 3.0,
    };
    let around = [at[0] - 1.5, at[1] - 1.5];
    canvas.rectangle(around, size.map(|side| side + 3.0), TRANSPARENT, Some(edge));
}

/// The place of a frame that failed: crossed out.
fn draw_gap(canvas: &mut Canvas, [x, y]: Place, [width, height]: [f64; 2]) {
    let thin = Stroke {
        color: opaque(RULE),
        width_px: 1.0,
    };
    canvas.rectangle([x, y], [width, height], opaque(PAPER), Some(thin));
    let cross = [
        [[x, y], [x + width, y + height]],
        [[x + width, y], [x, y + height]],
    ];
    canvas.segments(&cross, thin);
}

/// Probabilities as parts of a bar: the predicted classes from the bottom up, the rest in grey.
fn stacked_bar(
    canvas: &mut Canvas,
    file: &LandscapeFile,
    classes: &[usize],
    k: usize,
    [x, y]: Place,
    [width, height]: [f64; 2],
) {
    if file.landscape.is_failed(k) {
        return;
    }
    let probabilities = file.landscape.probabilities_of(k);
    canvas.rectangle([x, y], [width, height], opaque(RULE), None);
    let mut bottom = y + height;
    for &class in classes {
        let part = height * f64::from(probabilities[class]);
        if part > 0.05 {
            canvas.rectangle(
                [x, bottom - part],
                [width, part],
                opaque(color(class)),
                None,
            );
        }
        bottom -= part;
    }
}

/// Draws a few frames of each path enlarged, with the points and triangles they are morphed by;
/// triangles that are folded or without area have orange edges. Nothing without meshes.
pub fn mesh_strips(file: &LandscapeFile, frames: &Tiles) -> Option<String> {
    file.landscape.morph.as_ref()?;
    let paths = paths(file, MAX_MESHED);
    let [frame_height, frame_width, _] = frames.shape();
    let pitch = (WIDTH - 2.0 * MARGIN) / MAX_MESHED as f64;
    let side = pitch - 14.0;
    let zoom = side / frame_width as f64;
    let tile = [side, frame_height as f64 * zoom];
    let strip = 28.0 + tile[1] + 40.0;
    let height = HEADER + 2.0 * strip + 8.0;
    let mut canvas = Canvas::new(WIDTH, height, &title(file), &subtitle(file));
    for (row, path) in paths.iter().enumerate() {
        let top = HEADER + strip * row as f64;
        canvas.text(
            [MARGIN, top + 16.0],
            &path.name,
            Type::new(LABEL_SIZE, INK, Anchor::Start),
        );
        let mesh = path.mesh?;
        for (n, (&k, &alpha)) in path.frames.iter().zip(&path.alphas).enumerate() {
            let at = [MARGIN + 6.0 + pitch * n as f64, top + 28.0];
            draw_tile(&mut canvas, file, frames, k, at, tile);
            // The mesh of a frame that failed is seen, too: it is why. A mix that failed has none.
            if !file.landscape.is_failed(path.frames[0]) {
                draw_mesh(&mut canvas, mesh, alpha, at, zoom);
            }
            canvas.text(
                [at[0] + side / 2.0, at[1] + tile[1] + 20.0],
                &format!("alpha {alpha:.2}"),
                Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
            );
        }
    }
    Some(canvas.finish())
}

/// The intermediate mesh of `alpha` over a frame whose top left is `origin`.
fn draw_mesh(canvas: &mut Canvas, mesh: &PairMesh, alpha: f64, origin: Place, zoom: f64) {
    // Points are pixel centres.
    let vertices: Vec<Place> = mesh
        .points_left
        .iter()
        .zip(&mesh.points_right)
        .map(|(left, right)| {
            [0, 1].map(|axis| {
                let between =
                    (1.0 - alpha) * f64::from(left[axis]) + alpha * f64::from(right[axis]);
                origin[axis] + zoom * (between + 0.5)
            })
        })
        .collect();
    let turn =
        |[a, b, c]: [Place; 3]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let left: Vec<Place> = mesh.points_left.iter().map(|p| p.map(f64::from)).collect();
    let (mut regular, mut irregular) = (Vec::new(), Vec::new());
    for triangle in &mesh.triangles {
        let corners = triangle.map(|point| vertices[point as usize]);
        let before = triangle.map(|point| left[point as usize]);
        let area = turn(corners);
        let edges = if area.abs() > 1e-9 && area.signum() == turn(before).signum() {
            &mut regular
        } else {
            &mut irregular
        };
        let [a, b, c] = corners;
        edges.extend([[a, b], [b, c], [c, a]]);
    }
    // Irregular triangles last, so that their edges are seen.
    for (edges, shade) in [(regular, MESH_EDGE), (irregular, MESH_IRREGULAR)] {
        let stroke = Stroke {
            color: opaque(shade),
            width_px: 1.1,
        };
        canvas.segments(&edges, stroke);
    }
    for &vertex in &vertices {
        let edge = Stroke {
            color: opaque(INK),
            width_px: 0.6,
        };
        canvas.circle(vertex, 2.6, opaque(MESH_POINT), Some(edge));
    }
}

/// Draws the grid of frames as SVG, of more than 41 a side 41 of them evenly, each framed in the colour of its predicted class.
pub fn grid_sheet(file: &LandscapeFile, frames: &Tiles) -> String {
    const LEGEND: f64 = 230.0;
    let landscape = &file.landscape;
    let indices = shown(landscape.steps, MAX_SHEET_FRAMES);
    let steps = indices.len();
    let sheet = sheet_picture(frames, landscape, &indices);
    let side = 980.0;
    let extent = [side, side * sheet.height_px as f64 / sheet.width_px as f64];
    let origin = [MARGIN + 34.0, HEADER + 26.0];
    let width = origin[0] + side + LEGEND + MARGIN;
    let height = origin[1] + extent[1] + 48.0;
    let mut canvas = Canvas::new(width, height, &title(file), &subtitle(file));
    canvas.picture(origin, extent, &sheet.to_png());
    let zoom = side / sheet.width_px as f64;
    let pitch = extent.map(|side| side / steps as f64);
    let gap = SHEET_GAP_PX as f64 * zoom;
    let border = 0.4 * gap;
    let inset = (gap - border) / 2.0 - 0.5 * zoom;
    for (row, &i) in indices.iter().enumerate() {
        for (column, &j) in indices.iter().enumerate() {
            let corner = [
                origin[0] + pitch[0] * column as f64 + inset,
                origin[1] + pitch[1] * row as f64 + inset,
            ];
            let size = pitch.map(|side| side - gap + border);
            let k = landscape.drawn_at(i, j);
            if !landscape.has_point(k) {
                continue;
            }
            let Some(label) = landscape.label(k) else {
                draw_gap(&mut canvas, corner, size);
                continue;
            };
            let edge = Stroke {
                color: opaque(color(label)),
                width_px: border,
            };
            canvas.rectangle(corner, size, TRANSPARENT, Some(edge));
        }
    }
    let axes = landscape.kind.axes();
    let [low, beside] = [origin[1] + extent[1] - 12.0, origin[0] - 18.0];
    // An item at the left is named beside its corner, one at the right above or below it.
    let letters = landscape.kind.corners(steps).map(|corners| {
        corners.map(|k| match landscape.kind.drawn_place(k, steps) {
            [0, 0] => [beside, origin[1] + 24.0],
            [_, 0] => [beside, low],
            [0, _] => [origin[0] + side - 22.0, origin[1] - 9.0],
            _ => [origin[0] + side - 22.0, origin[1] + extent[1] + 18.0],
        })
    });
    for (text, at) in ["A", "B", "C"]
        .into_iter()
        .zip(letters.into_iter().flatten())
        .chain([(axes.across, [origin[0] + side / 2.0, origin[1] - 9.0])])
    {
        canvas.text(at, text, Type::new(LABEL_SIZE, INK, Anchor::Middle));
    }
    let upright = Type {
        turn: -90.0,
        ..Type::new(LABEL_SIZE, INK, Anchor::Middle)
    };
    canvas.text(
        [origin[0] - 13.0, origin[1] + extent[1] / 2.0],
        axes.down,
        upright,
    );
    let entries: Vec<_> = file
        .predicted_classes()
        .into_iter()
        .map(|class| (color(class), class_label(file, class)))
        .chain(failed_label(file).map(|text| (PAPER, text)))
        .collect();
    let legend = [origin[0] + side + 24.0, origin[1] + 8.0];
    canvas.legend(legend, LEGEND - 24.0, &entries);
    canvas.finish()
}

/// The largest side of the sheet's picture, pixels.
const MAX_SHEET_PX: usize = 6000;

/// White between two frames of the sheet, in which their borders are drawn, pixels.
const SHEET_GAP_PX: usize = 5;

/// Frames a side of the sheet at most; of more, that many evenly.
const MAX_SHEET_FRAMES: usize = 41;

/// The frames of these rows and columns in a picture with gaps between them and half a gap
/// around it.
fn sheet_picture(frames: &Tiles, landscape: &Landscape, indices: &[usize]) -> Picture {
    let [height, width, channels] = frames.shape();
    let count = indices.len();
    // Large frames: every n-th pixel, so that the sheet stays a picture one can open.
    let skip = (count * (width.max(height) + SHEET_GAP_PX)).div_ceil(MAX_SHEET_PX);
    let pitch = [width, height].map(|side| side.div_ceil(skip) + SHEET_GAP_PX);
    let mut sheet = Picture::filled(count * pitch[0], count * pitch[1], channels, 255);
    for (row, &i) in indices.iter().enumerate() {
        for (column, &j) in indices.iter().enumerate() {
            let k = landscape.drawn_at(i, j);
            if !landscape.has_point(k) {
                continue;
            }
            let tile = reduced(frames.tile(k), skip);
            let corner = [column * pitch[0], row * pitch[1]].map(|edge| edge + SHEET_GAP_PX / 2);
            sheet.put(&tile, corner[0], corner[1]);
        }
    }
    sheet
}

/// Every `skip`-th pixel of a picture.
fn reduced(picture: Picture, skip: usize) -> Picture {
    if skip == 1 {
        return picture;
    }
    let channels = picture.channels;
    let mut levels = Vec::new();
    for y in (0..picture.height_px).step_by(skip) {
        for x in (0..picture.width_px).step_by(skip) {
            let at = (y * picture.width_px + x) * channels;
            levels.extend_from_slice(&picture.levels[at..at + channels]);
        }
    }
    Picture {
        width_px: picture.width_px.div_ceil(skip),
        height_px: picture.height_px.div_ceil(skip),
        channels,
        levels,
    }
}
