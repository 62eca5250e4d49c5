//! The line between two inputs: its class intervals, and a folder with all that is known of it.

use super::Existing;
use super::error::{Placed, RunError};
use super::folder::layout::{LINE_FIGURE_FILE, SECTIONS_FILE, SECTIONS_TENSORS_FILE};
use super::folder::{RunFolder, engine_plan};
use super::margins::{Between, Sought, between};
use crate::data::{Tensor, TensorData, sha256_hex, write_file, write_safetensors};
use crate::engine::Engine;
use crate::job::{LineJob, LoadedLine};
use crate::landscape::argmax;
use crate::pipeline::classify;
use crate::plot::{LineSectionPlot, line_section_plot};
use crate::sections::{
    BracketOptions, CertifiedLine, Connected, Connection, LineOptions, LineSection, Margin,
    SectionLabel, SectionNetwork, TOL_T, certified_line, certify_line, exact_line, line_parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// A stretch of the line on which one class is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassInterval {
    /// Where it begins, in t: 0 is the first input, 1 the second. Of a bracket or between two
    /// samples the middle.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// The class.
    pub class: usize,
}

/// The class intervals among a line's facts.
pub(super) fn intervals_of(facts: &Value) -> Vec<ClassInterval> {
    serde_json::from_value(facts["intervals"].clone()).unwrap_or_default()
}

/// What a line came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// How far the intervals can be trusted.
    pub label: SectionLabel,
    /// The class intervals, from the first input to the second.
    pub intervals: Vec<ClassInterval>,
    /// What the samples miss of an exact line, in one sentence.
    pub certificate: Option<String>,
    /// How far the first input can be moved towards the second before its class changes; of an
    /// exact line.
    pub margin: Option<Margin>,
    /// A path that connects the inputs, or that none was found, where one was sought for an exact line.
    pub path: Option<Connection>,
    /// What `sections.json` says of it.
    facts: Value,
    /// Tensors of `sections.safetensors`: name, shape, values.
    tensors: Vec<(&'static str, Vec<usize>, Vec<f64>)>,
}

/// Cuts the line of a job. `engine` classifies the samples of a network that has no exact section.
///
/// # Errors
/// [`RunError`] where the section contradicts itself, has too many pieces, or the engine fails.
pub fn cut_line(
    asked: &LineJob,
    job: &LoadedLine,
    engine: Option<&dyn Engine>,
) -> Result<Line, RunError> {
    let place = || format!("the line from {} to {}", job.names[0], job.names[1]);
    match (&job.network, engine) {
        (Some(Ok(network)), _) if network.is_piecewise_linear() => {
            exact(asked, job, network).placed(place())
        }
        (Some(Ok(network)), _) => bracketed(job, network).placed(place()),
        (_, Some(engine)) => sampled(asked, job, engine),
        (_, None) => Err(RunError::refused(
            "a line that is sampled needs an engine; expected one, found none",
        )),
    }
}

impl Line {
    /// What `sections.json` says of it.
    pub(super) fn facts(&self) -> &Value {
        &self.facts
    }
}

type SectionResult = Result<Line, crate::sections::SectionError>;

fn exact(asked: &LineJob, job: &LoadedLine, network: &SectionNetwork) -> SectionResult {
    let [from, to] = job
        .inputs
        .each_ref()
        .map(|input| network.space().point(input));
    let options = LineOptions {
        max_pieces: asked.max_pieces,
        ..LineOptions::default()
    };
    let line = exact_line(network, &from, &to, &options)?;
    let sought = Sought {
        max_pieces: asked.max_pieces,
        connect: asked.connect,
    };
    let ends = [&from[..], &to[..]];
    let found = between(network, &[ends], std::slice::from_ref(&line), sought);
    let found = found.into_iter().next().expect("one pair")?;
    let path = found.path.as_ref().map(|path| {
        let points = [&from].into_iter().chain(&path.knots).chain([&to]);
        let points: Vec<f64> = points.flatten().copied().collect();
        ("path", vec![path.knots.len() + 2, from.len()], points)
    });
    let certified = |path: &Connection| path.connected == Connected::Certified;
    let is_path = found.path.as_ref().is_some_and(certified);
    let mut line = exact_line_of(line, &found, network, asked.steps);
    line.tensors.extend(path.filter(|_| is_path));
    Ok(line)
}

/// What is said of an exact line, of what is found between its inputs, and of what so many samples miss
/// of it.
pub(super) fn exact_line_of(
    line: LineSection,
    found: &Between,
    network: &SectionNetwork,
    steps: usize,
) -> Line {
    let certificate = certify_line(&line, steps);
    let intervals = intervals(&line.breaks, &line.classes);
    let mut facts = json!(line);
    facts["unit"] = json!(network.space().unit());
    facts["pieces"] = json!(line.pieces());
    facts["narrowest_piece"] = json!(line.narrowest_piece());
    facts["changes"] = json!(line.changes());
    facts["narrowest"] = json!({
        "t": line.narrowest_interval(),
        "length": line.narrowest_interval() * line.length,
    });
    facts["certificate"] = json!(certificate);
    facts["margin"] = json!(found.margin);
    if let Some(path) = &found.path {
        facts["path"] = json!(path);
        facts["path"]["knots"] = json!(path.knots.len());
    }
    // The ends of the pieces are in the tensors.
    if let Some(facts) = facts.as_object_mut() {
        facts.remove("t");
    }
    let shape = vec![line.t.len(), line.num_classes];
    Line {
        label: line.label,
        intervals,
        certificate: Some(certificate.sentence()),
        margin: Some(found.margin),
        path: found.path.clone(),
        facts,
        tensors: vec![
            ("t", vec![line.t.len()], line.t),
            ("logits", shape, line.logits),
        ],
    }
}

fn bracketed(job: &LoadedLine, network: &SectionNetwork) -> SectionResult {
    let [from, to] = job
        .inputs
        .each_ref()
        .map(|input| network.space().point(input));
    let line = certified_line(network, &from, &to, &BracketOptions::default())?;
    Ok(bracketed_line(line, network))
}

/// What is said of a line whose class changes lie in brackets.
pub(super) fn bracketed_line(line: CertifiedLine, network: &SectionNetwork) -> Line {
    let mut facts = json!(line);
    facts["unit"] = json!(network.space().unit());
    // A bracket that reaches an end of the line has a class on one side only.
    let between = line.brackets.iter().filter(|b| b[0] > 0.0 && b[1] < 1.0);
    let changes = between.map(|b| (b[0] + b[1]) / 2.0);
    let breaks: Vec<f64> = std::iter::once(0.0).chain(changes).chain([1.0]).collect();
    let intervals = intervals(&breaks, &line.classes);
    let brackets = line.brackets.iter().flatten().copied().collect();
    Line {
        label: line.label,
        intervals,
        certificate: None,
        margin: None,
        path: None,
        facts,
        tensors: vec![("brackets", vec![line.brackets.len(), 2], brackets)],
    }
}

fn sampled(asked: &LineJob, job: &LoadedLine, engine: &dyn Engine) -> Result<Line, RunError> {
    let t = line_parameters(asked.steps, [0.0, 1.0]);
    let inputs = line_inputs(job.inputs.each_ref().map(Vec::as_slice), &t);
    let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let answers = classify(engine, &job.model.model, &rows)?;
    Ok(sampled_line(&answers.logits, job.class_names.len(), &t))
}

/// The inputs at places `t` of the straight line from the first input, at 0, to the second, at 1.
pub(crate) fn line_inputs([from, to]: [&[f32]; 2], t: &[f64]) -> Vec<Vec<f32>> {
    let mix = |&t: &f64| -> Vec<f32> {
        let pairs = from.iter().zip(to);
        pairs
            .map(|(&a, &b)| (f64::from(a) + t * (f64::from(b) - f64::from(a))) as f32)
            .collect()
    };
    t.iter().map(mix).collect()
}

/// The class intervals between two inputs, as [`cut_line`] has them, and nothing else of the line:
/// how far they can be trusted, the intervals, and what so many samples miss of exact ones.
///
/// # Errors
/// [`crate::sections::SectionError`] where the section contradicts itself or has too many pieces.
#[cfg(feature = "explore")]
pub(crate) fn cut_inputs(
    network: &SectionNetwork,
    inputs: [&[f32]; 2],
    max_pieces: usize,
    steps: usize,
) -> Result<(SectionLabel, Vec<ClassInterval>, Option<String>), crate::sections::SectionError> {
    let [from, to] = inputs.map(|input| network.space().point(input));
    if !network.is_piecewise_linear() {
        let line = certified_line(network, &from, &to, &BracketOptions::default())?;
        let line = bracketed_line(line, network);
        return Ok((line.label, line.intervals, line.certificate));
    }
    let options = LineOptions {
        max_pieces,
        ..LineOptions::default()
    };
    let line = exact_line(network, &from, &to, &options)?;
    let intervals = intervals(&line.breaks, &line.classes);
    let sentence = certify_line(&line, steps).sentence();
    Ok((line.label, intervals, Some(sentence)))
}

/// What is said of a line of which samples are known: logits `[samples, classes]` at places `t`.
pub(super) fn sampled_line(logits: &[f32], num_classes: usize, t: &[f64]) -> Line {
    let labels: Vec<usize> = logits.chunks_exact(num_classes).map(argmax).collect();
    // Between two samples of different class the change is somewhere: in the middle, for the table.
    let (mut breaks, mut classes) = (vec![0.0], vec![labels[0]]);
    for k in 1..labels.len() {
        if labels[k] != labels[k - 1] {
            breaks.push((t[k - 1] + t[k]) / 2.0);
            classes.push(labels[k]);
        }
    }
    breaks.push(1.0);
    let label = SectionLabel::Sampled { points: t.len() };
    let logits = logits.iter().map(|&f| f64::from(f)).collect();
    Line {
        label,
        intervals: intervals(&breaks, &classes),
        certificate: None,
        margin: None,
        path: None,
        facts: json!({
            "label": label,
            "classes": classes,
            "changes": classes.len() - 1,
            "num_classes": num_classes,
        }),
        tensors: vec![
            ("logits", vec![t.len(), num_classes], logits),
            ("t", vec![t.len()], t.to_vec()),
        ],
    }
}

fn intervals(breaks: &[f64], classes: &[usize]) -> Vec<ClassInterval> {
    let ends = breaks.windows(2).zip(classes);
    ends.map(|(ends, &class)| ClassInterval {
        from: ends[0],
        to: ends[1],
        class,
    })
    .collect()
}

/// Cuts the line of a job and writes `sections.json`, `sections.safetensors` and a figure to `folder`.
/// `command` is the command line that asks for it, if one does.
///
/// # Errors
/// As [`cut_line`], and when the folder holds something else or a file cannot be written.
pub fn line(
    asked: &LineJob,
    job: &LoadedLine,
    engine: Option<&dyn Engine>,
    (folder, existing): (&Path, Existing),
    command: &[String],
) -> Result<Line, RunError> {
    let started = Instant::now();
    let plan = plan(asked, job, engine);
    let mut folder = RunFolder::prepare(folder, plan, existing, command)?;
    let computing = Instant::now();
    let cut = cut_line(asked, job, engine)?;
    let compute_s = computing.elapsed().as_secs_f64();
    let mut facts = cut.facts.clone();
    facts["kind"] = json!("line");
    facts["items"] = json!(job.names);
    facts["class_names"] = json!(job.class_names);
    facts["intervals"] = json!(cut.intervals);
    facts["tolerance_t"] = json!(TOL_T);
    let mut text =
        serde_json::to_string_pretty(&json!({"sections": [facts]})).expect("facts are plain data");
    text.push('\n');
    write_file(&folder.file(SECTIONS_FILE), text.as_bytes())?;
    let tensors: Vec<Tensor<'_>> = cut
        .tensors
        .iter()
        .map(|(name, shape, values)| Tensor {
            name,
            shape: shape.clone(),
            data: TensorData::F64(values),
        })
        .collect();
    let metadata = BTreeMap::from([
        ("kind", "line".to_owned()),
        ("items", json!(job.names).to_string()),
        ("classes", json!(job.class_names).to_string()),
    ]);
    write_safetensors(&folder.file(SECTIONS_TENSORS_FILE), &tensors, &metadata)?;
    if let Some(svg) = figure(asked, job, &cut) {
        write_file(&folder.file(LINE_FIGURE_FILE), svg.as_bytes())?;
    }
    if let Some(engine) = engine {
        folder.set_engine(engine);
    }
    folder.set(
        "model",
        json!({"path": job.model.path, "sha256": job.model.model.sha256()}),
    );
    folder.set("data", json!({"path": job.data_path}));
    folder.set(
        "timings",
        json!({"compute_s": compute_s, "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    Ok(cut)
}

/// The section as a figure; nothing of one that bounds prove, of which logits are not known.
fn figure(asked: &LineJob, job: &LoadedLine, line: &Line) -> Option<String> {
    let of = |wanted| line.tensors.iter().find(|(name, ..)| *name == wanted);
    let ((_, _, t), (_, _, logits)) = (of("t")?, of("logits")?);
    let [from, to] = &job.names;
    let is_exact = line.label == SectionLabel::Exact;
    let label = match is_exact {
        true => format!("exact, {} pieces", t.len() - 1),
        false => format!("sampled at {} points", t.len()),
    };
    let breaks: Vec<f64> = (line
        .intervals
        .first()
        .map(|interval| interval.from)
        .into_iter())
    .chain(line.intervals.iter().map(|interval| interval.to))
    .collect();
    let classes: Vec<usize> = line
        .intervals
        .iter()
        .map(|interval| interval.class)
        .collect();
    Some(line_section_plot(&LineSectionPlot {
        title: &format!("{from} to {to}"),
        subtitle: &format!("{label}; model: {}", job.model.path),
        t,
        logits,
        is_exact,
        breaks: &breaks,
        classes: &classes,
        class_names: &job.class_names,
        samples: asked.steps,
        sentence: line
            .certificate
            .as_deref()
            .unwrap_or("nothing is known between the samples"),
    }))
}

/// Everything that decides the numbers.
fn plan(asked: &LineJob, job: &LoadedLine, engine: Option<&dyn Engine>) -> Map<String, Value> {
    let spec = serde_json::to_value(asked).expect("a job is plain data");
    let mut plan = Map::from_iter([
        ("job".to_owned(), json!("line")),
        ("program".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
    ]);
    plan.extend(spec.as_object().cloned().unwrap_or_default());
    let inputs = job
        .inputs
        .each_ref()
        .map(|x| sha256_hex([bytemuck::cast_slice(x)]));
    plan.insert("sha256".to_owned(), json!(inputs));
    plan.insert("model_sha256".to_owned(), json!(job.model.model.sha256()));
    if let Some(engine) = engine {
        plan.extend(engine_plan(engine.info()));
    }
    plan
}
