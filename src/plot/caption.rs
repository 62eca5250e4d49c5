//! What every figure of a landscape says of it.

use crate::landscape::{Items, LandscapeFile};

/// `1A.3   Ankle boot to Pullover, into Trouser`.
pub fn title(file: &LandscapeFile) -> String {
    let title = file.landscape.kind.title(file.item_class_names());
    format!("{}   {title}", file.about.name)
}

/// Items and permutation; size, mode and model.
pub(super) fn subtitle(file: &LandscapeFile) -> String {
    let [a, b, c] = &file.about.item_names;
    let steps = file.landscape.steps;
    let setting = |key: &str| {
        let value = file
            .about
            .settings
            .get(key)
            .and_then(|value| value.as_str());
        value.unwrap_or("unknown").to_owned()
    };
    let landscape = &file.landscape;
    let how = match &file.about.items {
        items if landscape.kind.is_flat() => {
            let inputs = match items {
                Items::Images { .. } => "points".to_owned(),
                Items::Rows { features } => format!("rows of {} features", features.len()),
            };
            let clipped = landscape.flat.as_ref().and_then(|flat| flat.clipped_share);
            let clipped = clipped.map(|share| {
                format!(
                    ", clipped to the levels of images ({:.1} % of all values)",
                    100.0 * share
                )
            });
            let clipped = clipped.unwrap_or_default();
            let a_side = match landscape.kind.has_gaps() {
                true => format!(", {steps} a side"),
                false => String::new(),
            };
            format!("{} {inputs}{a_side}{clipped}", landscape.kind.size(steps))
        }
        Items::Images { .. } => format!(
            "{steps} x {steps} frames, {} mode, {} sampling",
            setting("mode"),
            setting("sampling")
        ),
        Items::Rows { features } => {
            format!("{steps} x {steps} rows of {} features", features.len())
        }
    };
    let order = match landscape.kind.siblings() {
        [_] => String::new(),
        _ => format!("; permutation {}", file.about.permutation.number()),
    };
    format!(
        "A {a}, B {b}, C {c}{order}\n{how}; model: {}",
        file.about.model
    )
}

/// How a legend names the frames that failed, if any did: `failed  4.5 %`.
pub(super) fn failed_label(file: &LandscapeFile) -> Option<String> {
    let (failed, frames) = (file.landscape.num_failed(), file.landscape.num_points());
    (failed > 0).then(|| format!("failed  {:.1} %", 100.0 * failed as f64 / frames as f64))
}

/// A class with the letter of its item, `Coat (C)`, or that it intrudes.
pub fn class_label(file: &LandscapeFile, class: usize) -> String {
    let name = &file.about.class_names[class];
    match file.about.item_classes.iter().position(|&own| own == class) {
        Some(place) => format!("{name} ({})", ["A", "B", "C"][place]),
        None if file.landscape.is_predicted(class) => format!("{name} (intruder)"),
        None => name.clone(),
    }
}
