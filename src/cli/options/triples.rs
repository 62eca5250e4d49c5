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
    /// Three classes of a group, by number or name: 9,4,5
    ///
    /// Three classes of a group, by number or name: 9,4,5. The first fixes group 1, the next group
    /// 2, and so on; further groups are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups
    ///
    /// A fixed list instead of groups: {"triples":[{"name":"1A","items":[i,j,k]},...]}, an item by
    /// its number or name, or as {"png":BASE64,"class":c}; or dbviz:SEED, the triple that dbViz
    /// draws by a seed, or dbviz:SEED+COUNT, that many triples by this seed and the next ones
    #[arg(long, value_name = "FILE.json|dbviz:SEED", conflicts_with_all = ["groups", "classes", "seed"], value_parser = parse_triples)]
    triples: Option<Triples>,
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
    /// Three classes of a group, by number or name. The first fixes group A, the next group B, and
    /// so on; further groups are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"A","items":[i,j,k]},...]}, the items by
    /// their numbers from 0: rows of the file, or of iris, hawks and seeds the rows that are kept;
    /// or as {"row":[...],"class":c}; or dbviz:SEED, the triple that dbViz draws by a seed, or
    /// dbviz:SEED+COUNT, that many triples by this seed and the next ones
    #[arg(long, value_name = "FILE.json|dbviz:SEED", conflicts_with_all = ["groups", "classes", "seed"], value_parser = parse_triples)]
    triples: Option<Triples>,
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

/// A file, or `dbviz:SEED+COUNT`.
fn parse_triples(text: &str) -> Result<Triples, String> {
    let Some(draws) = text.strip_prefix("dbviz:") else {
        let path = PathBuf::from(text);
        if text.contains([',', '#']) && !path.exists() {
            return Err(format!(
                "expected a file such as view.json that holds {{\"triples\":[{{\"name\":\"1A\",\"items\":[0,1,2]}}]}}, or dbviz:SEED, found items \"{text}\""
            ));
        }
        return Ok(Triples::File(path));
    };
    let (seed, count) = draws.split_once('+').unwrap_or((draws, "1"));
    let seed = seed.parse::<u64>().ok();
    let count = count.parse().ok();
    match (seed, count.filter(|count| (1..=1_000_000).contains(count))) {
        (Some(seed), Some(count)) if seed.checked_add(count as u64).is_some() => {
            Ok(Triples::Dbviz { seed, count })
        }
        _ => Err(format!(
            "expected dbviz:SEED or dbviz:SEED+COUNT with a COUNT of 1 to 1000000, found \"{text}\""
        )),
    }
}

fn triples(given: &Option<Triples>, groups: Option<u32>, classes: &[String], seed: u64) -> Triples {
    match given {
        Some(triples) => triples.clone(),
        None => Triples::Groups(Groups {
            count: groups.map(|groups| groups as usize),
            classes: classes.to_vec(),
            seed,
        }),
    }
}
