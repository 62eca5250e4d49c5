//! Disjoint sets of runs or basins, for regions, persistence and barriers.

/// A forest: the elements of one tree are one set, named by its root.
pub(super) struct UnionFind {
    parents: Vec<usize>,
}

impl UnionFind {
    /// `len` elements, each a set of its own.
    pub(super) fn new(len: usize) -> Self {
        Self {
            parents: (0..len).collect(),
        }
    }

    /// The root of the set of `k`. Halves the path on its way, which alone keeps paths short
    /// (logarithmic on average), so unions are free to choose the root.
    #[inline]
    pub(super) fn root(&mut self, mut k: usize) -> usize {
        while self.parents[k] != k {
            self.parents[k] = self.parents[self.parents[k]];
            k = self.parents[k];
        }
        k
    }

    /// Puts the set of root `from` under root `into`.
    #[inline]
    pub(super) fn attach(&mut self, from: usize, into: usize) {
        self.parents[from] = into;
    }
}
