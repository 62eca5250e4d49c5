//! Cutting the faces of a subdivision along the zero line of a function that is affine on each: signs
//! by corner, crossed edges split, faces split between the two corners on the line.

use super::super::{EPS, SectionError, TOL_XY};
use super::{Mesh, NONE, OUTSIDE};

/// Bytes that the values at all corners may take: 2 GiB.
const MAX_BYTES: usize = 1 << 31;

/// A function whose zero line cuts faces.
#[derive(Debug, Clone, Copy)]
pub(in crate::sections) enum Cut {
    /// Column `0`.
    Zero(usize),
    /// Column `0` less column `1`.
    Difference(usize, usize),
}

impl Mesh {
    /// Cuts all faces along the zero line of a function that is affine on each; says whether there
    /// was anything to cut. The function is exactly 0 at new corners.
    ///
    /// # Errors
    /// [`SectionError::TooManyRegions`].
    pub(in crate::sections) fn cut(&mut self, function: Cut) -> Result<bool, SectionError> {
        let corners = self.num_corners();
        let (width, values) = (self.width, &self.values);
        self.g.clear();
        let mut largest = 1.0f64;
        match function {
            Cut::Zero(a) => {
                self.g.extend((0..corners).map(|c| values[c * width + a]));
                largest = self.g.iter().fold(largest, |most, g| most.max(g.abs()));
            }
            Cut::Difference(a, b) => {
                for row in values.chunks_exact(width).take(corners) {
                    largest = largest.max(row[a].abs()).max(row[b].abs());
                    self.g.push(row[a] - row[b]);
                }
            }
        }
        let band = EPS * largest;
        self.sign.clear();
        self.sign.extend(
            self.g
                .iter()
                .map(|&g| i8::from(g > band) - i8::from(g < -band)),
        );
        let (mut above, mut below) = (false, false);
        for &sign in &self.sign {
            above |= sign > 0;
            below |= sign < 0;
        }
        if !(above && below) {
            return Ok(false);
        }
        let crossed = self.crossed_edges();
        if self.num_corners() + crossed.len() > (MAX_BYTES / 8 / self.width).min(4 * self.max_faces)
        {
            return Err(SectionError::TooManyRegions {
                limit: self.max_faces,
            });
        }
        // Not doubled, as a list grows by itself: these are most of the memory of a section.
        let more = crossed.len() * self.width;
        if self.values.capacity() - self.values.len() < more {
            self.values.reserve_exact(more + self.values.len() / 4);
        }
        self.cut_number += 1;
        let mut touched: Vec<u32> = Vec::with_capacity(2 * crossed.len());
        for &h in &crossed {
            self.split_edge(h, function);
            touched.extend([self.face[h as usize], self.face[h as usize ^ 1]]);
        }
        // Faces that are cut through an old corner.
        for corner in (0..corners)
            .filter(|&c| self.sign[c] == 0 && self.leaving[c] != NONE)
            .collect::<Vec<_>>()
        {
            self.faces_around(corner, &mut touched);
        }
        for face in touched {
            if face != OUTSIDE && self.looked_at[face as usize] != self.cut_number {
                self.looked_at[face as usize] = self.cut_number;
                self.split_face(face);
            }
        }
        if self.num_faces > self.max_faces {
            return Err(SectionError::TooManyRegions {
                limit: self.max_faces,
            });
        }
        Ok(true)
    }

    /// Whether some corner of the face is above 0 in the last cut; then none is below.
    pub(in crate::sections) fn is_above(&self, face: usize) -> bool {
        self.corners(face).any(|c| self.sign[c] > 0)
    }

    /// Half-edges, one an edge, between corners of opposite sign. Corners that the zero line passes
    /// within [`TOL_XY`] are put on it first, and so is the nearest corner of a face that rounding
    /// gave more than two changes of sign.
    fn crossed_edges(&mut self) -> Vec<u32> {
        loop {
            let mut crossed = Vec::new();
            let mut moved = false;
            for h in (0..self.origin.len()).step_by(2) {
                if self.origin[h] == NONE {
                    continue;
                }
                let [a, b] = [self.origin[h] as usize, self.origin[h + 1] as usize];
                if self.sign[a] * self.sign[b] >= 0 {
                    continue;
                }
                let (ga, gb) = (self.g[a].abs(), self.g[b].abs());
                let share = ga.min(gb) / (ga + gb);
                if share * self.length([a, b]) <= TOL_XY {
                    self.sign[if ga < gb { a } else { b }] = 0;
                    moved = true;
                } else {
                    crossed.push(h as u32);
                }
            }
            if !moved {
                for &h in &crossed {
                    for h in [h, h ^ 1] {
                        let face = self.face[h as usize];
                        if face != OUTSIDE && self.sign_changes(face as usize) > 2 {
                            let off = |&c: &usize| self.sign[c] != 0;
                            let nearest = self
                                .corners(face as usize)
                                .filter(off)
                                .min_by(|&a, &b| self.g[a].abs().total_cmp(&self.g[b].abs()));
                            if let Some(corner) = nearest {
                                self.sign[corner] = 0;
                                moved = true;
                            }
                        }
                    }
                }
            }
            if !moved {
                return crossed;
            }
        }
    }

    fn sign_changes(&self, face: usize) -> usize {
        let mut signs = self.corners(face).map(|c| self.sign[c]).filter(|&s| s != 0);
        let Some(first) = signs.next() else {
            return 0;
        };
        let (mut last, mut changes) = (first, 0);
        for sign in signs {
            changes += usize::from(sign != last);
            last = sign;
        }
        changes + usize::from(last != first)
    }

    /// Puts a corner on an edge where the function is 0.
    fn split_edge(&mut self, h: u32, function: Cut) {
        let t = h ^ 1;
        let [a, b] = [self.origin[h as usize], self.origin[t as usize]];
        // From the positive end, whichever way the edge runs.
        let (p, q) = match self.sign[a as usize] > 0 {
            true => (a as usize, b as usize),
            false => (b as usize, a as usize),
        };
        let w = self.g[p] / (self.g[p] - self.g[q]);
        let v = self.xy.len() as u32;
        self.xy
            .push([0, 1].map(|k| self.xy[p][k] * (1.0 - w) + self.xy[q][k] * w));
        let start = self.values.len();
        self.values.resize(start + self.width, 0.0);
        let (old, new) = self.values.split_at_mut(start);
        let [from, to] = [p, q].map(|c| &old[c * self.width..][..self.used]);
        for ((new, from), to) in new.iter_mut().zip(from).zip(to) {
            *new = from * (1.0 - w) + to * w;
        }
        match function {
            Cut::Zero(a) => new[a] = 0.0,
            Cut::Difference(a, b) => new[a] = new[b],
        }
        self.g.push(0.0);
        self.sign.push(0);
        // h: a -> v, h2: v -> b; back t2: b -> v, t: v -> a.
        let h2 = self.origin.len() as u32;
        let t2 = h2 + 1;
        let (after_h, before_t) = (self.next[h as usize], self.before[t as usize]);
        self.origin.extend([v, b]);
        self.face
            .extend([self.face[h as usize], self.face[t as usize]]);
        self.next.extend([after_h, t]);
        self.before.extend([h, before_t]);
        self.origin[t as usize] = v;
        self.next[h as usize] = h2;
        self.before[after_h as usize] = h2;
        self.before[t as usize] = t2;
        self.next[before_t as usize] = t2;
        self.leaving.push(h2);
        if self.leaving[b as usize] == t {
            self.leaving[b as usize] = t2;
        }
    }

    fn faces_around(&self, corner: usize, faces: &mut Vec<u32>) {
        let first = self.leaving[corner];
        let mut h = first;
        loop {
            faces.push(self.face[h as usize]);
            h = self.next[h as usize ^ 1];
            if h == first {
                break;
            }
        }
    }

    /// Splits a face that has corners on both sides between the two corners on the zero line.
    fn split_face(&mut self, face: u32) {
        let first = self.side[face as usize];
        // Where the sign last seen was + and - was found, and the other way round.
        let (mut down, mut up) = (None, None);
        let mut start = first;
        loop {
            if self.sign[self.origin[start as usize] as usize] != 0 {
                break;
            }
            start = self.next[start as usize];
            if start == first {
                return;
            }
        }
        let mut last = self.sign[self.origin[start as usize] as usize];
        let mut zero = None;
        let mut h = self.next[start as usize];
        loop {
            let sign = self.sign[self.origin[h as usize] as usize];
            if sign == 0 {
                zero = zero.or(Some(h));
            } else {
                if sign != last {
                    *(if last > 0 { &mut down } else { &mut up }) = zero;
                }
                (last, zero) = (sign, None);
            }
            if h == start {
                break;
            }
            h = self.next[h as usize];
        }
        let (Some(e1), Some(e2)) = (down, up) else {
            return;
        };
        // The face keeps the part above 0, from `up` to `down`; the part below is new.
        let (v1, v2) = (self.origin[e1 as usize], self.origin[e2 as usize]);
        let new = self.side.len() as u32;
        let n = self.origin.len() as u32;
        let m = n + 1;
        let (before1, before2) = (self.before[e1 as usize], self.before[e2 as usize]);
        // n: v1 -> v2 closes the part above, m: v2 -> v1 the part below.
        self.origin.extend([v1, v2]);
        self.face.extend([face, new]);
        self.next.extend([e2, e1]);
        self.before.extend([before1, before2]);
        self.next[before1 as usize] = n;
        self.before[e2 as usize] = n;
        self.next[before2 as usize] = m;
        self.before[e1 as usize] = m;
        self.side[face as usize] = n;
        self.side.push(m);
        self.tag.push(self.tag[face as usize]);
        self.winner.push(self.winner[face as usize]);
        self.mark.push(self.mark[face as usize]);
        self.looked_at.push(self.cut_number);
        let mut h = self.next[m as usize];
        while h != m {
            self.face[h as usize] = new;
            h = self.next[h as usize];
        }
        self.num_faces += 1;
    }
}
