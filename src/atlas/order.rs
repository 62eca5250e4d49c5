//! Triples by number: every row of an atlas follows from a seed and an index, none from the rows
//! before it.

use crate::kernels::philox;

/// What a random word is for: no two uses share a stream.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(super) enum Purpose {
    Items = 1,
    SurveyItems = 2,
    SurveyOrder = 3,
    SurveyTriples = 4,
    Candidates = 5,
    Sample = 6,
    Audit = 7,
}

/// 64 random bits of an index.
pub(super) fn random_bits(seed: u64, purpose: Purpose, stream: u32, index: u64) -> u64 {
    let counter = [index as u32, (index >> 32) as u32, stream, purpose as u32];
    let [low, high, ..] = philox(counter, [seed as u32, (seed >> 32) as u32]);
    u64::from(high) << 32 | u64::from(low)
}

/// The numbers below `count` in a random order, of which any can be asked for.
///
/// A Feistel network over the smallest square power of two that holds them, whose function is Philox;
/// what falls outside is put through again (cycle walking; Black, Rogaway, *Ciphers with arbitrary
/// finite domains*, CT-RSA 2002).
#[derive(Debug, Clone, Copy)]
pub(super) struct Shuffled {
    count: u64,
    half_bits: u32,
    seed: u64,
    purpose: Purpose,
    stream: u32,
}

impl Shuffled {
    pub(super) fn new(count: u64, seed: u64, purpose: Purpose, stream: u32) -> Self {
        let bits = 64 - count.saturating_sub(1).leading_zeros();
        Self {
            count,
            half_bits: bits.div_ceil(2).max(1),
            seed,
            purpose,
            stream,
        }
    }

    /// The number at a place below `count`.
    pub(super) fn at(&self, place: u64) -> u64 {
        debug_assert!(place < self.count);
        let mask = (1u64 << self.half_bits) - 1;
        let mut number = place;
        loop {
            let (mut left, mut right) = (number >> self.half_bits, number & mask);
            for round in 0..6u64 {
                // A half has at most 32 bits, so that a round's number fits beside it.
                let index = round << 32 | right;
                let mixed = random_bits(self.seed, self.purpose, self.stream, index) & mask;
                (left, right) = (right, left ^ mixed);
            }
            number = left << self.half_bits | right;
            if number < self.count {
                return number;
            }
        }
    }
}

/// All triples of items of three different classes, by number.
#[derive(Debug, Clone)]
pub(super) struct TripleSpace {
    /// Items of each class.
    items: Vec<Vec<u32>>,
    /// Two classes, the first below the second, and how many triples come before theirs.
    pairs: Vec<([usize; 2], u64)>,
    /// Items of this class and all after it.
    behind: Vec<u64>,
    len: u64,
}

impl TripleSpace {
    /// The triples of items, a list a class.
    pub(super) fn new(items: Vec<Vec<u32>>) -> Self {
        let classes = items.len();
        let mut behind = vec![0; classes + 1];
        for class in (0..classes).rev() {
            behind[class] = behind[class + 1] + items[class].len() as u64;
        }
        let (mut pairs, mut len) = (Vec::new(), 0u64);
        for first in 0..classes {
            for second in first + 1..classes {
                let [a, b] = [first, second].map(|class| items[class].len() as u64);
                let here = a * b * behind[second + 1];
                if here > 0 {
                    pairs.push(([first, second], len));
                    len += here;
                }
            }
        }
        Self {
            items,
            pairs,
            behind,
            len,
        }
    }

    /// How many triples there are.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Items of each class.
    pub(super) fn items(&self) -> &[Vec<u32>] {
        &self.items
    }

    /// The triple of a number below [`TripleSpace::len`]: classes in ascending order, and their items.
    pub(super) fn at(&self, number: u64) -> ([usize; 3], [u32; 3]) {
        debug_assert!(number < self.len);
        let pair = self.pairs.partition_point(|&(_, before)| before <= number) - 1;
        let ([first, second], before) = self.pairs[pair];
        let rest = number - before;
        let behind = self.behind[second + 1];
        let (pair, mut third) = (rest / behind, rest % behind);
        let seconds = self.items[second].len() as u64;
        let a = self.items[first][(pair / seconds) as usize];
        let b = self.items[second][(pair % seconds) as usize];
        let mut class = second + 1;
        while third >= self.items[class].len() as u64 {
            third -= self.items[class].len() as u64;
            class += 1;
        }
        let c = self.items[class][third as usize];
        ([first, second, class], [a, b, c])
    }

    /// The number of a triple of these items, classes in ascending order; nothing where an item is not
    /// among them.
    pub(super) fn number_of(&self, classes: [usize; 3], items: [u32; 3]) -> Option<u64> {
        let [first, second, third] = classes;
        let place = |n: usize| {
            let class = self.items.get(classes[n])?;
            class.binary_search(&items[n]).ok().map(|at| at as u64)
        };
        let pair = self
            .pairs
            .binary_search_by_key(&[first, second], |&(pair, _)| pair)
            .ok()?;
        let between: u64 = (second + 1..third)
            .map(|class| self.items[class].len() as u64)
            .sum();
        let seconds = self.items[second].len() as u64;
        let in_pair = (place(0)? * seconds + place(1)?) * self.behind[second + 1];
        Some(self.pairs[pair].1 + in_pair + between + place(2)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_shuffle_has_each_number_once_and_mixes_them() {
        for count in [1, 2, 3, 5, 64, 1000, 4097] {
            let order = Shuffled::new(count, 7, Purpose::Sample, 0);
            let all: BTreeSet<u64> = (0..count).map(|place| order.at(place)).collect();
            assert_eq!(all.len() as u64, count);
            assert!(all.iter().all(|&number| number < count));
        }
        let order = Shuffled::new(1000, 7, Purpose::Sample, 0);
        let other = Shuffled::new(1000, 8, Purpose::Sample, 0);
        let [mut fixed, mut alike] = [0; 2];
        let mut low_first = 0;
        for place in 0..1000 {
            fixed += usize::from(order.at(place) == place);
            alike += usize::from(order.at(place) == other.at(place));
            low_first += usize::from(place < 500 && order.at(place) < 500);
        }
        assert!(fixed < 8 && alike < 8, "{fixed} {alike}");
        assert!((200..300).contains(&low_first), "{low_first}");
        // As wide as an atlas gets.
        let wide = Shuffled::new(u64::MAX / 3, 1, Purpose::Sample, 0);
        assert_ne!(wide.at(1), wide.at(2));
    }

    #[test]
    fn each_triple_has_a_number() {
        let space = TripleSpace::new(vec![vec![3, 5], vec![], vec![0], vec![1, 2, 9], vec![7]]);
        // By hand: classes 0-2-3: 2*1*3, 0-2-4: 2, 0-3-4: 6, 2-3-4: 3.
        assert_eq!(space.len(), 6 + 2 + 6 + 3);
        let mut seen = BTreeSet::new();
        for number in 0..space.len() {
            let (classes, items) = space.at(number);
            assert!(classes[0] < classes[1] && classes[1] < classes[2]);
            for (class, item) in classes.into_iter().zip(items) {
                assert!(space.items()[class].contains(&item));
            }
            assert_eq!(space.number_of(classes, items), Some(number));
            seen.insert((classes, items));
        }
        assert_eq!(seen.len() as u64, space.len());
        assert_eq!(space.number_of([0, 2, 3], [4, 0, 1]), None);
        assert_eq!(TripleSpace::new(vec![vec![1], vec![2]]).len(), 0);
    }
}
