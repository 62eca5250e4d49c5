//! How long a run took, over all its starts.
//!
//! A start that the observer stops records its seconds, and the next one adds its own. A start that is
//! killed records nothing, so the manifest also says how many landscapes or lines the seconds cover.
//! Rejected: the seconds of the last start alone. When the command of a finished run is given again it
//! computes nothing, and the report claimed that the run took no time.

use super::RunFolder;
use serde_json::{Map, Value, json};

/// The entry of a manifest.
pub(super) const TIMINGS: &str = "timings";

/// How many landscapes or lines the seconds cover, among them.
const COMPUTED: &str = "computed";

impl RunFolder {
    /// Records how long the run took: the seconds of this start, which computed `computed` of `all`
    /// landscapes or lines, and those of earlier starts. A start that computed nothing changes
    /// nothing; one that computed everything stands alone.
    pub(in crate::run) fn set_timings(&mut self, own: Value, [computed, all]: [usize; 2]) {
        let stated = match &self.earlier_timings {
            Some(earlier) if computed == 0 => Value::Object(earlier.clone()),
            Some(earlier) if computed < all => added(earlier, own, [computed, all]),
            _ => with_count(own, computed),
        };
        self.set(TIMINGS, stated);
    }

    /// The same for a start that is stopped, written to the manifest at once: the next one adds to it.
    pub(in crate::run) fn set_timings_so_far(&mut self, own: Value, computed: [usize; 2]) {
        self.set_timings(own, computed);
        // The error that stopped the run is the one to report; the folder itself may be gone.
        let _ = self.write_manifest();
    }
}

fn with_count(mut own: Value, computed: usize) -> Value {
    own[COMPUTED] = json!(computed);
    own
}

/// The sum of earlier starts and this one, seconds to the microsecond.
fn added(earlier: &Map<String, Value>, mut own: Value, [computed, all]: [usize; 2]) -> Value {
    for (key, value) in own.as_object_mut().into_iter().flatten() {
        let both = [&*value, earlier.get(key).unwrap_or(&Value::Null)];
        let sum: f64 = both.into_iter().filter_map(Value::as_f64).sum();
        *value = json!((sum * 1e6).round() / 1e6);
    }
    let before = earlier.get(COMPUTED).and_then(Value::as_u64).unwrap_or(0);
    with_count(own, (before as usize + computed).min(all))
}
