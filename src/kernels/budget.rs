//! How much memory computing takes, in one place. What is read from files has limits of its own
//! (`data/input.rs`), and so has what is written for the eye.
//!
//! ```text
//! device, software, cpu, least    one buffer of a batch        engines tell the pipeline, which cuts batches
//! results                         what lies between two writes
//!   = a wave of a run, and the inputs of its first one; inputs that a library's network is asked for, and
//!     the largest value it makes of those that go together
//!   / 2  landscapes that verify holds at once
//!   / 1 KiB  rows in a group        x 16  frames of a morph, which are all kept
//! ```

/// Bytes that are held at once, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// A batch's largest buffer on a GPU. More gains nothing on the adapters measured and costs
    /// memory; less leaves a large device idle between submissions.
    pub device_batch: usize,
    /// The same on a software adapter: its memory is the host's, where so much is reused from batch
    /// to batch and stays in the cache.
    pub software_batch: usize,
    /// The same on the CPU engine. Frames of a batch then lie in the last-level cache of most
    /// machines while the next command reads them.
    pub cpu_batch: usize,
    /// Memory that the CPU engine keeps from one recording to the next: all buffers of a batch of the
    /// paper's size.
    pub cpu_spare: usize,
    /// A device that is out of memory gets smaller batches down to this.
    pub least_batch: usize,
    /// All buffers of a recording together hold at most as many times the largest.
    pub buffers_a_recording: usize,
    /// Results kept between two writes; the figures below follow from it.
    pub results: usize,
    /// Walkers of a batch. More does not keep a device busier; a walker takes 24 bytes.
    pub walkers: usize,
    /// Triples that are in memory at once where only rows of a table are written of them.
    pub triples_to_rows: usize,
    /// Triples in three modes that are in memory at once where modes are compared.
    pub triples_compared: usize,
}

/// The budget of every run.
pub const BUDGET: Budget = Budget {
    device_batch: 48 << 20,
    software_batch: 4 << 20,
    cpu_batch: 4 << 20,
    cpu_spare: 16 << 20,
    least_batch: 1 << 20,
    buffers_a_recording: 4,
    results: 64 << 20,
    walkers: 1 << 18,
    triples_to_rows: 24,
    triples_compared: 30,
};

impl Budget {
    /// Values, of 32 bits, of the inputs of a run's first wave, before it is known how long a
    /// landscape takes: 16 triples of the paper's size, a fraction of a second.
    pub const fn first_wave_values(&self) -> usize {
        self.results / 4
    }

    /// Values of landscapes that are computed at a time to be held against a run's.
    pub const fn verified_values(&self) -> usize {
        self.results / 2 / 4
    }

    /// Rows of tables that are mixed and classified together: rows, their logits and probabilities
    /// take less than a KiB each.
    pub const fn rows_a_group(&self) -> usize {
        self.results >> 10
    }

    /// Frames that are kept until all of them are written.
    pub const fn kept_frames(&self) -> usize {
        16 * self.results
    }
}
