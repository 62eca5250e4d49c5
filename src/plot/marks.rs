//! What is marked on a landscape on request: the critical points of a class's probability, and
//! the best paths between the items with their passes.
//!
//! Symbols are white and dark, so that they are told from every colour underneath and in grey
//! print, too.

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::style::{INK, MUTED, PAPER, SMALL_SIZE, fitted, opaque};
use crate::landscape::{
    Landscape, LandscapeFile, best_path, critical_points, pair_potentials, pass,
};

/// What to mark on the decision map and on surfaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Minima, saddles and maxima of a class's probability.
    pub critical_points: bool,
    /// Between each two of the items the path whose highest `-ln(p_a + p_b)` is least, and the
    /// pass, the point where it is highest.
    pub barriers: bool,
}

/// A symbol at a grid point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Minimum,
    Saddle,
    Maximum,
    /// The pass between two items, `AB` and its like.
    Pass(&'static str),
}

const CRITICAL: [(Symbol, [&str; 2]); 3] = [
    (Symbol::Minimum, ["minimum", "minima"]),
    (Symbol::Saddle, ["saddle", "saddles"]),
    (Symbol::Maximum, ["maximum", "maxima"]),
];

/// The best path between two of the items.
pub(super) struct Barrier {
    /// `AB`, `AC` or `BC`.
    name: &'static str,
    /// `-ln(p_a + p_b)` at the pass, nats.
    level: f64,
    pass: usize,
    /// Frames from the one item to the other.
    pub(super) path: Vec<usize>,
}

/// Critical points of the probability of `class`, where they are asked for; of a landscape with
/// points without an answer none are known.
pub(super) fn critical_symbols(
    landscape: &Landscape,
    class: usize,
    marks: Marks,
) -> Vec<(usize, Symbol)> {
    if !marks.critical_points || !landscape.is_whole() {
        return Vec::new();
    }
    let steps = landscape.steps;
    // Higher than anywhere where the grid has no point, as in its measures.
    let raised = |p: f64| if p.is_nan() { f64::INFINITY } else { p };
    let surface: Vec<f64> = landscape.surface(class).into_iter().map(raised).collect();
    let mut found = critical_points(&surface, [steps, steps]);
    found.retain(|k| landscape.has_point(k));
    let minima = found.minima.iter().map(|&k| (k, Symbol::Minimum));
    let saddles = found.saddles.iter().map(|&(k, _)| (k, Symbol::Saddle));
    let maxima = found.maxima.iter().map(|&k| (k, Symbol::Maximum));
    minima.chain(saddles).chain(maxima).collect()
}

/// The barriers between the items, as [`critical_symbols`].
pub(super) fn barriers(file: &LandscapeFile, marks: Marks) -> Vec<Barrier> {
    let landscape = &file.landscape;
    if !marks.barriers || !landscape.is_whole() {
        return Vec::new();
    }
    let shape = [landscape.steps; 2];
    let potentials = pair_potentials(
        &landscape.logits,
        landscape.num_classes,
        file.about.item_classes,
    );
    let pairs = ["AB", "AC", "BC"].into_iter().zip(landscape.item_pairs());
    pairs
        .zip(potentials)
        .filter_map(|((name, pair), u)| {
            let [from, to] = pair?;
            let pass = pass(&u, shape, from, to);
            Some(Barrier {
                name,
                level: u[pass],
                pass,
                path: best_path(&u, shape, from, to),
            })
        })
        .collect()
}

/// The passes as symbols.
pub(super) fn pass_symbols(barriers: &[Barrier]) -> Vec<(usize, Symbol)> {
    let symbol = |barrier: &Barrier| (barrier.pass, Symbol::Pass(barrier.name));
    barriers.iter().map(symbol).collect()
}

/// Draws symbols, those of one place below each other.
pub(super) fn draw_symbols(canvas: &mut Canvas, symbols: &[(Place, Symbol)]) {
    for (n, &([x, y], symbol)) in symbols.iter().enumerate() {
        let here = |other: &&(Place, Symbol)| other.0 == [x, y] && is_pass(other.1);
        let above = if is_pass(symbol) {
            symbols[..n].iter().filter(here).count()
        } else {
            0
        };
        draw_symbol(canvas, [x, y + TAG[1] * above as f64], symbol);
    }
}

fn is_pass(symbol: Symbol) -> bool {
    matches!(symbol, Symbol::Pass(_))
}

/// Width and height of a pass's tag, pixels.
const TAG: [f64; 2] = [21.0, 14.0];

fn draw_symbol(canvas: &mut Canvas, [x, y]: Place, symbol: Symbol) {
    let edge = |color| {
        let color = opaque(color);
        Some(Stroke {
            color,
            width_px: 1.3,
        })
    };
    let triangle =
        |down: f64| [[-5.5, -4.5], [5.5, -4.5], [0.0, 5.0]].map(|[dx, dy]| [x + dx, y + down * dy]);
    match symbol {
        Symbol::Minimum => canvas.polygon(&triangle(1.0), opaque(PAPER), edge(INK)),
        Symbol::Maximum => canvas.polygon(&triangle(-1.0), opaque(INK), edge(PAPER)),
        Symbol::Saddle => {
            let cross = [
                [[x - 4.0, y - 4.0], [x + 4.0, y + 4.0]],
                [[x - 4.0, y + 4.0], [x + 4.0, y - 4.0]],
            ];
            for (color, width_px) in [(PAPER, 4.6), (INK, 2.0)] {
                let color = opaque(color);
                canvas.segments(&cross, Stroke { color, width_px });
            }
        }
        Symbol::Pass(name) => {
            let corner = [x - TAG[0] / 2.0, y - TAG[1] / 2.0];
            canvas.rectangle(corner, TAG, opaque(PAPER), edge(INK));
            let look = Type::new(SMALL_SIZE - 1.0, INK, Anchor::Middle);
            canvas.text([x, y + 4.0], name, look);
        }
    }
}

/// Draws a path, or a part of one.
pub(super) fn draw_path(canvas: &mut Canvas, places: &[Place]) {
    for (color, width_px) in [(PAPER, 3.6), (INK, 1.4)] {
        let color = opaque(color);
        canvas.line(places, Stroke { color, width_px });
    }
}

/// What the marks on a map are: how many critical points, of which class, and how high the
/// barriers.
pub(super) struct MapLegend<'a> {
    pub(super) marks: Marks,
    pub(super) class_name: &'a str,
    pub(super) symbols: &'a [(usize, Symbol)],
    pub(super) barriers: &'a [Barrier],
}

impl MapLegend<'_> {
    /// Draws it in at most four lines below a place.
    pub(super) fn draw(&self, canvas: &mut Canvas, [x, mut y]: Place, width_px: f64) {
        let small = |color| Type::new(SMALL_SIZE, color, Anchor::Start);
        let third = width_px / 3.0;
        let heading = |canvas: &mut Canvas, y: f64, text: &str| {
            let text = fitted(text, SMALL_SIZE, width_px);
            canvas.text([x, y + 10.0], &text, small(MUTED));
        };
        let asked = self.marks != Marks::default();
        if asked && self.symbols.is_empty() && self.barriers.is_empty() {
            heading(canvas, y, "no marks: points without an answer");
            return;
        }
        if self.marks.critical_points {
            let of = format!("critical points of p({})", self.class_name);
            heading(canvas, y, &of);
            for (n, (symbol, [one, many])) in CRITICAL.into_iter().enumerate() {
                let is_such = |(_, found): &&(usize, Symbol)| *found == symbol;
                let count = self.symbols.iter().filter(is_such).count();
                let at = [x + third * n as f64 + 7.0, y + 24.0];
                draw_symbol(canvas, at, symbol);
                let text = format!("{count} {}", if count == 1 { one } else { many });
                canvas.text([at[0] + 9.0, at[1] + 4.0], &text, small(INK));
            }
            y += 46.0;
        }
        if self.marks.barriers {
            heading(canvas, y, "best paths and their highest -ln(p + p')");
            for (n, barrier) in self.barriers.iter().enumerate() {
                let at = [x + third * n as f64 + TAG[0] / 2.0, y + 24.0];
                draw_symbol(canvas, at, Symbol::Pass(barrier.name));
                let text = format!("{:.2}", barrier.level);
                let beside = [at[0] + TAG[0] / 2.0 + 5.0, at[1] + 4.0];
                canvas.text(beside, &text, small(INK));
            }
        }
    }
}

/// What the marks on surfaces are, a line each.
pub(super) fn draw_surface_legend(canvas: &mut Canvas, [x, y]: Place, marks: Marks) {
    let mut lines: Vec<(Symbol, &str)> = Vec::new();
    if marks.critical_points {
        lines.extend(CRITICAL.map(|(symbol, [one, _])| (symbol, one)));
    }
    if marks.barriers {
        lines.extend([
            (Symbol::Pass("AB"), "A to B"),
            (Symbol::Pass("AC"), "A to C"),
            (Symbol::Pass("BC"), "B to C"),
        ]);
    }
    for (n, (symbol, name)) in lines.into_iter().enumerate() {
        let at = [x + TAG[0] / 2.0, y + 18.0 * n as f64];
        draw_symbol(canvas, at, symbol);
        let look = Type::new(SMALL_SIZE, INK, Anchor::Start);
        canvas.text([x + TAG[0] + 5.0, at[1] + 4.0], name, look);
    }
}
