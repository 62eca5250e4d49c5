//! dbViz's draws of triples, `dbviz:SEED`: Python's `random`, seeded as its version 2 does with a
//! whole number, down to the word.
//!
//! MT19937 (Matsumoto and Nishimura 1998) with `init_by_array`; `randint(0, n - 1)` takes the top
//! `bit_length(n)` bits of a word and draws again while they are not below `n`.

use super::SectionError;

const N: usize = 624;
const M: usize = 397;

/// Python's `random.Random`, as far as it is needed.
struct PythonRandom {
    state: [u32; N],
    next: usize,
}

impl PythonRandom {
    /// `random.seed(seed, version=2)` for a whole number.
    fn new(seed: u64) -> Self {
        let key: Vec<u32> = match (seed as u32, (seed >> 32) as u32) {
            (low, 0) => vec![low],
            (low, high) => vec![low, high],
        };
        let mut s = [0u32; N];
        s[0] = 19_650_218;
        for i in 1..N {
            s[i] = (s[i - 1] ^ (s[i - 1] >> 30))
                .wrapping_mul(1_812_433_253)
                .wrapping_add(i as u32);
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            s[i] = (s[i] ^ (s[i - 1] ^ (s[i - 1] >> 30)).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j = (j + 1) % key.len();
            if i == N {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        for _ in 0..N - 1 {
            s[i] = (s[i] ^ (s[i - 1] ^ (s[i - 1] >> 30)).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i += 1;
            if i == N {
                s[0] = s[N - 1];
                i = 1;
            }
        }
        s[0] = 0x8000_0000;
        Self { state: s, next: N }
    }

    fn word(&mut self) -> u32 {
        if self.next == N {
            for k in 0..N {
                let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
                let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `randint(0, n - 1)`
    fn below(&mut self, n: u32) -> u32 {
        let bits = u32::BITS - n.leading_zeros();
        loop {
            let drawn = self.word() >> (u32::BITS - bits);
            if drawn < n {
                return drawn;
            }
        }
    }
}

/// Run `seed` of dbViz's `get_random_images`: indices of three items of three labels.
///
/// # Errors
/// [`SectionError::TooFewLabels`] where the labels are fewer than three.
pub fn dbviz_triple(labels: &[usize], seed: u64) -> Result<[usize; 3], SectionError> {
    let mut different: Vec<usize> = labels.to_vec();
    different.sort_unstable();
    different.dedup();
    let count = u32::try_from(labels.len())
        .ok()
        .filter(|_| different.len() >= 3);
    let Some(count) = count else {
        return Err(SectionError::TooFewLabels {
            found: different.len(),
        });
    };
    let mut random = PythonRandom::new(seed);
    let mut items: Vec<usize> = Vec::with_capacity(3);
    while items.len() < 3 {
        let item = random.below(count) as usize;
        if items.iter().all(|&other| labels[other] != labels[item]) {
            items.push(item);
        }
    }
    Ok([items[0], items[1], items[2]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CPython 3.11: `random.seed(s, version=2); [random.getrandbits(32) for _ in range(2)]`.
    #[test]
    fn words_are_pythons() {
        for (seed, words) in [
            (1, [577_090_037, 2_444_712_010]),
            (5_000_000_000, [372_202_282, 4_101_146_408]),
        ] {
            let mut random = PythonRandom::new(seed);
            assert_eq!([random.word(), random.word()], words, "seed {seed}");
        }
    }

    #[test]
    fn two_labels_are_too_few() {
        assert!(matches!(
            dbviz_triple(&[0, 1, 1, 0], 1),
            Err(SectionError::TooFewLabels { found: 2 })
        ));
    }
}
