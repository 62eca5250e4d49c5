//! Numbers and names as text.

use super::design::Score;

/// Whole numbers with their ranges: `0-3, 7, 9-11`.
pub fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<[usize; 2]> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some([_, last]) if *last + 1 == number => *last = number,
            _ => parts.push([number, number]),
        }
    }
    let text = parts.iter().map(|[first, last]| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// Three significant digits are more than a sample says.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.01 || size == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}

/// A score as it is said: a flip's distance is negative inside, so that the larger is the worse.
pub(super) fn said(score: Score, bad: f64) -> f64 {
    match score {
        Score::Flip => -bad,
        _ => bad,
    }
}

/// What a mean of classes is of.
pub(super) fn of_classes(score: Score) -> &'static str {
    match score {
        Score::Intrusion => "intrusion",
        Score::Flip => "distance to the nearest flip",
        other => other.label(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(ranges(&[0, 1, 2, 3, 7, 9, 10]), "0-3, 7, 9-10");
        assert_eq!(ranges(&[]), "");
        assert_eq!(
            [0.0, 0.5, 0.001_234, 12.345, 1234.5].map(short),
            ["0.000", "0.500", "1.23e-3", "12.35", "1234"]
        );
    }
}
