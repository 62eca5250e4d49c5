//! The page itself: template, style and script put together with a run's data.

use super::parts::{self, plotly_js};
use super::policy::{Own, policy};
use super::{Detail, zipped};
use crate::data::{FileError, write_file};
use crate::landscape::{Column, GridKind};
use crate::plot::{FIGURE_TITLES, class_color_hex};
use crate::remedy::some_names;
use crate::sections::BoxRange;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::Path;

const TEMPLATE: &str = include_str!("page.html");
/// The report's script. Another `source.js` in its place makes a page whose data comes from
/// elsewhere.
const SCRIPT: &[&str] = &[
    parts::DOM,
    include_str!("page/source.js"),
    parts::RUN,
    parts::GRID,
    include_str!("page/header.js"),
    parts::THEME,
    include_str!("page/measures.js"),
    parts::RANKING,
    include_str!("page/select.js"),
    parts::CURSOR,
    parts::MAP,
    parts::PROBE,
    parts::PATH,
    parts::SURFACE,
    include_str!("page/figures.js"),
    include_str!("page/start.js"),
];

/// A landscape in the ranking.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Name, e.g. `1A.3`.
    pub name: String,
    /// Names of the items A, B, C.
    pub items: [String; 3],
    /// Their classes.
    pub classes: [usize; 3],
    /// Classes outside the triple that are predicted somewhere.
    pub intruders: Vec<usize>,
    /// A value for each column, nothing where it could not be measured.
    pub values: Vec<Option<f64>>,
}

/// What a report shows.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The run's manifest, as `manifest.json` has it.
    pub manifest: &'a Value,
    /// Name of every class.
    pub class_names: &'a [String],
    /// The kind of all landscapes.
    pub kind: GridKind,
    /// Points a side of a landscape.
    pub steps: usize,
    /// Names of the features, where the items are rows.
    pub features: Option<&'a [String]>,
    /// The measures of the ranking.
    pub columns: &'a [Column],
    /// Keys of the columns that are shown first.
    pub overview: &'a [&'a str],
    /// Key of the column that ranks first.
    pub rank_by: &'a str,
    /// The measures on finer grids, as the page's script reads them; null where they were not
    /// asked for.
    pub resolution: Value,
    /// All landscapes.
    pub rows: &'a [ReportRow],
    /// Those that can be looked at.
    pub details: &'a [Detail],
}

/// Writes the report to `path`.
///
/// # Errors
/// [`FileError`] with the path.
pub fn write_report(path: &Path, report: &Report<'_>) -> Result<(), FileError> {
    write_file(path, page(report).as_bytes())
}

fn page(report: &Report<'_>) -> String {
    let mut data = String::new();
    let _ = writeln!(
        data,
        "<script type=\"application/json\" id=\"run\">{}</script>",
        parts::script_safe(&run(report).to_string())
    );
    for detail in details(report) {
        data.push_str(&detail.html);
    }
    let _ = writeln!(
        data,
        "<script type=\"text/plain\" id=\"plotly\">{}</script>",
        zipped(plotly_js())
    );
    let title = title(report);
    let (style, script) = (parts::style(&[]), parts::script(SCRIPT));
    let own = Own {
        // The page's script makes an element of plotly.js once it is inflated.
        scripts: &[&script, plotly_js()],
        // plotly.js makes an empty style element and adds its rules by a script's means.
        styles: &[&style, ""],
        // And it empties the style attributes of a colour bar.
        style_attributes: &[""],
    };
    parts::filled(
        TEMPLATE,
        &[
            ("<!--HEAD-->", &parts::head(&title, &style, &policy(&own))),
            ("<!--RANKING-->", parts::RANKING_TABLE),
            ("<!--BENCH-->", parts::BENCH),
            ("<!--DATA-->", &data),
            ("<!--SCRIPT-->", &format!("<script>{script}</script>")),
        ],
    )
}

/// Text of details a page holds at most, bytes: a browser still opens it.
pub(super) const MAX_DETAIL_BYTES: usize = 100 << 20;

/// The details that fit the page, the first of the run.
fn details<'a>(report: &Report<'a>) -> &'a [Detail] {
    let mut bytes = 0;
    let fit = report.details.iter().take_while(|detail| {
        bytes += detail.html.len();
        bytes <= MAX_DETAIL_BYTES
    });
    &report.details[..fit.count()]
}

fn title(report: &Report<'_>) -> String {
    let job = report.manifest["plan"]["job"].as_str().unwrap_or("run");
    format!("Morphscape {job}")
}

/// The run as the page's script reads it.
fn run(report: &Report<'_>) -> Value {
    let details = details(report);
    let detailed: HashSet<&str> = details.iter().map(|detail| detail.name.as_str()).collect();
    let landscapes: Vec<Value> = report
        .rows
        .iter()
        .map(|row| {
            json!({
                "name": row.name,
                "title": report.kind.title(row.classes.map(|class| report.class_names[class].as_str())),
                "items": row.items,
                "classes": row.classes,
                "intruders": row.intruders,
                "values": row.values,
                "detail": detailed.contains(row.name.as_str()),
            })
        })
        .collect();
    let note = if details.len() < report.rows.len() {
        format!(
            "This page has the figures and values of the first {} of {} landscapes; those of the others are in their folders.",
            details.len(),
            report.rows.len()
        )
    } else {
        String::new()
    };
    let frame = details.iter().find_map(|detail| detail.atlas).map(
        |[[width, height], [tile_width, tile_height]]| {
            json!({"width_px": width, "height_px": height, "tile_width_px": tile_width, "tile_height_px": tile_height})
        },
    );
    let command: Vec<&str> = report.manifest["command"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    json!({
        "title": title(report),
        "kind": if report.features.is_some() { "rows" } else { "images" },
        "grid": parts::grid(report.kind, report.steps),
        "facts": facts(report),
        "warning": warning(report.manifest),
        "command": command.join(" "),
        "plan": report.manifest["plan"],
        "timings": report.manifest["timings"],
        "note": note,
        "class_names": report.class_names,
        "colors": (0..report.class_names.len()).map(class_color_hex).collect::<Vec<_>>(),
        "steps": report.steps,
        "num_classes": report.class_names.len(),
        "frame": frame,
        "features": report.features,
        "figure_titles": FIGURE_TITLES.into_iter().collect::<BTreeMap<_, _>>(),
        "columns": report.columns.iter().map(|column| json!({
            "key": column.key, "label": column.label, "help": column.help, "format": column.format.name(),
            "group": column.group,
        })).collect::<Vec<_>>(),
        "overview": report.overview,
        "rank_by": report.rank_by,
        "resolution": report.resolution,
        "landscapes": landscapes,
    })
}

/// What a reader has to know before all else: that names may be wrong.
fn warning(manifest: &Value) -> String {
    match manifest["model"]["as_labelled"]["warning"].as_str() {
        Some(warning) => format!(
            "{warning}: its classes, its columns or its scaling may be others than this page says."
        ),
        None => String::new(),
    }
}

/// What ran, in reading order.
fn facts(report: &Report<'_>) -> Vec<[String; 2]> {
    let manifest = report.manifest;
    let plan = &manifest["plan"];
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let file = |value: &Value| {
        let sha: String = text(&value["sha256"]).chars().take(12).collect();
        format!("{} (SHA-256 {sha}...)", text(&value["path"]))
    };
    let steps = report.steps;
    let landscapes = report.rows.len();
    let inputs = if report.features.is_some() {
        "rows"
    } else {
        "frames"
    };
    let mut facts = vec![
        [
            "Landscapes".to_owned(),
            format!(
                "{landscapes} of {} {inputs}, {} in all",
                report.kind.size(steps),
                landscapes * report.kind.num_points(steps)
            ),
        ],
        ["Model".to_owned(), file(&manifest["model"])],
    ];
    let asked = &manifest["model"]["as_labelled"];
    if asked.is_object() {
        facts.push([
            "As labelled".to_owned(),
            format!("{} of {} items", text(&asked["items"]), text(&asked["of"])),
        ]);
    }
    // Landscapes that a host program holds have neither files behind them nor one engine.
    let data = &manifest["data"];
    if data.is_object() {
        let mut fact = format!("{}, {} items", file(data), text(&data["items"]));
        if let Some(left_out) = data["left_out"].as_u64().filter(|&n| n > 0) {
            fact.push_str(&format!(", {left_out} with missing values left out"));
        }
        facts.push(["Data".to_owned(), fact]);
    }
    if let Some(features) = report.features {
        facts.push(["Features".to_owned(), some_names(features)]);
    }
    let flat = &plan["flat"];
    let name = report.kind.name();
    match (report.kind, report.kind.flat_shape()) {
        (GridKind::Rows, _) => {}
        (_, Some(shape)) if !shape.has_box() => {
            facts.push(["Grid".to_owned(), format!("{name} of mixtures")]);
        }
        (_, Some(_)) => facts.push([
            "Grid".to_owned(),
            format!(
                "{name}, its box wider than the items by {}{}",
                box_range(&flat["range"]),
                match (flat["clipped"] == true, report.features) {
                    (true, _) => ", clipped to the levels of images",
                    (false, None) => "; points may leave the levels of images",
                    (false, Some(_)) => "",
                }
            ),
        ]),
        _ => facts.push([
            "Morph".to_owned(),
            format!(
                "{} mode, {} sampling, {} x {} feature cells",
                text(&plan["morph"]["mode"]),
                text(&plan["morph"]["sampling"]),
                text(&plan["morph"]["grid"]),
                text(&plan["morph"]["grid"])
            ),
        ]),
    }
    for finding in manifest["findings"].as_array().into_iter().flatten() {
        facts.push(["Finding".to_owned(), text(finding)]);
    }
    let seed = &plan["choice"]["groups"]["seed"];
    if !seed.is_null() {
        facts.push(["Seed".to_owned(), text(seed)]);
    }
    let engine = &manifest["engine"];
    if engine.is_object() {
        let [name, adapter, driver] = ["engine", "adapter", "driver"].map(|key| text(&engine[key]));
        let fact = format!("{name}, {adapter} {driver}");
        facts.push(["Engine".to_owned(), fact.trim_end().to_owned()]);
    }
    let fallback = &engine["fallback"];
    if fallback.is_object() {
        let [name, adapter, reason] =
            ["engine", "adapter", "reason"].map(|key| text(&fallback[key]));
        facts.push(["Then".to_owned(), format!("{name}, {adapter}: {reason}")]);
    }
    facts.extend(computed_in(&manifest["timings"], landscapes));
    facts.push(["Program".to_owned(), text(&manifest["program"])]);
    facts
}

/// How long computing took. A start that was killed recorded nothing, so the seconds may not cover all
/// landscapes.
fn computed_in(timings: &Value, landscapes: usize) -> Option<[String; 2]> {
    let seconds = timings["compute_s"].as_f64()?;
    let computed = timings["computed"].as_u64().unwrap_or(landscapes as u64);
    let time = if seconds < 0.1 {
        format!("{:.1} ms", 1000.0 * seconds)
    } else {
        format!("{seconds:.3} s")
    };
    let text = match computed {
        0 => return None,
        computed if computed < landscapes as u64 => format!(
            "{time} for {computed} of the {landscapes} landscapes; the start that computed the others was killed, so their time is not known"
        ),
        _ => time,
    };
    Some(["Computed in".to_owned(), text])
}

/// How much wider than its items the box of a plane is, in words.
fn box_range(range: &Value) -> String {
    match serde_json::from_value(range.clone()) {
        Ok(BoxRange([[left, right], [below, above]])) if [left, right] != [below, above] => {
            format!("{left} and {right} of its side along alpha, {below} and {above} along beta")
        }
        Ok(BoxRange([[below, above], _])) => format!("{below} and {above} of each side"),
        Err(_) => "an unknown share".to_owned(),
    }
}
