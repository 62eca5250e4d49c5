//! A classifier's answers to the data themselves, to compare a landscape of rows with.

use super::LandscapeFileError;
use crate::data::{FileError, Tensor, TensorData, TensorFile, write_safetensors};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// The rows of a data set and the classifier's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPoints {
    /// Name of each feature.
    pub features: Vec<String>,
    /// Name of every class of the classifier.
    pub class_names: Vec<String>,
    /// Rows `[n, features]`.
    pub rows: Vec<f32>,
    /// Their own classes.
    pub labels: Vec<usize>,
    /// The classifier's probabilities `[n, classes]`.
    pub probabilities: Vec<f32>,
    /// Every how many rows of the data one is here: 1 for all of them.
    pub every: usize,
}

impl DataPoints {
    /// Writes rows, labels and probabilities as `.safetensors`.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let n = self.labels.len();
        let labels: Vec<f32> = self.labels.iter().map(|&label| label as f32).collect();
        let tensors = [
            ("rows", vec![n, self.features.len()], &self.rows),
            ("labels", vec![n], &labels),
            (
                "probabilities",
                vec![n, self.class_names.len()],
                &self.probabilities,
            ),
        ]
        .map(|(name, shape, values)| Tensor {
            name,
            shape,
            data: TensorData::F32(values),
        });
        let metadata = BTreeMap::from([
            ("n", n.to_string()),
            ("every", self.every.to_string()),
            ("features", json!(self.features).to_string()),
            ("classes", json!(self.class_names).to_string()),
        ]);
        write_safetensors(path, &tensors, &metadata)
    }

    /// Reads a file that [`DataPoints::write`] wrote.
    ///
    /// # Errors
    /// [`LandscapeFileError`] when something is missing or does not fit together.
    pub fn read(path: &Path) -> Result<Self, LandscapeFileError> {
        let mut file = TensorFile::read(path)?;
        let n: usize = file.json("n")?;
        let features: Vec<String> = file.json("features")?;
        let class_names: Vec<String> = file.json("classes")?;
        let every: usize = file.json("every")?;
        let labels = file.take("labels", &[n])?;
        let probabilities = file.take("probabilities", &[n, class_names.len()])?;
        let inconsistent = |what, expected: &str, found: String| {
            Err(LandscapeFileError::Inconsistent {
                what,
                expected: expected.to_owned(),
                found,
            })
        };
        let label_fits = |label: &&f32| **label >= 0.0 && **label < class_names.len() as f32;
        if let Some(label) = labels.iter().find(|label| !label_fits(label)) {
            return inconsistent("labels", "numbers of classes", label.to_string());
        }
        if let Some(p) = probabilities
            .iter()
            .find(|p| !(0.0..=1.0 + 1e-5).contains(*p))
        {
            return inconsistent("probabilities", "0 to 1", p.to_string());
        }
        if every == 0 || features.is_empty() {
            return inconsistent("every", "at least 1, and a feature", every.to_string());
        }
        Ok(Self {
            rows: file.take("rows", &[n, features.len()])?,
            labels: labels.iter().map(|&label| label as usize).collect(),
            probabilities,
            every,
            features,
            class_names,
        })
    }
}
