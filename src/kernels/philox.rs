//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*,
//! SC 2011): four random words from a counter and a key, no state between calls. A walker's
//! numbers follow from the seed, its own number and the step, whatever the batch or engine.
//! Shader: `shaders/shared/philox.wgsl`.
//!
//! Not `rand_chacha`: its counter is 64 bits of one stream, and a round costs twice as much.

/// Walkers that move together: loops over them compile to vector instructions.
pub(super) const LANES: usize = 16;

/// One word of each lane.
pub(super) type Words = [u32; LANES];

/// Four random words of counter and key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    rounds(counter.map(|word| [word]), key).map(|[word]| word)
}

/// Four random words of each lane.
#[inline(always)]
pub(super) fn philox_lanes(counter: [Words; 4], key: [u32; 2]) -> [Words; 4] {
    rounds(counter, key)
}

#[inline(always)]
fn rounds<const N: usize>(mut words: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for lane in 0..N {
            let first = u64::from(words[0][lane]) * 0xD251_1F53;
            let second = u64::from(words[2][lane]) * 0xCD9E_8D57;
            next[0][lane] = (second >> 32) as u32 ^ words[1][lane] ^ key[0];
            next[1][lane] = second as u32;
            next[2][lane] = (first >> 32) as u32 ^ words[3][lane] ^ key[1];
            next[3][lane] = first as u32;
        }
        words = next;
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        // The three vectors of philox4x32-10 in Random123's `kat_vectors`.
        let vectors = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in vectors {
            assert_eq!(philox(counter, key), expected);
            assert_eq!(
                philox_lanes(counter.map(|word| [word; LANES]), key),
                expected.map(|word| [word; LANES])
            );
        }
    }
}
