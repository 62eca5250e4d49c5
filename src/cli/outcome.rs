//! What a run came to, said.

use super::terminal::Terminal;
use super::text::{counted, engine_name, stand_in_note, table, written_to};
use crate::engine::Engine;
use crate::job::LoadedJob;
use crate::landscape::{GridKind, overview};
use crate::run::{Outcome, Resolution, SETTLED, SummaryRow, last_change};
use std::io::Write;
use std::path::Path;

/// Says what a run came to: results to stdout, how fast and where to stderr.
pub(super) fn say_outcome(
    outcome: &Outcome,
    job: &LoadedJob,
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
        write!(
            std::io::stdout().lock(),
            "{}",
            summary_table(rows, job.kind())
        )?;
    }
    if let (Some(resolution), true) = (resolution, terminal.shows_results()) {
        let text = resolution_table(resolution);
        write!(std::io::stdout().lock(), "\nmeans on finer grids\n{text}")?;
    }
    if terminal.shows_results() {
        for finding in &outcome.findings {
            writeln!(std::io::stdout().lock(), "{finding}")?;
        }
    }
    if let Some(note) = stand_in_note(outcome.stand_in) {
        terminal.say(note);
    }
    let input = job.items().input_name();
    let (all, new) = (landscapes * inputs_each, (landscapes - kept) * inputs_each);
    let compute_s = outcome.timings.compute.as_secs_f64();
    let speed = format!(
        "in {compute_s:.3} s ({:.0} {input}s a second) on {}",
        new as f64 / compute_s,
        engine_name(engine)
    );
    let named = counted(*landscapes, "landscape");
    let what = match (kept, rows.is_empty()) {
        (0, _) => format!("{named}, {all} {input}s {speed}"),
        _ if new == 0 => format!("{named}, {all} {input}s, all kept from before"),
        (kept, true) => format!("{named}, {kept} kept from before, {new} {input}s {speed}"),
        (kept, false) => format!(
            "{named}, {all} {input}s: {kept} landscapes kept from before, {new} {input}s {speed}"
        ),
    };
    terminal.say(format!(
        "{what}; {:.3} s in all; {}",
        outcome.total.as_secs_f64(),
        written_to(out)
    ));
    let timings = outcome.timings.json(outcome.total);
    terminal.say_more(format!("seconds: {timings}"));
    Ok(())
}

/// Landscapes up to this many are listed at the end; a longer list is left to `summary.csv`.
pub(super) const MAX_LISTED: usize = 60;

/// The landscapes as a table for the terminal, which shows a few of the measures.
pub(super) fn summary_table(rows: &[SummaryRow], kind: GridKind) -> String {
    let mut heading = ["landscape", "A", "B", kind.third_item()]
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
