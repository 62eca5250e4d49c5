//! What a walk writes: table, tensors, figures, report.

use super::passage::Passages;
use super::{RunError, RunFolder, WalkField, WalkFigures, Walked};
use crate::data::{Tensor, TensorData, write_file, write_safetensors};
use crate::job::walk::{Gait, Ground, Walk};
use crate::landscape::Exponent;
use crate::pipeline::MeanMoments;
use crate::plot::{
    Camera, FieldMaps, Figure, OccupationPlot, SpreadPlot, WalkersPlot, committor_maps,
    occupation_plot, spread_plot, svg_to_png, walkers_plot,
};
use crate::report::write_walk_report;
use crate::run::folder::layout::{REPORT_FILE, WALK_TABLE_FILE, WALK_TENSORS_FILE};
use crate::run::summary::IN_MEMORY;
use std::collections::BTreeMap;

/// What a walk came to.
pub(super) struct Results {
    /// In the walk's unit of length.
    pub(super) moments: Vec<MeanMoments>,
    pub(super) exponent: Option<Exponent>,
    /// Share of the walkers at each point, over the second half of the walk.
    pub(super) occupation: Option<Vec<f64>>,
    pub(super) passages: Option<Passages>,
    /// Paths of the first walkers.
    pub(super) paths: Vec<Vec<[f32; 2]>>,
    /// Steps of all walkers together.
    pub(super) work: u64,
}

/// Dots an inch of PNG figures.
const DPI: u16 = 192;

/// Writes the table and the tensors of a walk on a surface that `surface` describes in JSON.
pub(super) fn write(folder: &RunFolder, walked: &Walked, surface: String) -> Result<(), RunError> {
    write_file(&folder.file(WALK_TABLE_FILE), &table(walked))?;
    let tensors: Vec<Tensor<'_>> = walked
        .fields
        .iter()
        .map(|field| Tensor {
            name: field.name,
            shape: field.shape.clone(),
            data: TensorData::F32(&field.values),
        })
        .collect();
    let metadata = BTreeMap::from([("surface", surface)]);
    let path = folder.file(WALK_TENSORS_FILE);
    Ok(write_safetensors(&path, &tensors, &metadata)?)
}

/// Writes the figures and the report; nothing where there are no figures.
pub(super) fn write_figures(
    folder: &RunFolder,
    walked: &Walked,
    [title, subtitle]: [&str; 2],
    formats: WalkFigures,
) -> Result<(), RunError> {
    if walked.figures.is_empty() {
        return Ok(());
    }
    for figure in &walked.figures {
        if formats.png {
            let path = folder.file(&format!("{}.png", figure.name));
            write_file(&path, &svg_to_png(&figure.svg, DPI))?;
        }
        if formats.svg {
            let path = folder.file(&format!("{}.svg", figure.name));
            write_file(&path, figure.svg.as_bytes())?;
        }
    }
    let path = folder.file(REPORT_FILE);
    let (facts, figures) = (&walked.facts, &walked.figures);
    Ok(write_walk_report(&path, title, subtitle, facts, figures)?)
}

/// Moments over the steps.
fn table(walked: &Walked) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "step",
            "time",
            "msd",
            "msd_error",
            "mean_distance",
            "mean_x",
            "mean_y",
            "moving",
        ])
        .expect(IN_MEMORY);
    for at in &walked.moments {
        let [x, y] = at.displacement;
        let values = [
            f64::from(at.step) * walked.dt,
            at.msd,
            at.msd_error,
            at.distance,
            x,
            y,
            at.moving,
        ];
        let fields = values.map(|value| format!("{value:.9}"));
        writer
            .write_record([at.step.to_string()].iter().chain(&fields))
            .expect(IN_MEMORY);
    }
    writer.into_inner().expect(IN_MEMORY)
}

/// The values that a walk's tensors hold.
pub(super) fn fields(walk: &Walk<'_>, results: &Results) -> Vec<WalkField> {
    let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect();
    let mut fields = Vec::new();
    let mut field = |name, shape: &[usize], values| {
        let shape = shape.to_vec();
        fields.push(WalkField {
            name,
            shape,
            values,
        });
    };
    if let Ground::Grid(potential) = &walk.surface.ground {
        let shape = potential.shape();
        field("potential", &shape, narrow(potential.values()));
        if let (Some(occupation), Some(law)) = (&results.occupation, walk.law()) {
            field("occupation", &shape, narrow(occupation));
            field("stationary", &shape, narrow(&law));
        }
        if let Some(passages) = &results.passages {
            if let Some(h) = &passages.committor {
                field("committor", &shape, narrow(h));
            }
            if !passages.passage.is_empty() {
                field("passage_steps", &shape, narrow(&passages.passage));
            }
        }
    }
    let points = results.paths.first().map_or(0, Vec::len);
    let paths = results.paths.iter().flatten().flatten().copied().collect();
    field("paths", &[results.paths.len(), points, 2], paths);
    fields
}

/// How many walkers walk how.
pub(super) fn how(walk: &Walk<'_>) -> String {
    let job = walk.job;
    let how = match (job.walk, &walk.surface.ground) {
        (Gait::Lattice, Ground::Plane(_)) => "lattice walk".to_owned(),
        (Gait::Lattice, Ground::Grid(_)) => format!(
            "lattice walk (Metropolis), T = {}, {} edges",
            job.temperature,
            job.edges.name()
        ),
        (Gait::Langevin, _) => format!(
            "Langevin walk, T = {}, dt = {:.3e}",
            job.temperature, walk.dt
        ),
    };
    format!(
        "{how}; {} walkers, {} steps, seed {}",
        job.walkers, job.length, job.seed
    )
}

/// The surface, then the walk.
pub(super) fn subtitle(walk: &Walk<'_>) -> String {
    format!("{}\n{}", walk.surface.subtitle, how(walk))
}

pub(super) fn figures(walk: &Walk<'_>, results: &Results) -> Vec<Figure> {
    let surface = &walk.surface;
    let (title, subtitle) = (surface.title.as_str(), subtitle(walk));
    let axes = surface.axes.each_ref().map(String::as_str);
    let potential = match &surface.ground {
        Ground::Grid(potential) => Some(potential),
        Ground::Plane(_) => None,
    };
    let mut figures = Vec::new();
    let mut add = |name, svg| figures.push(Figure { name, svg });
    let spread = SpreadPlot {
        title,
        subtitle: &subtitle,
        unit: walk.unit,
        moments: &results.moments,
        fit: results.exponent,
        free_msd_a_step: walk.free_msd_a_step,
    };
    add("spread", spread_plot(&spread));
    let shown = format!(
        "{subtitle}; the first {} steps of {} walkers",
        walk.path_steps(),
        results.paths.len()
    );
    let walkers = WalkersPlot {
        title,
        subtitle: &shown,
        axes,
        range: surface.range,
        potential,
        paths: &results.paths,
        camera: Camera::default(),
    };
    add("walkers", walkers_plot(&walkers));
    let Some(potential) = potential else {
        return figures;
    };
    let flat = [axes[0], axes[1]];
    if let (Some(occupation), Some(law)) = (&results.occupation, walk.law()) {
        let plot = OccupationPlot {
            title,
            subtitle: &subtitle,
            axes: flat,
            shape: potential.shape(),
            occupation,
            law: &law,
        };
        add("occupation", occupation_plot(&plot));
    }
    if let Some(passages) = &results.passages
        && let (Some(h), [first, second], [a, b]) = (
            &passages.committor,
            &passages.names[..],
            &passages.basins[..],
        )
        && !passages.passage.is_empty()
    {
        let maps = FieldMaps {
            title,
            subtitle: &subtitle,
            axes: flat,
            shape: potential.shape(),
            names: [first, second],
            basins: [a, b],
            committor: h,
            passage: &passages.passage,
        };
        add("committor", committor_maps(&maps));
    }
    figures
}
