//! Which items a sweep runs between: triples, their permutations, and choosing them by seed.

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
pub enum TripleError {
    /// Two items have one class.
    #[error(
        "triple {name}: items {first} and {second} are both of class {class}; expected three different classes"
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
    /// Too few items of a class for sets A and B.
    #[error(
        "class {class} has {found} item(s) in the data; expected at least 2, one for set A and one for set B"
    )]
    TooFewItems {
        /// The class.
        class: usize,
        /// Items it has.
        found: usize,
    },
    /// Too few classes.
    #[error("expected data of at least 3 classes with 2 items each, found {found}")]
    TooFewClasses {
        /// Classes with two items or more.
        found: usize,
    },
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
/// items. The same seed gives the same triples on every machine.
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
    let mut items_of = vec![Vec::new(); num_classes];
    for (item, &class) in labels.iter().enumerate() {
        items_of[class].push(item);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let usable: Vec<usize> = (0..num_classes)
        .filter(|&class| items_of[class].len() >= 2)
        .collect();
    let mut triples = Vec::with_capacity(2 * groups);
    for group in 0..groups {
        let classes = match fixed_classes.get(group) {
            Some(&classes) => classes,
            None if usable.len() < 3 => {
                return Err(TripleError::TooFewClasses {
                    found: usable.len(),
                });
            }
            None => draw(&mut rng, usable.len()).map(|i| usable[i]),
        };
        let mut sets = [[0; 3]; 2];
        for (position, &class) in classes.iter().enumerate() {
            let items = &items_of[class];
            if items.len() < 2 {
                return Err(TripleError::TooFewItems {
                    class,
                    found: items.len(),
                });
            }
            let [first, second] = draw(&mut rng, items.len());
            sets[0][position] = items[first];
            sets[1][position] = items[second];
        }
        for (set, items) in ["A", "B"].into_iter().zip(sets) {
            triples.push(Triple::new(format!("{}{set}", group + 1), items, classes)?);
        }
    }
    Ok(triples)
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
