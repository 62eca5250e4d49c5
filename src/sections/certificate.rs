//! What a number of samples misses of an exact section: the certificate beside every sampled
//! number.

use super::line::LineSection;
use super::plane::line_parameters;
use super::section::PlaneSection;
use crate::landscape::{Connectivity, num_regions};
use serde::Serialize;

/// What N samples of a line see of its class intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineCertificate {
    /// Samples, the ends included.
    pub points: usize,
    /// Class intervals that there are.
    pub intervals: usize,
    /// Label changes that the samples show; dbViz's `count_skips`.
    pub changes: usize,
    /// Class intervals without a sample.
    pub missed: usize,
    /// Width of the narrowest interval, in t.
    pub narrowest: f64,
    /// The same in units of the space.
    pub narrowest_length: f64,
    /// Samples that hit every interval for sure.
    pub points_needed: f64,
}

/// What `points` samples of a line's range, ends included, miss.
pub fn certify_line(line: &LineSection, points: usize) -> LineCertificate {
    let range = [line.t[0], line.t[line.t.len() - 1]];
    // The interval each sample falls into; at a break the one that begins there.
    let place = |t: f64| {
        let begun = line.breaks.partition_point(|&b| b <= t);
        begun.saturating_sub(1).min(line.classes.len() - 1)
    };
    let seen: Vec<usize> = line_parameters(points, range)
        .into_iter()
        .map(place)
        .collect();
    let changed = |pair: &&[usize]| line.classes[pair[0]] != line.classes[pair[1]];
    let mut different = seen.clone();
    different.dedup();
    let narrowest = line.narrowest_interval();
    LineCertificate {
        points,
        intervals: line.classes.len(),
        changes: seen.windows(2).filter(changed).count(),
        missed: line.classes.len() - different.len(),
        narrowest,
        narrowest_length: narrowest * line.length,
        points_needed: ((range[1] - range[0]) / narrowest).ceil() + 1.0,
    }
}

impl LineCertificate {
    /// The certificate in one sentence.
    pub fn sentence(&self) -> String {
        let Self {
            points,
            intervals,
            missed,
            narrowest,
            points_needed,
            ..
        } = self;
        match missed {
            0 if *intervals == 1 => format!("one class on the whole line; {points} points see it"),
            0 => format!("{points} points see all {intervals} class intervals of the line"),
            _ => format!(
                "{points} points miss {missed} of {intervals} class intervals; the narrowest covers {narrowest:.0e} of the line, and {points_needed:.0} points would be sure to see it"
            ),
        }
    }
}

/// What the points of a grid see of a plane's components.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaneCertificate {
    /// Points along alpha and beta.
    pub points: [usize; 2],
    /// Components that there are.
    pub components: usize,
    /// Components without a point.
    pub missed: usize,
    /// A place in each of them, in plane coordinates.
    pub missed_places: Vec<[f64; 2]>,
    /// Regions of equal labels on the grid, 4- and 8-connected (the latter dbViz's fragmentation).
    pub sampled_regions: [usize; 2],
    /// Area of the smallest component, as a share.
    pub smallest_area_share: f64,
    /// Mean width of the smallest component, in units of the space.
    pub smallest_mean_width: f64,
    /// Largest difference of a class's share of the points from its share of the area.
    pub area_error: f64,
}

/// What a grid `alpha x beta` over the section misses.
pub fn certify_plane(section: &PlaneSection, alpha: &[f64], beta: &[f64]) -> PlaneCertificate {
    let faces = section.faces_on_grid(alpha, beta);
    let label = |face: &Option<u32>| face.map(|f| usize::from(section.faces.class[f as usize]));
    // Outside a triangle there is no label: one more class, which is not counted.
    let outside = usize::from(u16::MAX);
    let labels: Vec<usize> = faces.iter().map(|f| label(f).unwrap_or(outside)).collect();
    let mut seen = vec![false; section.components.len()];
    for face in faces.iter().flatten() {
        seen[section.faces.component[*face as usize] as usize] = true;
    }
    let missed_places = (0..seen.len())
        .filter(|&part| !seen[part])
        .filter_map(|part| {
            let mut faces = 0..section.faces.len();
            let face = faces.find(|&face| section.faces.component[face] as usize == part)?;
            let corners = section.faces.corners(face);
            let mean = |axis: usize| {
                corners.iter().map(|corner| corner[axis]).sum::<f64>() / corners.len() as f64
            };
            Some([mean(0), mean(1)])
        });
    let missed_places = missed_places.collect();
    let shape = [alpha.len(), beta.len()];
    let has_outside = labels.contains(&outside);
    let regions = |connectivity| {
        let all = num_regions(&labels, shape, connectivity);
        if !has_outside {
            return all;
        }
        let mask: Vec<usize> = labels.iter().map(|&l| usize::from(l == outside)).collect();
        let inside: Vec<usize> = mask.iter().map(|&m| 1 - m).collect();
        // Regions of the mask, less those of what is inside, are the regions outside.
        all - num_regions(&mask, shape, connectivity) + inside_regions(&inside, shape, connectivity)
    };
    let inside = labels.iter().filter(|&&l| l != outside).count().max(1) as f64;
    let classes = 0..section
        .faces
        .class
        .iter()
        .map(|&c| usize::from(c) + 1)
        .max()
        .unwrap_or(0);
    let area_error = classes
        .map(|class| {
            let sampled = labels.iter().filter(|&&l| l == class).count() as f64 / inside;
            (sampled - section.area_share.get(&class).copied().unwrap_or(0.0)).abs()
        })
        .fold(0.0, f64::max);
    let smallest = section
        .components
        .iter()
        .min_by(|a, b| a.area_share.total_cmp(&b.area_share));
    PlaneCertificate {
        points: shape,
        components: section.components.len(),
        missed: seen.iter().filter(|seen| !**seen).count(),
        missed_places,
        sampled_regions: [Connectivity::Four, Connectivity::Eight].map(regions),
        smallest_area_share: smallest.map_or(0.0, |c| c.area_share),
        smallest_mean_width: smallest.map_or(0.0, |c| c.mean_width),
        area_error,
    }
}

/// Regions of value 1 of a mask.
fn inside_regions(
    mask: &[usize],
    [rows, columns]: [usize; 2],
    connectivity: Connectivity,
) -> usize {
    // A frame of 0 joins all of 0 that touches the edge; what is left of 0 are holes, and a convex
    // polygon has none.
    let width = columns + 2;
    let mut framed = vec![0; (rows + 2) * width];
    for (k, &value) in mask.iter().enumerate() {
        framed[(k / columns + 1) * width + k % columns + 1] = value;
    }
    num_regions(&framed, [rows + 2, width], connectivity) - 1
}

impl PlaneCertificate {
    /// The certificate in one sentence.
    pub fn sentence(&self) -> String {
        let [n, m] = self.points;
        match self.missed {
            0 if self.components == 1 => {
                format!("one class on the whole map; {n} x {m} points see it")
            }
            0 => format!("{n} x {m} points see all {} regions", self.components),
            missed => format!(
                "{n} x {m} points miss {missed} of {} regions; the smallest covers {:.0e} of the box",
                self.components, self.smallest_area_share
            ),
        }
    }
}
