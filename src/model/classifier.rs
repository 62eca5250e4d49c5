//! What the pipeline asks for logits.

use super::{HostNetwork, ModelError, Steps};

/// Gives logits: a [`Model`](super::Model) from a file, or any [`HostNetwork`], a
/// [`Function`](super::Function) of the host program's among them.
pub trait Classifier {
    /// Who computes the logits.
    fn network(&self) -> Network<'_>;

    /// Shape of one input: `[H, W]`, `[H, W, C]` or `[values]`; nothing where it takes any.
    fn input_shape(&self) -> Option<&[usize]>;

    /// Number of classes.
    fn num_classes(&self) -> usize {
        self.network().num_classes()
    }
}

/// Who computes logits.
#[derive(Clone, Copy)]
pub enum Network<'a> {
    /// An engine, by kernels, together with what makes the inputs.
    Steps(&'a Steps),
    /// The host, which is asked for whole batches.
    Host(&'a dyn HostNetwork),
}

impl Network<'_> {
    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        match self {
            Self::Steps(steps) => steps.num_classes(),
            Self::Host(network) => network.num_classes(),
        }
    }
}

impl std::fmt::Display for Network<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps(steps) => {
                let steps = steps.all().iter();
                let kernels: Vec<&str> =
                    steps.map(|step| step.layer.kernel().spec().name).collect();
                write!(f, "kernels {}", kernels.join(", "))
            }
            Self::Host(network) => f.write_str(&network.describe()),
        }
    }
}

impl<N: HostNetwork> Classifier for N {
    fn network(&self) -> Network<'_> {
        Network::Host(self)
    }

    fn input_shape(&self) -> Option<&[usize]> {
        HostNetwork::input_shape(self)
    }
}

/// What to do where a classifier does not take images of this shape.
fn other_input(expected: &[usize], [height, width, channels]: [usize; 3]) -> String {
    // Smaller ones are rows of features.
    const LEAST_SIDE: usize = 8;
    let side_of = |values: usize| {
        let side = values.isqrt();
        (side >= LEAST_SIDE && side * side == values).then_some(side)
    };
    let resize = |[height, width]: [usize; 2]| format!("scale them with `resize` {width}x{height}");
    let table = "for rows give a table with `data`";
    match *expected {
        [h, w] | [h, w, _] if [h, w] != [height, width] => resize([h, w]),
        // Of the images' channels, else of the others that they can be given.
        [values] => match [channels, 1, 3]
            .into_iter()
            .filter(|channels| values % channels == 0)
            .find_map(|channels| side_of(values / channels))
        {
            Some(side) => format!("{}, or {table}", resize([side; 2])),
            None => format!("{table}, for images choose another model"),
        },
        _ => "choose images of that number of channels, or another model".to_owned(),
    }
}

/// Checks that images `[height, width, channels]` are what a classifier takes whose inputs have
/// the shape `expected`. One that says only how many values it takes is given any image of as
/// many, and one that says nothing any image at all.
///
/// # Errors
/// [`ModelError::Input`] with both shapes.
pub fn check_image_shape(expected: Option<&[usize]>, shape: [usize; 3]) -> Result<(), ModelError> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let [height, width, channels] = shape;
    let fits = match expected {
        [values] => *values == height * width * channels,
        [h, w] => channels == 1 && [*h, *w] == [height, width],
        [h, w, c] => [*h, *w, *c] == shape,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let text = |sizes: &[usize]| {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        sizes.join(" x ")
    };
    Err(ModelError::Input {
        remedy: other_input(expected, shape),
        expected: match expected {
            [values] => format!("{values} values"),
            _ => format!("inputs of {}", text(expected)),
        },
        found: match channels {
            1 => text(&shape[..2]),
            _ => text(&shape),
        },
    })
}
