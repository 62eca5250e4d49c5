//! How many cells lines cut a convex polygon into, counted without cutting: the check of a mesh.

/// Cells of `1 + lines + crossings`, at least and at most: lines `c + a s + b r = 0` in a polygon
/// of (s, r), `scale` taking its coordinates to units of the space. Where crossings, corners and
/// the outline are nearer each other than about [`super::TOL_XY`], both counts are possible.
pub(super) fn cells(lines: &[[f64; 3]], polygon: &[[f64; 2]], scale: [f64; 2]) -> [usize; 2] {
    /// Nearer is one place for sure; farther apart is two.
    const SAME: f64 = 0.1 * super::TOL_XY;
    const APART: f64 = 10.0 * super::TOL_XY;
    let at = |[c, a, b]: [f64; 3], [s, r]: [f64; 2]| c + a * s + b * r;
    let distance =
        |p: [f64; 2], q: [f64; 2]| ((p[0] - q[0]) * scale[0]).hypot((p[1] - q[1]) * scale[1]);
    // Where each line that has corners on both sides enters and leaves.
    let mut chords: Vec<[[f64; 2]; 2]> = Vec::new();
    let mut used: Vec<[f64; 3]> = Vec::new();
    let mut doubtful = 0;
    for &line in lines {
        let values: Vec<f64> = polygon.iter().map(|&p| at(line, p)).collect();
        let mut ends: Vec<[f64; 2]> = Vec::new();
        for k in 0..polygon.len() {
            let (p, q) = (polygon[k], polygon[(k + 1) % polygon.len()]);
            let (f, g) = (values[k], values[(k + 1) % polygon.len()]);
            if (f > 0.0) != (g > 0.0) {
                let w = f / (f - g);
                ends.push([0, 1].map(|k| p[k] + (q[k] - p[k]) * w));
            }
        }
        if let [a, b] = ends[..] {
            // A chord that cuts a corner off within the tolerance may not be cut at all.
            if distance(a, b) <= APART {
                doubtful += 1;
            } else {
                chords.push([a, b]);
                used.push(line);
            }
        }
    }
    let (mut least, mut most) = (1, 1 + doubtful);
    for (k, chord) in chords.iter().enumerate() {
        // Crossings with earlier lines, strictly inside; those at one place count once a line.
        let mut crossings: Vec<[f64; 2]> = Vec::new();
        let (mut near_end, mut is_double) = (0, false);
        for &other in &used[..k] {
            let ends = chord.map(|p| {
                let [_, a, b] = other;
                let size = (a / scale[0]).hypot(b / scale[1]);
                at(other, p) / size
            });
            if ends.iter().all(|d| d.abs() <= APART) {
                is_double = true;
                continue;
            }
            if ends.iter().any(|d| d.abs() <= APART) {
                near_end += 1;
                continue;
            }
            if (ends[0] > 0.0) != (ends[1] > 0.0) {
                let w = ends[0] / (ends[0] - ends[1]);
                crossings.push([0, 1].map(|i| chord[0][i] + (chord[1][i] - chord[0][i]) * w));
            }
        }
        let distinct = |apart: f64| places_apart(&crossings, |p, q| distance(p, q) > apart);
        if is_double {
            most += 1 + crossings.len() + near_end;
        } else {
            least += 1 + distinct(APART);
            most += 1 + distinct(SAME) + near_end;
        }
    }
    [least, most]
}

/// Places of a list of points on a line, those that are not apart counted once.
fn places_apart(points: &[[f64; 2]], apart: impl Fn([f64; 2], [f64; 2]) -> bool) -> usize {
    let mut sorted = points.to_vec();
    sorted.sort_by(|p, q| p[0].total_cmp(&q[0]).then(p[1].total_cmp(&q[1])));
    let mut count = 0;
    let mut last: Option<[f64; 2]> = None;
    for point in sorted {
        if last.is_none_or(|last| apart(last, point)) {
            count += 1;
            last = Some(point);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f64; 2]; 4] = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];

    #[test]
    fn cells_of_known_arrangements() {
        let (x, y, diagonal) = ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.25, 1.0, 1.0]);
        let outside = [3.0, 1.0, 0.0];
        let count = |lines: &[[f64; 3]]| cells(lines, &SQUARE, [1.0; 2]);
        assert_eq!(count(&[]), [1, 1]);
        assert_eq!(count(&[x, outside]), [2, 2]);
        assert_eq!(count(&[x, y]), [4, 4]);
        assert_eq!(count(&[x, y, diagonal]), [7, 7]);
        // Three lines through one place: six cells.
        assert_eq!(count(&[x, y, [0.0, 1.0, 1.0]]), [6, 6]);
    }
}
