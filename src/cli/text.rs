//! Numbers, tables, engines, notes and errors as text.

use super::terminal::Terminal;
use crate::engine::{Engine, EngineInfo};
use crate::job::{JobError, Note, Weight};
use crate::landscape::{Items, overview};
use crate::remedy::Setting;
use crate::run::{
    Difference, Outcome, Resolution, SETTLED, ShareRow, SummaryRow, last_change, remedy_of,
};
use serde_json::Value;
use std::io::Write;
use std::path::Path;

/// A setting as the command line spells it.
pub(super) fn option_name(setting: Setting) -> String {
    format!("--{}", setting.name().replace('_', "-"))
}

/// A note with its options.
pub(super) fn note_text(note: &Note) -> String {
    let weight = match note.weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
    };
    match &note.remedy {
        Some(remedy) => format!("{weight}: {}; {}", note.text, remedy.words(option_name)),
        None => format!("{weight}: {}", note.text),
    }
}

/// An error, what caused it, and what to do about it, with settings as options.
pub(super) fn error_text(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = match cause.downcast_ref::<JobError>() {
            Some(JobError::In { setting, value, .. }) => {
                format!("{} {value}", option_name(*setting))
                    .trim_end()
                    .to_owned()
            }
            _ => cause.to_string(),
        };
        // An error that only passes another on says the same.
        if parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    let mut text = parts.join(": ");
    if let Some(remedy) = error.chain().find_map(remedy_of) {
        text.push_str(&format!("; {}", remedy.words(option_name)));
    }
    text
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

/// What to say of meshes of published mode that stand in for the tool's; nothing of none.
pub(super) fn stand_in_note(meshes: u64) -> Option<String> {
    (meshes > 0).then(|| {
        format!(
            "note: triangulations that are not the paper's tool's, which is not known for points so close to a line: {meshes}; their frames may be others"
        )
    })
}

/// Says what a run came to: results to stdout, how fast and where to stderr.
pub(super) fn say_outcome(
    outcome: &Outcome,
    items: &Items,
    engine: &dyn Engine,
    out: &Path,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    let Outcome {
        landscapes,
        kept,
        inputs_each,
        rows,
        resolution,
        ..
    } = outcome;
    if terminal.shows_results() && !rows.is_empty() && rows.len() <= MAX_LISTED {
        write!(std::io::stdout().lock(), "{}", summary_table(rows))?;
    }
    if let (Some(resolution), true) = (resolution, terminal.shows_results()) {
        let text = resolution_table(resolution);
        write!(std::io::stdout().lock(), "\nmeans on finer grids\n{text}")?;
    }
    if let Some(note) = stand_in_note(outcome.stand_in) {
        terminal.say(note);
    }
    let input = items.input_name();
    let (all, new) = (landscapes * inputs_each, (landscapes - kept) * inputs_each);
    let compute_s = outcome.timings.compute.as_secs_f64();
    let speed = format!(
        "in {compute_s:.3} s ({:.0} {input}s a second) on {}",
        new as f64 / compute_s,
        engine_name(engine)
    );
    let named = counted(*landscapes, "landscape");
    let what = match kept {
        0 => format!("{named}, {all} {input}s {speed}"),
        _ if new == 0 => format!("{named}, {all} {input}s, all kept from before"),
        kept => format!(
            "{named}, {all} {input}s: {kept} landscapes kept from before, {new} {input}s {speed}"
        ),
    };
    terminal.say(format!(
        "{what}; {:.3} s in all; written to {}",
        outcome.total.as_secs_f64(),
        out.display()
    ));
    let timings = outcome.timings.json(outcome.total);
    terminal.say_more(format!("seconds: {timings}"));
    Ok(())
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

/// Landscapes up to this many are listed at the end; a longer list is left to `summary.csv`.
pub(super) const MAX_LISTED: usize = 60;

/// The landscapes as a table for the terminal, which shows a few of the measures.
pub(super) fn summary_table(rows: &[SummaryRow]) -> String {
    let mut heading = ["landscape", "A", "B", "into C"]
        .map(str::to_owned)
        .to_vec();
    heading.extend(overview().map(|column| format!(">{}", column.label)));
    heading.push("intruders".into());
    let mut lines = vec![heading];
    lines.extend(rows.iter().map(|row| {
        let mut line = vec![row.name.clone()];
        line.extend(row.classes.clone());
        line.extend(overview().map(|column| {
            let value = (column.value)(&row.measures);
            value.map_or("-".into(), |value| column.format.text(value))
        }));
        line.push(row.intruders.join(", "));
        line
    }));
    table(&lines)
}

/// The means of measures on finer grids as a table.
pub(super) fn resolution_table(resolution: &Resolution) -> String {
    let mut lines = vec![vec!["measure".to_owned()]];
    lines[0].extend(resolution.steps().map(|steps| format!(">{steps} steps")));
    lines[0].extend([">last change".to_owned(), String::new()]);
    for (key, values) in resolution.mean_values() {
        let mut line = vec![key.to_owned()];
        let text = |value| format!("{value:.4}");
        line.extend(values.map(|value| value.map_or("-".into(), text)));
        let change = last_change(values);
        line.push(change.map_or("-".into(), |change| format!("{:+.1}%", 100.0 * change)));
        let settled = change.is_some_and(|change| change.abs() <= SETTLED);
        line.push(if settled { "settled" } else { "" }.into());
        lines.push(line);
    }
    table(&lines)
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
        let percent = |value: f64| format!("{:.1} %", 100.0 * value);
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
