//! Landscapes and frames of arrays, in memory.

use crate::engine;
use crate::error::{InputError, exception};
use crate::landscape::LandscapeFile;
use crate::network::{Network, not_contiguous};
use crate::watch::Watch;
use morphscape::data::Image;
use morphscape::job::landscapes_of;
use morphscape::landscape::{
    About, GridKind, Items, Landscape, Measures, Permutation, choose_lettered_triples,
    choose_triples, measure, measure_triple,
};
use morphscape::pipeline::{
    FlatSettings, Frames, GridJob, MorphPlan, MorphSettings, RowJob, compute_landscapes,
    interpolate_rows, morph_pair,
};
use numpy::{
    IntoPyArray, PyArray1, PyArray3, PyArray4, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3,
    PyReadonlyArray4, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};

/// A landscape to compute: its name, which item of its triple is C (1, 2 or 3 as after the dot of its
/// name), the positions of A, B and C among the items, and their classes.
pub(crate) type Grid = (String, usize, [usize; 3], [usize; 3]);

/// How images are morphed and how planes are laid, from JSON as the plan of a job has it:
/// `{"morph": {...}, "flat": null}`.
pub(crate) fn grid_settings(text: &str) -> PyResult<(MorphSettings, Option<FlatSettings>)> {
    let read = || -> serde_json::Result<_> {
        let settings: Value = serde_json::from_str(text)?;
        let morph = serde_json::from_value(settings["morph"].clone())?;
        Ok((morph, serde_json::from_value(settings["flat"].clone())?))
    };
    let (morph, flat): (MorphSettings, Option<FlatSettings>) =
        read().map_err(|error| InputError::new_err(format!("settings of grids: {error}")))?;
    match flat.as_ref().and_then(|flat| flat.range.problem()) {
        Some(problem) => Err(InputError::new_err(format!("range: {problem}"))),
        None => Ok((morph, flat)),
    }
}

/// The landscapes between items that a seed chooses, as the command line chooses them: of images
/// two triples a group, of rows one.
#[pyfunction]
#[pyo3(signature = (labels, *, num_classes, groups, classes, seed, rows, kind))]
pub(crate) fn choose(
    py: Python<'_>,
    labels: Vec<usize>,
    num_classes: usize,
    groups: usize,
    classes: Vec<[usize; 3]>,
    seed: u64,
    rows: bool,
    kind: &str,
) -> PyResult<Vec<Grid>> {
    if let Some(label) = labels.iter().find(|&&label| label >= num_classes) {
        return Err(InputError::new_err(format!(
            "labels: expected classes 0 to {}, found {label}",
            num_classes - 1
        )));
    }
    let triples = match rows {
        true => choose_lettered_triples(&labels, num_classes, groups, &classes, seed),
        false => choose_triples(&labels, num_classes, groups, &classes, seed),
    };
    let triples = triples.map_err(|error| exception(py, &error, &[]))?;
    let kind = match (kind, rows) {
        ("plane", _) => GridKind::Plane,
        ("triangle", _) => GridKind::Triangle,
        (_, true) => GridKind::Rows,
        (_, false) => GridKind::Morph,
    };
    let landscapes = landscapes_of(kind, &triples).into_iter();
    Ok(landscapes
        .map(|id| (id.name, id.permutation.number(), id.items, id.classes))
        .collect())
}

/// What all landscapes of a call say of themselves.
pub(crate) struct Said<'a> {
    pub(crate) network: &'a Network,
    pub(crate) grids: &'a [Grid],
    pub(crate) item_names: &'a [String],
    pub(crate) class_names: Vec<String>,
    pub(crate) items: Items,
    pub(crate) settings: Map<String, Value>,
}

impl Said<'_> {
    /// What errors call each landscape.
    pub(crate) fn places(&self) -> Vec<String> {
        let named = self.grids.iter().map(|(name, _, items, _)| {
            let items = items.map(|item| self.item_names[item].as_str());
            format!("{name} ({})", items.join(", "))
        });
        named.collect()
    }

    /// The landscapes with their names and measures; those of a triple are measured together.
    pub(crate) fn named(
        self,
        py: Python<'_>,
        landscapes: Vec<Landscape>,
    ) -> PyResult<Vec<LandscapeFile>> {
        let measures = py.detach(|| self.measures(&landscapes));
        let named = self.grids.iter().zip(landscapes).zip(measures);
        named
            .map(|(((name, number, items, classes), landscape), measures)| {
                let about = About {
                    name: name.clone(),
                    permutation: permutation(*number)?,
                    item_names: items.map(|item| self.item_names[item].clone()),
                    item_classes: *classes,
                    class_names: self.class_names.clone(),
                    model: self.network.path.clone(),
                    model_sha256: self.network.model.sha256().to_owned(),
                    items: self.items.clone(),
                    settings: self.settings.clone(),
                    finer_measures: None,
                };
                let file = morphscape::LandscapeFile { about, landscape };
                Ok(LandscapeFile::new(py, file, measures))
            })
            .collect()
    }

    fn measures(&self, landscapes: &[Landscape]) -> Vec<Measures> {
        let whole = |grids: &[Grid]| {
            let numbers: Vec<usize> = grids.iter().map(|(_, number, ..)| *number).collect();
            numbers == [1, 2, 3]
        };
        if self.grids.chunks(3).all(whole) {
            let triples = landscapes.chunks_exact(3).zip(self.grids.chunks_exact(3));
            triples
                .flat_map(|(three, grids)| {
                    measure_triple([0, 1, 2].map(|n| (&three[n], grids[n].3)))
                })
                .collect()
        } else {
            let each = landscapes.iter().zip(self.grids);
            each.map(|(landscape, (.., classes))| measure(landscape, *classes))
                .collect()
        }
    }

    /// Checks what else would be a panic: positions and classes that are not there.
    pub(crate) fn check(&self, items: usize) -> PyResult<()> {
        let classes = self.network.model.num_classes();
        let fits = |(_, _, at, of): &Grid| {
            at.iter().all(|&item| item < items) && of.iter().all(|&class| class < classes)
        };
        match self.grids.iter().all(fits)
            && self.item_names.len() == items
            && self.class_names.len() == classes
        {
            true => Ok(()),
            false => Err(InputError::new_err(format!(
                "expected items below {items} of classes below {classes}, each with a name"
            ))),
        }
    }
}

fn permutation(number: usize) -> PyResult<Permutation> {
    let known = Permutation::ALL.into_iter();
    let mut known = known.filter(|permutation| permutation.number() == number);
    let none = || InputError::new_err(format!("expected permutation 1, 2 or 3, found {number}"));
    known.next().ok_or_else(none)
}

/// Landscapes of images, `float32 [n, H, W, C]` in grey levels.
#[pyfunction]
#[pyo3(signature = (network, levels, grids, *, item_names, class_names, settings, keep_frames, engine, progress))]
pub(crate) fn image_grids(
    py: Python<'_>,
    network: &Network,
    levels: PyReadonlyArray4<'_, f32>,
    grids: Vec<Grid>,
    item_names: Vec<String>,
    class_names: Vec<String>,
    settings: &str,
    keep_frames: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<LandscapeFile>> {
    let (settings, _) = grid_settings(settings)?;
    let engine = engine::named(py, engine)?;
    let [count, height_px, width_px, channels] =
        <[usize; 4]>::try_from(levels.shape()).expect("four dimensions");
    let values = levels.as_slice().map_err(not_contiguous)?;
    let images = values.chunks_exact((height_px * width_px * channels).max(1));
    let images: Vec<Image> = images
        .map(|levels| Image {
            width_px,
            height_px,
            channels,
            levels: levels.to_vec(),
        })
        .collect();
    let MorphSettings { grid, mode, .. } = settings;
    let how = json!({"grid": grid, "mode": mode.name(), "sampling": mode.sampling().name()});
    let said = Said {
        network,
        grids: &grids,
        item_names: &item_names,
        class_names,
        items: Items::Images {
            shape: [height_px, width_px, channels],
        },
        settings: how.as_object().cloned().unwrap_or_default(),
    };
    said.check(count)?;
    let jobs: Vec<GridJob<'_>> = grids
        .iter()
        .map(|(_, _, items, _)| {
            let [a, b, c] = items.map(|item| &images[item]);
            GridJob::new([a, b, c])
        })
        .collect();
    let frames = match keep_frames {
        true => Frames::Keep,
        false => Frames::Drop,
    };
    let watch = Watch::new(progress);
    let landscapes = watch.run(py, network.asks_callable(), &said.places(), || {
        let go_on = |done| watch.go_on(done);
        compute_landscapes(
            engine.as_ref(),
            &network.model,
            &settings,
            &jobs,
            frames,
            &go_on,
        )
    })?;
    said.named(py, landscapes)
}

/// Landscapes of rows, `float32 [n, features]`.
#[pyfunction]
#[pyo3(signature = (network, rows, grids, *, item_names, class_names, features, steps, engine, progress))]
pub(crate) fn row_grids(
    py: Python<'_>,
    network: &Network,
    rows: PyReadonlyArray2<'_, f32>,
    grids: Vec<Grid>,
    item_names: Vec<String>,
    class_names: Vec<String>,
    features: Vec<String>,
    steps: usize,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<LandscapeFile>> {
    let engine = engine::named(py, engine)?;
    let [count, width] = <[usize; 2]>::try_from(rows.shape()).expect("two dimensions");
    let values = rows.as_slice().map_err(not_contiguous)?;
    let rows: Vec<&[f32]> = values.chunks_exact(width.max(1)).collect();
    let said = Said {
        network,
        grids: &grids,
        item_names: &item_names,
        class_names,
        items: Items::Rows { features },
        settings: Map::new(),
    };
    said.check(count)?;
    let jobs: Vec<RowJob<'_>> = grids
        .iter()
        .map(|(_, _, items, _)| {
            let [a, b, c] = items.map(|item| rows[item]);
            RowJob { a, b, c }
        })
        .collect();
    let watch = Watch::new(progress);
    let landscapes = watch.run(py, network.asks_callable(), &said.places(), || {
        let go_on = |done| watch.go_on(done);
        interpolate_rows(engine.as_ref(), &network.model, steps, &jobs, &go_on)
    })?;
    said.named(py, landscapes)
}

/// The frames between two images `float32 [H, W, C]` in grey levels, one for each alpha.
#[pyfunction]
#[pyo3(signature = (left, right, alphas, *, settings, engine))]
pub(crate) fn morph_frames<'py>(
    py: Python<'py>,
    left: PyReadonlyArray3<'py, f32>,
    right: PyReadonlyArray3<'py, f32>,
    alphas: Vec<f64>,
    settings: &str,
    engine: &str,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let (MorphSettings { grid, mode, .. }, _) = grid_settings(settings)?;
    let engine = engine::named(py, engine)?;
    let image = |array: &PyReadonlyArray3<'py, f32>| -> PyResult<Image> {
        let [height_px, width_px, channels] =
            <[usize; 3]>::try_from(array.shape()).expect("three dimensions");
        Ok(Image {
            width_px,
            height_px,
            channels,
            levels: array.as_slice().map_err(not_contiguous)?.to_vec(),
        })
    };
    let (left, right) = (image(&left)?, image(&right)?);
    let [height, width, channels] = left.shape();
    let watch = Watch::new(None);
    let frames = watch.run(
        py,
        false,
        &[],
        || -> Result<Vec<f32>, morphscape::pipeline::PipelineError> {
            let mesh = mode.mesh(&left, &right, grid)?;
            let plan = MorphPlan {
                left: &left,
                right: &right,
                mesh: &mesh,
                alphas: &alphas,
                mode,
            };
            let morph = morph_pair(engine.as_ref(), &plan)?;
            let levels = morph.frames.iter().flat_map(|frame| &frame.levels);
            Ok(levels.copied().collect())
        },
    )?;
    frames
        .into_pyarray(py)
        .reshape([alphas.len(), height, width, channels])
}

/// The bundled test set of Fashion-MNIST: images `uint8 [10000, 28, 28]` and labels.
#[pyfunction]
pub(crate) fn fashion_mnist<'py>(
    py: Python<'py>,
) -> PyResult<(Bound<'py, PyArray3<u8>>, Bound<'py, PyArray1<i64>>)> {
    let set = morphscape::data::fashion_mnist();
    let [height, width, _] = set.image_shape();
    let mut bytes = Vec::with_capacity(set.len() * height * width);
    for index in 0..set.len() {
        let image = set
            .image(index)
            .map_err(|error| exception(py, &error, &[]))?;
        bytes.extend(image.levels.iter().map(|&level| level as u8));
    }
    let labels: Vec<i64> = (0..set.len())
        .map(|index| set.label(index) as i64)
        .collect();
    let images = bytes.into_pyarray(py).reshape([set.len(), height, width])?;
    Ok((images, labels.into_pyarray(py)))
}
