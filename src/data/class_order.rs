//! The order of a data set's classes, which decides what a model's outputs are called where
//! neither names them.
//!
//! Each source has one default, that of the loaders people train with: numbers in a table are
//! numbers (`numpy.unique`, scikit-learn's `LabelEncoder`), folders are text
//! (`torchvision.datasets.ImageFolder`, `keras.utils.image_dataset_from_directory`). Rejected: a
//! "natural" order of texts with numbers inside, which no common loader has.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How classes are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassOrder {
    /// By name, code point by code point: `0, 1, 10, 11, 2`.
    Text,
    /// By the numbers that the names are: `0, 1, 2, 10, 11`.
    Number,
    /// As they first appear in the file, as `pandas.unique` lists them.
    Appearance,
}

impl ClassOrder {
    /// The name of the order, as options and plans have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Appearance => "appearance",
        }
    }
}

/// A class name that is a number, ordered by its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    value: f64,
    /// Tells whole numbers apart that are one as floats.
    whole: i128,
}

impl Number {
    /// The number that `text` is, as pandas reads a column of numbers; NaN is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let value: f64 = text.parse().ok().filter(|value: &f64| !value.is_nan())?;
        Some(Self {
            // Minus zero is zero.
            value: value + 0.0,
            whole: text.parse().unwrap_or(value as i128),
        })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.value.total_cmp(&other.value)).then(self.whole.cmp(&other.whole))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart_and_ordered_by_value() {
        let number = |text| Number::parse(text).expect("a number");
        for (less, more) in [
            ("2", "10"),
            ("-1", "0"),
            ("9007199254740992", "9007199254740993"),
            ("1.5", "2"),
            ("1e1", "11"),
            ("1e300", "inf"),
        ] {
            assert!(number(less) < number(more), "{less} and {more}");
        }
        for (one, same) in [("1", "1.0"), ("01", "1"), ("-0", "0"), ("+3", "3e0")] {
            assert_eq!(number(one), number(same), "{one} and {same}");
        }
        for text in ["", "nan", "1_000", "a", "1,5"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }
}
