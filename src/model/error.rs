//! What can be wrong with a model.

use crate::data::InputError;
use crate::remedy::some_names;

/// Why a model was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    File(#[from] InputError),
    /// The config beside it cannot be read, or is too large.
    #[error("`config`")]
    ConfigFile {
        /// Why.
        source: InputError,
    },
    /// No format that is known.
    #[error("expected a .keras, .h5, .safetensors, .onnx or model.json file, found {found}")]
    UnknownFormat {
        /// What it starts with.
        found: String,
    },
    /// A file of another program's, by what it is.
    #[error("expected a .keras, .h5, .safetensors, .onnx or model.json file, found {}", .kind.text())]
    Foreign {
        /// What it is.
        kind: ForeignKind,
    },
    /// Not a safetensors file.
    #[error(
        "expected a .safetensors file; it may be cut short or damaged, so copy or save it again"
    )]
    NotSafetensors(#[source] safetensors::SafeTensorError),
    /// Names of classes for a file that names them.
    #[error(
        "the file names its classes itself: {}; leave out `class_names`",
        some_names(names)
    )]
    ClassNamesNotNeeded {
        /// The file's names.
        names: Vec<String>,
    },
    /// Not an ONNX file, or one that the library does not take.
    #[error("expected an ONNX model: {reason}")]
    Onnx {
        /// What the library says.
        reason: String,
    },
    /// A file that an ONNX model keeps its weights in.
    #[error("its weights are in {name}, which cannot be read; keep the two files together")]
    OnnxData {
        /// Name of the file.
        name: String,
        /// Why.
        #[source]
        source: InputError,
    },
    /// A shard of a model of TensorFlow.js.
    #[error(
        "its weights are in {name}, which cannot be read; keep model.json and its shards together"
    )]
    Shard {
        /// Name of the file.
        name: String,
        /// Why.
        #[source]
        source: InputError,
    },
    /// The library cannot run an ONNX model.
    #[error("the ONNX model cannot be run: {reason}")]
    OnnxRun {
        /// What the library says.
        reason: String,
    },
    /// An operator that the library computes otherwise than the standard says.
    #[error(
        "operator {operator} (node \"{node}\"): the library that runs ONNX models computes it otherwise than the standard says, so it is refused; give {remedy}"
    )]
    OnnxOff {
        /// The operator.
        operator: String,
        /// Name of the node.
        node: String,
        /// What to give in its place.
        remedy: &'static str,
    },
    /// An ONNX model where layers are asked for.
    #[error(
        "an ONNX model runs in its library as it is and cannot be converted; convert the Keras or PyTorch model that it was made of"
    )]
    OnnxLayers,
    /// An ONNX model and a program without the library.
    #[error("this program was built without ONNX; build it with the feature onnx")]
    OnnxLeftOut,
    /// Not a zip file, or a damaged one.
    #[error(
        "expected a .keras file, which is a zip; it may be cut short or damaged, so copy or save it again"
    )]
    Zip(#[source] zip::result::ZipError),
    /// An HDF5 file that cannot be read.
    #[error("HDF5, {place}: cannot be read")]
    Hdf5 {
        /// Where in the file.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file, or a part of one, that is too large to be read.
    #[error("{what} is larger than {limit}")]
    FileTooLarge {
        /// What is too large.
        what: String,
        /// How much would be read.
        limit: String,
    },
    /// A tensor that the layers need is not there.
    #[error("expected a tensor \"{name}\" of shape {shape}, found none; the file holds {found}")]
    MissingTensor {
        /// Name looked for.
        name: String,
        /// Shape it should have.
        shape: String,
        /// Names that are there.
        found: String,
    },
    /// A tensor that no layer uses.
    #[error("tensor \"{name}\" belongs to no layer; expected {expected}")]
    UnusedTensor {
        /// Its name.
        name: String,
        /// What would have been understood.
        expected: String,
    },
    /// A tensor of another shape.
    #[error("tensor \"{name}\": expected shape {expected}, found {found:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape it should have.
        expected: String,
        /// Shape it has.
        found: Vec<usize>,
    },
    /// A weight of another layer than a dense one in a file that holds weights alone.
    #[error(
        "tensor \"{name}\" of shape {found:?} belongs to {layer}; a file of weights alone does not say where it stands, so only plain dense layers are read: export the whole model to ONNX (torch.onnx.export), or give Keras's with its config"
    )]
    NotDense {
        /// Name of the tensor.
        name: String,
        /// What it belongs to.
        layer: &'static str,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor that does not hold 32-bit floats.
    #[error(
        "tensor \"{name}\": expected 32-bit floats (F32), found {found}; convert it before saving"
    )]
    DataType {
        /// Name of the tensor.
        name: String,
        /// Type found.
        found: String,
    },
    /// A weight that is not a number.
    #[error(
        "tensor \"{name}\": value {index} is {value}; expected finite weights, did the training diverge?"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Position in the tensor, row-major.
        index: usize,
        /// The value.
        value: f32,
    },
    /// Metadata or config that is not what it should be.
    #[error("{place}: expected {expected}, found {found}")]
    Config {
        /// Where in the file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A layer that is not known.
    #[error(
        "layer {number} \"{name}\" is of class {class}; supported are {supported}; for others, export the model to ONNX"
    )]
    UnknownLayer {
        /// Position in the model, from 0.
        number: usize,
        /// Name of the layer.
        name: String,
        /// Its Keras class.
        class: String,
        /// The classes that are read.
        supported: &'static str,
    },
    /// A layer that runs code of the user's.
    #[error(
        "layer \"{name}\" is of class {class}, which runs Python code of the model's own; use Keras's layers in its place, or export the model to ONNX"
    )]
    Custom {
        /// Name of the layer.
        name: String,
        /// Its class.
        class: String,
    },
    /// A layer that has no form in a converted file.
    #[error(
        "layer \"{name}\": a converted file cannot hold {what}; use the model's own file as it is"
    )]
    NotWritten {
        /// Name of the layer.
        name: String,
        /// What cannot be written.
        what: &'static str,
    },
    /// Layers that are known, in an order that is not.
    #[error("layer \"{name}\" cannot stand there: {reason}")]
    Order {
        /// Name of the layer.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A layer that cannot work on what it takes.
    #[error("layer \"{name}\": expected {expected}, found {found:?}")]
    LayerInput {
        /// Name of the layer.
        name: String,
        /// What it needs.
        expected: String,
        /// Shape of the value it takes.
        found: Vec<usize>,
    },
    /// A model whose values do not fit in memory.
    #[error(
        "layer \"{name}\" gives {shape:?}: one input would become more than {limit} values, all layers together; use smaller images"
    )]
    TooLarge {
        /// Name of the layer.
        name: String,
        /// Shape of its output.
        shape: Vec<usize>,
        /// The most values of an input that are accepted.
        limit: usize,
    },
    /// No weights at all.
    #[error("expected at least one dense layer or convolution, found none")]
    NoLayers,
    /// A network with a single output.
    #[error(
        "expected a classifier with two or more classes, or one output that is a sigmoid or a logit, found {outputs} output(s); say what they are with `output` sigmoid, logits or probabilities"
    )]
    TooFewClasses {
        /// Number of outputs.
        outputs: usize,
    },
    /// Class names that do not fit the outputs.
    #[error(
        "expected {outputs} class names, one for each output, found {}: {}; check `class_names`",
        found.len(), some_names(found)
    )]
    ClassNames {
        /// Number of outputs.
        outputs: usize,
        /// The names.
        found: Vec<String>,
    },
    /// A plain file needs to be told its activation.
    #[error(
        "the file holds weights without a Keras config; say what stands between its layers with `activation` relu (or linear, tanh, ...), or give the config with `config`"
    )]
    ActivationNeeded,
    /// HDF5 weights need the model's config.
    #[error(
        "the file holds weights without the model's config; write model.to_json() to a file and give it with `config`"
    )]
    ConfigNeeded,
    /// The layers of a plain file in no order that could be told.
    #[error(
        "expected dense layers whose order follows from their names or shapes, found {found}; give the order with `layers` NAME,NAME,..."
    )]
    LayerOrder {
        /// The layers with their shapes.
        found: String,
    },
    /// A file says itself what the options would say.
    #[error("the file carries its own layers; leave out `activation`, `layers` and `config`")]
    OptionsNotNeeded,
    /// A scaling for a model that scales its input itself.
    #[error("the model scales grey levels of 0..255 itself; leave out `scale`, `mean` and `std`")]
    ScalesItself,
    /// The images are not what the model takes.
    #[error("the model takes {expected}, the images are {found}; {remedy}")]
    Input {
        /// What to do about it.
        remedy: String,
        /// Input shape of the model.
        expected: String,
        /// Shape of the images.
        found: String,
    },
}

/// A kind of model file that must be exported before it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKind {
    /// `torch.save`'s zip.
    PyTorch,
    /// A Python pickle: an old `torch.save`, or a model of scikit-learn's.
    Pickle,
    /// TensorFlow Lite.
    TfLite,
    /// llama.cpp's.
    Gguf,
    /// A JSON text that is no model of TensorFlow.js: a config without weights.
    Json,
}

impl ForeignKind {
    /// What it is and how to export it.
    fn text(self) -> &'static str {
        match self {
            Self::PyTorch => {
                "a PyTorch file (.pt, .pth), which only Python can read; export the model with torch.onnx.export(model, (example,), \"model.onnx\"), or save the weights of a plain MLP with safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")"
            }
            Self::Pickle => {
                "a Python pickle, which only Python can read; export a PyTorch model with torch.onnx.export, one of scikit-learn's with skl2onnx.to_onnx"
            }
            Self::TfLite => {
                "a TensorFlow Lite model; give the Keras model that it was made of, or convert it with tf2onnx"
            }
            Self::Gguf => "a GGUF file; export the model to ONNX",
            Self::Json => {
                "a JSON text; a config alone holds no weights: give the file of weights, and the config with `config`"
            }
        }
    }
}

/// A layer whose input has another shape than it takes.
pub(super) fn wrong_input(name: &str, expected: String, found: &[usize]) -> ModelError {
    ModelError::LayerInput {
        name: name.to_owned(),
        expected,
        found: found.to_vec(),
    }
}
