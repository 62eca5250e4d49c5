//! The morph of two or three images of one's own, as plain data.

use super::error::{JobError, Located};
use super::images::{ImageSource, find_image};
use crate::data::{Image, read_points_file};
use crate::kernels::BUDGET;
use crate::mesh::{Point, cell_size_px};
use crate::pipeline::MorphSettings;
use crate::remedy::Setting;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One image into another, or the mixes of two into a third.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MorphJob {
    /// Two or three images: files, or items of `data` such as `t10k#1565`.
    pub items: Vec<String>,
    /// Blend weights of two images, 0..1; without any, and for three, evenly over the steps.
    pub alphas: Vec<f64>,
    /// The set that items are of.
    pub data: ImageSource,
    /// How they are morphed.
    pub morph: MorphSettings,
    /// A file with the feature points of the items, in the place of those that are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PathBuf>,
}

/// A morph that is ready to compute.
#[derive(Debug)]
pub struct LoadedMorph {
    /// Two or three images of one shape.
    pub images: Vec<Image>,
    /// Blend weights, 0..1.
    pub alphas: Vec<f64>,
    /// How they are morphed.
    pub morph: MorphSettings,
    /// Feature points of each image, where a user has set them.
    pub points: Option<Vec<Vec<Point>>>,
    /// Digest of their file.
    pub points_sha256: Option<String>,
}

impl MorphJob {
    /// Reads the images and checks that they fit together.
    ///
    /// # Errors
    /// [`JobError`] with the item and what is wrong with it.
    pub fn load(&self) -> Result<LoadedMorph, JobError> {
        if !(2..=3).contains(&self.items.len()) {
            return Err(JobError::unfit(format!(
                "expected two or three images, found {}",
                self.items.len()
            )));
        }
        if self.items.len() == 3 && !self.alphas.is_empty() {
            return Err(JobError::unfit(
                "expected evenly spaced blend weights for a grid of three images, found others; leave them out",
            ));
        }
        let set = self.data.load()?.images;
        let mut images = self
            .items
            .iter()
            .map(|item| find_image(item, &set, &self.data.options))
            .collect::<Result<Vec<_>, _>>()?;
        if images.iter().any(|image| image.channels == 3) {
            // As grey files among coloured ones of a folder.
            let coloured = images.into_iter().map(|image| image.with_channels(3));
            images = coloured.collect();
        }
        for (name, image) in self.items.iter().zip(&images) {
            if image.shape() != images[0].shape() {
                return Err(JobError::unfit_but(
                    format!(
                        "{name}: expected an image of {} as {} is, found {}",
                        images[0].shape_text(),
                        self.items[0],
                        image.shape_text()
                    ),
                    format!(
                        "scale them with {{}} {}x{}",
                        images[0].width_px, images[0].height_px
                    ),
                    &[Setting::Resize],
                ));
            }
        }
        // What does not fit is found out before anything is written.
        cell_size_px(images[0].width_px, images[0].height_px, self.morph.grid).at(&self.items[0])?;
        let lists = match &self.points {
            Some(path) => Some(read_points_file(path).in_setting(Setting::Points, path.display())?),
            None => None,
        };
        let points = match (&lists, &self.points) {
            (Some(lists), Some(path)) => {
                let size = [images[0].width_px, images[0].height_px];
                let of = lists.of(self.items.iter().map(String::as_str), size);
                Some(of.in_setting(Setting::Points, path.display())?)
            }
            _ => None,
        };
        let alphas = self.weights()?;
        let num_frames = if images.len() == 3 {
            alphas.len().pow(2)
        } else {
            alphas.len()
        };
        let frames_bytes = num_frames * size_of_val(images[0].levels.as_slice());
        if frames_bytes > BUDGET.kept_frames() {
            return Err(JobError::unfit_but(
                format!(
                    "{num_frames} frames of {} take {} MiB, expected at most {}",
                    images[0].shape_text(),
                    frames_bytes >> 20,
                    BUDGET.kept_frames() >> 20
                ),
                "use fewer {} or smaller images",
                &[Setting::Steps],
            ));
        }
        Ok(LoadedMorph {
            images,
            alphas,
            morph: self.morph,
            points_sha256: lists.as_ref().map(|lists| lists.sha256().to_owned()),
            points,
        })
    }

    fn weights(&self) -> Result<Vec<f64>, JobError> {
        if self.alphas.is_empty() {
            let steps = self.morph.steps;
            if steps < 2 {
                return Err(JobError::setting(
                    Setting::Steps,
                    steps,
                    JobError::unfit("expected at least 2"),
                ));
            }
            let last = (steps - 1) as f64;
            return Ok((0..steps).map(|i| i as f64 / last).collect());
        }
        match self
            .alphas
            .iter()
            .find(|alpha| !(0.0..=1.0).contains(*alpha))
        {
            Some(alpha) => Err(JobError::unfit(format!(
                "expected blend weights from 0 to 1, found {alpha}"
            ))),
            None => Ok(self.alphas.clone()),
        }
    }
}
