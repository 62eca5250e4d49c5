//! Activations by the names Keras gives them, each at Keras's defaults.

use crate::kernels::Activation;

/// Keras's names. Another spelling of the same function follows it.
const NAMED: [(&str, Activation); 18] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("relu6", relu(0.0, 6.0)),
    ("leaky_relu", relu(0.2, f32::MAX)),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("elu", Activation::Elu { alpha: 1.0 }),
    ("selu", Activation::Selu),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
    ("softplus", Activation::Softplus),
    ("softsign", Activation::Softsign),
    ("exponential", Activation::Exponential),
    ("hard_sigmoid", Activation::HardSigmoid),
    ("hard_silu", Activation::HardSilu),
    ("hard_swish", Activation::HardSilu),
    ("mish", Activation::Mish),
];

const fn relu(slope: f32, ceiling: f32) -> Activation {
    Activation::ReluWith {
        slope,
        threshold: 0.0,
        ceiling,
    }
}

/// The activation of this name, e.g. `relu`, `silu` or `leaky_relu` (whose slope is 0.2, as
/// Keras's is).
pub fn activation_by_name(name: &str) -> Option<Activation> {
    let named = NAMED.iter().find(|(known, _)| *known == name);
    named.map(|(_, activation)| *activation)
}

/// Names that [`activation_by_name`] knows.
pub fn activation_names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name)
}

/// The name of an activation; of a relu with options what they are.
pub(super) fn name_of(activation: Activation) -> String {
    let named = NAMED.iter().find(|(_, known)| *known == activation);
    named.map_or_else(|| format!("{activation:?}"), |(name, _)| (*name).to_owned())
}

/// An activation in plain data is its name.
pub(super) mod activation_name {
    use super::{activation_by_name, name_of};
    use crate::kernels::Activation;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::model) fn serialize<S: Serializer>(
        activation: &Option<Activation>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        activation.map(name_of).serialize(serializer)
    }

    pub(in crate::model) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Activation>, D::Error> {
        let name: Option<String> = Option::deserialize(deserializer)?;
        name.map(|name| {
            activation_by_name(&name)
                .ok_or_else(|| D::Error::custom(format!("unknown activation \"{name}\"")))
        })
        .transpose()
    }
}
