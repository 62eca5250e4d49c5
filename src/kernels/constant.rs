//! Values that stay the same from recording to recording: a model's weights.
//!
//! A recording names them without a copy. An engine may keep what it has made of them, on a device
//! for one, for as long as anybody holds them ([`Constant::downgrade`]).

use std::sync::{Arc, OnceLock, Weak};

/// Values that a layer and its recordings share.
#[derive(Clone)]
pub struct Constant(Arc<Inner>);

struct Inner {
    values: Vec<f32>,
    for_twin: Option<ForTwin>,
}

/// Puts values into the order in which a kernel's twin reads them.
type Arrange = dyn Fn(&[f32]) -> Vec<f32> + Send + Sync;

/// The values in the order in which a kernel's twin reads them, arranged when it first does: who
/// computes on a device holds them once.
struct ForTwin {
    arrange: Box<Arrange>,
    values: OnceLock<Vec<f32>>,
}

impl Constant {
    /// Values that shaders and twins read in the same order.
    pub fn new(values: Vec<f32>) -> Self {
        Self(Arc::new(Inner {
            values,
            for_twin: None,
        }))
    }

    /// Words that are no floats, such as places.
    pub(super) fn of_words(words: Vec<u32>) -> Self {
        // The bits stay as they are: nothing computes with them as floats.
        Self::new(words.into_iter().map(f32::from_bits).collect())
    }

    /// Values of which the twin reads what `arrange` makes of them.
    pub(super) fn arranged(
        values: Vec<f32>,
        arrange: impl Fn(&[f32]) -> Vec<f32> + Send + Sync + 'static,
    ) -> Self {
        let for_twin = Some(ForTwin {
            arrange: Box::new(arrange),
            values: OnceLock::new(),
        });
        Self(Arc::new(Inner { values, for_twin }))
    }

    /// Number of values, as the shader has them.
    pub fn len(&self) -> usize {
        self.0.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.values.is_empty()
    }

    /// The values, as the shader has them.
    pub(super) fn values(&self) -> &[f32] {
        &self.0.values
    }

    /// The words that a shader reads.
    pub fn words(&self) -> &[u32] {
        bytemuck::cast_slice(&self.0.values)
    }

    /// The words that a twin reads.
    pub fn twin_words(&self) -> &[u32] {
        let Some(ForTwin { arrange, values }) = &self.0.for_twin else {
            return self.words();
        };
        bytemuck::cast_slice(values.get_or_init(|| arrange(&self.0.values)))
    }

    /// What tells whether these values are still held, and holds them not.
    pub fn downgrade(&self) -> WeakConstant {
        WeakConstant(Arc::downgrade(&self.0))
    }

    /// A number that no other constant has as long as there is a [`WeakConstant`] of this one.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        // By their words, since places may look like a NaN.
        self.words() == other.words()
    }
}

impl std::fmt::Debug for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Constant of {} values", self.len())
    }
}

/// A constant that may be gone.
#[derive(Debug, Clone)]
pub struct WeakConstant(Weak<Inner>);

impl WeakConstant {
    /// Whether anybody holds it.
    pub fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.values.len())
    }
}
