//! Delaunay triangulation of feature points: by inserting them, or by the crate spade.

use super::Point;
use super::insertion::triangulate_at_once;
use spade::{DelaunayTriangulation, HasPosition, Point2, Triangulation};

/// A point that remembers its place in the list.
struct Vertex {
    index: u32,
    position: Point2<f64>,
}

impl HasPosition for Vertex {
    type Scalar = f64;
    fn position(&self) -> Point2<f64> {
        self.position
    }
}

/// The Delaunay triangles of `points`, as indices into them. Where four points lie on one
/// circle either diagonal is right; which one is taken depends on nothing but the points.
/// Triangles are sorted, each turned so that its area is positive with y down and its smallest
/// index comes first.
///
/// # Panics
/// When two points are equal or the coordinates exceed what spade takes (2^50), which
/// [`super::feature_points`] never gives.
pub fn triangulate(points: &[Point]) -> Vec<[u32; 3]> {
    triangulate_at_once(points).unwrap_or_else(|| triangulate_any(points))
}

/// The same of any points; where there is a choice, it is spade's.
fn triangulate_any(points: &[Point]) -> Vec<[u32; 3]> {
    let vertices = points
        .iter()
        .enumerate()
        .map(|(index, &[x, y])| Vertex {
            index: index as u32,
            position: Point2::new(f64::from(x), f64::from(y)),
        })
        .collect();
    let triangulation = DelaunayTriangulation::<Vertex>::bulk_load_stable(vertices)
        .expect("feature points are finite and small");
    assert_eq!(
        triangulation.num_vertices(),
        points.len(),
        "feature points are distinct"
    );
    let mut triangles: Vec<[u32; 3]> = triangulation
        .inner_faces()
        .map(|face| {
            // Counter-clockwise with y up in spade's eyes is clockwise on the screen: positive with y down.
            let mut triangle = face.vertices().map(|vertex| vertex.data().index);
            let smallest = (0..3).min_by_key(|&i| triangle[i]).unwrap_or(0);
            triangle.rotate_left(smallest);
            triangle
        })
        .collect();
    triangles.sort_unstable();
    triangles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_images_have_the_triangles_of_any_points() {
        let mut state = 7u64;
        let mut below = |limit: i32| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
            ((state >> 33) as i32) % limit
        };
        let (mut at_once, mut left_over) = (0, 0);
        for n in 0..4000 {
            let (width, height) = (4 + below(60), 4 + below(60));
            let (right, bottom) = (width - 1, height - 1);
            let mut points = vec![[0, 0], [right, 0], [0, bottom], [right, bottom]];
            // On the rim as well, and so close that many lie on one line and on one circle.
            for _ in 0..1 + n % 40 {
                let point = [below(width), below(height)];
                if !points.contains(&point) {
                    points.push(point);
                }
            }
            match triangulate_at_once(&points) {
                Some(triangles) => {
                    at_once += 1;
                    assert_eq!(triangles, triangulate_any(&points), "{points:?}");
                }
                None => left_over += 1,
            }
        }
        assert!(at_once > 500 && left_over > 500, "{at_once} {left_over}");
    }

    #[test]
    fn what_has_no_one_triangulation_is_left_to_the_library() {
        let square = [[0, 0], [9, 0], [0, 9], [9, 9]];
        assert_eq!(triangulate_at_once(&square), None);
        let with = |more: &[Point]| [square.as_slice(), more].concat();
        let one = with(&[[3, 4]]);
        assert_eq!(triangulate_at_once(&one).map(|found| found.len()), Some(4));
        // Twice the same point, on a corner, or outside.
        for more in [[[3, 4], [3, 4]], [[3, 4], [9, 9]], [[3, 4], [10, 4]]] {
            assert_eq!(triangulate_at_once(&with(&more)), None);
        }
        let mut turned = one.clone();
        turned.swap(0, 1);
        assert_eq!(triangulate_at_once(&turned), None);
        let far = one.iter().map(|point| point.map(|place| 1000 * place));
        assert_eq!(triangulate_at_once(&far.collect::<Vec<_>>()), None);
        let shifted = one.iter().map(|[x, y]| [x - 1, *y]);
        assert_eq!(triangulate_at_once(&shifted.collect::<Vec<_>>()), None);
    }
}
