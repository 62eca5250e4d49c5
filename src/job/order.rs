//! What is noted of the order of classes.

use super::observer::Note;
use crate::data::ClassOrder;
use crate::remedy::{Remedy, Setting};

/// A note about classes that stand in an order, which another one may be put in the place of.
pub(super) fn order_note(text: String, order: Option<ClassOrder>) -> Note {
    let Some(order) = order else {
        return Note::new(text);
    };
    let how = match order {
        ClassOrder::Text => "sorted as text",
        ClassOrder::Number => "sorted as numbers",
        ClassOrder::Appearance => "as they appear in the file",
    };
    Note::but(
        format!("{text} ({how})"),
        Remedy::new(
            "{} text, number or appearance sorts them otherwise",
            &[Setting::ClassOrder],
        ),
    )
}
