//! Numbers, tables, engines, notes and errors as text.

#[cfg(feature = "atlas")]
use crate::atlas::AtlasError;
use crate::engine::{Engine, EngineInfo};
use crate::job::{JobError, Note, Weight};
use crate::remedy::{Remedy, Setting, respelled};
use crate::run::{Difference, REPORT_FILE, RunError, ShareRow, remedy_of};
use serde_json::Value;
use std::path::Path;

/// A setting as the command line spells it.
pub(super) fn option_name(setting: Setting) -> String {
    format!("--{}", setting.name().replace('_', "-"))
}

/// How a face of the program spells settings.
pub(super) type Spelling = fn(Setting) -> String;

/// A setting as `models` spells it, whose models' options are keys of a .json file.
pub(super) fn key_name(setting: Setting) -> String {
    const OF_A_MODEL: [Setting; 9] = [
        Setting::Activation,
        Setting::Layers,
        Setting::Config,
        Setting::Scale,
        Setting::Mean,
        Setting::Std,
        Setting::ClassNames,
        Setting::Output,
        Setting::Layout,
    ];
    match OF_A_MODEL.contains(&setting) {
        true => format!("\"{}\" of a .json file", setting.name()),
        false => option_name(setting),
    }
}

/// A note with its options.
pub(super) fn note_text(note: &Note, name: Spelling) -> String {
    let weight = match note.weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
    };
    let text = respelled(&note.text, name);
    match &note.remedy {
        Some(remedy) => format!("{weight}: {text}; {}", remedy.words(name)),
        None => format!("{weight}: {text}"),
    }
}

/// An error, what caused it, and what to do about it, with settings as options.
pub(super) fn error_text(error: &anyhow::Error, name: Spelling) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let in_job = || cause.downcast_ref().and_then(JobError::refused_setting);
        let in_run = || cause.downcast_ref().and_then(RunError::refused_setting);
        let text = match in_job().or_else(in_run) {
            Some((setting, value)) => format!("{} {value}", name(setting)).trim_end().to_owned(),
            None => respelled(&cause.to_string(), name),
        };
        // An error that only passes another on says the same, and some libraries end their own
        // text with that of the cause.
        if !parts.last().is_some_and(|before| before.contains(&text)) {
            parts.push(text);
        }
    }
    let mut text = parts.join(": ");
    if let Some(remedy) = error.chain().find_map(remedy) {
        text.push_str(&format!("; {}", remedy.words(name)));
    }
    text
}

/// What can be done about an error, of whatever room it is.
fn remedy(error: &(dyn std::error::Error + 'static)) -> Option<Remedy> {
    let found = remedy_of(error);
    #[cfg(feature = "atlas")]
    let found = found.or_else(|| error.downcast_ref().and_then(AtlasError::remedy));
    found
}

/// What differs, below the line that sums a check up.
pub(super) fn differences_text(differences: &[Difference]) -> String {
    let width = differences
        .iter()
        .map(|difference| difference.place.len())
        .max()
        .unwrap_or(0);
    differences
        .iter()
        .map(|Difference { place, problem }| format!("    {place:<width$}  {problem}\n"))
        .collect()
}

/// A value to `digits` significant digits, as C's `%g` writes it but without cutting zeros
/// that carry no digit: `0.912345678`, `1.23456789e-12`.
pub(super) fn significant(value: f32, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let value = f64::from(value);
    let scientific = format!("{value:.*e}", digits - 1);
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    if (-5..digits as i32).contains(&exponent) {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        scientific
    }
}

/// `1 landscape`, `30 landscapes`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Where a run was written, and its report, if it has one.
pub(super) fn written_to(folder: &Path) -> String {
    let report = folder.join(REPORT_FILE);
    match report.is_file() {
        true => format!("written to {}; open {}", folder.display(), report.display()),
        false => format!("written to {}", folder.display()),
    }
}

/// What to say of meshes of published mode that stand in for the tool's; nothing of none.
pub(super) fn stand_in_note(meshes: u64) -> Option<String> {
    (meshes > 0).then(|| {
        format!(
            "note: triangulations that are not the paper's tool's, which is not known for points so close to a line: {meshes}; their frames may be others"
        )
    })
}

/// Rows as aligned columns, the first row a heading. Columns whose name starts with `>` are
/// set flush right, without the mark.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let Some(heading) = rows.first() else {
        return String::new();
    };
    let right: Vec<bool> = heading.iter().map(|name| name.starts_with('>')).collect();
    // Only a heading has the mark.
    let cell = |line: usize, text: &str| match line {
        0 => text.trim_start_matches('>').to_owned(),
        _ => text.to_owned(),
    };
    let width = |column: usize| {
        rows.iter()
            .enumerate()
            .map(|(line, row)| cell(line, &row[column]).chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    for (line, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, value)| {
                let (value, width) = (cell(line, value), widths[column]);
                if right[column] {
                    format!("{value:>width$}")
                } else {
                    format!("{value:<width$}")
                }
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Where something was computed, in words.
pub(super) fn engine_name(engine: &dyn Engine) -> String {
    let words = |info: &EngineInfo| engine_words(info.engine.name(), &info.adapter);
    match engine.fallback() {
        None => words(engine.info()),
        Some(fallback) => format!("{}, then {}", words(engine.info()), words(&fallback.to)),
    }
}

/// The same of what a manifest says.
pub(super) fn said_engine_name(said: &Value) -> String {
    let words = |said: &Value| {
        let [engine, adapter] = ["engine", "adapter"].map(|key| said[key].as_str());
        engine_words(engine.unwrap_or_default(), adapter.unwrap_or_default())
    };
    match &said["fallback"] {
        Value::Null => words(said),
        fallback => format!("{}, then {}", words(said), words(fallback)),
    }
}

fn engine_words(engine: &str, adapter: &str) -> String {
    match engine {
        "cpu" => format!("the CPU engine, {adapter}"),
        _ => adapter.to_owned(),
    }
}

/// The shares of a comparison as a table.
pub(super) fn shares_table(rows: &[ShareRow]) -> String {
    let mut lines = vec![
        [
            "measure",
            ">published",
            ">clean",
            ">tool share",
            "95 % interval",
            ">cross-fade",
            ">share",
            "95 % interval",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for ShareRow { measure, shares } in rows {
        let number = |value: f64| format!("{value:.*}", measure.decimals);
        // What rounds to none has no sign: -0 + 0 is 0.
        let percent = |value: f64| format!("{:.1} %", (1000.0 * value).round() / 10.0 + 0.0);
        let [clean, cross_fade] = shares;
        let mut line = vec![measure.name.to_owned(), number(clean.published)];
        for share in [clean, cross_fade] {
            let [low, high] = share.interval.map(percent);
            line.extend([
                number(share.other),
                percent(share.share),
                format!("{low} to {high}"),
            ]);
        }
        lines.push(line);
    }
    table(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_significant_digits_read_back_to_the_same_float() {
        for (value, expected) in [
            (0.5f32, "0.500000000"),
            (1.0, "1.00000000"),
            (0.012_345_679, "0.0123456791"),
            (1.234_567_9e-12, "1.23456789e-12"),
            (26.540_5, "26.5405006"),
            (0.0, "0"),
        ] {
            let text = significant(value, 9);
            assert_eq!(text, expected);
            assert_eq!(text.parse::<f32>().expect("a number"), value);
        }
    }

    #[test]
    fn tables_align() {
        let rows = [
            vec!["name".to_owned(), ">n".to_owned()],
            vec![">a".to_owned(), "10".to_owned()],
        ];
        assert_eq!(table(&rows), "name   n\n>a    10\n");
    }
}
