//! How the triples of an atlas are chosen.

use crate::defaults::with_defaults;
use serde::{Deserialize, Serialize};

with_defaults! {
    /// The design of an atlas: a survey that says how landscapes are on the whole, and a search for the
    /// worst of them on grids that grow finer.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Design {
        /// Draws items, triples, orders and audits.
        pub seed: u64 = 1,
        /// What triples are searched and ranked by.
        pub score: Score = Score::ConfidentIntrusion,
        /// Points a side of the grids, from the coarsest; each is every n-th point of the next.
        pub rungs: Vec<usize> = vec![6, 11, 21, 41],
        /// Share of the triples of the first grid that goes on to each finer one, by score.
        pub keep: Vec<f64> = vec![0.1, 0.05, 0.01],
        /// Share of those left behind that goes on to the finest all the same, drawn by lot.
        pub audit: f64 = 0.01,
        /// Items a class at most, drawn at random; all without a number.
        pub per_class: Option<usize> = None,
        /// Whether items that the model classifies wrongly take part.
        pub any_items: bool = false,
        /// Triples of the survey.
        pub survey: usize = 12_000,
        /// Points a side of the survey's grids.
        pub survey_steps: usize = 11,
        /// Triples that are searched at most; where there are no more, all of them are.
        pub search: u64 = 100_000,
        /// Triples that are taken again and shown at the end.
        pub top: usize = 100,
    }
}

/// What a triple is ranked by. It is that of its worst landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Share of the grid that is given to a class of none of the items, with a probability of 0.9 or
    /// more.
    ConfidentIntrusion,
    /// The smallest L2 distance from an item to an input of the grid with another label; the smaller,
    /// the worse.
    Flip,
    /// Share of the grid that is given to a class of none of the items, less what the survey found for
    /// their three classes.
    Intrusion,
    /// The largest barrier between two of the items.
    Barrier,
    /// Mean change of the probabilities along a path.
    TotalVariation,
}

impl Score {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ConfidentIntrusion,
        Self::Flip,
        Self::Intrusion,
        Self::Barrier,
        Self::TotalVariation,
    ];

    /// Its name, as a plan has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfidentIntrusion => "confident_intrusion",
            Self::Flip => "flip",
            Self::Intrusion => "intrusion",
            Self::Barrier => "barrier",
            Self::TotalVariation => "total_variation",
        }
    }

    /// What it says, for a heading.
    pub fn label(self) -> &'static str {
        match self {
            Self::ConfidentIntrusion => "confident intrusion",
            Self::Flip => "nearest flip",
            Self::Intrusion => "intrusion beyond its classes' mean",
            Self::Barrier => "largest barrier",
            Self::TotalVariation => "total variation",
        }
    }
}

impl Design {
    /// What is wrong with it: the setting in backquotes, what was expected and what was found.
    pub(super) fn problem(&self) -> Option<String> {
        let nested = self.rungs.windows(2).all(|pair| match *pair {
            [coarse, fine] => coarse < fine && (fine - 1).is_multiple_of(coarse - 1),
            _ => true,
        });
        let first = self.rungs.first().copied().unwrap_or(0);
        if first < 2 || !nested || self.rungs.iter().any(|&steps| steps > 255) {
            return Some(format!(
                "`rungs`: expected 2 to 255 points a side, each grid every n-th point of the next such as 6, 11, 21, 41; found {:?}",
                self.rungs
            ));
        }
        let shares = self.keep.windows(2).all(|pair| pair[0] >= pair[1]);
        let in_range = |share: &f64| (0.0..=1.0).contains(share) && *share > 0.0;
        if self.keep.len() + 1 != self.rungs.len() || !shares || !self.keep.iter().all(in_range) {
            return Some(format!(
                "`keep`: expected {} shares of the first grid's triples, 0 to 1, none larger than the one before; found {:?}",
                self.rungs.len().saturating_sub(1),
                self.keep
            ));
        }
        if !(0.0..=1.0).contains(&self.audit) {
            return Some(format!(
                "`audit`: expected a share from 0 to 1, found {}",
                self.audit
            ));
        }
        if self.survey_steps < 2 {
            return Some(format!(
                "`survey_steps`: expected 2 points a side or more, found {}",
                self.survey_steps
            ));
        }
        if self.search == 0 || self.top == 0 {
            return Some("`search` and `top`: expected 1 or more, found 0".to_owned());
        }
        None
    }

    /// How many of `all` triples of the first grid come to each grid by their score.
    pub(super) fn kept_of(&self, all: usize) -> Vec<usize> {
        let shares = std::iter::once(1.0).chain(self.keep.iter().copied());
        let mut before = all;
        let counts = shares.map(|share| {
            before = before.min((share * all as f64).ceil() as usize);
            before
        });
        counts.collect()
    }

    /// How many of `rejected` triples are drawn by lot.
    pub(super) fn audited_of(&self, rejected: usize) -> usize {
        ((self.audit * rejected as f64).ceil() as usize).min(rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_a_design_and_others_are_told_why_not() {
        let design = Design::default();
        assert_eq!(design.problem(), None);
        assert_eq!(design.kept_of(1000), [1000, 100, 50, 10]);
        assert_eq!(design.kept_of(3), [3, 1, 1, 1]);
        assert_eq!([design.audited_of(950), design.audited_of(0)], [10, 0]);
        let refused = |change: fn(&mut Design)| {
            let mut design = Design::default();
            change(&mut design);
            design.problem().expect("refused")
        };
        assert!(refused(|d| d.rungs = vec![6, 12]).contains("`rungs`"));
        assert!(refused(|d| d.rungs.clear()).contains("`rungs`"));
        assert!(refused(|d| d.keep = vec![0.1, 0.2, 0.01]).contains("`keep`"));
        assert!(refused(|d| d.audit = f64::NAN).contains("`audit`"));
        assert!(refused(|d| d.search = 0).contains("`search`"));
    }
}
