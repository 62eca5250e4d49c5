//! Delaunay triangulation of feature points, by the crate spade.

use super::Point;
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
