//! A height over a grid of equal cells, seen in relief: its box, its faces, what stands on it.
//!
//! The camera is orthographic. Drawing the cells from the farthest to the nearest, by the
//! horizontal distance of their middles, hides exactly what is hidden: a cell that stands before
//! another has a nearer middle.

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::style::{INK, MUTED, RULE, SMALL_SIZE, blend, heat, opaque};
use plotters::style::{RGBAColor, RGBColor};

/// From where a landscape is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Degrees about the vertical: 0 looks from C towards the mixes, 90 from B towards A.
    pub azimuth: f64,
    /// Degrees above the floor, 0 to 90.
    pub elevation: f64,
}

impl Default for Camera {
    /// Looks over the corner of B and C, so that A, B and C are all seen.
    fn default() -> Self {
        Self {
            azimuth: 40.0,
            elevation: 32.0,
        }
    }
}

/// Room for one surface on the page, pixels.
pub(super) const PANEL: [f64; 2] = [440.0, 400.0];
/// Length of the floor's side on the page, pixels; heights are drawn a little shorter.
const SIDE: f64 = 232.0;
const HEIGHT: f64 = 0.72;

/// A grid larger than this is drawn by every n-th point, so that the file stays small.
pub(super) const MAX_CELLS_A_SIDE: usize = 100;

/// Where a point of the unit cube lies against the panel's middle.
pub(super) struct Projection {
    right: [f64; 3],
    up: [f64; 3],
    pub(super) towards: [f64; 2],
    middle: Place,
}

impl Projection {
    pub(super) fn new(camera: Camera, middle: Place) -> Self {
        let (azimuth, elevation) = (camera.azimuth.to_radians(), camera.elevation.to_radians());
        let (sin, cos) = azimuth.sin_cos();
        Self {
            right: [-sin, cos, 0.0],
            up: [
                -elevation.sin() * cos,
                -elevation.sin() * sin,
                elevation.cos(),
            ],
            towards: [cos, sin],
            middle,
        }
    }

    /// x into C, y from A to B, z the probability, all 0..1.
    pub(super) fn place(&self, [x, y, z]: [f64; 3]) -> Place {
        let centred = [x - 0.5, y - 0.5, (z - 0.5) * HEIGHT];
        let along = |axis: [f64; 3]| -> f64 { axis.iter().zip(centred).map(|(a, c)| a * c).sum() };
        [
            self.middle[0] + SIDE * along(self.right),
            self.middle[1] - SIDE * along(self.up),
        ]
    }

    /// How near a place of the floor is; what is larger hides what is smaller.
    pub(super) fn nearness(&self, [x, y]: [f64; 2]) -> f64 {
        self.towards[0] * x + self.towards[1] * y
    }

    /// Coordinate 0 or 1 of the wall behind the surface, across x and across y.
    fn behind(&self) -> [f64; 2] {
        self.towards
            .map(|component| if component > 0.0 { 0.0 } else { 1.0 })
    }
}

/// What stands at the edges of a surface's box.
pub(super) struct BoxLabels<'a> {
    /// Titles of the axes.
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) z: &'a str,
    /// Ticks at the start, the middle and the end, of x and y and of z.
    pub(super) floor: [[&'a str; 3]; 2],
    pub(super) heights: [&'a str; 3],
}

/// Floor and far walls with their grids, and the axes along the near edges.
pub(super) fn draw_box(canvas: &mut Canvas, projection: &Projection, labels: &BoxLabels<'_>) {
    let [wall_x, wall_y] = projection.behind();
    let at = |point: [f64; 3]| projection.place(point);
    let face = |canvas: &mut Canvas, corners: [[f64; 3]; 4], shade: u8| {
        let edge = Stroke {
            color: opaque(RULE),
            width_px: 1.0,
        };
        let fill = opaque(RGBColor(shade, shade, shade));
        canvas.polygon(&corners.map(at), fill, Some(edge));
    };
    let (x, y) = (wall_x, wall_y);
    face(
        canvas,
        [[0., 0., 0.], [1., 0., 0.], [1., 1., 0.], [0., 1., 0.]],
        246,
    );
    face(
        canvas,
        [[x, 0., 0.], [x, 1., 0.], [x, 1., 1.], [x, 0., 1.]],
        251,
    );
    face(
        canvas,
        [[0., y, 0.], [1., y, 0.], [1., y, 1.], [0., y, 1.]],
        249,
    );
    let mut grid = Vec::new();
    for tick in [0.25, 0.5, 0.75] {
        for [from, to] in [
            [[tick, 0., 0.], [tick, 1., 0.]],
            [[0., tick, 0.], [1., tick, 0.]],
            [[x, tick, 0.], [x, tick, 1.]],
            [[x, 0., tick], [x, 1., tick]],
            [[tick, y, 0.], [tick, y, 1.]],
            [[0., y, tick], [1., y, tick]],
        ] {
            grid.push([at(from), at(to)]);
        }
    }
    let thin = Stroke {
        color: opaque(RGBColor(226, 226, 226)),
        width_px: 0.8,
    };
    canvas.segments(&grid, thin);
    let (near_x, near_y) = (1.0 - wall_x, 1.0 - wall_y);
    draw_axis(
        canvas,
        projection,
        [[0., near_y, 0.], [1., near_y, 0.]],
        labels.floor[0],
        labels.x,
    );
    draw_axis(
        canvas,
        projection,
        [[near_x, 0., 0.], [near_x, 1., 0.]],
        labels.floor[1],
        labels.y,
    );
    // The upright axis stands at the leftmost corner of the box.
    let corner = [[0., 0.], [1., 0.], [0., 1.], [1., 1.]]
        .into_iter()
        .min_by(|&[x0, y0], &[x1, y1]| at([x0, y0, 0.])[0].total_cmp(&at([x1, y1, 0.])[0]))
        .unwrap_or_default();
    draw_axis(
        canvas,
        projection,
        [[corner[0], corner[1], 0.], [corner[0], corner[1], 1.]],
        labels.heights,
        labels.z,
    );
}

/// An edge of the box as an axis: the line, three ticks, a title along it on the outside.
fn draw_axis(
    canvas: &mut Canvas,
    projection: &Projection,
    [from, to]: [[f64; 3]; 2],
    ticks: [&str; 3],
    title: &str,
) {
    let [start, end] = [from, to].map(|point| projection.place(point));
    let [dx, dy] = [end[0] - start[0], end[1] - start[1]];
    let length = dx.hypot(dy);
    // Seen straight along an axis there is nothing to label.
    if length < 24.0 {
        return;
    }
    let mut outward = [-dy / length, dx / length];
    let half = [(start[0] + end[0]) / 2.0, (start[1] + end[1]) / 2.0];
    let away = (half[0] - projection.middle[0]) * outward[0]
        + (half[1] - projection.middle[1]) * outward[1];
    if away < 0.0 {
        outward = outward.map(|component| -component);
    }
    let line = Stroke {
        color: opaque(MUTED),
        width_px: 1.2,
    };
    canvas.line(&[start, end], line);
    for (text, along) in ticks.iter().zip([0.0, 0.5, 1.0]) {
        let on_axis = [start[0] + along * dx, start[1] + along * dy];
        let off = |distance: f64| {
            [
                on_axis[0] + distance * outward[0],
                on_axis[1] + distance * outward[1],
            ]
        };
        canvas.line(&[on_axis, off(5.0)], line);
        // The ends move inward, away from the label of the next axis.
        let inward = if dx.abs() > 1.0 {
            18.0 * (0.5 - along)
        } else {
            0.0
        };
        let [x, y] = off(14.0);
        canvas.text(
            [x + inward * dx / length, y + inward * dy / length + 4.0],
            text,
            Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
        );
    }
    let mut turn = dy.atan2(dx).to_degrees();
    if turn > 90.0 {
        turn -= 180.0;
    } else if turn <= -90.0 {
        turn += 180.0;
    }
    let [x, y] = [half[0] + 32.0 * outward[0], half[1] + 32.0 * outward[1]];
    // The baseline lies below the middle of the letters.
    let [down_x, down_y] = [
        -turn.to_radians().sin() * 4.0,
        turn.to_radians().cos() * 4.0,
    ];
    let shown = super::style::fitted(title, SMALL_SIZE, 1.25 * length.max(150.0));
    let look = Type {
        turn,
        ..Type::new(SMALL_SIZE, INK, Anchor::Middle)
    };
    canvas.text([x + down_x, y + down_y], &shown, look);
}

/// Something that stands on a surface.
pub(super) struct Standing<'a> {
    /// It is drawn after the cells that are no nearer, so that nearer ones hide it.
    pub(super) nearness: f64,
    pub(super) draw: Box<dyn Fn(&mut Canvas) + 'a>,
}

/// The grid lines that a surface of `points` points a side is drawn along.
fn drawn_lines(points: usize) -> Vec<usize> {
    let last = points - 1;
    let stride = last.div_ceil(MAX_CELLS_A_SIDE);
    let mut lines: Vec<usize> = (0..=last).step_by(stride).collect();
    if !last.is_multiple_of(stride) {
        lines.push(last);
    }
    lines
}

/// How near the drawn cell is in which grid coordinates `[x, y]` lie.
pub(super) fn cell_nearness(
    projection: &Projection,
    [rows, columns]: [usize; 2],
    [x, y]: [f64; 2],
) -> f64 {
    let middle = |points: usize, at: f64| {
        let lines = drawn_lines(points);
        let cell = lines.partition_point(|&line| line as f64 <= at);
        let cell = cell.clamp(1, lines.len() - 1);
        (lines[cell - 1] + lines[cell]) as f64 / 2.0 / (points - 1) as f64
    };
    projection.nearness([middle(columns, x), middle(rows, y)])
}

/// Draws a surface of `[rows, columns]` points, heights 0..1, NaN where there is none, and what
/// stands on it.
pub(super) fn draw_surface(
    canvas: &mut Canvas,
    projection: &Projection,
    [rows, columns]: [usize; 2],
    height: &dyn Fn(usize, usize) -> f64,
    standing: Vec<Standing<'_>>,
) {
    let (lines, across) = (drawn_lines(rows), drawn_lines(columns));
    let down = |index: usize| index as f64 / (rows - 1) as f64;
    let along = |index: usize| index as f64 / (columns - 1) as f64;
    let edge_width = if lines.len() > 45 { 0.3 } else { 0.6 };
    // A coarse grid's faces are cut up, so that a colour is that of its own height.
    let parts = (FINE_CELLS_A_SIDE / (lines.len() - 1)).max(1);
    let mut drawn: Vec<Standing<'_>> = Vec::new();
    for rows in lines.windows(2) {
        for columns in across.windows(2) {
            let (i0, i1, j0, j1) = (rows[0], rows[1], columns[0], columns[1]);
            let heights = [
                [height(i0, j0), height(i0, j1)],
                [height(i1, j0), height(i1, j1)],
            ];
            // A cell with a corner that failed is a hole.
            if heights.as_flattened().iter().any(|height| height.is_nan()) {
                continue;
            }
            let face = Face {
                x: [along(j0), along(j1)],
                y: [down(i0), down(i1)],
                heights,
            };
            let middle = [face.x, face.y].map(|[from, to]| (from + to) / 2.0);
            drawn.push(Standing {
                nearness: projection.nearness(middle),
                draw: Box::new(move |canvas| face.draw(canvas, projection, parts, edge_width)),
            });
        }
    }
    drawn.extend(standing);
    drawn.sort_by(|a, b| a.nearness.total_cmp(&b.nearness));
    for part in drawn {
        (part.draw)(canvas);
    }
}

/// Grids with fewer cells a side are drawn by as many parts.
const FINE_CELLS_A_SIDE: usize = 20;

/// A cell of the surface: bilinear between its four corners.
struct Face {
    x: [f64; 2],
    y: [f64; 2],
    /// By y, then by x.
    heights: [[f64; 2]; 2],
}

impl Face {
    /// The point at a share of the way along x and y, 0..1.
    fn at(&self, u: f64, v: f64) -> [f64; 3] {
        let along = |[a, b]: [f64; 2], share: f64| a + (b - a) * share;
        let height = along(self.heights.map(|row| along(row, u)), v);
        [along(self.x, u), along(self.y, v), height]
    }

    /// Draws the cell in `parts` x `parts`, the farthest first, with its own outline.
    fn draw(&self, canvas: &mut Canvas, projection: &Projection, parts: usize, edge_width: f64) {
        let place = |[u, v]: [f64; 2]| {
            let place = projection.place(self.at(u, v));
            place.map(|value| (value * 10.0).round() / 10.0)
        };
        let share = |index: usize| index as f64 / parts as f64;
        let mut order: Vec<(usize, usize)> = (0..parts * parts)
            .map(|part| (part / parts, part % parts))
            .collect();
        let nearness = |&(row, column): &(usize, usize)| {
            projection.towards[0] * share(column) + projection.towards[1] * share(row)
        };
        order.sort_by(|a, b| nearness(a).total_cmp(&nearness(b)));
        for (row, column) in order {
            let (u0, u1, v0, v1) = (share(column), share(column + 1), share(row), share(row + 1));
            let corners = [[u0, v0], [u1, v0], [u1, v1], [u0, v1]];
            let [a, b, c, d] = corners.map(|[u, v]| self.at(u, v));
            let slope_x = (b[2] + c[2] - a[2] - d[2]) / 2.0 / (b[0] - a[0]);
            let slope_y = (c[2] + d[2] - a[2] - b[2]) / 2.0 / (d[1] - a[1]);
            let mean = (a[2] + b[2] + c[2] + d[2]) / 4.0;
            let fill = shaded(heat(mean), [slope_x * HEIGHT, slope_y * HEIGHT]);
            // The edge closes the seam to the next part; of a whole cell it is its outline.
            let (shade, width_px) = if parts == 1 {
                (0.22, edge_width)
            } else {
                (0.0, 1.2)
            };
            let edge = Stroke {
                color: opaque(blend(fill, RGBColor(0, 0, 0), shade)),
                width_px,
            };
            canvas.polygon(&corners.map(place), opaque(fill), Some(edge));
        }
        if parts > 1 {
            let around: Vec<Place> = (0..=4 * parts)
                .map(|step| {
                    let along = share(step % parts);
                    place(match step / parts {
                        0 => [along, 0.0],
                        1 => [1.0, along],
                        2 => [1.0 - along, 1.0],
                        3 => [0.0, 1.0 - along],
                        _ => [0.0, 0.0],
                    })
                })
                .collect();
            let outline = Stroke {
                color: RGBAColor(0, 0, 0, 0.3),
                width_px: edge_width,
            };
            canvas.line(&around, outline);
        }
    }
}

/// Lambert's shade of a slope under a lamp high over the corner of A: at most a quarter darker,
/// so that the colour still reads as a value.
fn shaded(color: RGBColor, [slope_x, slope_y]: [f64; 2]) -> RGBColor {
    const LAMP: [f64; 3] = [-0.35, -0.45, 0.82];
    let normal = [-slope_x, -slope_y, 1.0];
    let length = normal.iter().map(|c| c * c).sum::<f64>().sqrt();
    let light: f64 = normal.iter().zip(LAMP).map(|(n, l)| n * l).sum::<f64>() / length;
    blend(
        color,
        RGBColor(0, 0, 0),
        0.25 * (1.0 - light.clamp(0.0, 1.0)),
    )
}
