//! Class maps that bounds prove: brackets around the class changes of a line, and the classes of a
//! plane's tiles, of networks with smooth activations or with too many cells to enumerate.
//!
//! A box whose class the bounds of [`super::region`] prove is done. Another is halved, or, in a
//! piecewise-linear network with few units that bend in it, cut exactly: what is left is proved
//! complete without all the cells ever being made.

use super::line::{LineOptions, exact_line};
use super::network::SectionNetwork;
use super::plane::{ItemPlane, corners, difference, distance};
use super::region::Region;
use super::section::{CutPlane, PlaneOptions};
use super::{SectionError, SectionLabel};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// A tile with at most so many bending functions is cut: halving it on would cost more.
const CUT_AT: usize = 48;

/// How many times finer tiles get than asked for where one of the finest has too many cells.
const DEEPER: usize = 16;

/// How brackets of a line are sought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BracketOptions {
    /// A stretch this wide, in t, whose class is not certain is a bracket.
    pub width: f64,
    /// Bounds to take at most; what is left then is one bracket, however wide.
    pub max_bounds: usize,
}

impl Default for BracketOptions {
    fn default() -> Self {
        Self {
            width: 1e-9,
            max_bounds: 100_000,
        }
    }
}

/// The class of each point of a line, but for brackets around its changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertifiedLine {
    /// [`SectionLabel::Certified`] with the widest bracket.
    pub label: SectionLabel,
    /// Distance of the two inputs, in units of the space.
    pub length: f64,
    /// Stretches of t in which the class changes, or comes too close to it for the bounds.
    pub brackets: Vec<[f64; 2]>,
    /// The class before, between and after the brackets: one more than brackets, except that a
    /// line that begins or ends in a bracket has none there.
    pub classes: Vec<usize>,
    /// Bounds that were taken.
    pub bounds: usize,
}

/// Brackets around the class changes from `z1` to `z2`, points of the space.
///
/// # Errors
/// [`SectionError::Lengths`], [`SectionError::SamePoint`], [`SectionError::NotFinite`].
pub fn certified_line(
    network: &SectionNetwork,
    z1: &[f64],
    z2: &[f64],
    options: &BracketOptions,
) -> Result<CertifiedLine, SectionError> {
    for z in [z1, z2] {
        if z.len() != network.num_inputs() {
            return Err(SectionError::Lengths {
                expected: network.num_inputs(),
                found: z.len(),
            });
        }
        network.check_values("the input", z)?;
    }
    if z1 == z2 {
        return Err(SectionError::SamePoint { items: [0, 1] });
    }
    let (direction, none) = (difference(z1, z2), vec![0.0; z1.len()]);
    let region = |[from, to]: [f64; 2]| {
        let (centre, half) = ([(from + to) / 2.0, 0.0], [(to - from) / 2.0, 0.0]);
        Region::new(network, [z1, &direction, &none], centre, half)
    };
    // Stretches still to be looked at, the leftmost on top.
    let mut stack: Vec<[f64; 2]> = vec![[0.0, 1.0]];
    let (mut bounds, mut uncertain) = (0, 0.0);
    let (mut brackets, mut classes): (Vec<[f64; 2]>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut in_bracket = true;
    while let Some([from, to]) = stack.pop() {
        let class = match bounds < options.max_bounds {
            true => {
                bounds += 1;
                region([from, to])?.certain_class()
            }
            false => None,
        };
        match class {
            Some(class) => {
                let goes_on = !in_bracket && classes.last() == Some(&class);
                if !goes_on {
                    if !in_bracket {
                        // Two certain stretches of different class: the change is their border.
                        brackets.push([from, from]);
                    }
                    classes.push(class);
                }
                in_bracket = false;
            }
            None if to - from > options.width && bounds < options.max_bounds => {
                let middle = (from + to) / 2.0;
                stack.extend([[middle, to], [from, middle]]);
            }
            None => {
                uncertain += to - from;
                match brackets.last_mut() {
                    Some(last) if in_bracket && last[1] == from => last[1] = to,
                    _ => brackets.push([from, to]),
                }
                in_bracket = true;
            }
        }
    }
    let width = brackets.iter().map(|b| b[1] - b[0]).fold(0.0, f64::max);
    Ok(CertifiedLine {
        label: SectionLabel::Certified {
            width,
            share: 1.0 - uncertain,
        },
        length: distance(z1, z2),
        brackets,
        classes,
        bounds,
    })
}

/// How a plane's tiles are halved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileOptions {
    /// Tiles a side to begin with.
    pub coarsest: usize,
    /// Tiles a side at which halving ends; the tiles left are cut exactly, or, in a network with
    /// smooth activations, stay uncertain.
    pub finest: usize,
    /// Cells of one tile, at most: one with more is halved further, up to 16 times, and then stays
    /// uncertain.
    pub max_regions: usize,
}

impl Default for TileOptions {
    fn default() -> Self {
        Self {
            coarsest: 8,
            finest: 512,
            max_regions: 20_000,
        }
    }
}

/// A tile of one class: the `x`-th of `level` along alpha, the `y`-th along beta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tile {
    /// Place along alpha.
    pub x: usize,
    /// Place along beta.
    pub y: usize,
    /// Tiles a side at its level.
    pub level: usize,
    /// Its class.
    pub class: usize,
}

/// The class map of a plane's box, proved tile by tile.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CertifiedPlane {
    /// Share of the box on which the class is proved, by bounds or by an exact cut.
    pub share: f64,
    /// Area of the box, in square units of the space.
    pub area: f64,
    /// Share of the box of each class, as far as it is proved.
    pub area_share: BTreeMap<usize, f64>,
    /// Length of the boundary of each pair of classes in the tiles that were cut.
    pub boundary_length: BTreeMap<String, f64>,
    /// Their sum.
    pub boundary_total: f64,
    /// Boundary segments, `[x, y, x, y]`, cut at tiles.
    #[serde(skip)]
    pub segments: Vec<[f64; 4]>,
    /// The two classes of each segment, the lower one first.
    #[serde(skip)]
    pub segment_classes: Vec<[u16; 2]>,
    /// Tiles that bounds proved to be of one class.
    #[serde(skip)]
    pub tiles: Vec<Tile>,
    /// Tiles on which bounds were taken.
    pub tiles_looked_at: usize,
    /// Tiles that were cut exactly.
    pub tiles_cut: usize,
    /// Cells in them.
    pub regions_cut: usize,
}

impl CertifiedPlane {
    /// [`SectionLabel::Certified`] with the share that is proved.
    pub fn label(&self) -> SectionLabel {
        SectionLabel::Certified {
            width: 0.0,
            share: self.share,
        }
    }

    fn add(&mut self, other: Self) {
        self.share += other.share;
        for (class, share) in other.area_share {
            *self.area_share.entry(class).or_default() += share;
        }
        for (pair, length) in other.boundary_length {
            *self.boundary_length.entry(pair).or_default() += length;
        }
        self.boundary_total += other.boundary_total;
        self.segments.extend(other.segments);
        self.segment_classes.extend(other.segment_classes);
        self.tiles.extend(other.tiles);
        self.tiles_looked_at += other.tiles_looked_at;
        self.tiles_cut += other.tiles_cut;
        self.regions_cut += other.regions_cut;
    }
}

struct Tiling<'a> {
    network: &'a SectionNetwork,
    plane: &'a ItemPlane,
    options: TileOptions,
    /// The network on the whole box, of a piecewise-linear network.
    whole: Option<Region>,
}

/// The class map of a plane's box, on all cores.
///
/// # Errors
/// [`SectionError::Lengths`], [`SectionError::NotFinite`], [`SectionError::TooManyRegions`] of one
/// tile, and [`SectionError::SelfCheck`] where a tile or the sum of all contradicts itself.
pub fn certified_plane(
    network: &SectionNetwork,
    plane: &ItemPlane,
    options: &TileOptions,
) -> Result<CertifiedPlane, SectionError> {
    if plane.origin.len() != network.num_inputs() {
        return Err(SectionError::Lengths {
            expected: network.num_inputs(),
            found: plane.origin.len(),
        });
    }
    let mut tiling = Tiling {
        network,
        plane,
        options: *options,
        whole: None,
    };
    if network.is_piecewise_linear() {
        tiling.whole = Some(tiling.region([0, 0], 1)?);
    }
    let n = options.coarsest.max(1);
    let parts: Vec<Result<CertifiedPlane, SectionError>> = (0..n * n)
        .into_par_iter()
        .map(|k| {
            let mut found = CertifiedPlane::default();
            tiling.tile([k / n, k % n], n, tiling.whole.as_ref(), &mut found)?;
            Ok(found)
        })
        .collect();
    let mut all = CertifiedPlane {
        area: plane.box_area(),
        ..CertifiedPlane::default()
    };
    for part in parts {
        all.add(part?);
    }
    let sum: f64 = all.area_share.values().sum();
    if (sum - all.share).abs() > 1e-9 || all.share > 1.0 + 1e-9 {
        return Err(SectionError::SelfCheck {
            what: "the areas of a plane's classes do not sum to the share that is certain",
            found: sum - all.share,
            allowed: 1e-9,
        });
    }
    Ok(all)
}

impl Tiling<'_> {
    /// Corners of a tile: lower and upper alpha and beta.
    fn ends(&self, place: [usize; 2], level: usize) -> [[f64; 2]; 2] {
        [0, 1].map(|end| {
            [0, 1].map(|k| {
                let side = self.plane.hi[k] - self.plane.lo[k];
                self.plane.lo[k] + side * (place[k] + end) as f64 / level as f64
            })
        })
    }

    fn region(&self, place: [usize; 2], level: usize) -> Result<Region, SectionError> {
        let (centre, half) = middle(self.ends(place, level));
        let ItemPlane { origin, u, v, .. } = self.plane;
        Region::new(self.network, [origin, u, v], centre, half)
    }

    /// Cuts a tile exactly, of which `share` of the box is; false where it has too many cells.
    fn cut(
        &self,
        region: &Region,
        ends: [[f64; 2]; 2],
        share: f64,
        found: &mut CertifiedPlane,
    ) -> Result<bool, SectionError> {
        let options = PlaneOptions {
            max_regions: self.options.max_regions,
        };
        let cut = CutPlane::new(region, &corners(ends[0], ends[1]), &options);
        let section = match cut.and_then(|cut| cut.section()) {
            Err(SectionError::TooManyRegions { .. }) => return Ok(false),
            section => section?,
        };
        for (class, of_tile) in section.area_share {
            *found.area_share.entry(class).or_default() += of_tile * share;
        }
        for (pair, length) in section.boundary_length {
            *found.boundary_length.entry(pair).or_default() += length;
        }
        found.boundary_total += section.boundary_total;
        found.segments.extend(section.segments);
        found.segment_classes.extend(section.segment_classes);
        found.tiles_cut += 1;
        found.regions_cut += section.regions;
        found.share += share;
        Ok(true)
    }

    fn tile(
        &self,
        place: [usize; 2],
        level: usize,
        parent: Option<&Region>,
        found: &mut CertifiedPlane,
    ) -> Result<(), SectionError> {
        let ends = self.ends(place, level);
        let region = match parent {
            Some(parent) => {
                let (centre, half) = middle(ends);
                parent.restrict(centre, half)
            }
            None => self.region(place, level)?,
        };
        found.tiles_looked_at += 1;
        let share = (level as f64).powi(-2);
        if let Some(class) = region.certain_class() {
            let [x, y] = place;
            found.tiles.push(Tile { x, y, level, class });
            *found.area_share.entry(class).or_default() += share;
            found.share += share;
            return Ok(());
        }
        let is_finest = level >= self.options.finest;
        let cuts = parent.is_some();
        if cuts
            && (is_finest || region.num_functions() <= CUT_AT)
            && self.cut(&region, ends, share, found)?
        {
            return Ok(());
        }
        if is_finest && (!cuts || level >= DEEPER * self.options.finest) {
            return Ok(());
        }
        let inner = parent.map(|_| &region);
        for [dx, dy] in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            self.tile(
                [2 * place[0] + dx, 2 * place[1] + dy],
                2 * level,
                inner,
                found,
            )?;
        }
        Ok(())
    }
}

/// Middle and half sides of a box.
fn middle([lo, hi]: [[f64; 2]; 2]) -> ([f64; 2], [f64; 2]) {
    let centre = [0, 1].map(|k| (lo[k] + hi[k]) / 2.0);
    (centre, [0, 1].map(|k| (hi[k] - lo[k]) / 2.0))
}

/// About how many cells a plane's box has: `pi / 4` times the pieces across its middle one way and
/// the other, right within 40 %.
///
/// # Errors
/// As [`exact_line`].
pub fn estimated_regions(
    network: &SectionNetwork,
    plane: &ItemPlane,
    max_pieces: usize,
) -> Result<f64, SectionError> {
    let centre = [0, 1].map(|k| (plane.lo[k] + plane.hi[k]) / 2.0);
    let mut product = std::f64::consts::FRAC_PI_4;
    for k in 0..2 {
        let [from, to] = [plane.lo[k], plane.hi[k]].map(|end| {
            let mut at = centre;
            at[k] = end;
            plane.point(at)
        });
        let options = LineOptions {
            max_pieces,
            ..LineOptions::default()
        };
        product *= exact_line(network, &from, &to, &options)?.pieces() as f64;
    }
    Ok(product)
}
