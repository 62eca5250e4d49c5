//! The class map of a plane or triangle beside its sampled landscape: `sections.json` and
//! `sections.safetensors` in the landscape's folder, written before its tensors, so that a landscape
//! that is finished has them, and read again for its figures and the report.

use super::error::{Placed, RunError};
use super::folder::RunFolder;
use super::folder::layout::{MAPS_FILE, SECTIONS_FILE, SECTIONS_TENSORS_FILE};
use super::summary::IN_MEMORY;
use crate::data::{
    MAX_JSON_BYTES, Tensor, TensorData, TensorFile, read_text, write_file, write_safetensors,
};
use crate::job::{LandscapeId, LoadedJob};
use crate::landscape::{About, GridKind, wilson};
use crate::plot::MapOverlay;
use crate::sections::{ClassMap, SectionLabel, TOL_T, TOL_XY};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Faces are written up to this many; of more the boundary alone.
const MAX_FACES: usize = 100_000;

/// The class map of a plane or triangle as its files have it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapRecord {
    /// What `sections.json` says of it.
    pub facts: Value,
    /// The boundary in plane coordinates, segments `[x, y, x, y]`.
    pub segments: Vec<[f64; 4]>,
    /// The two classes of each segment, the lower one first.
    pub segment_classes: Vec<[u16; 2]>,
}

/// A column of `maps.csv`: its name, and where `sections.json` has it.
const COLUMNS: [(&str, &str); 14] = [
    ("label", "/label/kind"),
    ("regions", "/regions"),
    ("parts", "/certificate/components"),
    ("missed", "/certificate/missed"),
    ("points", "/certificate/points/0"),
    ("sampled_regions_4", "/certificate/sampled_regions/0"),
    ("sampled_regions_8", "/certificate/sampled_regions/1"),
    ("smallest_area_share", "/certificate/smallest_area_share"),
    ("smallest_mean_width", "/certificate/smallest_mean_width"),
    ("area_error", "/certificate/area_error"),
    ("boundary_sides", "/boundary_sides"),
    ("barrier_ab", "/barriers/0"),
    ("barrier_ac", "/barriers/1"),
    ("barrier_bc", "/barriers/2"),
];

impl MapRecord {
    /// What is kept of the class map of a landscape that `about` describes, in lengths of `unit`.
    pub fn new(map: &ClassMap, about: &About, kind: GridKind, unit: Option<&str>) -> Self {
        let mut facts = json!(map);
        facts["kind"] = json!(kind);
        facts["items"] = json!(about.item_names);
        facts["class_names"] = json!(about.class_names);
        facts["unit"] = json!(unit);
        facts["fragmentation"] = map.components.iter().fold(json!({}), |mut counts, part| {
            let key = part.class.to_string();
            counts[&key] = json!(counts[&key].as_u64().unwrap_or(0) + 1);
            counts
        });
        facts["tolerances"] = json!({"t": TOL_T, "xy": TOL_XY});
        Self {
            facts,
            segments: map.segments.clone(),
            segment_classes: map.segment_classes.clone(),
        }
    }

    /// The class map in the folder of a landscape; nothing where there is none.
    ///
    /// # Errors
    /// [`RunError`] where its files cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, RunError> {
        let Some(facts) = read_facts(folder)? else {
            return Ok(None);
        };
        let path = folder.join(SECTIONS_TENSORS_FILE);
        let mut tensors = TensorFile::read(&path).placed(path.display())?;
        let segments = tensors.take_rows_f64("segments", 4);
        let (segments, rows) = segments.placed(path.display())?;
        let classes = tensors.take_u16("segment_classes", &[rows, 2]);
        let classes = classes.placed(path.display())?;
        Ok(Some(Self {
            facts,
            segments: segments.as_chunks().0.to_vec(),
            segment_classes: classes.as_chunks().0.to_vec(),
        }))
    }

    /// Its row of `maps.csv`, beside the landscape's name: columns and values, null where there is
    /// none.
    pub fn row(&self) -> Vec<(&'static str, Value)> {
        let at = |place: &str| self.facts.pointer(place).cloned().unwrap_or_default();
        COLUMNS.map(|(name, place)| (name, at(place))).to_vec()
    }

    /// What figures and report show of it.
    pub fn overlay(&self) -> MapOverlay {
        let facts = &self.facts;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let places = &facts["certificate"]["missed_places"];
        MapOverlay {
            segments: self.segments.clone(),
            missed: serde_json::from_value(places.clone()).unwrap_or_default(),
            label: text(&facts["label"]["kind"]),
            sentence: text(&facts["sentence"]),
        }
    }
}

/// Writes the class map of a landscape; nothing of one that is not flat.
pub(super) fn write(folder: &RunFolder, job: &LoadedJob, id: &LandscapeId) -> Result<(), RunError> {
    let Some(map) = job.class_map(id)? else {
        return Ok(());
    };
    let path = folder.folder(&id.name)?;
    let facts = json!({ "sections": [record(job, id, &map).facts] });
    let mut text = serde_json::to_string_pretty(&facts).expect("facts are plain data");
    text.push('\n');
    write_tensors(&path.join(SECTIONS_TENSORS_FILE), &job.about(id), &map)?;
    Ok(write_file(&path.join(SECTIONS_FILE), text.as_bytes())?)
}

fn record(job: &LoadedJob, id: &LandscapeId, map: &ClassMap) -> MapRecord {
    let unit = job.flat().map(|(_, space)| space.unit());
    MapRecord::new(map, &job.about(id), job.kind(), unit)
}

fn write_tensors(path: &Path, about: &About, map: &ClassMap) -> Result<(), crate::data::FileError> {
    let segments: Vec<f64> = map.segments.iter().flatten().copied().collect();
    let classes: Vec<u16> = map.segment_classes.iter().flatten().copied().collect();
    let corners: Vec<f64> = map.faces.xy.iter().flatten().copied().collect();
    let mut tensors = vec![
        Tensor {
            name: "segments",
            shape: vec![map.segments.len(), 4],
            data: TensorData::F64(&segments),
        },
        Tensor {
            name: "segment_classes",
            shape: vec![map.segment_classes.len(), 2],
            data: TensorData::U16(&classes),
        },
    ];
    let faces = &map.faces;
    if !faces.is_empty() && faces.len() <= MAX_FACES {
        let list = |name, length, data| Tensor {
            name,
            shape: vec![length],
            data,
        };
        tensors.extend([
            Tensor {
                name: "face_xy",
                shape: vec![faces.xy.len(), 2],
                data: TensorData::F64(&corners),
            },
            list("face_ends", faces.ends.len(), TensorData::U32(&faces.ends)),
            list("face_class", faces.len(), TensorData::U16(&faces.class)),
            list("face_region", faces.len(), TensorData::U32(&faces.region)),
        ]);
    }
    let metadata = BTreeMap::from([
        ("name", about.name.clone()),
        ("items", json!(about.item_names).to_string()),
        ("classes", json!(about.class_names).to_string()),
    ]);
    write_safetensors(path, &tensors, &metadata)
}

impl RunFolder {
    /// The class map of a landscape of a finished run; nothing where it has none.
    ///
    /// # Errors
    /// [`RunError`] where its files cannot be read.
    pub fn class_map(&self, name: &str) -> Result<Option<MapRecord>, RunError> {
        MapRecord::read(&self.file(name))
    }
}

/// What `sections.json` in the folder of a landscape says; nothing where there is none.
fn read_facts(folder: &Path) -> Result<Option<Value>, RunError> {
    let path = folder.join(SECTIONS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(&path, MAX_JSON_BYTES).placed(path.display())?;
    let facts: Value = serde_json::from_str(&text).placed(path.display())?;
    Ok(Some(facts["sections"][0].clone()))
}

/// The class maps of a run as a table, and what all of them say; nothing of a run without any.
pub(super) fn write_table(folder: &RunFolder, names: &[&String]) -> Result<Vec<String>, RunError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let heading = std::iter::once("landscape").chain(COLUMNS.map(|(name, _)| name));
    csv.write_record(heading).expect(IN_MEMORY);
    let (mut maps, mut exact, mut missed, mut parts) = (0, 0, 0, [0u64; 2]);
    let mut steps = 0;
    for name in names {
        let Some(facts) = read_facts(&folder.file(name))? else {
            continue;
        };
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let seen = &facts["certificate"];
        let values = COLUMNS.map(|(_, place)| facts.pointer(place).map_or_else(String::new, text));
        let row = std::iter::once((*name).clone()).chain(values);
        csv.write_record(row).expect(IN_MEMORY);
        maps += 1;
        if let (Some(all), Some(unseen)) = (seen["components"].as_u64(), seen["missed"].as_u64()) {
            exact += 1;
            missed += usize::from(unseen > 0);
            parts = [parts[0] + all, parts[1] + unseen];
            steps = seen["points"][0].as_u64().unwrap_or(0);
        }
    }
    if maps == 0 {
        return Ok(Vec::new());
    }
    write_file(&folder.file(MAPS_FILE), &csv.into_inner().expect(IN_MEMORY))?;
    let mut findings = Vec::new();
    if exact > 0 {
        let [low, high] = wilson(missed, exact).map(|end| 100.0 * end);
        findings.push(format!(
            "{steps} points a side miss a part of a class in {missed} of {exact} exact class maps, {:.1} % (95 % interval {low:.1} to {high:.1} %), and {} of {} parts",
            100.0 * missed as f64 / exact as f64,
            parts[1],
            parts[0]
        ));
    }
    if exact < maps {
        findings.push(format!(
            "{} of {maps} class maps are certified or sampled, so that what the points miss is not counted; sections.json of each says why",
            maps - exact
        ));
    }
    Ok(findings)
}

/// In what the class map of a landscape differs from one that is computed again, in words.
pub(super) fn difference(
    folder: &RunFolder,
    job: &LoadedJob,
    id: &LandscapeId,
) -> Result<Option<String>, RunError> {
    /// Areas and lengths on another processor, relative.
    const CLOSE: f64 = 1e-9;
    let Some(map) = job.class_map(id)? else {
        return Ok(None);
    };
    let Some(there) = read_facts(&folder.file(&id.name))? else {
        return Ok(Some(format!("expected its {SECTIONS_FILE}, found none")));
    };
    let now = record(job, id, &map).facts;
    let counts = ["regions", "components", "classes"];
    for key in counts {
        let count = |facts: &Value| {
            facts[key]
                .as_array()
                .map_or(facts[key].clone(), |list| json!(list.len()))
        };
        if count(&there) != count(&now) {
            return Ok(Some(format!(
                "the class map has {key} {} there and {} now",
                count(&there),
                count(&now)
            )));
        }
    }
    let close = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= CLOSE * a.abs().max(1.0),
        _ => a == b,
    };
    let exact = map.label == SectionLabel::Exact;
    for key in ["area", "boundary_total"] {
        if exact && !close(&there[key], &now[key]) {
            return Ok(Some(format!(
                "the class map has {key} {} there and {} now",
                there[key], now[key]
            )));
        }
    }
    for (class, share) in &map.area_share {
        let found = &there["area_share"][class.to_string()];
        if exact && !close(found, &json!(share)) {
            return Ok(Some(format!(
                "class {class} has a share of {found} there and of {share} now"
            )));
        }
    }
    match there["label"]["kind"] == now["label"]["kind"] {
        true => Ok(None),
        false => Ok(Some(format!(
            "the class map is {} there and {} now",
            there["label"]["kind"], now["label"]["kind"]
        ))),
    }
}
