//! The class map of a plane or triangle, as exactly as the network and a budget allow, with what a
//! sampled grid misses of it.
//!
//! ```text
//! piecewise linear ─┬─ few enough regions ─> every cell: exact, components, certificate
//!                   └─ more, of a box ─────> tiles: certified
//! smooth, of a box ────────────────────────> tiles: certified on a share
//! clipped, no area, another network ───────> sampled, and why
//! ```

use super::certificate::{PlaneCertificate, certify_plane};
use super::certified::{TileOptions, certified_plane, estimated_regions};
use super::network::SectionNetwork;
use super::paths::{barrier_columns, barrier_of};
use super::plane::{ItemPlane, difference};
use super::section::{Component, Faces, PlaneOptions, cut_plane, exact_plane};
use super::{SectionError, SectionLabel};
use crate::landscape::FlatShape;
use serde::Serialize;
use std::collections::BTreeMap;

/// The classes on a box or triangle.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMap {
    /// How far it can be trusted.
    pub label: SectionLabel,
    /// Why it is not exact, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Area, in square units of the space.
    pub area: f64,
    /// Cells on which the network is affine, where all are known; else about how many there are.
    pub regions: Option<usize>,
    /// About how many there are, where not all were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions_about: Option<f64>,
    /// Share of the area of each class, as far as it is known.
    pub area_share: BTreeMap<usize, f64>,
    /// Length of the boundary of each pair of classes, `"2-5"`, in units of the space.
    pub boundary_length: BTreeMap<String, f64>,
    /// Their sum.
    pub boundary_total: f64,
    /// The same in sides of a square of the same area.
    pub boundary_sides: f64,
    /// Connected parts of one class, where the map is exact.
    pub components: Vec<Component>,
    /// The least barriers from item A to B, from A to C and from B to C: of all paths over the map the
    /// lowest largest lead, in logits, of a class that neither item is predicted to be; below 0
    /// where no other class need be met. Nothing where the map is not exact, would be cut into too many
    /// faces, has no other class, or leaves an item out.
    pub barriers: [Option<f64>; 3],
    /// What the grid's points miss, where the map is exact.
    pub certificate: Option<PlaneCertificate>,
    /// What stands beside the sampled numbers, in one sentence.
    pub sentence: String,
    /// Boundary segments in plane coordinates, `[x, y, x, y]`.
    #[serde(skip)]
    pub segments: Vec<[f64; 4]>,
    /// The two classes of each, the lower one first.
    #[serde(skip)]
    pub segment_classes: Vec<[u16; 2]>,
    /// Faces of an exact map.
    #[serde(skip)]
    pub faces: Faces,
}

/// How a map is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapOptions {
    /// Points a side of the sampled grid that the map stands beside.
    pub steps: usize,
    /// More regions than this are not made one by one.
    pub max_regions: usize,
}

impl ClassMap {
    /// A map that is sampled alone, and why.
    pub fn sampled(steps: usize, because: String) -> Self {
        Self {
            label: SectionLabel::Sampled { points: steps },
            sentence: format!("sampled alone, nothing is known between the points: {because}"),
            because: Some(because),
            area: 0.0,
            regions: None,
            regions_about: None,
            area_share: BTreeMap::new(),
            boundary_length: BTreeMap::new(),
            boundary_total: 0.0,
            boundary_sides: 0.0,
            components: Vec::new(),
            barriers: [None; 3],
            certificate: None,
            segments: Vec::new(),
            segment_classes: Vec::new(),
            faces: Faces::default(),
        }
    }
}

/// The class map of the plane through three items, `[d]` each.
///
/// # Errors
/// [`SectionError`] where a value is not finite or a result contradicts itself. What cannot be exact
/// is certified or sampled instead, and says so.
pub fn class_map(
    network: &SectionNetwork,
    items: [&[f64]; 3],
    plane: &ItemPlane,
    shape: FlatShape,
    options: &MapOptions,
) -> Result<ClassMap, SectionError> {
    let steps = options.steps;
    let limit = options.max_regions;
    if !network.is_piecewise_linear() {
        return match shape {
            FlatShape::Plane => certified(network, plane, options, None),
            FlatShape::Triangle => Ok(ClassMap::sampled(
                steps,
                "a triangle of a network with smooth activations is not certified".into(),
            )),
        };
    }
    // A line with more pieces than regions are allowed is not counted to its end.
    let about = match estimated_regions(network, plane, limit.max(1000)) {
        Ok(about) => about,
        Err(SectionError::TooManyPieces { .. }) => f64::INFINITY,
        Err(error) => return Err(error),
    };
    let map = match about <= 2.0 * limit as f64 {
        true => exact(network, items, plane, shape, options),
        false => Err(SectionError::TooManyRegions { limit }),
    };
    match (map, shape) {
        (Err(SectionError::TooManyRegions { .. }), FlatShape::Plane) => {
            certified(network, plane, options, Some(about))
        }
        (Err(SectionError::TooManyRegions { .. }), FlatShape::Triangle) => {
            let because = format!("the triangle has more than {limit} regions");
            Ok(ClassMap::sampled(steps, because))
        }
        (map, _) => map,
    }
}

fn exact(
    network: &SectionNetwork,
    items: [&[f64]; 3],
    plane: &ItemPlane,
    shape: FlatShape,
    options: &MapOptions,
) -> Result<ClassMap, SectionError> {
    let polygon = match shape {
        FlatShape::Plane => plane.corners(),
        FlatShape::Triangle => plane.anchors.to_vec(),
    };
    let cells = PlaneOptions {
        max_regions: options.max_regions,
    };
    let cut = cut_plane(network, plane, &polygon, &cells, barrier_columns(network))?;
    let section = cut.section()?;
    let mut barriers = [None; 3];
    for (barrier, [from, to]) in barriers.iter_mut().zip([[0, 1], [0, 2], [1, 2]]) {
        let ends = [from, to].map(|item: usize| plane.anchors[item]);
        if shape == FlatShape::Plane && !ends.iter().all(|&end| plane.holds(end)) {
            continue;
        }
        *barrier = match barrier_of(network, plane, &cut, ends) {
            Err(SectionError::TooManyRegions { .. }) => None,
            barrier => barrier?,
        };
    }
    let certificate = match shape {
        FlatShape::Plane => {
            let [alpha, beta] = plane.axes(options.steps);
            certify_plane(&section, &alpha, &beta)
        }
        FlatShape::Triangle => {
            let found = certify_lattice(network, items, &cells, options.steps)?;
            let smallest =
                (section.components.iter()).min_by(|a, b| a.area_share.total_cmp(&b.area_share));
            let place = |at: &[f64; 2]| {
                let weights = [1.0 - at[0] - at[1], at[0], at[1]];
                [0, 1].map(|axis| (0..3).map(|n| weights[n] * plane.anchors[n][axis]).sum())
            };
            PlaneCertificate {
                smallest_mean_width: smallest.map_or(0.0, |part| part.mean_width),
                missed_places: found.missed_places.iter().map(place).collect(),
                ..found
            }
        }
    };
    Ok(ClassMap {
        label: section.label,
        because: None,
        area: section.area,
        regions: Some(section.regions),
        regions_about: None,
        boundary_sides: section.boundary_total / section.area.sqrt(),
        area_share: section.area_share,
        boundary_length: section.boundary_length,
        boundary_total: section.boundary_total,
        components: section.components,
        barriers,
        sentence: certificate.sentence(),
        certificate: Some(certificate),
        segments: section.segments,
        segment_classes: section.segment_classes,
        faces: section.faces,
    })
}

/// What a triangle's points miss. They are a lattice along two sides: the same section in their
/// coordinates, whose areas are the same shares.
fn certify_lattice(
    network: &SectionNetwork,
    items: [&[f64]; 3],
    cells: &PlaneOptions,
    steps: usize,
) -> Result<PlaneCertificate, SectionError> {
    let skew = ItemPlane {
        origin: items[0].to_vec(),
        u: difference(items[0], items[1]),
        v: difference(items[0], items[2]),
        anchors: [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        lo: [0.0; 2],
        hi: [1.0; 2],
    };
    let section = exact_plane(network, &skew, &skew.anchors, cells)?;
    let [alpha, beta] = skew.axes(steps);
    Ok(certify_plane(&section, &alpha, &beta))
}

fn certified(
    network: &SectionNetwork,
    plane: &ItemPlane,
    options: &MapOptions,
    about: Option<f64>,
) -> Result<ClassMap, SectionError> {
    let map = certified_plane(network, plane, &TileOptions::default())?;
    let because = match about {
        // The estimate may be too low, and much fewer regions of a wide network take as much memory.
        Some(about) if about <= options.max_regions as f64 => format!(
            "more than {} regions, or their values take more than 2 GiB: bounds prove the classes instead",
            options.max_regions
        ),
        Some(about) if about.is_finite() => format!(
            "about {about:.0e} regions, more than {}: bounds prove the classes instead",
            options.max_regions
        ),
        Some(_) => format!(
            "more than {} regions: bounds prove the classes instead",
            options.max_regions
        ),
        None => "the network has smooth activations: bounds prove the classes".to_owned(),
    };
    Ok(ClassMap {
        label: map.label(),
        sentence: format!(
            "the class is proved on {} % of the box, whose boundary is {:.2} sides long; parts of a class are not counted",
            floored_percent(map.share),
            map.boundary_total / map.area.sqrt()
        ),
        because: Some(because),
        area: map.area,
        regions: None,
        regions_about: about.filter(|about| about.is_finite()),
        boundary_sides: map.boundary_total / map.area.sqrt(),
        area_share: map.area_share,
        boundary_length: map.boundary_length,
        boundary_total: map.boundary_total,
        components: Vec::new(),
        barriers: [None; 3],
        certificate: None,
        segments: map.segments,
        segment_classes: map.segment_classes,
        faces: Faces::default(),
    })
}

/// A share in percent that never says more than is proved.
pub fn floored_percent(share: f64) -> f64 {
    // The sum of exact tiles may be off by its rounding.
    if share > 1.0 - 1e-9 {
        return 100.0;
    }
    (share * 1e6).floor() / 1e4
}
