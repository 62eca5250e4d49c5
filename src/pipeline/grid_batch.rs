//! A batch of grids: rows of a group's grids that go to the engine together.

use super::answers::{AnswerBufs, record_classify, upload_rows};
use super::batches::segments;
use super::grid::Grid;
use super::mode::MorphMode;
use super::places::Points;
use super::prepare::Prepared;
use crate::data::Image;
use crate::kernels::{Buf, Downloads, PairJob, Recording, row_stride};
use crate::model::Steps;
use std::ops::Range;

/// The inputs of a batch. Those that stand at several points are there once: the target of a
/// landscape is its whole last column.
pub(super) struct Batch<'p> {
    grid: &'p Grid,
    /// Landscape by landscape the target and then the mixes; these are column 0 of their rows.
    images: Vec<&'p Image>,
    /// Pairs of images, one a row, between which the frames lie.
    pairs: Vec<PairJob<'p>>,
    /// Frames that the host has made, row by row; empty in clean mode, whose frames the engine makes.
    host_frames: Vec<&'p Image>,
    /// Where each image stands, and then each frame.
    places: Vec<Place>,
}

/// Where an input stands.
struct Place {
    points: Points,
    /// Whether it is a frame that failed, of which there is no answer.
    failed: bool,
}

/// A batch for the engine.
pub(super) struct Recorded {
    pub(super) recording: Recording,
    frames: Buf<f32>,
    /// Of each network that classifies in the recording, of the images and of the frames.
    pub(super) answers: Vec<[AnswerBufs; 2]>,
}

/// What a recording is to bring back.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// The frames.
    Frames,
    /// What these networks answer.
    Answers(&'a [&'a Steps]),
    /// Both.
    Both(&'a [&'a Steps]),
}

impl<'p> Batch<'p> {
    /// `rows` of all rows of a group's grids, landscape by landscape.
    pub(super) fn new(grid: &'p Grid, group: &'p [Prepared<'_>], rows: Range<usize>) -> Self {
        let steps = grid.steps;
        let mut batch = Self {
            grid,
            images: Vec::new(),
            pairs: Vec::new(),
            host_frames: Vec::new(),
            places: Vec::new(),
        };
        let mut frame_places = Vec::new();
        for segment in segments(rows, steps) {
            let landscape = segment.landscape;
            let prepared = &group[landscape];
            let right = batch.images.len();
            batch.images.push(prepared.target);
            batch.places.push(Place {
                points: Points {
                    landscape,
                    first: segment.rows.start * steps + steps - 1,
                    stride: steps,
                    count: segment.rows.len(),
                },
                failed: false,
            });
            for i in segment.rows {
                let row = &prepared.rows[i];
                batch.pairs.push(PairJob {
                    left: batch.images.len(),
                    right,
                    mesh: &row.mesh,
                });
                batch.images.push(&row.mix);
                let place = |j: usize| Place {
                    points: Points::one(landscape, i * steps + j),
                    failed: row.has_failed(j),
                };
                batch.places.push(place(0));
                batch.host_frames.extend(row.frames.iter().flatten());
                frame_places.extend((1..steps - 1).map(place));
            }
        }
        batch.places.extend(frame_places);
        batch
    }

    /// Records what makes the frames, and classifies them where that is wanted.
    pub(super) fn record(&self, wanted: Wanted<'_>) -> Recorded {
        // An engine is given a blank image in the place of one that failed.
        let blank = vec![0.0; self.grid.frame_values];
        let levels = |image: &&'p Image| match image.is_failed() {
            true => blank.as_slice(),
            false => image.levels.as_slice(),
        };
        let mut recording = Recording::new();
        let mut upload = |label, images: &[&'p Image]| {
            let rows = images.iter().map(levels);
            upload_rows(&mut recording, label, rows, self.grid.frame_values)
        };
        let images = upload("grid.images", &self.images);
        let jobs = self.grid.frame_jobs(self.pairs.len());
        let frames = match self.grid.mode {
            MorphMode::Clean(sampling) => {
                let geometry = self.grid.geometry(sampling);
                recording.warp(images, self.images.len(), &geometry, &self.pairs, &jobs)
            }
            _ => upload("grid.frames", &self.host_frames),
        };
        if !matches!(wanted, Wanted::Answers(_)) {
            recording.download(frames);
        }
        let networks = match wanted {
            Wanted::Frames => &[],
            Wanted::Answers(networks) | Wanted::Both(networks) => networks,
        };
        let both = [(images, self.images.len()), (frames, jobs.len())];
        let answers = networks
            .iter()
            .map(|steps| both.map(|(x, rows)| record_classify(&mut recording, x, rows, steps)))
            .collect();
        Recorded {
            recording,
            frames,
            answers,
        }
    }

    /// Points of the batch's rows.
    pub(super) fn num_points(&self) -> usize {
        self.pairs.len() * self.grid.steps
    }

    /// Where the inputs stand, in their order; nothing for one that failed.
    pub(super) fn points(&self) -> impl Iterator<Item = Option<Points>> {
        let places = self.places.iter();
        places.map(|place| (!place.failed).then_some(place.points))
    }

    /// Every input's levels, NaN in one that failed, and where it stands. The frames of clean mode
    /// are those that came back.
    pub(super) fn inputs<'a>(
        &'a self,
        back: Option<(&Recorded, &'a Downloads)>,
    ) -> impl Iterator<Item = (&'a [f32], Points)> {
        let values = self.grid.frame_values;
        let made = back.filter(|_| matches!(self.grid.mode, MorphMode::Clean(_)));
        let made = made.map_or(&[][..], |(recorded, downloads)| {
            downloads.values(recorded.frames)
        });
        let made = made.chunks_exact(row_stride(values));
        let images = self.images.iter().chain(&self.host_frames);
        images
            .map(|image| image.levels.as_slice())
            .chain(made.map(move |row| &row[..values]))
            .zip(self.places.iter().map(|place| place.points))
    }

    /// Those of them that did not fail.
    pub(super) fn whole_inputs<'a>(
        &'a self,
        back: Option<(&Recorded, &'a Downloads)>,
    ) -> impl Iterator<Item = (&'a [f32], Points)> {
        let inputs = self.inputs(back).zip(&self.places);
        inputs.filter_map(|(input, place)| (!place.failed).then_some(input))
    }
}
