//! Which class wins where on a line: the upper envelope of the logits, piece by piece.

use super::{EPS, TOL_T};

/// The class of each point of a line.
///
/// `t` are the ends of the pieces, `[n + 1]`, ascending; `logits` their logits, `[n + 1, classes]`,
/// affine between. Gives the breaks `[m + 1]` and the classes `[m]`, neighbours of different class.
/// A class that touches the top without winning has no interval; of logits equal on a stretch the
/// lowest class wins it.
pub fn class_intervals(t: &[f64], logits: &[f64], classes: usize) -> (Vec<f64>, Vec<usize>) {
    let (mut breaks, mut found): (Vec<f64>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut enter = |at: f64, class: usize| match breaks.last() {
        // What was entered last was never wider than rounding.
        Some(&last) if at - last <= TOL_T => {
            let keep = found.len() - 1;
            found[keep] = class;
            if keep > 0 && found[keep - 1] == class {
                found.pop();
                breaks.pop();
            }
        }
        _ if found.last() == Some(&class) => {}
        _ => {
            breaks.push(at);
            found.push(class);
        }
    };
    let mut dead = vec![false; classes];
    for k in 0..t.len() - 1 {
        let (a, b) = logits[k * classes..(k + 2) * classes].split_at(classes);
        let (first, last) = (top(a), top(b));
        let size = a[first].abs().max(b[last].abs());
        let largest = a.iter().chain(b).fold(size, |most, f| most.max(f.abs()));
        let band = EPS * largest.max(1.0);
        let clear = |f: &[f64], winner: usize| {
            f.iter()
                .enumerate()
                .all(|(j, &v)| j == winner || v < f[winner] - band)
        };
        // Affine functions: the largest at both ends is the largest between.
        if first == last && clear(a, first) && clear(b, first) {
            enter(t[k], first);
            continue;
        }
        for (j, dead) in dead.iter_mut().enumerate() {
            *dead = (0..j).any(|i| (a[i] - a[j]).abs() <= band && (b[i] - b[j]).abs() <= band);
        }
        let live: Vec<usize> = (0..classes).filter(|&j| !dead[j]).collect();
        // Of those that are largest at the left end the steepest.
        let most = live.iter().map(|&j| a[j]).fold(f64::NEG_INFINITY, f64::max);
        let near = live.iter().copied().filter(|&j| a[j] >= most - band);
        let steepest = |best: usize, j: usize| {
            if b[j] - a[j] > b[best] - a[best] {
                j
            } else {
                best
            }
        };
        let mut current = near.reduce(steepest).expect("some class is largest");
        let mut at = 0.0;
        enter(t[k], current);
        loop {
            let mut next: Option<(f64, usize)> = None;
            for &j in live.iter().filter(|&&j| j != current) {
                let gain = (b[j] - a[j]) - (b[current] - a[current]);
                if gain <= band {
                    continue;
                }
                let x = ((a[current] - a[j]) / gain).max(at);
                next = match next {
                    Some((best, i)) if x > best || (x == best && b[j] - a[j] <= b[i] - a[i]) => {
                        Some((best, i))
                    }
                    _ => Some((x, j)),
                };
            }
            match next.filter(|&(x, _)| x < 1.0) {
                Some((x, j)) => {
                    (at, current) = (x, j);
                    enter(t[k] + (t[k + 1] - t[k]) * x, j);
                }
                None => break,
            }
        }
    }
    let end = t[t.len() - 1];
    // A class entered within rounding of the end has no interval.
    if breaks.len() > 1 && end - breaks[breaks.len() - 1] <= TOL_T {
        breaks.pop();
        found.pop();
    }
    breaks.push(end);
    (breaks, found)
}

/// Position of the largest value, of equal ones the first.
pub(super) fn top(values: &[f64]) -> usize {
    let all = values.iter().enumerate();
    all.fold(
        0,
        |best, (i, value)| if *value > values[best] { i } else { best },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_is_no_interval_and_ties_go_to_the_lowest_class() {
        // Class 1 touches class 0 at 1/2; classes 1 and 2 are one.
        let t = [0.0, 0.5, 1.0];
        let logits = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
        assert_eq!(class_intervals(&t, &logits, 3), (vec![0.0, 1.0], vec![0]));
        let logits = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0];
        assert_eq!(
            class_intervals(&t, &logits, 3),
            (vec![0.0, 0.5, 1.0], vec![0, 1])
        );
        let all_equal = [0.5; 9];
        assert_eq!(
            class_intervals(&t, &all_equal, 3),
            (vec![0.0, 1.0], vec![0])
        );
    }

    #[test]
    fn a_class_may_win_between_the_ends_of_one_piece() {
        let (breaks, classes) = class_intervals(&[0.0, 1.0], &[1.0, 0.75, 0.0, 0.0, 0.75, 1.0], 3);
        assert_eq!(
            (breaks, classes),
            (vec![0.0, 0.25, 0.75, 1.0], vec![0, 1, 2])
        );
    }
}
