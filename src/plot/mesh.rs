//! A pair's images side by side with their feature points and triangles.

use super::style::{MESH_EDGE, MESH_IRREGULAR, MESH_POINT};
use crate::data::Image;
use crate::mesh::{PairMesh, Point};
use plotters::style::RGBColor;

/// Both images are enlarged by a whole factor until a side reaches this, pixels.
const SIDE_PX: usize = 420;
const GAP_PX: usize = 12;

/// Draws the left and the right image with the mesh over each; triangles of the right mesh that
/// are folded or without area have their edges in orange.
pub fn mesh_picture(left: &Image, right: &Image, mesh: &PairMesh) -> Image {
    let zoom = (SIDE_PX / left.width_px.max(left.height_px)).max(1);
    let (side_width, height_px) = (left.width_px * zoom, left.height_px * zoom);
    let width_px = 2 * side_width + GAP_PX;
    let mut canvas = Canvas {
        picture: Image {
            width_px,
            height_px,
            channels: 3,
            levels: vec![255.0; width_px * height_px * 3],
        },
    };
    for (image, points, offset) in [
        (left, &mesh.points_left, 0),
        (right, &mesh.points_right, side_width + GAP_PX),
    ] {
        canvas.draw_image(image, zoom, offset);
        // Points are pixel centres.
        let at = |[x, y]: Point| {
            [
                (x as usize * zoom + zoom / 2 + offset) as i32,
                (y as usize * zoom + zoom / 2) as i32,
            ]
        };
        let is_regular = |triangle: &&[u32; 3]| {
            let [[ax, ay], [bx, by], [cx, cy]] = triangle.map(|i| points[i as usize]);
            let [[lx, ly], [mx, my], [nx, ny]] = triangle.map(|i| mesh.points_left[i as usize]);
            let turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
            turn.signum() == ((mx - lx) * (ny - ly) - (my - ly) * (nx - lx)).signum()
        };
        // Irregular triangles last, so that their edges are seen.
        let (regular, irregular): (Vec<&[u32; 3]>, Vec<_>) =
            mesh.triangles.iter().partition(is_regular);
        for (triangles, color) in [(regular, MESH_EDGE), (irregular, MESH_IRREGULAR)] {
            for triangle in triangles {
                let [a, b, c] = triangle.map(|i| at(points[i as usize]));
                for (from, to) in [(a, b), (b, c), (c, a)] {
                    canvas.draw_line(from, to, levels(color));
                }
            }
        }
        for &point in points {
            let [x, y] = at(point);
            for (dx, dy) in (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (dx, dy))) {
                canvas.set(x + dx, y + dy, levels(MESH_POINT));
            }
        }
    }
    canvas.picture
}

/// A colour as the levels of a pixel.
fn levels(RGBColor(red, green, blue): RGBColor) -> [f32; 3] {
    [red, green, blue].map(f32::from)
}

struct Canvas {
    picture: Image,
}

impl Canvas {
    fn set(&mut self, x: i32, y: i32, color: [f32; 3]) {
        let (width, height) = (self.picture.width_px as i32, self.picture.height_px as i32);
        if (0..width).contains(&x) && (0..height).contains(&y) {
            self.picture.levels[(y * width + x) as usize * 3..][..3].copy_from_slice(&color);
        }
    }

    fn draw_image(&mut self, image: &Image, zoom: usize, offset: usize) {
        for y in 0..image.height_px * zoom {
            for x in 0..image.width_px * zoom {
                let levels = &image.levels
                    [(y / zoom * image.width_px + x / zoom) * image.channels..][..image.channels];
                let color = if let &[red, green, blue] = levels {
                    [red, green, blue]
                } else {
                    [levels[0]; 3]
                };
                self.set((x + offset) as i32, y as i32, color);
            }
        }
    }

    /// One pixel for each step along the longer axis.
    fn draw_line(&mut self, [x0, y0]: Point, [x1, y1]: Point, color: [f32; 3]) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
        for step in 0..=steps {
            let along = |from: i32, to: i32| {
                from + ((to - from) as f32 * step as f32 / steps as f32).round() as i32
            };
            self.set(along(x0, x1), along(y0, y1), color);
        }
    }
}
