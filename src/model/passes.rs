//! What is done to drafts before they are steps, one pass behind the other.
//!
//! ```text
//! frames       a frame of zeros around an image    -> the padding of the convolution behind it
//! scalings     x * scale + offset                  -> the weights before it or behind it, the scaling before it
//! sums         the sum of two values               -> the convolution that gives the later one
//! activations  a function of each value            -> the step before it
//! pools        the largest of squares of 2 x 2     -> the convolution before it, and an activation behind it
//! ```
//!
//! A step takes something in only where nobody else sees the value between the two. So frames go first,
//! which stand between a scaling and its convolution; scalings go before sums, since what is added behind
//! a convolution's own sums would have to be scaled, too; and activations behind them, since they end a step
//! but for a pool.

use super::ModelError;
use super::draft::{Draft, Drafts, What};
use super::fold::Kind;
use crate::kernels::{Activation, PoolLayer, Pooling};

type Pass = fn(&mut Folding, usize) -> Result<(), ModelError>;

/// The passes in their order; each visits the drafts from the first to the last.
const PASSES: [Pass; 6] = [
    Folding::frame,
    Folding::scaling,
    Folding::sum,
    Folding::activation,
    Folding::pool,
    Folding::activation,
];

/// Folds and fuses what can be.
///
/// # Errors
/// [`ModelError::NotFinite`] where a weight and a scaling make no number together.
pub(super) fn run(drafts: &mut Drafts) -> Result<(), ModelError> {
    for pass in PASSES {
        let mut folding = Folding::new(std::mem::take(drafts));
        for at in 0..folding.drafts.len() {
            folding.follow(at);
            pass(&mut folding, at)?;
        }
        *drafts = Drafts {
            end: folding.stands_for[folding.end],
            drafts: folding.drafts,
        };
    }
    Ok(())
}

/// A pass on its way.
struct Folding {
    drafts: Vec<Draft>,
    end: usize,
    /// How many drafts take each value; the end is taken by one more.
    takers: Vec<usize>,
    /// The value in the place of each: that of the draft that took its own in.
    stands_for: Vec<usize>,
}

impl Folding {
    fn new(Drafts { drafts, end }: Drafts) -> Self {
        let mut takers = vec![0; drafts.len() + 1];
        takers[end] += 1;
        for draft in &drafts {
            if !matches!(draft.what, What::Absorbed) {
                draft.takes.iter().for_each(|&value| takers[value] += 1);
            }
        }
        Self {
            stands_for: (0..takers.len()).collect(),
            drafts,
            end,
            takers,
        }
    }

    /// Names what a draft takes by the values that stand for it.
    fn follow(&mut self, at: usize) {
        for value in &mut self.drafts[at].takes {
            *value = self.stands_for[*value];
        }
    }

    /// The draft that gives a value, where one draft alone takes it and it has no activation yet.
    fn open(&self, value: usize) -> Option<usize> {
        let giver = self.only(value)?;
        (self.drafts[giver].activation == Activation::Linear).then_some(giver)
    }

    /// The draft that gives a value, where one draft alone takes it.
    fn only(&self, value: usize) -> Option<usize> {
        let giver = value.checked_sub(1)?;
        (self.takers[value] == 1).then_some(giver)
    }

    /// Puts draft `at`, which takes the value of `into` alone, into it; others take that one's value now.
    fn join(&mut self, at: usize, into: usize) {
        let layers = std::mem::take(&mut self.drafts[at].layers);
        self.drafts[into].layers.extend(layers);
        self.drafts[at].what = What::Absorbed;
        self.takers[into + 1] = self.takers[at + 1];
        self.stands_for[at + 1] = into + 1;
    }

    /// A convolution takes the frame of zeros before it for its padding.
    fn frame(&mut self, at: usize) -> Result<(), ModelError> {
        let [value] = self.drafts[at].takes[..] else {
            return Ok(());
        };
        let Some(giver) = self.open(value) else {
            return Ok(());
        };
        let What::Frame { before, after, .. } = self.drafts[giver].what else {
            return Ok(());
        };
        let What::Linear(linear) = &mut self.drafts[at].what else {
            return Ok(());
        };
        let Kind::Conv(windows, _) = &mut linear.kind else {
            return Ok(());
        };
        let fits = |axis: usize| {
            let covered = (windows.size[axis] - 1) * windows.dilation[axis] + 1;
            before[axis] < covered && after[axis] < covered
        };
        // One that pads itself would pad the frame.
        if windows.padded() || !fits(0) || !fits(1) {
            return Ok(());
        }
        for axis in [0, 1] {
            windows.input[axis] -= before[axis] + after[axis];
        }
        windows.before = before;
        self.drafts[at].takes = self.drafts[giver].takes.clone();
        self.drafts[giver].what = What::Absorbed;
        Ok(())
    }

    /// A scaling joins the products or the scaling before it; products take in the scaling before them.
    fn scaling(&mut self, at: usize) -> Result<(), ModelError> {
        let [value] = self.drafts[at].takes[..] else {
            return Ok(());
        };
        let Some(giver) = self.open(value) else {
            return Ok(());
        };
        // What is added to a draft's own sums would have to be scaled, too.
        if self.drafts[giver].takes.len() != 1 {
            return Ok(());
        }
        let [before, draft] = (self.drafts.get_disjoint_mut([giver, at])).expect("two drafts");
        let name = draft.layers.last().map_or("", String::as_str);
        let is_scaling = draft.activation == Activation::Linear;
        match (&mut before.what, &mut draft.what) {
            (What::Linear(linear), What::Elementwise(affine, _))
                if is_scaling && affine.fits(linear.bias.len()) =>
            {
                linear.fold_behind(name, affine)?;
                self.join(at, giver);
            }
            (What::Elementwise(first, _), What::Elementwise(affine, _)) if is_scaling => {
                if let Some(both) = first.then(affine) {
                    *first = both;
                    self.join(at, giver);
                }
            }
            (What::Elementwise(affine, _), What::Linear(linear)) if linear.takes_ahead(affine) => {
                linear.fold_ahead(name, affine)?;
                draft.takes.clone_from(&before.takes);
                draft.layers.splice(..0, std::mem::take(&mut before.layers));
                before.what = What::Absorbed;
            }
            _ => {}
        }
        Ok(())
    }

    /// A convolution adds the other of two values to its own sums, as residual blocks end; it must be the
    /// later of the two.
    fn sum(&mut self, at: usize) -> Result<(), ModelError> {
        let [one, other] = self.drafts[at].takes[..] else {
            return Ok(());
        };
        let is_sum = matches!(self.drafts[at].what, What::Elementwise(..));
        let (early, late) = (one.min(other), one.max(other));
        let Some(giver) = self.open(late).filter(|_| is_sum && early != late) else {
            return Ok(());
        };
        let conv = match &self.drafts[giver].what {
            What::Linear(linear) => matches!(linear.kind, Kind::Conv(_, 1)),
            _ => false,
        };
        if conv && self.drafts[giver].takes.len() == 1 {
            self.drafts[giver].takes.push(early);
            self.join(at, giver);
        }
        Ok(())
    }

    /// A convolution keeps the largest value of each square of its pixels where a pool behind it would.
    fn pool(&mut self, at: usize) -> Result<(), ModelError> {
        let What::Pool(PoolLayer {
            windows,
            pooling: Pooling::Max,
        }) = &self.drafts[at].what
        else {
            return Ok(());
        };
        let squares = [windows.input[0] / 2, windows.input[1] / 2];
        let takes_all = [windows.size, windows.stride] == [[2, 2]; 2]
            && [windows.before, windows.dilation] == [[0, 0], [1, 1]]
            && windows.output[..2] == squares;
        let Some(giver) = self.only(self.drafts[at].takes[0]).filter(|_| takes_all) else {
            return Ok(());
        };
        let before = &self.drafts[giver];
        let is_conv = match &before.what {
            What::Linear(linear) => match linear.kind {
                Kind::Conv(of, 1) => of.output == windows.input,
                _ => false,
            },
            _ => false,
        };
        if is_conv && before.takes.len() == 1 && !before.pooled {
            self.drafts[giver].pooled = true;
            self.drafts[giver].shape = std::mem::take(&mut self.drafts[at].shape);
            self.join(at, giver);
        }
        Ok(())
    }

    /// An activation becomes part of the step before it.
    fn activation(&mut self, at: usize) -> Result<(), ModelError> {
        let draft = &self.drafts[at];
        let [value] = draft.takes[..] else {
            return Ok(());
        };
        let alone = match &draft.what {
            What::Elementwise(affine, _) => affine.is_identity(),
            _ => false,
        };
        let activation = draft.activation;
        if !alone || activation == Activation::Linear {
            return Ok(());
        }
        let Some(giver) = self.open(value) else {
            return Ok(());
        };
        let takes_it = match &self.drafts[giver].what {
            // The largest value is also the largest behind a function that never falls.
            What::Linear(_) => !self.drafts[giver].pooled || activation.never_falls(),
            What::Elementwise(..) => true,
            What::Ready(layer) | What::Frame { layer, .. } => {
                layer.activated(Activation::Linear).is_some()
            }
            What::Pool(_) | What::Absorbed => false,
        };
        if takes_it {
            self.drafts[giver].activation = activation;
            self.join(at, giver);
        }
        Ok(())
    }
}
