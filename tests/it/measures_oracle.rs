//! The measures of 20 real landscapes against scikit-image, gudhi, scipy and numpy: see
//! `tests/golden/measures.py`, which wrote the values.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a NaN must not pass a comparison"
)]

use morphscape::landscape::{Bar, Connectivity, Landscape, measure, num_bars_above, persistence};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    shape: [usize; 5],
    landscapes: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    name: String,
    classes: [usize; 3],
    total_variation: f64,
    curvature: [f64; 3],
    label_changes: f64,
    intrusion: f64,
    confident_intrusion: f64,
    entropy: f64,
    margin: f64,
    regions: [usize; 2],
    boundary: Boundary,
    barriers: [f64; 3],
    surfaces: [Surface; 3],
}

#[derive(Deserialize)]
struct Boundary {
    length: f64,
    saddle_cells: usize,
}

#[derive(Deserialize)]
struct Surface {
    roughness: f64,
    laplacian: f64,
    /// Minima, saddles, maxima.
    critical: [usize; 3],
    bars_4: Vec<GoldenBar>,
    bars_8: Vec<GoldenBar>,
    bars_4_upside_down: Vec<GoldenBar>,
}

/// Birth and death; none of the endless one.
type GoldenBar = (f32, Option<f32>);

/// Sums of a few thousand values of order 1 in another order differ in their last digits.
const TOLERANCE: f64 = 1e-11;

fn assert_near(what: &str, found: f64, expected: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= TOLERANCE,
        "{what}: expected {expected} within {TOLERANCE}, found {found}"
    );
}

fn golden() -> (Golden, Vec<Landscape>) {
    let described = include_str!("../golden/measures.json");
    let golden: Golden = serde_json::from_str(described).expect("measures.json");
    let values: Vec<f32> = include_bytes!("../golden/measures_f32.bin")
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect();
    let [count, 2, steps, columns, num_classes] = golden.shape else {
        panic!("logits and probabilities of grids");
    };
    assert_eq!((count, steps), (golden.landscapes.len(), columns));
    let each = steps * steps * num_classes;
    assert_eq!(values.len(), count * 2 * each);
    let landscapes = values.chunks_exact(2 * each).map(|both| Landscape {
        steps,
        num_classes,
        logits: both[..each].to_vec(),
        probabilities: both[each..].to_vec(),
        inputs: None,
        kind: morphscape::landscape::GridKind::Rows,
        morph: None,
        flat: None,
    });
    let landscapes = landscapes.collect();
    (golden, landscapes)
}

/// Sorted as the script sorts them.
fn sorted(mut bars: Vec<Bar>) -> Vec<GoldenBar> {
    bars.sort_by(|a, b| {
        a.birth
            .total_cmp(&b.birth)
            .then(a.death.total_cmp(&b.death))
    });
    let death = |bar: Bar| bar.death.is_finite().then_some(bar.death as f32);
    let pair = |bar: Bar| (bar.birth as f32, death(bar));
    bars.into_iter().map(pair).collect()
}

#[test]
fn real_landscapes_measure_as_other_programs_say() {
    let (golden, landscapes) = golden();
    assert_eq!(landscapes.len(), 20);
    let mut saddle_cells = 0;
    for (landscape, expected) in landscapes.iter().zip(&golden.landscapes) {
        let name = &expected.name;
        let found = measure(landscape, expected.classes);
        let paths = found.paths.expect("whole paths");
        let near = |what: &str, found, expected| {
            assert_near(&format!("{name} {what}"), found, expected);
        };
        near("variation", paths.total_variation, expected.total_variation);
        let curvature = paths.curvature.expect("21 steps");
        for (found, expected) in curvature.into_iter().zip(expected.curvature) {
            near("curvature", found, expected);
        }
        near("changes", paths.label_changes, expected.label_changes);
        let points = found.points.expect("points");
        near("intrusion", points.intrusion, expected.intrusion);
        let confident = points.confident_intrusion;
        near("confident", confident, expected.confident_intrusion);
        near("entropy", points.entropy, expected.entropy);
        near("margin", points.margin, expected.margin);
        let grid = found.grid.expect("a whole grid");
        assert_eq!(grid.regions, expected.regions, "{name} regions");
        near("boundary", grid.boundary_length, expected.boundary.length);
        saddle_cells += expected.boundary.saddle_cells;
        for (found, expected) in grid.barriers.into_iter().zip(expected.barriers) {
            near("barrier", found.expect("an item"), expected);
        }
        let roughness = grid.roughness.expect("a plane");
        let laplacian = grid.laplacian.expect("an interior");
        for (n, expected) in expected.surfaces.iter().enumerate() {
            near("roughness", roughness[n], expected.roughness);
            near("laplacian", laplacian[n], expected.laplacian);
            assert_eq!(grid.critical_points[n], expected.critical, "{name} {n}");
        }
    }
    assert!(saddle_cells > 0, "the rule for saddle cells is tried, too");
}

/// Births and deaths are values of the field, probabilities in 32 bits, so they are equal; the
/// JSON reader may miss the last bit of 64.
#[test]
fn bars_of_real_landscapes_are_those_of_gudhi() {
    let (golden, landscapes) = golden();
    for (landscape, expected) in landscapes.iter().zip(&golden.landscapes) {
        let shape = [landscape.steps; 2];
        let grid = measure(landscape, expected.classes).grid.expect("whole");
        for (n, class) in expected.classes.into_iter().enumerate() {
            let z = landscape.surface(class);
            let upside_down: Vec<f64> = z.iter().map(|p| -p).collect();
            let surface = &expected.surfaces[n];
            for (field, connectivity, expected) in [
                (&z, Connectivity::Four, &surface.bars_4),
                (&z, Connectivity::Eight, &surface.bars_8),
                (
                    &upside_down,
                    Connectivity::Four,
                    &surface.bars_4_upside_down,
                ),
            ] {
                let found = sorted(persistence(field, shape, connectivity));
                assert_eq!(&found, expected, "{class} {connectivity:?}");
            }
            let deep = |bars: &[GoldenBar]| {
                let is_deep = |&&(birth, death): &&GoldenBar| {
                    death.is_none_or(|death| f64::from(death) - f64::from(birth) > 0.1)
                };
                bars.iter().filter(is_deep).count()
            };
            assert_eq!(grid.basins[n], deep(&surface.bars_4));
            assert_eq!(grid.peaks[n], deep(&surface.bars_4_upside_down));
            let bars = persistence(&z, shape, Connectivity::Four);
            assert_eq!(num_bars_above(&bars, 0.1), grid.basins[n]);
        }
    }
}
