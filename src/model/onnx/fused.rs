//! Functions that exporters write as several operators, found before a graph is read:
//!
//! ```text
//! GELU                 x / sqrt(2) ─ Erf ─ + 1 ─ times x and 0.5, in any order
//! layer normalisation  x - ReduceMean(x) ─ / Sqrt(ReduceMean(its square) + epsilon)
//! ```

use super::constants::whole_numbers;
use super::node::{int, operator_of};
use super::rewrite::{attribute, floats};
use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto};
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::SQRT_2;

/// What operators are together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Function {
    Gelu,
    /// Of the last axis, without weights of its own.
    LayerNormalization {
        epsilon: f32,
    },
}

/// Operators that are one function together.
pub(super) struct Fused<'g> {
    /// By what the last of them gives, what the first takes.
    functions: BTreeMap<&'g str, (&'g str, Function)>,
    /// The nodes whose work the last one does.
    done: BTreeSet<usize>,
}

impl<'g> Fused<'g> {
    /// The functions in a graph with these constants.
    pub(super) fn of(graph: &'g GraphProto, tensors: &BTreeMap<&str, &TensorProto>) -> Self {
        let search = Search::new(graph, tensors);
        let mut fused = Self {
            functions: BTreeMap::new(),
            done: BTreeSet::new(),
        };
        for (number, node) in graph.node.iter().enumerate() {
            let found = match operator_of(node) {
                "Erf" => search.gelu(number, node),
                "Div" => search.layer_normalization(node),
                _ => None,
            };
            if let Some((from, function, to, nodes)) = found {
                fused.functions.insert(to, (from, function));
                fused.done.extend(nodes);
            }
        }
        fused
    }

    /// Whether another node does a node's work.
    pub(super) fn is_done(&self, number: usize) -> bool {
        self.done.contains(&number)
    }

    /// The function that a node ends, and what it is of.
    pub(super) fn function(&self, node: &NodeProto) -> Option<(&'g str, Function)> {
        self.functions.get(node.output.first()?.as_str()).copied()
    }
}

/// What a function is of, which it is, what gives it, and the nodes in between.
type Found<'g> = (&'g str, Function, &'g str, Vec<usize>);

struct Search<'g, 't> {
    tensors: &'t BTreeMap<&'t str, &'t TensorProto>,
    makers: BTreeMap<&'g str, (usize, &'g NodeProto)>,
    takers: BTreeMap<&'g str, Vec<(usize, &'g NodeProto)>>,
    constants: BTreeMap<&'g str, f64>,
}

impl<'g, 't> Search<'g, 't> {
    fn new(graph: &'g GraphProto, tensors: &'t BTreeMap<&'t str, &'t TensorProto>) -> Self {
        let mut search = Self {
            tensors,
            makers: BTreeMap::new(),
            takers: BTreeMap::new(),
            constants: BTreeMap::new(),
        };
        for (number, node) in graph.node.iter().enumerate() {
            for output in &node.output {
                search.makers.insert(output, (number, node));
            }
            for input in &node.input {
                search.takers.entry(input).or_default().push((number, node));
            }
            if operator_of(node) == "Constant"
                && let Some(number) = attribute(node, "value_float").and_then(|value| value.f)
                && let Some(output) = node.output.first()
            {
                search.constants.insert(output, f64::from(number));
            }
        }
        // What the graph gives has a taker outside.
        for output in graph
            .output
            .iter()
            .filter_map(|output| output.name.as_deref())
        {
            search.takers.remove(output);
        }
        search
    }

    /// The one number of a constant.
    fn number(&self, name: &str) -> Option<f64> {
        let stored = || match floats(self.tensors.get(name)?)?[..] {
            [stored] => Some(stored),
            _ => None,
        };
        self.constants.get(name).copied().or_else(stored)
    }

    /// Whether a name is this number.
    fn is(&self, name: &str, number: f64) -> bool {
        let found = self.number(name);
        found.is_some_and(|found| (found - number).abs() < 1e-6 * number)
    }

    fn maker(&self, name: &str, operator: &str) -> Option<(usize, &'g NodeProto)> {
        let maker = self.makers.get(name).copied();
        maker.filter(|(_, node)| operator_of(node) == operator)
    }

    /// The only node that takes what a node gives.
    fn sole_taker(&self, node: &NodeProto) -> Option<(usize, &'g NodeProto)> {
        match &self.takers.get(node.output.first()?.as_str())?[..] {
            &[taker] => Some(taker),
            _ => None,
        }
    }

    /// The other input of a node of this operator and two inputs.
    fn other(&self, node: &'g NodeProto, operator: &str, one: &str) -> Option<&'g str> {
        match &node.input[..] {
            [a, b] if operator_of(node) == operator && a == one && b != one => Some(b),
            [a, b] if operator_of(node) == operator && b == one && a != one => Some(a),
            _ => None,
        }
    }

    /// `x half` where a node gives that: x.
    fn half_of(&self, node: &'g NodeProto, half: f64) -> Option<&'g str> {
        let [a, b] = &node.input[..] else {
            return None;
        };
        match operator_of(node) {
            "Mul" if self.is(b, half) => Some(a),
            "Mul" if self.is(a, half) => Some(b),
            "Div" if self.is(b, 1.0 / half) => Some(a),
            _ => None,
        }
    }

    /// The GELU around an Erf.
    fn gelu(&self, number: usize, erf: &'g NodeProto) -> Option<Found<'g>> {
        let (scaling, scaled) = *self.makers.get(erf.input.first()?.as_str())?;
        let x = self.half_of(scaled, 1.0 / SQRT_2)?;
        self.sole_taker(scaled)?;
        let (adding, sum) = self.sole_taker(erf)?;
        let one = self.other(sum, "Add", erf.output.first()?)?;
        if !self.is(one, 1.0) {
            return None;
        }
        let mut nodes = vec![scaling, number, adding];
        let (multiplying, product) = self.sole_taker(sum)?;
        let by = self.other(product, "Mul", sum.output.first()?)?;
        let half = self.makers.get(by);
        let half = half.filter(|(_, half)| self.half_of(half, 0.5) == Some(x));
        if let Some(&(halving, half)) = half {
            // (0.5 x) (1 + erf)
            self.sole_taker(half)?;
            nodes.push(halving);
            return Some((x, Function::Gelu, product.output.first()?, nodes));
        }
        // (x (1 + erf)) 0.5, or (0.5 (1 + erf)) x
        let (_, last) = self.sole_taker(product)?;
        nodes.push(multiplying);
        let product_name = product.output.first()?.as_str();
        let fits = match by == x {
            true => self.half_of(last, 0.5) == Some(product_name),
            false => self.is(by, 0.5) && self.other(last, "Mul", product_name) == Some(x),
        };
        let last = last.output.first()?;
        fits.then_some((x, Function::Gelu, last, nodes))
    }

    /// Whether a node is the mean along the last axis, which stays.
    fn is_mean(&self, node: &NodeProto) -> bool {
        let axes = match attribute(node, "axes") {
            Some(axes) => Some(axes.ints.clone()),
            None => (node.input.get(1))
                .and_then(|name| self.tensors.get(name.as_str()))
                .and_then(|tensor| whole_numbers(tensor)),
        };
        int(node, "keepdims", 1) != 0 && axes.is_some_and(|axes| axes == [-1])
    }

    /// The layer normalisation that a quotient ends.
    fn layer_normalization(&self, quotient: &'g NodeProto) -> Option<Found<'g>> {
        let [away, deviation] = &quotient.input[..] else {
            return None;
        };
        let (rooting, root) = self.maker(deviation, "Sqrt")?;
        let (adding, sum) = self.maker(root.input.first()?, "Add")?;
        let (a, b) = (sum.input.first()?, sum.input.get(1)?);
        let (squares, epsilon) = match (self.number(a), self.number(b)) {
            (None, Some(epsilon)) => (a, epsilon),
            (Some(epsilon), None) => (b, epsilon),
            _ => return None,
        };
        let (averaging, variance) = self.maker(squares, "ReduceMean")?;
        let (squaring, square) = *self.makers.get(variance.input.first()?.as_str())?;
        let (one, two) = (square.input.first()?, square.input.get(1)?);
        let squares = match operator_of(square) {
            "Pow" => one == away && self.is(two, 2.0),
            "Mul" => one == away && two == away,
            _ => false,
        };
        let (subtracting, difference) = self.maker(away, "Sub")?;
        let (x, mean) = (difference.input.first()?, difference.input.get(1)?);
        let (centring, mean) = self.maker(mean, "ReduceMean")?;
        let fits = squares
            && mean.input.first()? == x
            && self.is_mean(mean)
            && self.is_mean(variance)
            && [root, sum, variance, square, mean]
                .iter()
                .all(|node| self.sole_taker(node).is_some());
        // The difference is taken by the square, once or twice, and by the quotient.
        let takers = self.takers.get(away.as_str())?;
        let between = |number: &usize| *number == squaring;
        let others = takers.iter().filter(|(number, _)| !between(number)).count();
        let nodes = vec![rooting, adding, averaging, squaring, subtracting, centring];
        let epsilon = epsilon as f32;
        let function = Function::LayerNormalization { epsilon };
        (fits && others == 1).then_some((x, function, quotient.output.first()?, nodes))
    }
}
