//! Lines between many pairs of inputs: one object a line, one row a line, and what all of them say.
//!
//! ```text
//! pairs ─ waves ─> cut or sampled ─> sections.rows.jsonl, appended ─┐
//!                                                                   ├─> sections.json, lines.csv, sections.safetensors
//! a run that is started again ─ whole lines of the file are kept ───┘
//! ```

use super::Existing;
use super::check::Difference;
use super::error::{Placed, RunError};
use super::folder::layout::{LINES_FILE, LINES_ROWS_FILE, SECTIONS_FILE, SECTIONS_TENSORS_FILE};
use super::folder::{Earlier, RunFolder, engine_plan};
use super::line::{Line, bracketed_line, exact_line_of, intervals_of, sampled_line};
use super::line_findings::{all_findings, as_labelled};
use super::margins::{self, Sought, between};
use super::summary::IN_MEMORY;
use crate::data::{FileError, Tensor, TensorData, write_file, write_safetensors};
use crate::engine::Engine;
use crate::job::{JobError, LinesJob, LoadedLines, Observer, Silent, Stage};
use crate::pipeline::{PipelineError, classify};
use crate::remedy::error_chain;
use crate::sections::{BracketOptions, LineOptions, certified_line, exact_lines, line_parameters};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Lines that are cut between two writes, so that a user who stops them waits for no more; and of
/// sampled ones, so that a model is asked for many at once.
const CUT_WAVE: usize = 32;
const SAMPLED_WAVE: usize = 256;

/// What many lines came to.
#[derive(Debug, Clone)]
pub struct Lines {
    /// What `sections.json` says of each.
    pub sections: Vec<Value>,
    /// How many of them an earlier start had finished.
    pub kept: usize,
    /// Lines of which the samples miss a class interval; nothing where lines are not exact.
    pub missed: Option<usize>,
    /// What all of them say, in sentences.
    pub findings: Vec<String>,
    /// How long cutting took.
    pub compute: Duration,
}

/// Cuts the lines of a job. `engine` classifies the samples of a network that has no exact section.
///
/// # Errors
/// [`RunError`] where a section contradicts itself or has too many pieces, or the engine fails.
pub fn cut_lines(
    job: &LoadedLines,
    engine: Option<&dyn Engine>,
    observer: &dyn Observer,
) -> Result<Lines, RunError> {
    cut_the_rest(job, engine, Vec::new(), |_| Ok(()), observer)
}

/// [`cut_lines`], written to `folder`. `command` is the command line that asks for it, if one does.
///
/// # Errors
/// As [`cut_lines`], and when the folder holds something else or a file cannot be written.
pub fn lines(
    job: &LoadedLines,
    engine: Option<&dyn Engine>,
    (folder, existing): (&Path, Existing),
    command: &[String],
    observer: &dyn Observer,
) -> Result<Lines, RunError> {
    let started = Instant::now();
    let mut folder = RunFolder::prepare(folder, plan(job, engine), existing, command)?;
    let path = folder.file(LINES_ROWS_FILE);
    let failed = |source| FileError {
        path: path.clone(),
        source,
    };
    let (kept, bytes) = match folder.earlier() {
        Earlier::SamePlan => whole_lines(&path, job).unwrap_or_default(),
        Earlier::Nothing => Default::default(),
    };
    if path.is_symlink() {
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    file.set_len(bytes).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut append = |found: &[Value]| -> Result<(), RunError> {
        let mut text = Vec::new();
        for line in found {
            serde_json::to_writer(&mut text, line).expect("facts are plain data");
            text.push(b'\n');
        }
        Ok(file.write_all(&text).map_err(failed)?)
    };
    let num_kept = kept.len();
    let mut cut = num_kept;
    let append = |found: &[Value]| {
        append(found)?;
        cut += found.len();
        Ok(())
    };
    let found = cut_the_rest(job, engine, kept, append, observer);
    let all = job.pairs.len();
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            let taken = seconds(started.elapsed(), started);
            folder.set_timings_so_far(taken, [cut - num_kept, all]);
            return Err(error.or_stopped(folder.path(), "lines", [cut, all]));
        }
    };
    drop(file);
    write(&folder, &found.sections)?;
    margins::write(&folder, &found.sections)?;
    std::fs::remove_file(&path).map_err(failed)?;
    if let Some(engine) = engine {
        folder.set_engine(engine);
    }
    let model = &job.model;
    folder.set(
        "model",
        json!({"path": model.path, "sha256": model.model.sha256(), "classes": job.class_names}),
    );
    folder.set(
        "data",
        json!({"path": job.data_path(), "sha256": job.data_sha256}),
    );
    folder.set("findings", json!(found.findings));
    let taken = seconds(found.compute, started);
    folder.set_timings(taken, [all - num_kept, all]);
    folder.finish()?;
    Ok(found)
}

/// How long cutting took, and the whole start.
fn seconds(compute: Duration, started: Instant) -> Value {
    json!({"compute_s": compute.as_secs_f64(), "total_s": started.elapsed().as_secs_f64()})
}

/// Cuts the lines behind those that are `kept`; `put` is given each wave.
fn cut_the_rest(
    job: &LoadedLines,
    engine: Option<&dyn Engine>,
    kept: Vec<Value>,
    mut put: impl FnMut(&[Value]) -> Result<(), RunError>,
    observer: &dyn Observer,
) -> Result<Lines, RunError> {
    let computing = Instant::now();
    let mut all = kept;
    let num_kept = all.len();
    observer.begin(Stage {
        total: job.pairs.len(),
        unit: "lines",
    });
    if num_kept > 0 {
        observer.keep(num_kept, num_kept);
    }
    let most = match job.is_sampled() {
        true => SAMPLED_WAVE,
        false => CUT_WAVE,
    };
    for wave in job.pairs[num_kept..].chunks(most) {
        let found = cut(job, engine, all.len(), wave)?;
        put(&found)?;
        all.extend(found);
        if observer.advance(wave.len()).is_break() {
            return Err(PipelineError::Interrupted.into());
        }
    }
    observer.end();
    if let Some(warning) = as_labelled(&all, job) {
        observer.note(&warning);
    }
    let (missed, findings) = all_findings(&all, job.asked.steps);
    Ok(Lines {
        sections: all,
        kept: num_kept,
        missed,
        findings,
        compute: computing.elapsed(),
    })
}

/// Everything that decides the numbers.
fn plan(job: &LoadedLines, engine: Option<&dyn Engine>) -> Map<String, Value> {
    let spec = serde_json::to_value(&job.asked).expect("a job is plain data");
    let mut plan = Map::from_iter([
        ("job".to_owned(), json!("lines")),
        ("program".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
    ]);
    plan.extend(spec.as_object().cloned().unwrap_or_default());
    plan.insert("lines".to_owned(), json!(job.pairs.len()));
    plan.insert("pairs_sha256".to_owned(), json!(job.pairs_sha256()));
    plan.insert("data_sha256".to_owned(), json!(job.data_sha256));
    plan.insert("model_sha256".to_owned(), json!(job.model.model.sha256()));
    if let Some(engine) = engine {
        plan.extend(engine_plan(engine.info()));
    }
    plan
}

/// The whole lines that an earlier start has left, and the bytes they take.
fn whole_lines(path: &Path, job: &LoadedLines) -> std::io::Result<(Vec<Value>, u64)> {
    let mut reader = BufReader::new(std::fs::File::open(path)?);
    let (mut found, mut bytes) = (Vec::new(), 0);
    let mut text = String::new();
    while found.len() < job.pairs.len() {
        text.clear();
        let length = reader.read_line(&mut text)?;
        let line = text.strip_suffix('\n').map(serde_json::from_str::<Value>);
        match line {
            Some(Ok(line)) if line["line"] == json!(found.len() + 1) => found.push(line),
            _ => break,
        }
        bytes += length as u64;
    }
    Ok((found, bytes))
}

/// Cuts lines, the first of which has a number from 0.
fn cut(
    job: &LoadedLines,
    engine: Option<&dyn Engine>,
    first: usize,
    pairs: &[[usize; 2]],
) -> Result<Vec<Value>, RunError> {
    let inputs = pairs
        .par_iter()
        .map(|pair| Ok([job.input(pair[0])?, job.input(pair[1])?]))
        .collect::<Result<Vec<[Vec<f32>; 2]>, JobError>>()?;
    let place = |n: usize| {
        let [from, to] = pairs[n].map(|position| job.item_name(position));
        format!("line {}, from {from} to {to}", first + n + 1)
    };
    let steps = job.asked.steps;
    let found: Vec<Line> = match (&job.network, engine) {
        (Some(Ok(network)), _) => {
            let ends: Vec<[Vec<f64>; 2]> = (inputs.iter())
                .map(|ends| ends.each_ref().map(|input| network.space().point(input)))
                .collect();
            let refs: Vec<[&[f64]; 2]> = ends.iter().map(|[a, b]| [&a[..], &b[..]]).collect();
            if network.is_piecewise_linear() {
                let options = LineOptions {
                    max_pieces: job.asked.max_pieces,
                    ..LineOptions::default()
                };
                let sought = Sought {
                    max_pieces: job.asked.max_pieces,
                    connect: job.asked.connect,
                };
                let cut = exact_lines(network, &refs, &options).into_iter();
                let cut = (cut.enumerate().map(|(n, line)| line.placed(place(n))))
                    .collect::<Result<Vec<_>, RunError>>()?;
                let found = between(network, &refs, &cut, sought);
                let all = cut.into_iter().zip(found).enumerate();
                all.map(|(n, (line, found))| {
                    Ok(exact_line_of(
                        line,
                        &found.placed(place(n))?,
                        network,
                        steps,
                    ))
                })
                .collect::<Result<_, RunError>>()?
            } else {
                let cut: Vec<_> = refs
                    .par_iter()
                    .map(|[a, b]| certified_line(network, a, b, &BracketOptions::default()))
                    .collect();
                let cut = cut.into_iter().enumerate();
                cut.map(|(n, line)| Ok(bracketed_line(line.placed(place(n))?, network)))
                    .collect::<Result<_, RunError>>()?
            }
        }
        (_, Some(engine)) => {
            let t = line_parameters(steps, [0.0, 1.0]);
            let mut samples = Vec::new();
            for [from, to] in &inputs {
                for &t in &t {
                    let pairs = from.iter().zip(to);
                    let mix = pairs
                        .map(|(&a, &b)| (f64::from(a) + t * (f64::from(b) - f64::from(a))) as f32);
                    samples.push(mix.collect::<Vec<f32>>());
                }
            }
            let rows: Vec<&[f32]> = samples.iter().map(Vec::as_slice).collect();
            let answers = classify(engine, &job.model.model, &rows)?;
            let classes = job.class_names.len();
            let lines = answers.logits.chunks_exact(steps * classes);
            lines
                .map(|logits| sampled_line(logits, classes, &t))
                .collect()
        }
        (_, None) => {
            return Err(RunError::refused(
                "lines that are sampled need an engine; expected one, found none",
            ));
        }
    };
    let facts = found
        .iter()
        .zip(pairs)
        .enumerate()
        .map(|(n, (line, pair))| {
            let mut facts = line.facts().clone();
            facts["kind"] = json!("line");
            facts["line"] = json!(first + n + 1);
            facts["items"] = json!(pair.map(|position| job.item_name(position)));
            facts["item_classes"] = json!(pair.map(|position| job.label(position)));
            facts["intervals"] = json!(line.intervals);
            facts["sentence"] = json!(line.certificate);
            facts
        });
    Ok(facts.collect())
}

/// Writes `sections.json`, `lines.csv` and `sections.safetensors`.
fn write(folder: &RunFolder, all: &[Value]) -> Result<(), RunError> {
    // A line a section, so that a reader can go through many.
    let mut text = String::from("{\"sections\": [\n");
    for (n, line) in all.iter().enumerate() {
        text += &line.to_string();
        text += if n + 1 < all.len() { ",\n" } else { "\n" };
    }
    text += "]}\n";
    write_file(&folder.file(SECTIONS_FILE), text.as_bytes())?;
    write_file(&folder.file(LINES_FILE), &table(all))?;
    let (mut breaks, mut ends, mut classes) = (Vec::new(), vec![0u32], Vec::new());
    for line in all {
        let intervals = intervals_of(line);
        breaks.extend(intervals.first().map(|interval| interval.from));
        breaks.extend(intervals.iter().map(|interval| interval.to));
        classes.extend(intervals.iter().map(|interval| interval.class as u16));
        ends.push(breaks.len() as u32);
    }
    let tensor = |name, length, data| Tensor {
        name,
        shape: vec![length],
        data,
    };
    let tensors = [
        tensor("breaks", breaks.len(), TensorData::F64(&breaks)),
        tensor("break_ends", ends.len(), TensorData::U32(&ends)),
        tensor("classes", classes.len(), TensorData::U16(&classes)),
    ];
    let metadata = BTreeMap::from([("kind", "lines".to_owned())]);
    let path = folder.file(SECTIONS_TENSORS_FILE);
    Ok(write_safetensors(&path, &tensors, &metadata)?)
}

/// The row of `lines.csv` of a line: columns and values, null where there is none.
pub fn line_row(line: &Value) -> Vec<(&'static str, Value)> {
    let intervals = intervals_of(line).len();
    let seen = &line["certificate"];
    let points = match seen["points"].is_null() {
        true => &line["label"]["points"],
        false => &seen["points"],
    };
    let row = [
        ("line", &line["line"]),
        ("item_a", &line["items"][0]),
        ("item_b", &line["items"][1]),
        ("class_a", &line["item_classes"][0]),
        ("class_b", &line["item_classes"][1]),
        ("label", &line["label"]["kind"]),
        ("length", &line["length"]),
        ("pieces", &line["pieces"]),
        ("intervals", &json!(intervals)),
        ("changes", &json!(intervals.saturating_sub(1))),
        ("narrowest_t", &line["narrowest"]["t"]),
        ("narrowest_length", &line["narrowest"]["length"]),
        ("points", points),
        ("changes_points", &seen["changes"]),
        ("missed", &seen["missed"]),
        ("points_needed", &seen["points_needed"]),
        ("margin", &line["margin"]["exact"]),
        ("margin_dbviz", &line["margin"]["dbviz"]),
        ("connected", &line["path"]["connected"]),
        ("knots", &line["path"]["knots"]),
        ("straight_barrier", &line["path"]["straight_barrier"]),
    ];
    row.map(|(name, value)| (name, value.clone())).to_vec()
}

/// `lines.csv`: a row a line.
fn table(all: &[Value]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let heading = line_row(&Value::Null);
    csv.write_record(heading.iter().map(|(name, _)| name))
        .expect(IN_MEMORY);
    for line in all {
        let row = line_row(line);
        csv.write_record(row.iter().map(|(_, value)| text(value)))
            .expect(IN_MEMORY);
    }
    csv.into_inner().expect(IN_MEMORY)
}

impl RunFolder {
    /// What a finished run of lines came to.
    ///
    /// # Errors
    /// [`RunError`] where its files cannot be read.
    pub fn lines(&self) -> Result<Lines, RunError> {
        let path = self.file(SECTIONS_FILE);
        let text = crate::data::read_text(&path, MAX_SECTIONS_BYTES).placed(path.display())?;
        let mut there: Value = serde_json::from_str(&text).placed(path.display())?;
        let sections: Vec<Value> =
            serde_json::from_value(there["sections"].take()).placed(path.display())?;
        let steps = self.manifest()["plan"]["steps"].as_u64().unwrap_or(0);
        let (missed, findings) = all_findings(&sections, steps as usize);
        Ok(Lines {
            kept: sections.len(),
            sections,
            missed,
            findings,
            compute: Duration::ZERO,
        })
    }

    /// Whether the folder holds lines, which can be cut again.
    pub fn has_lines(&self) -> bool {
        self.manifest()["plan"]["job"] == "lines"
    }

    /// Cuts some lines of a finished run again, evenly spread, and holds them against its files;
    /// gives how many, and what differs.
    ///
    /// # Errors
    /// [`RunError`] where its model or data are not found or are others by now, or the engine fails.
    pub fn check_lines(
        &self,
        number: usize,
        engine: &dyn Engine,
    ) -> Result<(usize, Vec<Difference>), RunError> {
        /// Breaks on another processor.
        const CLOSE: f64 = 1e-11;
        let run = self.path().display();
        let plan = self.manifest()["plan"].clone();
        let asked: LinesJob = serde_json::from_value(plan.clone()).placed(format!(
            "{run}: the plan in its manifest is none of this version; run it again"
        ))?;
        let job = asked.load(&Silent).map_err(|error| {
            RunError::refused(format!(
                "{run}: cannot cut it again: {}",
                error_chain(&error)
            ))
        })?;
        for (key, now) in [
            ("model_sha256", job.model.model.sha256().to_owned()),
            ("data_sha256", job.data_sha256.clone()),
            ("pairs_sha256", job.pairs_sha256()),
        ] {
            if plan[key] != json!(now) {
                return Err(RunError::refused(format!(
                    "{run}: cannot cut it again: its {key} is {} there and {now} now",
                    plan[key]
                )));
            }
        }
        let path = self.file(SECTIONS_FILE);
        let text = crate::data::read_text(&path, MAX_SECTIONS_BYTES).placed(path.display())?;
        let there: Value = serde_json::from_str(&text).placed(path.display())?;
        let number = number.min(job.pairs.len());
        let mut differences = Vec::new();
        for n in (0..number).map(|n| n * job.pairs.len() / number) {
            let now = cut(&job, Some(engine), n, &job.pairs[n..=n])?;
            let margin = |line: &Value| line["margin"]["exact"].as_f64();
            let margins = [margin(&there["sections"][n]), margin(&now[0])];
            let (then, now) = (intervals_of(&there["sections"][n]), intervals_of(&now[0]));
            let exact = !job.is_sampled();
            let same = then.len() == now.len()
                && then.iter().zip(&now).all(|(a, b)| {
                    let near = |a: f64, b: f64| !exact || (a - b).abs() <= CLOSE;
                    a.class == b.class && near(a.from, b.from) && near(a.to, b.to)
                });
            let kept = match margins {
                [Some(a), Some(b)] => (a - b).abs() <= CLOSE * b.max(1.0),
                [a, b] => a == b,
            };
            if same && !kept {
                differences.push(Difference {
                    place: format!("line {}", n + 1),
                    problem: format!(
                        "a margin of {:?} there and of {:?} now",
                        margins[0], margins[1]
                    ),
                });
            }
            if !same {
                differences.push(Difference {
                    place: format!("line {}", n + 1),
                    problem: format!(
                        "{} class intervals there and {} now, or others",
                        then.len(),
                        now.len()
                    ),
                });
            }
        }
        Ok((number, differences))
    }
}

/// The sections of many lines, read back.
const MAX_SECTIONS_BYTES: u64 = 4 << 30;
