//! A limit below which models must not disagree: a regression test of a classifier.

use super::answers::{ModelsResult, pairs_of};
use crate::landscape::mean_over_triples;

/// How alike every two models have to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// The least mean agreement over the triples, 0..1.
    pub min_agreement: f64,
    /// Whether it is also the least Jaccard index of every class, over all landscapes together.
    pub per_class: bool,
}

/// Two models that are less alike than a gate asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Shortfall {
    /// Their names.
    pub models: [String; 2],
    /// The class whose Jaccard index falls short; nothing where the agreement does.
    pub class: Option<String>,
    /// What was found.
    pub found: f64,
    /// What was asked for.
    pub wanted: f64,
}

impl Gate {
    /// What falls short, the agreements first.
    pub fn check(&self, result: &ModelsResult) -> Vec<Shortfall> {
        let mut short = Vec::new();
        for (pair, [a, b]) in pairs_of(result.models()).enumerate() {
            let mut add = |class: Option<usize>, found: f64| {
                if found.is_nan() || found < self.min_agreement {
                    short.push(Shortfall {
                        models: [a, b].map(|model| result.names[model].clone()),
                        class: class.map(|class| result.class_names[class].clone()),
                        found,
                        wanted: self.min_agreement,
                    });
                }
            };
            let agreements = result.over_triples(|one| one.between[pair].agreement);
            add(
                None,
                mean_over_triples(&agreements, 1).map_or(f64::NAN, |found| found.mean),
            );
            if self.per_class {
                for (class, jaccard) in result.jaccard(pair) {
                    add(Some(class), jaccard);
                }
            }
        }
        short
    }
}
