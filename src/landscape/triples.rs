//! Which items a sweep runs between: triples, their permutations, and choosing them by seed.

use crate::remedy::{Remedy, Setting};
use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Three items (x, y, z) of three different classes, e.g. set A of group 1: `1A`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triple {
    /// Name, e.g. `1A`.
    pub name: String,
    /// The items' indices in their data set.
    pub items: [usize; 3],
    /// Their classes.
    pub classes: [usize; 3],
}

/// Why a triple or a choice of triples is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TripleError {
    /// Two items have one class.
    #[error(
        "triple {name}: expected items of three different classes, found items {first} and {second}, both of class {class}"
    )]
    SameClass {
        /// Name of the triple.
        name: String,
        /// Index of an item.
        first: usize,
        /// Index of another.
        second: usize,
        /// Their class.
        class: usize,
    },
    /// Too few items of a class.
    #[error("class {class}: expected {least} items or more for a group, found {found}")]
    TooFewItems {
        /// The class.
        class: usize,
        /// Items it should have.
        least: usize,
        /// Items it has.
        found: usize,
    },
    /// Too few classes.
    #[error("{}", few_classes(*.least, *.found))]
    TooFewClasses {
        /// Items that count.
        least: usize,
        /// Classes with as many items or more.
        found: usize,
    },
}

fn few_classes(least: usize, found: usize) -> String {
    match least {
        1 => format!("expected 3 classes or more to choose groups of, found {found}"),
        _ => format!(
            "expected 3 classes or more of at least {least} items to choose groups of, found {found}"
        ),
    }
}

impl TripleError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::SameClass { .. } => Remedy::new(
                "choose other items, or use {} plane or triangle, which takes items of any class",
                &[Setting::Kind],
            ),
            Self::TooFewItems { .. } => Remedy::new("choose others with {}", &[Setting::Classes]),
            Self::TooFewClasses { .. } => Remedy::new(
                "name the items with {} and use {} plane or triangle, or use `morphscape line`, `morphscape lines` or `morphscape explore`",
                &[Setting::Triples, Setting::Kind],
            ),
        }
    }
}

impl Triple {
    /// Checks that the classes differ.
    ///
    /// # Errors
    /// [`TripleError::SameClass`].
    pub fn new(name: String, items: [usize; 3], classes: [usize; 3]) -> Result<Self, TripleError> {
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            if classes[i] == classes[j] {
                return Err(TripleError::SameClass {
                    name,
                    first: items[i],
                    second: items[j],
                    class: classes[i],
                });
            }
        }
        Ok(Self {
            name,
            items,
            classes,
        })
    }
}

/// Which item of a triple is the target C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permutation {
    /// `.1`: (x, z) into y
    IntoY,
    /// `.2`: (y, z) into x
    IntoX,
    /// `.3`: (x, y) into z
    IntoZ,
}

impl Permutation {
    /// All three, in the order of their names.
    pub const ALL: [Self; 3] = [Self::IntoY, Self::IntoX, Self::IntoZ];

    /// 1, 2 or 3: the number after the dot in a landscape's name.
    pub fn number(self) -> usize {
        match self {
            Self::IntoY => 1,
            Self::IntoX => 2,
            Self::IntoZ => 3,
        }
    }

    /// `[A, B, C]` out of `[x, y, z]`.
    pub fn arrange<T: Copy>(self, [x, y, z]: [T; 3]) -> [T; 3] {
        match self {
            Self::IntoY => [x, z, y],
            Self::IntoX => [y, z, x],
            Self::IntoZ => [x, y, z],
        }
    }
}

/// Chooses sets A and B of `groups` groups by `seed`: for each group three classes, or those of
/// `fixed_classes`, and two different items of each class. `labels` are the classes of all
/// items. The same seed gives the same triples on every machine. Groups are named by number,
/// triples `1A`, `1B`, `2A` and so on.
///
/// # Errors
/// [`TripleError`] when classes or items are too few.
pub fn choose_triples(
    labels: &[usize],
    num_classes: usize,
    groups: usize,
    fixed_classes: &[[usize; 3]],
    seed: u64,
) -> Result<Vec<Triple>, TripleError> {
    let mut draws = Draws::new(labels, num_classes, seed);
    let mut triples = Vec::with_capacity(2 * groups);
    for group in 0..groups {
        let classes = match fixed_classes.get(group) {
            Some(&classes) => classes,
            None => draws.classes(2)?,
        };
        let mut sets = [[0; 3]; 2];
        for (position, &class) in classes.iter().enumerate() {
            let [first, second] = draws.items(class)?;
            sets[0][position] = first;
            sets[1][position] = second;
        }
        for (set, items) in ["A", "B"].into_iter().zip(sets) {
            triples.push(Triple::new(format!("{}{set}", group + 1), items, classes)?);
        }
    }
    Ok(triples)
}

/// Chooses one triple for each of `groups` groups by `seed`: one item of each of three classes,
/// in the order of the classes, which are drawn, too, where there are more than three. Groups
/// are named by letter, A to Z, then AA and so on, and so are their triples.
///
/// # Errors
/// [`TripleError`] when classes or items are too few.
pub fn choose_lettered_triples(
    labels: &[usize],
    num_classes: usize,
    groups: usize,
    fixed_classes: &[[usize; 3]],
    seed: u64,
) -> Result<Vec<Triple>, TripleError> {
    let mut draws = Draws::new(labels, num_classes, seed);
    (0..groups)
        .map(|group| {
            let classes = match fixed_classes.get(group) {
                Some(&classes) => classes,
                None => {
                    let mut classes = draws.classes(1)?;
                    classes.sort_unstable();
                    classes
                }
            };
            let mut items = [0; 3];
            for (item, class) in items.iter_mut().zip(classes) {
                [*item] = draws.items(class)?;
            }
            Triple::new(letters(group), items, classes)
        })
        .collect()
}

/// A, B, ..., Z, AA, AB, ...
fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.insert(0, char::from(b'A' + (number % 26) as u8));
        if number < 26 {
            return text;
        }
        number = number / 26 - 1;
    }
}

/// Draws classes and items.
struct Draws {
    items_of: Vec<Vec<usize>>,
    rng: ChaCha8Rng,
}

impl Draws {
    fn new(labels: &[usize], num_classes: usize, seed: u64) -> Self {
        let mut items_of = vec![Vec::new(); num_classes];
        for (item, &class) in labels.iter().enumerate() {
            items_of[class].push(item);
        }
        Self {
            items_of,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Three different classes of at least `least` items.
    fn classes(&mut self, least: usize) -> Result<[usize; 3], TripleError> {
        let usable: Vec<usize> = (0..self.items_of.len())
            .filter(|&class| self.items_of[class].len() >= least)
            .collect();
        if usable.len() < 3 {
            return Err(TripleError::TooFewClasses {
                least,
                found: usable.len(),
            });
        }
        Ok(draw(&mut self.rng, usable.len()).map(|i| usable[i]))
    }

    /// `N` different items of a class.
    fn items<const N: usize>(&mut self, class: usize) -> Result<[usize; N], TripleError> {
        let items = &self.items_of[class];
        if items.len() < N {
            return Err(TripleError::TooFewItems {
                class,
                least: N,
                found: items.len(),
            });
        }
        Ok(draw(&mut self.rng, items.len()).map(|i| items[i]))
    }
}

/// `N` different numbers below `count`, all orders equally likely.
fn draw<const N: usize>(rng: &mut ChaCha8Rng, count: usize) -> [usize; N] {
    let mut drawn = [usize::MAX; N];
    for i in 0..N {
        // At most N - 1 of the numbers are taken: drawing again ends soon.
        drawn[i] = loop {
            let number = rng.random_range(0..count);
            if !drawn[..i].contains(&number) {
                break number;
            }
        };
    }
    drawn
}
