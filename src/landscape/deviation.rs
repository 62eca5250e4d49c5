//! How far two computations of one landscape lie apart.

use super::Landscape;

/// Two computations of one landscape, held against each other point by point.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// Where logits lie furthest apart; nothing where no point has an answer in both.
    pub logits: Option<Furthest>,
    /// The same of probabilities.
    pub probabilities: Option<Furthest>,
    /// Points whose predicted class differs.
    pub labels: usize,
    /// Those of them where the first one's logit margin is above [`CLEAR_MARGIN`].
    pub clear_labels: usize,
    /// Points that failed in one and have an answer in the other.
    pub failed: usize,
}

/// The values that lie furthest apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Furthest {
    /// How far.
    pub by: f32,
    /// Point of the grid, `i * steps + j`.
    pub frame: usize,
    /// Class.
    pub class: usize,
    /// The first one's value and the other's.
    pub values: [f32; 2],
}

/// Below this a label is within rounding of another one.
pub const CLEAR_MARGIN: f32 = 1e-3;

impl Deviation {
    /// Holds `other` against `one`; nothing where they differ in steps or classes.
    pub fn between(one: &Landscape, other: &Landscape) -> Option<Self> {
        let of = |landscape: &Landscape| (landscape.kind, landscape.steps, landscape.num_classes);
        if of(one) != of(other) {
            return None;
        }
        let mut found = Self {
            logits: furthest(&one.logits, &other.logits, one.num_classes),
            probabilities: furthest(&one.probabilities, &other.probabilities, one.num_classes),
            labels: 0,
            clear_labels: 0,
            failed: 0,
        };
        for k in 0..one.num_frames() {
            match (one.label(k), other.label(k)) {
                (Some(label), Some(now)) if label != now => {
                    found.labels += 1;
                    let logits = &one.logits[k * one.num_classes..][..one.num_classes];
                    let others = logits.iter().enumerate().filter(|(c, _)| *c != label);
                    let next = others.map(|(_, &f)| f).fold(f32::NEG_INFINITY, f32::max);
                    found.clear_labels += usize::from(logits[label] - next > CLEAR_MARGIN);
                }
                (Some(_), None) | (None, Some(_)) => found.failed += 1,
                _ => {}
            }
        }
        Some(found)
    }
}

impl Furthest {
    /// The one that is further apart.
    pub fn or(self, other: Self) -> Self {
        if other.by > self.by { other } else { self }
    }
}

fn furthest(one: &[f32], other: &[f32], num_classes: usize) -> Option<Furthest> {
    let pairs = one.iter().zip(other).enumerate();
    // Where one failed there is no distance; those points are counted by themselves.
    let there = pairs.filter(|(_, (a, b))| !a.is_nan() && !b.is_nan());
    there
        .map(|(n, (&a, &b))| Furthest {
            by: (a - b).abs(),
            frame: n / num_classes,
            class: n % num_classes,
            values: [a, b],
        })
        .reduce(Furthest::or)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two points of two classes in a row, twice; probabilities are not looked at here.
    fn landscape(logits: [f32; 8]) -> Landscape {
        Landscape {
            steps: 2,
            num_classes: 2,
            probabilities: logits.to_vec(),
            logits: logits.to_vec(),
            inputs: None,
            kind: crate::landscape::GridKind::Rows,
            morph: None,
            flat: None,
        }
    }

    #[test]
    fn what_lies_furthest_apart_is_found_and_labels_are_told_by_their_margin() {
        let one = landscape([1.0, 0.0, 0.5, 0.5005, 0.0, 1.0, f32::NAN, f32::NAN]);
        let other = landscape([1.0, 0.25, 0.5, 0.4995, 2.0, 1.0, 0.0, 1.0]);
        let found = Deviation::between(&one, &other).expect("alike in shape");
        let by = Furthest {
            by: 2.0,
            frame: 2,
            class: 0,
            values: [0.0, 2.0],
        };
        assert_eq!(found.logits, Some(by));
        // Point 1 changes its label within rounding, point 2 does not; point 3 failed in one.
        assert_eq!((found.labels, found.clear_labels, found.failed), (2, 1, 1));
        let same = Deviation::between(&one, &one).expect("alike in shape");
        assert_eq!(same.logits.map(|furthest| furthest.by), Some(0.0));
        assert_eq!((same.labels, same.failed), (0, 0));
        let smaller = Landscape {
            steps: 1,
            ..one.clone()
        };
        assert_eq!(Deviation::between(&one, &smaller), None);
    }
}
