//! Delaunay triangles of an image's points in whole numbers, where there is one triangulation only.

use super::Point;

/// At most so many points: a table has an entry for each pair, and indices stay below [`NONE`].
const MOST_POINTS: usize = 128;
/// Coordinates below this leave every determinant room in an `i64`.
const MOST_PX: i32 = 1 << 13;
/// In the place of a third corner: no triangle is there.
const NONE: u8 = u8::MAX;

/// What [`super::triangulate`] gives, by inserting one point after the other and flipping edges
/// (Lawson, *Software for C1 surface interpolation*, 1977): a few times as fast as a library that
/// takes any points.
///
/// Nothing where four points lie on an empty circle, so that there is more than one triangulation;
/// where the first four points are not the corners of a rectangle around all others, as those of an
/// image are; and where points are equal, too many or too far away.
pub(super) fn unique_triangulation(points: &[Point]) -> Option<Vec<[u32; 3]>> {
    let [top_left, top_right, bottom_left, bottom_right] = *points.first_chunk()?;
    let [[left, top], [right, bottom]] = [top_left, bottom_right];
    let fits = left >= 0 && top >= 0 && right < MOST_PX && bottom < MOST_PX;
    let inside = |&[x, y]: &Point| x >= left && x <= right && y >= top && y <= bottom;
    if points.len() > MOST_POINTS
        || !fits
        || right <= left
        || bottom <= top
        || top_right != [right, top]
        || bottom_left != [left, bottom]
        || !points.iter().all(inside)
    {
        return None;
    }
    let mut mesh = Mesh {
        points,
        apexes: vec![NONE; points.len() * points.len()],
    };
    // Positive with y down.
    mesh.add([0, 1, 3]);
    mesh.add([0, 3, 2]);
    let mut near = [0, 1, 3];
    for point in 4..points.len() as u8 {
        near = mesh.insert(point, near)?;
    }
    mesh.triangles()
}

/// Triangles of positive area over points that have been inserted.
struct Mesh<'a> {
    points: &'a [Point],
    /// `[a, b]`: the third corner of the triangle whose side leads from a to b.
    apexes: Vec<u8>,
}

impl Mesh<'_> {
    #[inline]
    fn apex(&self, a: u8, b: u8) -> u8 {
        self.apexes[usize::from(a) * self.points.len() + usize::from(b)]
    }

    #[inline]
    fn set_apex(&mut self, a: u8, b: u8, apex: u8) {
        self.apexes[usize::from(a) * self.points.len() + usize::from(b)] = apex;
    }

    #[inline]
    fn add(&mut self, [a, b, c]: [u8; 3]) {
        self.set_apex(a, b, c);
        self.set_apex(b, c, a);
        self.set_apex(c, a, b);
    }

    #[inline]
    fn remove_edge(&mut self, a: u8, b: u8) {
        self.set_apex(a, b, NONE);
        self.set_apex(b, a, NONE);
    }

    /// Inserts a point, searching from triangle `near` on, and gives a triangle at it; nothing where
    /// another point lies there.
    fn insert(&mut self, point: u8, near: [u8; 3]) -> Option<[u8; 3]> {
        let ([a, b, c], turns) = self.triangle_at(point, near);
        match turns.map(|turn| turn == 0) {
            [false, false, false] => {
                self.add([point, a, b]);
                self.add([point, b, c]);
                self.add([point, c, a]);
                self.flip(point, [a, b]);
                self.flip(point, [b, c]);
                self.flip(point, [c, a]);
            }
            [true, false, false] => self.split([a, b], c, point),
            [false, true, false] => self.split([b, c], a, point),
            [false, false, true] => self.split([c, a], b, point),
            _ => return None,
        }
        // Edges from the new point to these corners are never flipped; on the rim, one may have its
        // triangle on the other side only.
        [a, b, c].into_iter().find_map(|corner| {
            let apex = self.apex(point, corner);
            (apex != NONE).then_some([point, corner, apex])
        })
    }

    /// The triangle that the point lies in or on, and on which side of each of its edges the point
    /// lies: 0 on it, positive inside.
    fn triangle_at(&self, point: u8, near: [u8; 3]) -> ([u8; 3], [i64; 3]) {
        let [mut a, mut b, mut c] = near;
        loop {
            let turns = [
                self.turn([a, b, point]),
                self.turn([b, c, point]),
                self.turn([c, a, point]),
            ];
            // Across a side that the point lies beyond. In a Delaunay triangulation this walk comes back
            // to no triangle.
            [a, b, c] = match turns.map(|turn| turn < 0) {
                [true, _, _] => [b, a, self.apex(b, a)],
                [_, true, _] => [c, b, self.apex(c, b)],
                [_, _, true] => [a, c, self.apex(a, c)],
                _ => return ([a, b, c], turns),
            };
        }
    }

    /// Puts a point on the edge from a to b of the triangle whose third corner is c.
    fn split(&mut self, [a, b]: [u8; 2], c: u8, point: u8) {
        let behind = self.apex(b, a);
        self.remove_edge(a, b);
        self.add([point, b, c]);
        self.add([point, c, a]);
        if behind != NONE {
            self.add([point, a, behind]);
            self.add([point, behind, b]);
            self.flip(point, [a, behind]);
            self.flip(point, [behind, b]);
        }
        self.flip(point, [b, c]);
        self.flip(point, [c, a]);
    }

    /// Flips an edge opposite to a new point if what lies behind it is inside the triangle's circle,
    /// and then those that have come to lie opposite.
    fn flip(&mut self, point: u8, [a, b]: [u8; 2]) {
        let behind = self.apex(b, a);
        if behind == NONE || self.in_circle([point, a, b], behind) <= 0 {
            return;
        }
        self.remove_edge(a, b);
        self.add([point, a, behind]);
        self.add([point, behind, b]);
        self.flip(point, [a, behind]);
        self.flip(point, [behind, b]);
    }

    /// All triangles, sorted, each from its smallest corner on; nothing where an edge could as well
    /// be flipped.
    fn triangles(&self) -> Option<Vec<[u32; 3]>> {
        let mut triangles = Vec::with_capacity(2 * self.points.len());
        let count = self.points.len() as u8;
        for a in 0..count {
            for b in a + 1..count {
                let apex = self.apex(a, b);
                if apex == NONE {
                    continue;
                }
                let behind = self.apex(b, a);
                if behind != NONE && self.in_circle([a, b, apex], behind) == 0 {
                    return None;
                }
                if apex > a {
                    triangles.push([a, b, apex].map(u32::from));
                }
            }
        }
        Some(triangles)
    }

    #[inline]
    fn place(&self, point: u8) -> [i64; 2] {
        let [x, y] = self.points[usize::from(point)];
        [i64::from(x), i64::from(y)]
    }

    /// Twice the area of a triangle, positive where it turns clockwise on a screen (y down).
    #[inline]
    fn turn(&self, [a, b, c]: [u8; 3]) -> i64 {
        let (a, b, c) = (self.place(a), self.place(b), self.place(c));
        (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    }

    /// Positive where `point` lies inside the circle through the corners of a triangle of positive
    /// area, 0 on it.
    #[inline]
    fn in_circle(&self, [a, b, c]: [u8; 3], point: u8) -> i64 {
        let centre = self.place(point);
        let lifted = |corner| {
            let [x, y] = self.place(corner);
            let (x, y) = (x - centre[0], y - centre[1]);
            (x, y, x * x + y * y)
        };
        let (a, b, c) = (lifted(a), lifted(b), lifted(c));
        a.2 * (b.0 * c.1 - b.1 * c.0)
            + b.2 * (c.0 * a.1 - c.1 * a.0)
            + c.2 * (a.0 * b.1 - a.1 * b.0)
    }
}
