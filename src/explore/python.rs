//! The lines of Python that compute a view, with the package of the same name.
//!
//! Items of the bundled pictures are named by their position; all others are written out, so that the
//! lines need no file but the model's. What the package cannot be told is said in a sentence.

use super::item::{Input, Pick, Picked};
use super::subject::Subject;
use super::view::View;
use crate::data::{Image, whole};
use crate::job::{Job, ModelSource};
use crate::kernels::Sampling;
use crate::model::ModelOptions;
use crate::pipeline::MorphMode;
use crate::sections::Exactness;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// Levels of a picture that is written out at most.
const MAX_LEVELS: usize = 1 << 16;

impl Subject {
    /// Lines of Python that compute a view.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    pub(super) fn python(&self, view: &View, picked: &[Picked; 3]) -> Result<String, String> {
        let shown = match view.line {
            Some(_) => &picked[..2],
            None => &picked[..],
        };
        let mut script = Script::default();
        let model = self.python_model()?;
        let (names, classes): (Vec<String>, Vec<usize>) = shown
            .iter()
            .zip(&view.items)
            .map(|(item, pick)| Ok((self.python_item(item, pick, &mut script)?, item.class)))
            .collect::<Result<Vec<_>, String>>()?
            .into_iter()
            .unzip();
        let items = match script.rows.is_empty() {
            true => names.join(", "),
            false => ["a", "b", "c"][..names.len()].join(", "),
        };
        let (call, mut keywords) = match view.line {
            Some(exact) => ("line", line_keywords(view, exact)),
            None => ("landscape", self.landscape_keywords(view)),
        };
        if view.line.is_none() {
            keywords.push(format!("labels={}", json!(classes)));
        }
        if script.has_fractions {
            keywords.push("bounds=(0, 255)".to_owned());
        }
        script.lines.push(format!(
            "view = ms.{call}({model}, {items}, {})",
            keywords.join(", ")
        ));
        Ok(script.text(&items))
    }

    /// The model as the package takes it.
    fn python_model(&self) -> Result<String, String> {
        let (source, has_rows): (&ModelSource, bool) = match self.job.job() {
            Job::Sweep(job) => (&job.model, false),
            Job::Interpolate(job) => (&job.model, true),
        };
        let file = match &source.file {
            None if !has_rows => return Ok("None".to_owned()),
            Some(file) if file.is_file() => file.display().to_string(),
            // Those of rows are files of the source.
            _ => {
                let path = &self.job.model().path;
                let name = path.strip_prefix("bundled ").unwrap_or(path);
                format!("models/{name}.safetensors")
            }
        };
        let ModelOptions {
            scale,
            mean,
            std,
            class_names,
            ..
        } = &source.options;
        let told = ModelOptions {
            scale: *scale,
            mean: mean.clone(),
            std: std.clone(),
            class_names: class_names.clone(),
            ..ModelOptions::default()
        };
        if told != source.options {
            return Err(format!(
                "the Python package takes scale, mean, std and names of classes beside a model's file, and {file} needs more; convert it with `morphscape model convert`"
            ));
        }
        let file = json!(file).to_string();
        let options = [
            scale.map(|scale| format!("scale={scale}")),
            (!mean.is_empty()).then(|| format!("mean={}", json!(mean))),
            (!std.is_empty()).then(|| format!("std={}", json!(std))),
            class_names
                .as_ref()
                .map(|names| format!("class_names={}", json!(names))),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        Ok(match options.is_empty() {
            true => file,
            false => format!("ms.Model({file}, {})", options.join(", ")),
        })
    }

    /// An item as an expression, of which `script` may need lines before it.
    fn python_item(
        &self,
        item: &Picked,
        pick: &Pick,
        script: &mut Script,
    ) -> Result<String, String> {
        let is_bundled = match self.job.job() {
            Job::Sweep(job) => {
                let data = &job.data;
                data.place == "fashion-mnist"
                    && data.root.is_none()
                    && data.options.resize.is_none()
            }
            Job::Interpolate(_) => false,
        };
        match (&item.input, pick) {
            (Input::Image(_), Pick::Item(position)) if is_bundled => {
                script.has_bundled = true;
                Ok(format!("images[{position}]"))
            }
            (Input::Image(image), _) => script.picture(image),
            (Input::Row(row), _) => {
                // As 32-bit floats: a value of 64 bits would have more digits.
                script
                    .rows
                    .push(serde_json::to_string(row).expect("numbers"));
                Ok(String::new())
            }
        }
    }

    fn landscape_keywords(&self, view: &View) -> Vec<String> {
        let mut keywords = Vec::new();
        if let Some(flat) = &view.flat {
            keywords.push(format!("kind=\"{}\"", flat.kind().name()));
            if flat.shape.has_box() {
                let [along, up] = flat
                    .range
                    .0
                    .map(|[below, above]| format!("({below}, {above})"));
                keywords.push(match along == up {
                    true => format!("range={along}"),
                    false => format!("range=({along}, {up})"),
                });
            }
            if flat.clipped {
                keywords.push("clipped=True".to_owned());
            }
        } else if !self.has_rows() {
            match view.morph.mode {
                MorphMode::Clean(Sampling::Cubic) => {}
                MorphMode::Clean(Sampling::Linear) => keywords.push("sampling=\"linear\"".into()),
                MorphMode::Published => keywords.push("mode=\"published\"".into()),
                MorphMode::CrossFade => keywords.push("mode=\"cross-fade\"".into()),
            }
            keywords.push(format!("grid={}", view.morph.grid));
        }
        keywords.push(format!("steps={}", view.morph.steps));
        keywords
    }
}

fn line_keywords(view: &View, exact: Exactness) -> Vec<String> {
    let exact = match exact {
        Exactness::Auto => "True",
        Exactness::Off => "False",
    };
    vec![
        format!("steps={}", view.morph.steps),
        format!("exact={exact}"),
    ]
}

/// A script on its way.
#[derive(Debug, Default)]
struct Script {
    has_bundled: bool,
    /// Whether pictures are not of whole levels.
    has_fractions: bool,
    has_pictures: bool,
    rows: Vec<String>,
    lines: Vec<String>,
}

impl Script {
    /// A picture written out: the name of its variable.
    fn picture(&mut self, image: &Image) -> Result<String, String> {
        if image.levels.len() > MAX_LEVELS {
            return Err(format!(
                "{} is too much to write out; `Save run` writes a folder that `ms.open` reads",
                image.shape_text()
            ));
        }
        let are_whole = image
            .levels
            .iter()
            .all(|&level| f32::from(whole(level)) == level);
        let (bytes, kind): (Vec<u8>, &str) = match are_whole {
            true => (
                image.levels.iter().map(|&level| whole(level)).collect(),
                "np.uint8",
            ),
            false => {
                let levels = image.levels.iter();
                (
                    levels.flat_map(|level| level.to_le_bytes()).collect(),
                    "np.float32",
                )
            }
        };
        self.has_fractions |= !are_whole;
        self.has_pictures = true;
        let shape = match image.shape() {
            [height, width, 1] => format!("{height}, {width}"),
            [height, width, channels] => format!("{height}, {width}, {channels}"),
        };
        let name = format!("picture_{}", self.lines.len() + 1);
        self.lines.push(format!(
            "{name} = np.frombuffer(base64.b64decode(\"{}\"), {kind}).reshape({shape})",
            STANDARD.encode(bytes)
        ));
        Ok(name)
    }

    fn text(self, items: &str) -> String {
        let mut text = String::new();
        if self.has_pictures {
            text.push_str("import base64\n\n");
        }
        text.push_str("import morphscape as ms\n");
        if self.has_pictures || !self.rows.is_empty() {
            text.push_str("import numpy as np\n");
        }
        text.push('\n');
        if self.has_bundled {
            text.push_str("images, _ = ms.fashion_mnist()\n");
        }
        if !self.rows.is_empty() {
            let rows = self.rows.join(",\n    ");
            text.push_str(&format!(
                "{items} = np.array([\n    {rows},\n], dtype=np.float32)\n"
            ));
        }
        text.push_str(&self.lines.join("\n"));
        text.push('\n');
        text
    }
}
