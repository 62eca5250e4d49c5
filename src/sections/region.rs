//! The network on one box of a plane, as a small network of its own.
//!
//! Most units do not bend inside a box: there a ReLU passes or blocks, and a pool follows one of its
//! values. Such a unit is an affine function of the place and of the units before it that do bend,
//! the *atoms*. What is left is a network over two coordinates with an atom for each unit that may
//! bend in the box, however wide the layers are:
//!
//! ```text
//! atom  = max(u_1, ..., u_m, leak u_1, ...)      u_i = c + a s + b r + sum of coefficients x atoms
//! logit =                                         c + a s + b r + sum of coefficients x atoms
//! ```
//!
//! `s` and `r` run from -1 to 1 over the box. Which units may bend is decided by bounds: every atom
//! is kept as `m + p s + q r + e`, with `e` of either sign and at most so large (planes_spec.md,
//! section 3). A box inside a box is reduced from its parent, which is far smaller than the network,
//! and whose coefficients hold products of weights, so that its bounds are tighter, too. A line is
//! a box without height, and a smooth unit its chord with an atom of noise.

mod local;

use super::SectionError;
use super::forward::window_units;
use super::network::{Op, SectionNetwork};
use local::{Local, Terms, affine, local};

/// By how much a class must lead on all of a box to be certain.
const CERTAIN: f64 = 1e-9;

/// `base[0] + base[1] s + base[2] r + sum coefficient x atom`
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) base: [f64; 3],
    /// Atoms and coefficients, ascending.
    pub(super) terms: Vec<(u32, f64)>,
}

/// `m + p s + q r`, and at most `e` from it.
#[derive(Debug, Clone, Copy, Default)]
struct Form {
    m: f64,
    p: f64,
    q: f64,
    e: f64,
}

impl Form {
    fn times(self, k: f64) -> Self {
        Self {
            m: k * self.m,
            p: k * self.p,
            q: k * self.q,
            e: k.abs() * self.e,
        }
    }

    /// Most that `other` can exceed this one anywhere on the box.
    fn excess_of(&self, other: &Self) -> f64 {
        other.m - self.m + (other.p - self.p).abs() + (other.q - self.q).abs() + other.e + self.e
    }

    fn reach(&self) -> f64 {
        self.p.abs() + self.q.abs() + self.e
    }
}

/// The largest of functions: `max_i max(u_i, leak u_i)`, or an error that nothing cuts.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    /// `u_i`; none of noise.
    pub(super) functions: Vec<Row>,
    /// Slope below 0; 1 where functions pass as they are.
    pub(super) leak: f64,
    form: Form,
}

/// A network on a box.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) centre: [f64; 2],
    pub(super) half: [f64; 2],
    pub(super) atoms: Vec<Atom>,
    /// For each "largest of" step the end of its atoms.
    pub(super) layer_ends: Vec<usize>,
    pub(super) logits: Vec<Row>,
}

/// What becomes of a unit on a box.
enum Kept {
    /// It does not bend: this function, times this factor.
    Follows(usize, f64),
    Bends(Atom),
}

/// Decides whether the largest of functions bends, of which `forms` are the bounds.
fn decide(forms: &[Form], leak: f64, row: impl Fn(usize) -> Row) -> Kept {
    // Functions: each u, and each leak u unless it passes as it is. For a leak of 0 these are one.
    let leaking = match leak {
        1.0 => 0,
        0.0 => 1,
        _ => forms.len(),
    };
    let count = forms.len() + leaking;
    let form = |f: usize| match f.checked_sub(forms.len()) {
        None => forms[f],
        Some(u) => forms[u].times(leak),
    };
    let lead = (1..count).fold(0, |best, f| if form(f).m > form(best).m { f } else { best });
    let leader = form(lead);
    let rivals = |f: &usize| *f != lead && leader.excess_of(&form(*f)) > 0.0;
    let excess = (0..count)
        .filter(rivals)
        .map(|f| leader.excess_of(&form(f)))
        .fold(0.0, f64::max);
    if excess <= 0.0 {
        return match lead.checked_sub(forms.len()) {
            None => Kept::Follows(lead, 1.0),
            Some(u) => Kept::Follows(u, leak),
        };
    }
    let takes_part = |f: usize| f == lead || rivals(&f);
    let passing: Vec<usize> = (0..forms.len()).filter(|&f| takes_part(f)).collect();
    let blocked: Vec<usize> = (forms.len()..count).filter(|&f| takes_part(f)).collect();
    let (functions, leak) = match (&passing[..], &blocked[..]) {
        (passing, []) => (passing.iter().map(|&f| row(f)).collect(), 1.0),
        ([], blocked) => {
            // All below 0: a pool of leaking values (a leak of 0 leaves one function, which leads).
            let scaled = blocked.iter().map(|&f| row(f - forms.len()).times(leak));
            (scaled.collect(), 1.0)
        }
        (passing, blocked) => {
            // A value that takes part on one side of 0 only takes part in both: it is one function.
            let mut units: Vec<usize> = passing.to_vec();
            if leak != 0.0 {
                units.extend(blocked.iter().map(|f| f - forms.len()));
                units.sort_unstable();
                units.dedup();
            }
            (units.into_iter().map(row).collect(), leak)
        }
    };
    Kept::Bends(Atom {
        functions,
        leak,
        form: Form {
            m: leader.m + excess / 2.0,
            e: leader.e + excess / 2.0,
            ..leader
        },
    })
}

impl Row {
    fn times(mut self, k: f64) -> Self {
        self.base.iter_mut().for_each(|b| *b *= k);
        self.terms.iter_mut().for_each(|(_, c)| *c *= k);
        self
    }

    fn form(&self, atoms: &[Atom]) -> Form {
        let [m, p, q] = self.base;
        let mut form = Form { m, p, q, e: 0.0 };
        for &(atom, c) in &self.terms {
            let of = &atoms[atom as usize].form;
            form.m += c * of.m;
            form.p += c * of.p;
            form.q += c * of.q;
            form.e += c.abs() * of.e;
        }
        form
    }
}

impl Region {
    /// The network on the box `origin + alpha u + beta v`, (alpha, beta) within `half` of `centre`.
    ///
    /// # Errors
    /// [`SectionError::NotFinite`].
    pub(super) fn new(
        network: &SectionNetwork,
        [origin, u, v]: [&[f64]; 3],
        centre: [f64; 2],
        half: [f64; 2],
    ) -> Result<Self, SectionError> {
        let middle = (0..origin.len()).map(|k| origin[k] + centre[0] * u[k] + centre[1] * v[k]);
        let along = |d: &[f64], half: f64| d.iter().map(|d| half * d).collect();
        let mut values: Vec<Option<Local>> = vec![Some(Local {
            base: [middle.collect(), along(u, half[0]), along(v, half[1])],
            columns: Vec::new(),
        })];
        let mut region = Self {
            centre,
            half,
            atoms: Vec::new(),
            layer_ends: Vec::new(),
            logits: Vec::new(),
        };
        let last_use = network.last_use();
        for (i, step) in network.steps.iter().enumerate() {
            let takes: Vec<&Local> = step
                .takes
                .iter()
                .map(|&v| values[v].as_ref().expect("kept until its last use"))
                .collect();
            let outputs = network.sizes[i + 1];
            let local = match &step.op {
                Op::Largest { slope, windows } => {
                    let windows = windows.as_ref();
                    let found = region.largest(takes[0], *slope, outputs, |unit| {
                        window_units(windows, unit)
                    });
                    region.layer_ends.push(region.atoms.len());
                    found
                }
                Op::Smooth(smooth) => region.smooth(takes[0], *smooth),
                op => affine(op, &takes, outputs),
            };
            for base in &local.base {
                network.check_values(&step.name, base)?;
            }
            values.push(Some(local));
            for (v, value) in values.iter_mut().enumerate() {
                if last_use[v] <= i && v != i + 1 {
                    *value = None;
                }
            }
        }
        let logits = values.pop().flatten().expect("the last step's value");
        let terms = Terms::new(&logits);
        region.logits = (0..network.num_classes())
            .map(|k| logits.row(&terms, k))
            .collect();
        Ok(region)
    }

    fn largest(
        &mut self,
        from: &Local,
        leak: f64,
        outputs: usize,
        window: impl Fn(usize) -> Vec<usize>,
    ) -> Local {
        let terms = Terms::new(from);
        let forms = from.forms(&self.atoms);
        let old = self.atoms.len();
        let mut base = [0, 1, 2].map(|_| vec![0.0; outputs]);
        let mut columns: Vec<Vec<(u32, f64)>> = vec![Vec::new(); old];
        for unit in 0..outputs {
            let units = window(unit);
            let of: Vec<Form> = units.iter().map(|&u| forms[u]).collect();
            match decide(&of, leak, |f| from.row(&terms, units[f])) {
                Kept::Follows(f, factor) => {
                    if factor != 0.0 {
                        for (base, from) in base.iter_mut().zip(&from.base) {
                            base[unit] = factor * from[units[f]];
                        }
                        for &(atom, c) in terms.of(units[f]) {
                            columns[atom as usize].push((unit as u32, factor * c));
                        }
                    }
                }
                Kept::Bends(atom) => {
                    self.atoms.push(atom);
                    columns.push(vec![(unit as u32, 1.0)]);
                }
            }
        }
        local(base, columns)
    }

    /// Chords of a smooth activation; what they can be wrong by is noise.
    fn smooth(&mut self, from: &Local, smooth: super::smooth::Smooth) -> Local {
        let terms = Terms::new(from);
        let forms = from.forms(&self.atoms);
        let units = forms.len();
        let mut base = [0, 1, 2].map(|_| vec![0.0; units]);
        let mut columns: Vec<Vec<(u32, f64)>> = vec![Vec::new(); self.atoms.len()];
        for (unit, form) in forms.iter().enumerate() {
            let r = form.reach();
            let (low, high) = (smooth.at(form.m - r), smooth.at(form.m + r));
            let slope = if r > 0.0 {
                (high - low) / (2.0 * r)
            } else {
                0.0
            };
            for (base, from) in base.iter_mut().zip(&from.base) {
                base[unit] = slope * from[unit];
            }
            base[0][unit] += (low + high) / 2.0 - slope * form.m;
            if slope != 0.0 {
                for &(atom, c) in terms.of(unit) {
                    columns[atom as usize].push((unit as u32, slope * c));
                }
            }
            let e = smooth.bend() * r * r / 2.0;
            if e > 0.0 {
                self.atoms.push(Atom {
                    functions: Vec::new(),
                    leak: 1.0,
                    form: Form {
                        e,
                        ..Form::default()
                    },
                });
                columns.push(vec![(unit as u32, 1.0)]);
            }
        }
        local(base, columns)
    }

    /// The same network on a box inside this one, in the same coordinates of the plane. Piecewise
    /// linear only: noise would keep its size.
    pub(super) fn restrict(&self, centre: [f64; 2], half: [f64; 2]) -> Self {
        let mut inner = Self {
            centre,
            half,
            atoms: Vec::new(),
            layer_ends: Vec::with_capacity(self.layer_ends.len()),
            logits: Vec::new(),
        };
        // s = shift + scale s' from the inner box's coordinates to this one's.
        let frame = [0, 1].map(|k| {
            let outer = if self.half[k] > 0.0 {
                self.half[k]
            } else {
                1.0
            };
            [(centre[k] - self.centre[k]) / outer, half[k] / outer]
        });
        let mut expressions: Vec<Row> = Vec::with_capacity(self.atoms.len());
        let mut sum = Accumulator::default();
        let mut done = 0;
        for &end in &self.layer_ends {
            for atom in &self.atoms[done..end] {
                let rows: Vec<Row> = atom
                    .functions
                    .iter()
                    .map(|row| sum.substituted(row, &expressions, frame))
                    .collect();
                let forms: Vec<Form> = rows.iter().map(|row| row.form(&inner.atoms)).collect();
                expressions.push(match decide(&forms, atom.leak, |f| rows[f].clone()) {
                    Kept::Follows(f, factor) => rows[f].clone().times(factor),
                    Kept::Bends(atom) => {
                        inner.atoms.push(atom);
                        Row {
                            base: [0.0; 3],
                            terms: vec![(inner.atoms.len() as u32 - 1, 1.0)],
                        }
                    }
                });
            }
            done = end;
            inner.layer_ends.push(inner.atoms.len());
        }
        inner.logits = self
            .logits
            .iter()
            .map(|row| sum.substituted(row, &expressions, frame))
            .collect();
        inner
    }

    /// The class of the whole box, if the bounds prove one.
    pub(super) fn certain_class(&self) -> Option<usize> {
        let middle: Vec<f64> = self
            .logits
            .iter()
            .map(|row| row.form(&self.atoms).m)
            .collect();
        let lead = super::intervals::top(&middle);
        let mut difference = vec![0.0; self.atoms.len()];
        let certain = (0..self.logits.len()).filter(|&j| j != lead).all(|j| {
            difference.fill(0.0);
            for &(atom, c) in &self.logits[lead].terms {
                difference[atom as usize] = c;
            }
            for &(atom, c) in &self.logits[j].terms {
                difference[atom as usize] -= c;
            }
            let base = [0, 1, 2].map(|k| self.logits[lead].base[k] - self.logits[j].base[k]);
            let [mut m, mut p, mut q] = base;
            let mut e = 0.0;
            for (atom, c) in self
                .atoms
                .iter()
                .zip(&difference)
                .filter(|(_, c)| **c != 0.0)
            {
                m += c * atom.form.m;
                p += c * atom.form.p;
                q += c * atom.form.q;
                e += c.abs() * atom.form.e;
            }
            m - p.abs() - q.abs() - e > CERTAIN
        });
        certain.then_some(lead)
    }

    /// Values that describe it: what reducing it further costs.
    pub(super) fn num_functions(&self) -> usize {
        self.atoms.iter().map(|atom| atom.functions.len()).sum()
    }
}

/// Sums of rows, with a place for each atom.
#[derive(Default)]
struct Accumulator {
    coefficients: Vec<f64>,
    present: Vec<bool>,
    touched: Vec<u32>,
}

impl Accumulator {
    /// A row of an outer box over the atoms of an inner one.
    fn substituted(&mut self, row: &Row, expressions: &[Row], frame: [[f64; 2]; 2]) -> Row {
        let [c, a, b] = row.base;
        let mut base = [
            c + a * frame[0][0] + b * frame[1][0],
            a * frame[0][1],
            b * frame[1][1],
        ];
        self.touched.clear();
        for &(atom, k) in &row.terms {
            let expression = &expressions[atom as usize];
            for (sum, term) in base.iter_mut().zip(expression.base) {
                *sum += k * term;
            }
            for &(inner, c) in &expression.terms {
                let at = inner as usize;
                if at >= self.coefficients.len() {
                    self.coefficients.resize(at + 1, 0.0);
                    self.present.resize(at + 1, false);
                }
                if !self.present[at] {
                    self.present[at] = true;
                    self.coefficients[at] = 0.0;
                    self.touched.push(inner);
                }
                self.coefficients[at] += k * c;
            }
        }
        self.touched.sort_unstable();
        let mut terms = Vec::with_capacity(self.touched.len());
        for &atom in &self.touched {
            self.present[atom as usize] = false;
            let c = self.coefficients[atom as usize];
            if c != 0.0 {
                terms.push((atom, c));
            }
        }
        Row { base, terms }
    }
}
