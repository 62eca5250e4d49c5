//! What a device brought back beside what the twins give.

use crate::kernels::Downloads;

/// How two engines' values of one recording differ.
pub(super) struct Compared {
    /// `|found - expected| / (1 + |expected|)` of the value for which it is largest: absolute near 0,
    /// relative to larger values. Infinite where a value is no number, or is not equal and has to be.
    pub(super) largest_error: f32,
    /// The first value that is too far off.
    pub(super) wrong: Option<WrongValue>,
}

/// A value that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongValue {
    /// Which one, counted through all that was brought back.
    pub index: usize,
    /// The twin's value.
    pub expected: String,
    /// The device's value.
    pub found: String,
}

/// Compares all words. `is_float` says, in turn, which of them are floats that may be as far off as
/// `tolerance`; the others have to be equal.
pub(super) fn compared(
    found: &Downloads,
    expected: &Downloads,
    is_float: &[bool],
    tolerance: f32,
) -> Compared {
    let mut largest_error = 0.0;
    let mut wrong = None;
    let words = found.words().zip(expected.words());
    for ((index, (found, expected)), &is_float) in words.enumerate().zip(is_float.iter().cycle()) {
        let error = match is_float {
            true => float_error(found, expected),
            false if found == expected => 0.0,
            false => f32::INFINITY,
        };
        largest_error = error.max(largest_error);
        if error > tolerance && wrong.is_none() {
            let text = |word: u32| match is_float {
                true => f32::from_bits(word).to_string(),
                false => word.to_string(),
            };
            wrong = Some(WrongValue {
                index,
                expected: text(expected),
                found: text(found),
            });
        }
    }
    let [found, expected] = [found, expected].map(|downloads| downloads.words().count());
    if found != expected {
        largest_error = f32::INFINITY;
        wrong = wrong.or_else(|| {
            Some(WrongValue {
                index: found.min(expected),
                expected: format!("{expected} values"),
                found: format!("{found} values"),
            })
        });
    }
    Compared {
        largest_error,
        wrong,
    }
}

fn float_error(found: u32, expected: u32) -> f32 {
    let [found, expected] = [found, expected].map(f32::from_bits);
    let error = (found - expected).abs() / (1.0 + expected.abs());
    match error.is_nan() {
        true => f32::INFINITY,
        false => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Recording;

    fn downloads(values: &[f32]) -> Downloads {
        let mut recording = Recording::new();
        let buf = recording.upload("values", values);
        recording.download(buf);
        let words = values.iter().map(|value| value.to_bits()).collect();
        Downloads::new(&recording, vec![words])
    }

    #[test]
    fn the_first_wrong_value_is_named_and_the_largest_error_kept() {
        let of = |found: &[f32], expected: &[f32]| {
            compared(&downloads(found), &downloads(expected), &[true], 1e-3)
        };
        let near = of(&[1.0, 99.95], &[1.0, 99.9]);
        assert!(near.wrong.is_none() && (4e-4..6e-4).contains(&near.largest_error));
        let far = of(&[0.5, 0.0, 9.0], &[0.5, 0.25, 0.0]);
        assert_eq!(far.largest_error, 9.0);
        let wrong = far.wrong.expect("too far off");
        assert_eq!(
            (wrong.index, wrong.expected.as_str(), wrong.found.as_str()),
            (1, "0.25", "0")
        );
        for (found, expected) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::INFINITY, 1.0)] {
            let none = of(&[found], &[expected]);
            assert_eq!(none.largest_error, f32::INFINITY);
            assert!(none.wrong.is_some());
        }
        let fewer = of(&[1.0], &[1.0, 2.0]).wrong.expect("a value is missing");
        assert_eq!((fewer.index, fewer.found.as_str()), (1, "1 values"));
    }

    #[test]
    fn words_that_are_no_floats_are_equal_or_wrong() {
        let of = |found: f32| {
            let patterns = [true, false];
            let (found, expected) = (downloads(&[0.0, found]), downloads(&[0.0, 1.0]));
            compared(&found, &expected, &patterns, 1.0).wrong
        };
        assert_eq!(of(1.0), None);
        let wrong = of(2.0).expect("other bits");
        assert_eq!(wrong.expected, 1.0f32.to_bits().to_string());
    }
}
