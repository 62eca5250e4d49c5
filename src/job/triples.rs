//! Which triples of items a job runs between: chosen by seed, or a fixed list.

use super::error::{JobError, Located};
use crate::defaults::with_defaults;
use crate::landscape::{GridKind, ListedItem, ListedTriple, Triple, read_triples_file};
use crate::remedy::{Setting, did_you_mean, some_names};
use crate::sections::dbviz_triple;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The number of groups where nothing says it, the paper's.
const GROUPS: usize = 5;

/// Which triples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Triples {
    /// Groups of three classes, whose items a seed chooses.
    Groups(Groups),
    /// A list.
    Listed(Vec<ListedTriple>),
    /// A list in a file: `{"triples":[{"name":"1A","items":[i,j,k]},...]}`.
    File(PathBuf),
    /// The triples that dbViz draws from the same data.
    Dbviz {
        /// The seed of the first; the next one has the next seed.
        seed: u64,
        /// How many.
        count: usize,
    },
}

with_defaults! {
    /// Groups of three classes.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Groups {
        /// How many; without a number 5, or one a list of fixed classes.
        pub count: Option<usize> = None,
        /// The classes of the first groups, by number or name: `9,4,5`.
        pub classes: Vec<String> = Vec::new(),
        /// Chooses the items, and the classes of the other groups.
        pub seed: u64 = 1,
    }
}

impl Default for Triples {
    /// The paper's: five groups.
    fn default() -> Self {
        Self::Groups(Groups::default())
    }
}

/// Gives a listed item's position in the data and its class.
pub(super) type Find<'a> = dyn Fn(&ListedItem) -> Result<(usize, usize), JobError> + 'a;

/// Draws so many groups with the classes of the first that are fixed, by a seed.
pub(super) type Choose<'a> =
    dyn Fn(usize, &[[usize; 3]], u64) -> Result<Vec<Triple>, JobError> + 'a;

impl Triples {
    /// So many groups of classes, chosen by seed 1.
    pub fn groups(count: usize) -> Self {
        Self::Groups(Groups {
            count: Some(count),
            ..Groups::default()
        })
    }

    /// The same groups, chosen by another seed; a list stays as it is.
    pub fn seed(self, seed: u64) -> Self {
        match self {
            Self::Groups(groups) => Self::Groups(Groups { seed, ..groups }),
            listed => listed,
        }
    }

    /// The seed that chooses them; nothing where a list does.
    pub fn chosen_by(&self) -> Option<u64> {
        match self {
            Self::Groups(groups) => Some(groups.seed),
            _ => None,
        }
    }

    /// Whether they are a list.
    pub(super) fn are_listed(&self) -> bool {
        self.chosen_by().is_none()
    }

    /// The triples of landscapes of a kind: `choose` draws groups with the classes that are fixed;
    /// `find` gives a listed item's position in the data and its class; `labels` are those of all
    /// items.
    pub(super) fn resolve(
        &self,
        kind: GridKind,
        class_names: &[String],
        find: &Find<'_>,
        choose: &Choose<'_>,
        labels: &dyn Fn() -> Vec<usize>,
    ) -> Result<Vec<Triple>, JobError> {
        match self {
            Self::Groups(groups) => {
                let fixed = groups.fixed(class_names)?;
                choose(groups.number(&fixed)?, &fixed, groups.seed)
            }
            Self::Listed(list) => looked_up(kind, list, find),
            Self::Dbviz { seed, count } => {
                let labels = labels();
                let draw = |n: usize| {
                    let seed = seed + n as u64;
                    let items = dbviz_triple(&labels, seed)
                        .map_err(|error| {
                            JobError::unfit_but(
                                error.to_string(),
                                "list the items in a file, and use {} plane or triangle, which takes items of any class",
                                &[Setting::Kind],
                            )
                        })
                        .in_setting(Setting::Triples, format!("dbviz:{seed}"))?;
                    let classes = items.map(|item| labels[item]);
                    Ok(Triple::new(format!("dbviz-{seed}"), items, classes)?)
                };
                (0..*count).map(draw).collect()
            }
            Self::File(path) => read_triples_file(path)
                .map_err(JobError::from)
                .and_then(|list| looked_up(kind, &list, find))
                .in_setting(Setting::Triples, path.display()),
        }
    }
}

fn looked_up(
    kind: GridKind,
    list: &[ListedTriple],
    find: &Find<'_>,
) -> Result<Vec<Triple>, JobError> {
    list.iter()
        .map(|ListedTriple { name, items }| {
            let (mut positions, mut classes) = ([0; 3], [0; 3]);
            for (n, item) in items.iter().enumerate() {
                (positions[n], classes[n]) = find(item).at(format!("triple {name}"))?;
            }
            let (name, items) = (name.clone(), positions);
            match kind.is_flat() {
                // A plane through two items of one class is as good as any.
                true => Ok(Triple {
                    name,
                    items,
                    classes,
                }),
                false => Ok(Triple::new(name, items, classes)?),
            }
        })
        .collect()
}

impl Groups {
    /// The classes of the first groups by number.
    fn fixed(&self, class_names: &[String]) -> Result<Vec<[usize; 3]>, JobError> {
        self.classes
            .iter()
            .map(|text| parse_classes(text, class_names).in_setting(Setting::Classes, text))
            .collect()
    }

    fn number(&self, fixed: &[[usize; 3]]) -> Result<usize, JobError> {
        let default = if fixed.is_empty() {
            GROUPS
        } else {
            fixed.len()
        };
        let groups = self.count.unwrap_or(default);
        if groups == 0 {
            return Err(JobError::unfit("expected at least one group, found 0"));
        }
        if fixed.len() > groups {
            return Err(JobError::setting(
                Setting::Classes,
                "",
                JobError::unfit(format!(
                    "expected at most one for each of the {groups} groups, found {}",
                    fixed.len()
                )),
            ));
        }
        Ok(groups)
    }
}

fn parse_classes(text: &str, class_names: &[String]) -> Result<[usize; 3], JobError> {
    let classes = text
        .split(',')
        .map(|part| class_number(part, class_names))
        .collect::<Result<Vec<usize>, _>>()?;
    let [x, y, z] = classes[..] else {
        return Err(JobError::unfit(format!(
            "expected three classes, found {}",
            classes.len()
        )));
    };
    if x == y || x == z || y == z {
        return Err(JobError::unfit("expected three different classes"));
    }
    Ok([x, y, z])
}

/// A class by name, whatever the case of its letters, or by number: where names are numbers themselves,
/// by name alone, so that a list does not mix the two.
///
/// # Errors
/// Where there is no such class.
pub fn class_number(text: &str, class_names: &[String]) -> Result<usize, JobError> {
    let text = text.trim();
    let by_name = class_names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text));
    let numbers_are_names = class_names.iter().any(|name| name.parse::<f64>().is_ok());
    by_name
        .or_else(|| {
            let by_number = text.parse().ok().filter(|_| !numbers_are_names);
            by_number.filter(|&class| class < class_names.len())
        })
        .ok_or_else(|| {
            JobError::unfit(format!(
                "unknown class \"{text}\"; expected {}one of {}{}",
                match numbers_are_names {
                    true => String::new(),
                    false => format!("a number below {} or ", class_names.len()),
                },
                some_names(class_names),
                did_you_mean(text, class_names.iter().map(String::as_str))
            ))
        })
}
