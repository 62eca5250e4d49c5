//! The decision map of a landscape: which class is predicted at each grid point, how surely,
//! and where the decision changes. A frame that failed is a gap.

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::caption::{class_label, failed_label, subtitle, title};
use super::marks::{
    Barrier, MapLegend, Marks, Symbol, barriers, critical_symbols, draw_path, draw_symbols,
    pass_symbols,
};
use super::overlay::{MapOverlay, draw_overlay};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, PAPER, SMALL_SIZE, blend, color, fitted, opaque,
};
use super::tiles::{Tiles, tile_png};
use crate::landscape::{Landscape, LandscapeFile};
use plotters::style::RGBColor;

const MAP: f64 = 504.0;
const THUMB: f64 = 84.0;
const LEGEND: f64 = 250.0;

/// Draws the map as SVG, with the three images at its ends where there are `frames`, and what
/// `marks` ask for: the critical points are those of the probability of `class`. Where there is an
/// `overlay` with a boundary, that is drawn in the place of the edges between cells.
///
/// # Panics
/// When `class` is out of range.
pub fn decision_map(
    file: &LandscapeFile,
    frames: Option<&Tiles>,
    overlay: Option<&MapOverlay>,
    marks: Marks,
    class: usize,
) -> String {
    let landscape = &file.landscape;
    let left = MARGIN + THUMB + 50.0;
    let width = left + MAP + 26.0 + THUMB + 40.0 + LEGEND;
    let top = HEADER + 22.0;
    let below_map = if overlay.is_some() { 92.0 } else { 66.0 };
    let mut canvas = Canvas::new(width, top + MAP + below_map, &title(file), &subtitle(file));
    let origin = [left, top];
    draw_cells(&mut canvas, landscape, origin);
    match overlay.filter(|overlay| !overlay.segments.is_empty()) {
        Some(overlay) => draw_overlay(&mut canvas, overlay, landscape, origin, MAP),
        None => draw_boundaries(&mut canvas, landscape, origin),
    }
    if let Some(overlay) = overlay {
        let text = match overlay.label.as_str() {
            "sampled" => overlay.sentence.clone(),
            label => format!("line: {label} boundary; {}", overlay.sentence),
        };
        let look = Type::new(SMALL_SIZE, MUTED, Anchor::Start);
        let text = fitted(&text, SMALL_SIZE, width - 2.0 * MARGIN);
        canvas.text([MARGIN, top + MAP + 76.0], &text, look);
    }
    let (symbols, barriers) = draw_marks(&mut canvas, file, origin, marks, class);
    let frame = Stroke {
        color: opaque(MUTED),
        width_px: 1.0,
    };
    canvas.rectangle(
        origin,
        [MAP, MAP],
        plotters::style::TRANSPARENT,
        Some(frame),
    );
    draw_axes(&mut canvas, origin, landscape);
    draw_anchors(&mut canvas, origin, landscape);

    let [a, b, c] = landscape.item_points();
    let beside = left + MAP + 22.0;
    let thumbs = match landscape.kind.is_flat() {
        false => [
            ("A", a, [MARGIN + 4.0, top]),
            ("B", b, [MARGIN + 4.0, top + MAP - THUMB]),
            ("C", c, [beside, top + (MAP - THUMB) / 2.0]),
        ],
        true => [
            ("A", a, [MARGIN + 4.0, top + MAP - THUMB - 40.0]),
            ("B", b, [beside, top + MAP - THUMB - 40.0]),
            ("C", c, [MARGIN + 4.0, top]),
        ],
    };
    // An item that the classifier takes for another class.
    let mistaken = |k: Option<usize>, letter: &str| {
        let Some(k) = k else {
            return "outside the box".to_owned();
        };
        let Some(label) = landscape.label(k) else {
            return "failed".to_owned();
        };
        if label == file.about.item_classes["ABC".find(letter).unwrap_or(0)] {
            String::new()
        } else {
            format!("predicted {}", file.about.class_names[label])
        }
    };
    for (letter, k, [x, y]) in thumbs {
        let (Some(frames), Some(tile)) = (frames, k) else {
            let class = file.item_class_names()["ABC".find(letter).unwrap_or(0)];
            let middle = [x + THUMB / 2.0, y + THUMB / 2.0];
            let look = Type::new(LABEL_SIZE + 2.0, INK, Anchor::Middle);
            canvas.text(middle, letter, look);
            let seen = fitted(&mistaken(k, letter), SMALL_SIZE, THUMB + 16.0);
            let small = Type::new(SMALL_SIZE, MUTED, Anchor::Middle);
            canvas.text([middle[0], middle[1] + 34.0], &seen, small);
            let look = Type::new(SMALL_SIZE, MUTED, Anchor::Middle);
            let name = fitted(class, SMALL_SIZE, THUMB + 16.0);
            canvas.text([middle[0], middle[1] + 18.0], &name, look);
            continue;
        };
        let [frame_height, frame_width, _] = frames.shape().map(|side| side as f64);
        let zoom = THUMB / frame_height.max(frame_width);
        let size = [zoom * frame_width, zoom * frame_height];
        let corner = [x + (THUMB - size[0]) / 2.0, y + (THUMB - size[1]) / 2.0];
        canvas.picture(corner, size, &tile_png(frames, tile));
        canvas.rectangle(
            corner,
            size,
            plotters::style::TRANSPARENT,
            Some(Stroke {
                color: opaque(color(
                    file.about.item_classes["ABC".find(letter).unwrap_or(0)],
                )),
                width_px: 3.0,
            }),
        );
        // Below the picture, but B's is above it: the letter, and under it what it is taken for.
        let seen = mistaken(k, letter);
        let name_y = match (letter, seen.is_empty()) {
            ("B", true) => y - 9.0,
            ("B", false) => y - 24.0,
            _ => y + THUMB + 18.0,
        };
        let middle = x + THUMB / 2.0;
        let look = Type::new(SMALL_SIZE + 1.0, INK, Anchor::Middle);
        canvas.text([middle, name_y], letter, look);
        if !seen.is_empty() {
            let room = THUMB + 2.0 * (MARGIN - 2.0);
            let seen = fitted(&seen, SMALL_SIZE, room);
            canvas.text(
                [middle, name_y + 15.0],
                &seen,
                Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
            );
        }
    }
    let below = draw_legend(&mut canvas, file, [width - LEGEND, top]);
    let class_name = &file.about.class_names[class];
    let legend = MapLegend {
        marks,
        class_name,
        symbols: &symbols,
        barriers: &barriers,
    };
    legend.draw(&mut canvas, below, LEGEND - MARGIN);
    canvas.finish()
}

/// Difference of the two largest probabilities of frame `k`.
fn margin(landscape: &Landscape, k: usize) -> f64 {
    let mut best = [0.0f32; 2];
    for &p in landscape.probabilities_of(k) {
        if p > best[0] {
            best = [p, best[0]];
        } else if p > best[1] {
            best[1] = p;
        }
    }
    f64::from(best[0] - best[1])
}

/// A class's colour at a margin: pale where two classes are about as probable.
fn surely(class: usize, margin: f64) -> RGBColor {
    blend(PAPER, color(class), 0.22 + 0.78 * margin)
}

/// Cells a side drawn at most; of more, every n-th.
const MAX_CELLS_A_SIDE: usize = 201;

/// The grid indices that are drawn.
fn drawn(steps: usize) -> Vec<usize> {
    (0..steps)
        .step_by(steps.div_ceil(MAX_CELLS_A_SIDE))
        .collect()
}

fn draw_cells(canvas: &mut Canvas, landscape: &Landscape, [x, y]: Place) {
    let indices = drawn(landscape.steps);
    let side = MAP / indices.len() as f64;
    for (row, &i) in indices.iter().enumerate() {
        for (column, &j) in indices.iter().enumerate() {
            let k = landscape.drawn_at(i, j);
            // A frame that failed is a gap, and so is what lies beyond a triangle.
            let Some(label) = landscape.label(k) else {
                continue;
            };
            let fill = opaque(surely(label, margin(landscape, k)));
            // An edge of its own colour closes the seam to the next cell.
            let edge = Stroke {
                color: fill,
                width_px: 0.6,
            };
            canvas.rectangle(
                [x + side * column as f64, y + side * row as f64],
                [side, side],
                fill,
                Some(edge),
            );
        }
    }
}

fn draw_boundaries(canvas: &mut Canvas, landscape: &Landscape, [x, y]: Place) {
    let indices = drawn(landscape.steps);
    let side = MAP / indices.len() as f64;
    let corner = |row: usize, column: usize| [x + side * column as f64, y + side * row as f64];
    let label = |row: usize, column: usize| {
        landscape.label(landscape.drawn_at(indices[row], indices[column]))
    };
    let mut segments = Vec::new();
    for row in 0..indices.len() {
        for column in 0..indices.len() {
            if column + 1 < indices.len() && label(row, column) != label(row, column + 1) {
                segments.push([corner(row, column + 1), corner(row + 1, column + 1)]);
            }
            if row + 1 < indices.len() && label(row, column) != label(row + 1, column) {
                segments.push([corner(row + 1, column), corner(row + 1, column + 1)]);
            }
        }
    }
    canvas.segments(
        &segments,
        Stroke {
            color: opaque(INK),
            width_px: 1.6,
        },
    );
}

/// Marks what is asked for and gives it.
fn draw_marks(
    canvas: &mut Canvas,
    file: &LandscapeFile,
    [x, y]: Place,
    marks: Marks,
    class: usize,
) -> (Vec<(usize, Symbol)>, Vec<Barrier>) {
    let landscape = &file.landscape;
    let side = MAP / landscape.steps as f64;
    let middle = |k: usize| {
        let [i, j] = landscape.drawn_place(k).map(|index| index as f64 + 0.5);
        [x + side * j, y + side * i]
    };
    let barriers = barriers(file, marks);
    for barrier in &barriers {
        let places: Vec<Place> = barrier.path.iter().map(|&k| middle(k)).collect();
        draw_path(canvas, &places);
    }
    let symbols = critical_symbols(landscape, class, marks);
    let all = symbols.iter().copied().chain(pass_symbols(&barriers));
    let placed: Vec<_> = all.map(|(k, symbol)| (middle(k), symbol)).collect();
    draw_symbols(canvas, &placed);
    (symbols, barriers)
}

/// The items of a plane or triangle, where they lie.
fn draw_anchors(canvas: &mut Canvas, [x, y]: Place, landscape: &Landscape) {
    if !landscape.kind.is_flat() {
        return;
    }
    let places = ["A", "B", "C"].into_iter().zip(landscape.anchors());
    // A box may leave its items out.
    let inside = |(_, place): &(_, Place)| place.iter().all(|share| (0.0..=1.0).contains(share));
    for (letter, [right, up]) in places.filter(inside) {
        let at = [x + MAP * right, y + MAP * (1.0 - up)];
        let edge = Stroke {
            color: opaque(INK),
            width_px: 1.4,
        };
        canvas.circle(at, 8.5, opaque(PAPER), Some(edge));
        let look = Type::new(SMALL_SIZE, INK, Anchor::Middle);
        canvas.text([at[0], at[1] + 4.0], letter, look);
    }
}

/// Ticks stand at the middles of the first, the middle and the last cell.
fn draw_axes(canvas: &mut Canvas, [x, y]: Place, landscape: &Landscape) {
    let (steps, axes) = (landscape.steps, landscape.kind.axes());
    let side = MAP / steps as f64;
    let flat = landscape.kind.is_flat();
    for value in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let along = side / 2.0 + value * (MAP - side);
        // Upwards where the grid is drawn so.
        let down = if flat { MAP - along } else { along };
        let texts = landscape.ticks(value);
        canvas.text(
            [x + along, y + MAP + 20.0],
            &texts[0],
            Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
        );
        canvas.text(
            [x - 8.0, y + down + 4.0],
            &texts[1],
            Type::new(SMALL_SIZE, MUTED, Anchor::End),
        );
    }
    canvas.text(
        [x + MAP / 2.0, y + MAP + 44.0],
        axes.across,
        Type::new(LABEL_SIZE, INK, Anchor::Middle),
    );
    let upright = Type {
        turn: -90.0,
        ..Type::new(LABEL_SIZE, INK, Anchor::Middle)
    };
    canvas.text([x - 42.0, y + MAP / 2.0], axes.down, upright);
}

/// The predicted classes with their shares of the grid, and what pale means; gives the place
/// below.
fn draw_legend(canvas: &mut Canvas, file: &LandscapeFile, place: Place) -> Place {
    let landscape = &file.landscape;
    let mut cells = vec![0usize; landscape.num_classes];
    for k in 0..landscape.num_frames() {
        if let Some(label) = landscape.label(k) {
            cells[label] += 1;
        }
    }
    let mut predicted: Vec<usize> = (0..cells.len()).filter(|&class| cells[class] > 0).collect();
    predicted.sort_by_key(|&class| std::cmp::Reverse(cells[class]));
    let failed = failed_label(file).map(|text| (PAPER, text));
    let entries: Vec<_> = predicted
        .iter()
        .map(|&class| {
            let share = 100.0 * cells[class] as f64 / landscape.num_points() as f64;
            let text = format!("{}  {share:.1} %", class_label(file, class));
            (color(class), text)
        })
        .chain(failed)
        .collect();
    let [x, y] = canvas.legend(place, LEGEND - MARGIN, &entries);
    // The items never fail, so some class is predicted.
    let first = predicted.first().copied().unwrap_or(0);
    let y = y + 22.0;
    canvas.text(
        [x, y],
        "shade: margin of the predicted class",
        Type::new(SMALL_SIZE, MUTED, Anchor::Start),
    );
    for step in 0..5 {
        let value = f64::from(step) / 4.0;
        let at = [x + 40.0 * f64::from(step), y + 8.0];
        canvas.rectangle(at, [40.0, 14.0], opaque(surely(first, value)), None);
        canvas.text(
            [at[0] + 20.0, y + 38.0],
            &format!("{value}"),
            Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
        );
    }
    [x, y + 56.0]
}
