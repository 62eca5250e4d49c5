//! Delaunay triangulation of feature points: by our own insertion where it is unique and the points are
//! few, else by the crate spade.

use super::Point;
use super::insertion::unique_triangulation;
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
    unique_triangulation(points).unwrap_or_else(|| triangulate_by_spade(points))
}

/// The same of any points; where there is a choice, it is spade's.
fn triangulate_by_spade(points: &[Point]) -> Vec<[u32; 3]> {
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
        let (mut unique, mut left_over) = (0, 0);
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
            match unique_triangulation(&points) {
                Some(triangles) => {
                    unique += 1;
                    assert_eq!(triangles, triangulate_by_spade(&points), "{points:?}");
                }
                None => left_over += 1,
            }
        }
        assert!(unique > 500 && left_over > 500, "{unique} {left_over}");
    }

    #[test]
    fn what_has_no_one_triangulation_is_left_to_the_library() {
        let square = [[0, 0], [9, 0], [0, 9], [9, 9]];
        assert_eq!(unique_triangulation(&square), None);
        let with = |more: &[Point]| [square.as_slice(), more].concat();
        let one = with(&[[3, 4]]);
        assert_eq!(unique_triangulation(&one).map(|found| found.len()), Some(4));
        // Twice the same point, on a corner, or outside.
        for more in [[[3, 4], [3, 4]], [[3, 4], [9, 9]], [[3, 4], [10, 4]]] {
            assert_eq!(unique_triangulation(&with(&more)), None);
        }
        let mut turned = one.clone();
        turned.swap(0, 1);
        assert_eq!(unique_triangulation(&turned), None);
        let far = one.iter().map(|point| point.map(|place| 1000 * place));
        assert_eq!(unique_triangulation(&far.collect::<Vec<_>>()), None);
        let shifted = one.iter().map(|[x, y]| [x - 1, *y]);
        assert_eq!(unique_triangulation(&shifted.collect::<Vec<_>>()), None);
    }
}
