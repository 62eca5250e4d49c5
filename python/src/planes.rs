//! Landscapes of planes and triangles through items, in memory.

use crate::engine;
use crate::error::InputError;
use crate::grids::{Grid, Said, grid_settings};
use crate::landscape::LandscapeFile;
use crate::network::{Network, not_contiguous};
use crate::watch::Watch;
use morphscape::landscape::Items;
use morphscape::pipeline::{
    FlatJob, Frames, MorphSettings, PipelineError, compute_flat, flat_class_maps,
};
use morphscape::sections::{Space, SpaceKind};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Planes or triangles through items, `float32 [n, values]`: grey levels of images `[H, W, C]`, or
/// features.
#[pyfunction]
#[pyo3(signature = (network, items, grids, *, item_names, class_names, image_shape, features, settings, keep_frames, engine, progress))]
pub(crate) fn flat_grids(
    py: Python<'_>,
    network: &Network,
    items: PyReadonlyArray2<'_, f32>,
    grids: Vec<Grid>,
    item_names: Vec<String>,
    class_names: Vec<String>,
    image_shape: Option<[usize; 3]>,
    features: Vec<String>,
    settings: &str,
    keep_frames: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<LandscapeFile>> {
    let engine = engine::named(py, engine)?;
    let (MorphSettings { steps, .. }, Some(settings)) = grid_settings(settings)? else {
        return Err(InputError::new_err(
            "expected settings of a plane or triangle",
        ));
    };
    let [count, width] = <[usize; 2]>::try_from(items.shape()).expect("two dimensions");
    let values = items.as_slice().map_err(not_contiguous)?;
    let rows: Vec<&[f32]> = values.chunks_exact(width.max(1)).collect();
    let space = Space::new(
        &network.model,
        match image_shape {
            Some(_) => SpaceKind::Images,
            None => SpaceKind::Rows,
        },
    );
    let how = serde_json::to_value(settings).expect("settings are plain data");
    let said = Said {
        network,
        grids: &grids,
        item_names: &item_names,
        class_names,
        items: match image_shape {
            Some(shape) => Items::Images { shape },
            None => Items::Rows { features },
        },
        settings: how.as_object().cloned().unwrap_or_default(),
    };
    said.check(count)?;
    let places = said.places();
    let jobs: Vec<FlatJob<'_>> = (grids.iter().zip(&places))
        .map(|((_, _, items, _), name)| FlatJob {
            items: items.map(|item| rows[item]),
            name: name.clone(),
        })
        .collect();
    let frames = match keep_frames {
        true => Frames::Keep,
        false => Frames::Drop,
    };
    let watch = Watch::new(progress);
    let (landscapes, maps) = watch.run(py, network.asks_callable(), &places, || {
        let go_on = |done| watch.go_on(done);
        let landscapes = compute_flat(
            engine.as_ref(),
            &network.model,
            &space,
            &settings,
            (steps, &jobs),
            frames,
            &go_on,
        )?;
        let cuts = settings.map_network(&network.model, space.kind());
        let maps = flat_class_maps(&cuts, &space, &settings, (steps, &jobs), &go_on)?;
        Ok::<_, PipelineError>((landscapes, maps))
    })?;
    let unit = space.unit().to_owned();
    let landscapes = said.named(py, landscapes)?.into_iter().zip(maps);
    Ok(landscapes
        .map(|(landscape, map)| landscape.with_map(&map, settings.kind(), &unit))
        .collect())
}
