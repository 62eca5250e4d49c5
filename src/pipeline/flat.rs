//! Landscapes of planes and triangles: points that are affine in two coordinates.
//!
//! ```text
//! items ─ space ─> origin, two directions ─┬─ first layer on the plane ─ coordinates ─> rest of the network
//!                                          └─ inputs ─────────────────────────────────> network
//! ```
//!
//! Where the network begins with a dense layer, that layer is taken to the plane once, as three
//! vectors that are summed in 64-bit floats and rounded, and the engine is given two coordinates a
//! point: of 784-128-10, 66 times less work. Otherwise, and where inputs are clipped, which is not
//! affine, inputs are made.

use super::PipelineError;
use super::answers::{Answers, input_bytes, record_classify, upload_rows};
use super::batches::{in_batches, in_slots, segments};
use super::classify::{check_width, input_width};
use super::grid::check_steps;
use super::host::{HandOn, Part, ask_for_groups};
use super::places::Points;
use crate::engine::Engine;
use crate::kernels::{BUDGET, Recording};
use crate::landscape::{FlatGrid, FlatShape, GridKind, Landscape};
use crate::model::{Classifier, Network, Steps};
use crate::sections::{
    BOX_MARGIN, BoxRange, Exactness, ItemPlane, Space, SpaceKind, triangle_anchors,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Planes whose first layers a recording holds at most.
const PLANES_A_RECORDING: usize = 16;

/// How points are laid through three items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlatSettings {
    /// A plane or a triangle.
    #[serde(rename = "kind")]
    pub shape: FlatShape,
    /// How much wider than the items the box of a plane is; dbViz's `range_l` and `range_r`.
    pub range: BoxRange,
    /// Whether each value of a point is clamped to the range of an image's levels.
    pub clipped: bool,
    /// Whether the class map beside the samples is exact or certified where the network allows it.
    pub exact: Exactness,
    /// A class map of more regions than this is certified instead.
    pub max_regions: usize,
}

impl Default for FlatSettings {
    /// dbViz's plane.
    fn default() -> Self {
        Self {
            shape: FlatShape::Plane,
            range: [BOX_MARGIN; 2].into(),
            clipped: false,
            exact: Exactness::Auto,
            max_regions: 1_000_000,
        }
    }
}

impl FlatSettings {
    /// Refuses items that span no plane, or no triangle.
    ///
    /// # Errors
    /// [`PipelineError::Flat`] with the items.
    pub fn check(&self, space: &Space, job: &FlatJob<'_>) -> Result<(), PipelineError> {
        Laid::new(job, space, self, 2).map(|_| ())
    }

    /// The kind of its landscapes.
    pub fn kind(&self) -> GridKind {
        self.shape.into()
    }
}

/// Three items of a landscape, each an input of the model.
#[derive(Debug, Clone)]
pub struct FlatJob<'a> {
    /// A, B and C.
    pub items: [&'a [f32]; 3],
    /// What messages call them.
    pub name: String,
}

/// A plane or triangle as inputs: point (x, y) is `origin + x p + y q`.
struct Laid {
    origin: Vec<f64>,
    directions: [Vec<f64>; 2],
    grid: FlatGrid,
}

impl Laid {
    fn new(
        job: &FlatJob<'_>,
        space: &Space,
        settings: &FlatSettings,
        steps: usize,
    ) -> Result<Self, PipelineError> {
        let wide = job
            .items
            .map(|item| -> Vec<f64> { item.iter().map(|&value| f64::from(value)).collect() });
        let points = wide.each_ref().map(|item| space.point_of(item));
        let points = points.each_ref().map(Vec::as_slice);
        let refused = |source| PipelineError::Flat {
            items: job.name.clone(),
            source,
        };
        let unit = space.unit().to_owned();
        let [a, b, c] = wide;
        let (anchors, axes, directions) = match settings.shape {
            FlatShape::Plane => {
                let plane = ItemPlane::new(points, settings.range).map_err(refused)?;
                let directions = [&plane.u, &plane.v].map(|axis| space.input_direction(axis));
                (plane.anchors, plane.axes(steps), directions)
            }
            FlatShape::Triangle => {
                let anchors = triangle_anchors(points).map_err(refused)?;
                let to = |item: &[f64]| item.iter().zip(&a).map(|(to, from)| to - from).collect();
                (anchors, [const { Vec::new() }; 2], [to(&b), to(&c)])
            }
        };
        Ok(Self {
            origin: a,
            directions,
            grid: FlatGrid {
                anchors,
                axes,
                unit,
                clipped_share: None,
            },
        })
    }

    /// Coordinates (x, y) of point `k`.
    fn coordinates(&self, k: usize, steps: usize) -> [f64; 2] {
        let [x, y] = [k / steps, k % steps];
        match &self.grid.axes {
            [alpha, beta] if !alpha.is_empty() => [alpha[x], beta[y]],
            _ => [x, y].map(|index| index as f64 / (steps - 1) as f64),
        }
    }

    /// The input at coordinates, and how many of its values were clamped.
    fn input(&self, [x, y]: [f64; 2], clipped: bool, input: &mut Vec<f32>) -> usize {
        let [p, q] = &self.directions;
        let mut clamped = 0;
        for ((z, p), q) in self.origin.iter().zip(p).zip(q) {
            let value = z + x * p + y * q;
            let inside = (0.0..=255.0).contains(&value);
            clamped += usize::from(clipped && !inside);
            let value = if clipped {
                value.clamp(0.0, 255.0)
            } else {
                value
            };
            input.push(value as f32);
        }
        clamped
    }
}

/// Computes a landscape for each job, in order; `space` says what lengths and right angles are
/// between items. `progress` is told the number of points that have just been finished, now and then
/// none, and may stop the job. Inputs are kept where they are rows, or where `keep` says so; the
/// points of a plane may lie outside the levels of an image unless they are clipped.
///
/// # Errors
/// [`PipelineError::Flat`] where items span no plane; as [`super::interpolate_rows`].
pub fn compute_flat(
    engine: &dyn Engine,
    model: &dyn Classifier,
    space: &Space,
    settings: &FlatSettings,
    (steps, jobs): (usize, &[FlatJob<'_>]),
    keep: super::Frames,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Landscape>, PipelineError> {
    let Some(first) = jobs.first() else {
        return Ok(Vec::new());
    };
    let width = input_width(model).unwrap_or(first.items[0].len()).max(1);
    check_steps(steps, width)?;
    for (number, job) in jobs.iter().enumerate() {
        for (name, item) in ['A', 'B', 'C'].into_iter().zip(job.items) {
            check_width(item, width, || format!("item {name} of landscape {number}"))?;
        }
    }
    let kind = settings.kind();
    let flat = Flat {
        settings,
        steps,
        width,
        points: kind.points(steps).collect(),
        num_classes: model.num_classes(),
        keep: keep == super::Frames::Keep || space.kind() == SpaceKind::Rows,
    };
    let lay = |group: &[FlatJob<'_>]| -> Result<Vec<Laid>, PipelineError> {
        let laid = group
            .par_iter()
            .map(|job| Laid::new(job, space, settings, steps));
        laid.collect()
    };
    let most = (BUDGET.rows_a_group() / flat.points.len()).max(1);
    let groups: Vec<&[FlatJob<'_>]> = jobs.chunks(most).collect();
    let finished = match model.network() {
        Network::Steps(network) => {
            let groups = in_slots(&groups, |group| {
                flat.classify(engine, network, lay(group)?, progress)
            })?;
            groups.into_iter().flatten().collect()
        }
        Network::Host(network) => {
            let make = |group: &[FlatJob<'_>], hand_on: &HandOn<'_>| {
                flat.hand_on(engine, lay(group)?, hand_on)
            };
            ask_for_groups(network, steps * steps, &groups, make, progress)?
        }
    };
    let landscapes = finished
        .into_iter()
        .map(|((grid, inputs), answers)| Landscape {
            kind,
            steps,
            num_classes: flat.num_classes,
            logits: answers.logits,
            probabilities: answers.probabilities,
            inputs,
            morph: None,
            flat: Some(grid),
        });
    Ok(landscapes.collect())
}

/// The inputs of all places of a grid, `[steps, steps, values]`, for figures; NaN where the grid has
/// no point.
///
/// # Errors
/// [`PipelineError::Flat`] where items span no plane.
pub fn flat_inputs(
    space: &Space,
    settings: &FlatSettings,
    steps: usize,
    job: &FlatJob<'_>,
) -> Result<Vec<f32>, PipelineError> {
    let laid = Laid::new(job, space, settings, steps)?;
    let width = laid.origin.len();
    let mut all = vec![f32::NAN; steps * steps * width];
    for k in settings.kind().points(steps) {
        let mut input = Vec::with_capacity(width);
        laid.input(laid.coordinates(k, steps), settings.clipped, &mut input);
        all[k * width..(k + 1) * width].copy_from_slice(&input);
    }
    Ok(all)
}

/// What the grids of a job share.
struct Flat<'a> {
    settings: &'a FlatSettings,
    steps: usize,
    /// Values of an input.
    width: usize,
    /// The points that a grid has.
    points: Vec<usize>,
    num_classes: usize,
    /// Whether inputs are kept.
    keep: bool,
}

/// A grid's places and its inputs, if they are kept.
type Made = (FlatGrid, Option<Vec<f32>>);

impl Flat<'_> {
    /// Classifies the points of a group by kernels.
    fn classify(
        &self,
        engine: &dyn Engine,
        network: &Steps,
        group: Vec<Laid>,
        progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Vec<(Made, Answers)>, PipelineError> {
        let places = self.steps * self.steps;
        let mut answers = vec![Answers::unknown(places * self.num_classes); group.len()];
        let mut made = self.unmade(&group);
        let on_planes: Option<Vec<Steps>> = match self.settings.clipped {
            true => None,
            false => group
                .par_iter()
                .map(|laid| {
                    let directions = laid.directions.each_ref().map(Vec::as_slice);
                    network.on_plane(&laid.origin, directions)
                })
                .collect(),
        };
        let narrow = on_planes.as_ref().and_then(|steps| steps.first());
        let bytes = input_bytes(&[narrow.unwrap_or(network)]);
        let most = engine.batch_buffer_bytes() / bytes;
        let most = most.clamp(1, PLANES_A_RECORDING * self.points.len());
        let total = group.len() * self.points.len();
        in_batches(engine, total, most, |engine, batch| {
            let points = batch.len();
            let mut recording = Recording::new();
            let mut recorded = Vec::new();
            for segment in segments(batch, self.points.len()) {
                let n = segment.landscape;
                let ks = &self.points[segment.rows];
                let bufs = match &on_planes {
                    Some(on_planes) => {
                        let coordinates: Vec<f32> = (ks.iter())
                            .flat_map(|&k| group[n].coordinates(k, self.steps))
                            .map(|x| x as f32)
                            .collect();
                        let rows = coordinates.chunks_exact(2);
                        let x = upload_rows(&mut recording, "flat.coordinates", rows, 2);
                        record_classify(&mut recording, x, ks.len(), &on_planes[n])
                    }
                    None => {
                        let (inputs, _) = self.inputs(&group[n], ks);
                        let rows = inputs.chunks_exact(self.width);
                        let x = upload_rows(&mut recording, "flat.inputs", rows, self.width);
                        record_classify(&mut recording, x, ks.len(), network)
                    }
                };
                recorded.push((n, ks, bufs));
            }
            let downloads = engine.run(&recording)?;
            for (n, ks, bufs) in recorded {
                let read = bufs.read(&downloads)?;
                for (&k, answer) in ks.iter().zip(read.rows(self.num_classes)) {
                    answers[n].put(Points::one(n, k), answer);
                }
            }
            match progress(points) {
                ControlFlow::Break(()) => Err(PipelineError::Interrupted),
                ControlFlow::Continue(()) => Ok(()),
            }
        })?;
        for (n, laid) in group.iter().enumerate() {
            self.keep_inputs(laid, &mut made[n]);
        }
        self.state_clipped(&group, &mut made);
        Ok(made.into_iter().zip(answers).collect())
    }

    /// Makes the inputs of a group and hands them on to a network that the host runs.
    fn hand_on(
        &self,
        engine: &dyn Engine,
        group: Vec<Laid>,
        hand_on: &HandOn<'_>,
    ) -> Result<Vec<Made>, PipelineError> {
        let mut made = self.unmade(&group);
        let most = (engine.batch_buffer_bytes() / (4 * self.width)).max(1);
        for (n, laid) in group.iter().enumerate() {
            for ks in self.points.chunks(most) {
                let (values, _) = self.inputs(laid, ks);
                hand_on(Part {
                    values,
                    points: ks.iter().map(|&k| Points::one(n, k)).collect(),
                    failed: 0,
                })?;
            }
            self.keep_inputs(laid, &mut made[n]);
        }
        self.state_clipped(&group, &mut made);
        Ok(made)
    }

    fn unmade(&self, group: &[Laid]) -> Vec<Made> {
        group.iter().map(|laid| (laid.grid.clone(), None)).collect()
    }

    /// The inputs at points, and how many of their values were clamped.
    fn inputs(&self, laid: &Laid, points: &[usize]) -> (Vec<f32>, usize) {
        let chunks = points.par_chunks(64).map(|points| {
            let mut inputs = Vec::with_capacity(points.len() * self.width);
            let clamped = points.iter().map(|&k| {
                let at = laid.coordinates(k, self.steps);
                laid.input(at, self.settings.clipped, &mut inputs)
            });
            let clamped: usize = clamped.sum();
            (inputs, clamped)
        });
        let chunks: Vec<_> = chunks.collect();
        let clamped = chunks.iter().map(|(_, clamped)| clamped).sum();
        let inputs = chunks.into_iter().flat_map(|(inputs, _)| inputs);
        (inputs.collect(), clamped)
    }

    fn keep_inputs(&self, laid: &Laid, (_, kept): &mut Made) {
        if !self.keep {
            return;
        }
        let mut all = vec![f32::NAN; self.steps * self.steps * self.width];
        let (inputs, _) = self.inputs(laid, &self.points);
        for (&k, input) in self.points.iter().zip(inputs.chunks_exact(self.width)) {
            all[k * self.width..(k + 1) * self.width].copy_from_slice(input);
        }
        *kept = Some(all);
    }

    /// Says which share of the values was clamped.
    fn state_clipped(&self, group: &[Laid], made: &mut [Made]) {
        if !self.settings.clipped {
            return;
        }
        let all = (self.points.len() * self.width) as f64;
        let shares = group.par_iter().map(|laid| {
            let of_chunk = |ks: &[usize]| self.inputs(laid, ks).1;
            let clamped: usize = self.points.chunks(4096).map(of_chunk).sum();
            clamped as f64 / all
        });
        for ((grid, _), share) in made.iter_mut().zip(shares.collect::<Vec<f64>>()) {
            grid.clipped_share = Some(share);
        }
    }
}
