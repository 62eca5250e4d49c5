//! The 3-D landscape (Powers, Shi, Liebovitch, Fig. 5): the probability of a class as height
//! over the grid, one surface a class.
//! What is drawn of any height over a grid is in [`super::height_field`].

use super::canvas::{Anchor, Canvas, Place, Type};
use super::caption::{class_label, subtitle, title};
use super::height_field::{
    BoxLabels, Camera, MAX_CELLS_A_SIDE, PANEL, Projection, Standing, draw_box, draw_surface,
};
use super::marks::{
    Barrier, Marks, Symbol, barriers, critical_symbols, draw_path, draw_surface_legend,
    draw_symbols, pass_symbols,
};
use super::style::{HEADER, INK, LABEL_SIZE, MARGIN, MUTED, SMALL_SIZE, heat, opaque};
use crate::landscape::LandscapeFile;
use std::collections::BTreeMap;

const COLOR_BAR: f64 = 96.0;
const COLOR_BAR_HEIGHT: f64 = 240.0;
const MAX_PANELS_A_ROW: usize = 3;

/// Draws the surfaces of `classes` side by side as SVG, with what `marks` ask for.
///
/// # Panics
/// When a class is out of range.
pub fn surface_plot(
    file: &LandscapeFile,
    classes: &[usize],
    camera: Camera,
    marks: Marks,
) -> String {
    let columns = match classes.len() {
        4 => 2,
        count => count.clamp(1, MAX_PANELS_A_ROW),
    };
    let rows = classes.len().div_ceil(columns);
    let width = MARGIN + PANEL[0] * columns as f64 + COLOR_BAR;
    let height = HEADER + PANEL[1] * rows as f64 + MARGIN;
    let mut canvas = Canvas::new(width, height, &title(file), &subtitle(file));
    let barriers = barriers(file, marks);
    for (n, &class) in classes.iter().enumerate() {
        let corner = [
            MARGIN + PANEL[0] * (n % columns) as f64,
            HEADER + PANEL[1] * (n / columns) as f64,
        ];
        canvas.text(
            [corner[0] + PANEL[0] / 2.0, corner[1] + 18.0],
            &class_label(file, class),
            Type::new(LABEL_SIZE + 1.0, INK, Anchor::Middle),
        );
        let middle = [corner[0] + PANEL[0] / 2.0, corner[1] + PANEL[1] / 2.0 + 8.0];
        let projection = Projection::new(camera, middle);
        let [across, down] = file.landscape.kind.named_axes(file.item_class_names());
        let ticks = [0.0, 0.5, 1.0].map(|share| file.landscape.ticks(share));
        let floor = [0, 1].map(|axis| ticks.each_ref().map(|both| both[axis].as_str()));
        let [floor_x, mut floor_y] = floor;
        if file.landscape.kind.is_flat() {
            // Upwards on the map is to the back here.
            floor_y.reverse();
        }
        let labels = BoxLabels {
            x: &across,
            y: &down,
            z: "probability",
            floor: [floor_x, floor_y],
            heights: ["0", "0.5", "1"],
        };
        draw_box(&mut canvas, &projection, &labels);
        let landscape = &file.landscape;
        let height = |i: usize, j: usize| {
            f64::from(landscape.probabilities_of(landscape.drawn_at(i, j))[class])
        };
        let standing = marks_on_surface(file, class, marks, &barriers, &projection, &height);
        draw_surface(
            &mut canvas,
            &projection,
            [landscape.steps; 2],
            &height,
            standing,
        );
    }
    let has_marks = marks != Marks::default() && file.landscape.is_whole();
    // Up, to leave room for what the marks are.
    let down = if has_marks { 24.0 } else { 84.0 };
    let bar = [width - COLOR_BAR + 8.0, HEADER + down];
    draw_color_bar(&mut canvas, bar);
    if has_marks {
        let below = [bar[0], bar[1] + COLOR_BAR_HEIGHT + 30.0];
        draw_surface_legend(&mut canvas, below, marks);
    }
    canvas.finish()
}

/// The marks of a landscape's surface. Each is drawn after the nearest cell around its point, so
/// that only what stands before those hides it.
fn marks_on_surface<'a>(
    file: &'a LandscapeFile,
    class: usize,
    marks: Marks,
    barriers: &'a [Barrier],
    projection: &'a Projection,
    height: &'a dyn Fn(usize, usize) -> f64,
) -> Vec<Standing<'a>> {
    let landscape = &file.landscape;
    let last = landscape.steps - 1;
    let unit = move |k: usize| {
        landscape
            .drawn_place(k)
            .map(|index| index as f64 / last as f64)
    };
    let place = move |k: usize| {
        let ([i, j], [y, x]) = (landscape.drawn_place(k), unit(k));
        projection.place([x, y, height(i, j)])
    };
    // From a point to the middle of the nearest cell around it.
    let stride = last.div_ceil(MAX_CELLS_A_SIDE) as f64 / last as f64;
    let across = projection.towards.map(f64::abs).iter().sum::<f64>() * stride / 2.0;
    let after_cells = |k: usize, reach: f64| {
        let [y, x] = unit(k);
        projection.nearness([x, y]) + reach + 1e-9
    };
    let mut standing: Vec<Standing<'a>> = Vec::new();
    for step in barriers.iter().flat_map(|barrier| barrier.path.windows(2)) {
        standing.push(Standing {
            nearness: after_cells(step[0], across).max(after_cells(step[1], across)),
            draw: Box::new(move |canvas| draw_path(canvas, &[place(step[0]), place(step[1])])),
        });
    }
    let mut symbols: BTreeMap<usize, Vec<Symbol>> = BTreeMap::new();
    for (k, symbol) in critical_symbols(landscape, class, marks) {
        symbols.entry(k).or_default().push(symbol);
    }
    for (k, symbol) in pass_symbols(barriers) {
        symbols.entry(k).or_default().push(symbol);
    }
    for (k, here) in symbols {
        standing.push(Standing {
            // After the steps of a path that lead from it, too.
            nearness: after_cells(k, 3.0 * across),
            draw: Box::new(move |canvas| {
                let placed: Vec<_> = here.iter().map(|&symbol| (place(k), symbol)).collect();
                draw_symbols(canvas, &placed);
            }),
        });
    }
    standing
}

fn draw_color_bar(canvas: &mut Canvas, [x, y]: Place) {
    const STEPS: usize = 64;
    let (width, height) = (16.0, COLOR_BAR_HEIGHT);
    for step in 0..STEPS {
        let value = 1.0 - (step as f64 + 0.5) / STEPS as f64;
        // Each overlaps the next, so that no seam shows.
        canvas.rectangle(
            [x, y + height * step as f64 / STEPS as f64],
            [
                width,
                height / STEPS as f64 + if step + 1 < STEPS { 1.0 } else { 0.0 },
            ],
            opaque(heat(value)),
            None,
        );
    }
    for tick in 0..=4 {
        let value = f64::from(tick) / 4.0;
        canvas.text(
            [x + width + 7.0, y + height * (1.0 - value) + 4.0],
            &format!("{value:.2}"),
            Type::new(SMALL_SIZE, MUTED, Anchor::Start),
        );
    }
    canvas.text(
        [x, y - 12.0],
        "probability",
        Type::new(SMALL_SIZE, INK, Anchor::Start),
    );
}
