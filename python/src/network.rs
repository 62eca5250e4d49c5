//! What is asked for answers: a model of ours, or a callable.

use crate::engine;
use crate::error::{InputError, exception};
use crate::watch::{Watch, on_callers_thread};
use morphscape::job::{LoadedModel, ModelSource};
use morphscape::model::{AnswerKind, Function, FunctionSpec, Inputs, Model, ModelOptions};
use morphscape::pipeline::classify;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// A classifier of either kind.
#[pyclass(frozen, module = "morphscape._morphscape")]
pub(crate) struct Network {
    pub(crate) model: Model,
    pub(crate) path: String,
    /// Where a file was read, so that a run can name it.
    pub(crate) source: Option<ModelSource>,
}

impl Network {
    /// The model as jobs take it.
    pub(crate) fn loaded(&self) -> LoadedModel {
        LoadedModel {
            model: self.model.clone(),
            path: self.path.clone(),
        }
    }

    /// Whether a callable is asked, not a model of ours.
    pub(crate) fn asks_callable(&self) -> bool {
        self.source.is_none()
    }
}

#[pymethods]
impl Network {
    /// Reads a model from a file; without one the bundled model of Fashion-MNIST.
    #[staticmethod]
    #[pyo3(signature = (path, *, scale, mean, std, class_names))]
    fn read(
        py: Python<'_>,
        path: Option<PathBuf>,
        scale: Option<f64>,
        mean: Vec<f64>,
        std: Vec<f64>,
        class_names: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let source = ModelSource {
            file: path,
            options: ModelOptions {
                scale,
                mean,
                std,
                class_names,
                ..ModelOptions::default()
            },
        };
        let LoadedModel { model, path } = py
            .detach(|| source.load())
            .map_err(|error| exception(py, &error, &[]))?;
        Ok(Self {
            model,
            path,
            source: Some(source),
        })
    }

    /// A callable: given `float32 [rows, values]` it answers `float32 [rows, num_classes]`.
    #[staticmethod]
    #[pyo3(signature = (call, *, num_classes, probabilities, batch_size, class_names, name, identity))]
    fn callable(
        py: Python<'_>,
        call: Py<PyAny>,
        num_classes: usize,
        probabilities: bool,
        batch_size: usize,
        class_names: Option<Vec<String>>,
        name: String,
        identity: &str,
    ) -> PyResult<Self> {
        let spec = FunctionSpec {
            num_classes,
            input_shape: None,
            answers: match probabilities {
                true => AnswerKind::Probabilities,
                false => AnswerKind::Logits,
            },
            batch_size,
        };
        let call = Arc::new(call);
        let function = Function::new(spec, move |inputs| {
            let call = Arc::clone(&call);
            on_callers_thread(move || Python::attach(|py| ask(py, &call, inputs)))
        });
        let model = function
            .and_then(|function| Model::from_host(Arc::new(function), class_names, identity))
            .map_err(|error| exception(py, &error, &[]))?;
        Ok(Self {
            model,
            path: name,
            source: None,
        })
    }

    /// The same for images `(height, width, channels)`, and how that was a choice, if it was.
    fn fitted(&self, py: Python<'_>, shape: [usize; 3]) -> PyResult<(Self, Option<String>)> {
        let mut model = self.model.clone();
        let note = model
            .fit_images(shape)
            .map_err(|error| exception(py, &error, &[]))?;
        let fitted = Self {
            model,
            path: self.path.clone(),
            source: self.source.clone(),
        };
        Ok((fitted, note))
    }

    /// Logits and probabilities of `float32 [n, values]`: grey levels, or features.
    fn answers<'py>(
        &self,
        py: Python<'py>,
        inputs: PyReadonlyArray2<'py, f32>,
        engine: &str,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>)> {
        let engine = engine::named(py, engine)?;
        let values = inputs.as_slice().map_err(not_contiguous)?;
        let [rows, width] = <[usize; 2]>::try_from(inputs.shape()).expect("two dimensions");
        let watch = Watch::new(None);
        let answers = watch.run(py, self.asks_callable(), &[], || {
            let rows: Vec<&[f32]> = values.chunks_exact(width.max(1)).collect();
            classify(engine.as_ref(), &self.model, &rows)
        })?;
        let shape = [rows, self.model.num_classes()];
        let array = |values: Vec<f32>| values.into_pyarray(py).reshape(shape);
        Ok((array(answers.logits)?, array(answers.probabilities)?))
    }

    /// Classes of its answers.
    #[getter]
    fn num_classes(&self) -> usize {
        self.model.num_classes()
    }

    /// Names of the classes, where it has them.
    #[getter]
    fn class_names(&self) -> Option<Vec<String>> {
        self.model.classes().map(<[String]>::to_vec)
    }

    /// Shape of an input, where it takes no other.
    #[getter]
    fn input_shape(&self) -> Option<Vec<usize>> {
        self.model.input_shape().map(<[usize]>::to_vec)
    }

    /// How its file was understood where it does not say it itself.
    #[getter]
    fn notes(&self) -> Vec<String> {
        let mut notes = self.model.notes().to_vec();
        if !self.model.scales_grey_levels() {
            notes.push(format!(
                "{} does not scale its input and gets grey levels 0..255; if it was trained on 0..1, give scale=1/255",
                self.path
            ));
        }
        notes
    }

    /// Its file.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }
}

/// Hands the callable a batch, which it may keep: the array owns the values.
fn ask(py: Python<'_>, call: &Py<PyAny>, inputs: Inputs) -> PyResult<Vec<f32>> {
    let rows = inputs.rows;
    let width = inputs.values.len() / rows.max(1);
    let array: Bound<'_, PyArray1<f32>> = inputs.values.into_pyarray(py);
    let answers = call.bind(py).call1((array.reshape([rows, width])?,))?;
    let answers: PyReadonlyArray2<'_, f32> = answers.extract()?;
    Ok(answers.as_slice().map_err(not_contiguous)?.to_vec())
}

/// The Python half hands over contiguous arrays; whoever calls this library by hand is told.
pub(crate) fn not_contiguous(_: impl std::error::Error) -> PyErr {
    InputError::new_err("expected an array in C order, found another one")
}
