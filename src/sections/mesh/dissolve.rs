//! Joining faces again that a cut has parted for nothing: edges between faces of one tag and one
//! winner go, and then corners that are left on a straight line.

use super::{Mesh, NONE, OUTSIDE};

impl Mesh {
    /// Joins neighbours of one tag and one winner: undoes cuts that turned out not to bend
    /// anything.
    pub(in crate::sections) fn dissolve(&mut self) {
        let mut left: Vec<u32> = (0..self.origin.len() as u32).step_by(2).collect();
        let mut loose: Vec<u32> = Vec::new();
        left.retain(|&h| {
            let [f, g] = [self.face[h as usize], self.face[h as usize ^ 1]];
            self.origin[h as usize] != NONE
                && f != OUTSIDE
                && g != OUTSIDE
                && self.tag[f as usize] == self.tag[g as usize]
                && self.winner[f as usize] == self.winner[g as usize]
        });
        // An edge inside one face can only go once one of its ends is free.
        while !left.is_empty() {
            let before = left.len();
            left.retain(|&h| !self.remove_edge(h, &mut loose));
            if left.len() == before {
                break;
            }
        }
        for corner in loose {
            self.straighten(corner);
        }
    }

    fn remove_edge(&mut self, h: u32, ends: &mut Vec<u32>) -> bool {
        let t = h ^ 1;
        let [a, b] = [self.origin[h as usize], self.origin[t as usize]];
        let [keep, gone] = [self.face[h as usize], self.face[t as usize]];
        let (after_h, after_t) = (self.next[h as usize], self.next[t as usize]);
        let (before_h, before_t) = (self.before[h as usize], self.before[t as usize]);
        if keep == gone && after_h != t && after_t != h {
            return false;
        }
        if keep != gone {
            let mut at = after_t;
            while at != t {
                self.face[at as usize] = keep;
                at = self.next[at as usize];
            }
            self.side[gone as usize] = NONE;
            self.num_faces -= 1;
        }
        // Around a: what came before h goes on with what came after t; around b the other way.
        if after_t != h {
            self.next[before_h as usize] = after_t;
            self.before[after_t as usize] = before_h;
            self.leaving[a as usize] = after_t;
            self.side[keep as usize] = after_t;
            ends.push(a);
        } else {
            self.leaving[a as usize] = NONE;
        }
        if after_h != t {
            self.next[before_t as usize] = after_h;
            self.before[after_h as usize] = before_t;
            self.leaving[b as usize] = after_h;
            self.side[keep as usize] = after_h;
            ends.push(b);
        } else {
            self.leaving[b as usize] = NONE;
        }
        for h in [h, t] {
            self.origin[h as usize] = NONE;
        }
        true
    }

    /// Takes a corner out that has two edges left: between convex faces they are one straight line.
    fn straighten(&mut self, corner: u32) {
        let h2 = self.leaving[corner as usize];
        if h2 == NONE || (corner as usize) < self.num_outline {
            return;
        }
        let h1 = self.before[h2 as usize];
        let (t1, t2) = (h1 ^ 1, h2 ^ 1);
        // Two edges: turning around the corner comes back after two steps.
        if self.origin[h2 as usize] != corner || h1 == t2 || self.next[t2 as usize] != t1 {
            return;
        }
        let b = self.origin[t2 as usize];
        let (after, previous) = (self.next[h2 as usize], self.before[t2 as usize]);
        self.next[h1 as usize] = after;
        self.before[after as usize] = h1;
        self.origin[t1 as usize] = b;
        self.before[t1 as usize] = previous;
        self.next[previous as usize] = t1;
        if self.leaving[b as usize] == t2 {
            self.leaving[b as usize] = t1;
        }
        for (gone, kept) in [(h2, h1), (t2, t1)] {
            let face = self.face[gone as usize];
            if face != OUTSIDE && self.side[face as usize] == gone {
                self.side[face as usize] = kept;
            }
            self.origin[gone as usize] = NONE;
        }
        self.leaving[corner as usize] = NONE;
    }
}
