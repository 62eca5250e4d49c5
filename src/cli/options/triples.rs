//! Which triples of items.

use crate::job::{Groups, Triples};
use std::path::PathBuf;

/// Which triples of images.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TripleArgs {
    /// Groups of three classes, each with a set A and a set B of items [default: 5, or the
    /// number of --classes given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: Option<u32>,
    /// Three classes of a group, by number or name: 9,4,5. The first fixes group 1, the next
    /// group 2, and so on; the groups beyond are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"1A","items":[i,j,k]},...]}
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["groups", "classes", "seed"])]
    triples: Option<PathBuf>,
    /// Seed of the choice of classes and items
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Which triples of rows.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RowTripleArgs {
    /// Groups, each one random row of three classes [default: 5, or the number of --classes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: Option<u32>,
    /// Three classes of a group, by number or name. The first fixes group A, the next group B,
    /// and so on; the groups beyond are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"A","items":[i,j,k]},...]}, the items by
    /// their numbers from 0: rows of the file, or of iris, hawks and seeds the rows that are kept
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["groups", "classes", "seed"])]
    triples: Option<PathBuf>,
    /// Seed of the choice of rows and classes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl TripleArgs {
    /// The triples that they stand for.
    pub(in crate::cli) fn triples(&self) -> Triples {
        triples(&self.triples, self.groups, &self.classes, self.seed)
    }

    /// The seed of whatever is drawn.
    pub(in crate::cli) fn seed(&self) -> u64 {
        self.seed
    }
}

impl RowTripleArgs {
    /// The triples that they stand for.
    pub(in crate::cli) fn triples(&self) -> Triples {
        triples(&self.triples, self.groups, &self.classes, self.seed)
    }
}

fn triples(file: &Option<PathBuf>, groups: Option<u32>, classes: &[String], seed: u64) -> Triples {
    match file {
        Some(path) => Triples::File(path.clone()),
        None => Triples::Groups(Groups {
            count: groups.map(|groups| groups as usize),
            classes: classes.to_vec(),
            seed,
        }),
    }
}
