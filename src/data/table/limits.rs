//! How large a table may be.

/// The largest file accepted, bytes, packed and unpacked: tables of measurements are a thousand
/// times smaller.
pub const MAX_TABLE_BYTES: u64 = 256 << 20;

/// Most rows accepted: 100,000 times as many as a figure shows.
pub(super) const MAX_ROWS: usize = 1 << 24;

/// The longest line accepted, bytes. A cell of a line takes up to 24 bytes where it is split,
/// however short it is.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

/// Most classes accepted: past it the label column most likely holds measurements.
pub(super) const MAX_CLASSES: usize = 1000;

/// Most features accepted.
pub(super) const MAX_FEATURES: usize = 1000;
