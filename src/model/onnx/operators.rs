//! The operators that have kernels: how each is read, the attributes that are understood, and what
//! of it is not.
//!
//! An attribute that is not in a row here gives the graph to the library: nothing that may change
//! an answer is passed over.

use super::reader::{Read, Reader};
use super::value::Value;
use rten_onnx::onnx::NodeProto;

/// How a node is read.
enum How {
    /// It gives one value.
    One(fn(&mut Reader<'_>, &NodeProto) -> Read<Value>),
    /// It gives as many as it has outputs.
    Several(fn(&mut Reader<'_>, &NodeProto) -> Read<Vec<Value>>),
    /// It gives labels, which are no answers, and then scores.
    Scores(fn(&mut Reader<'_>, &NodeProto) -> Read<Value>),
}

/// An operator.
pub(super) struct Operator {
    domain: &'static str,
    name: &'static str,
    how: How,
    /// Attributes that are understood; nothing where its reader looks at all of them itself.
    attributes: Option<&'static [&'static str]>,
    /// What of it the library runs, in words.
    without: &'static str,
}

/// The operators that have kernels, see [`crate::model::onnx_operators`].
pub(in crate::model) fn names() -> impl Iterator<Item = [&'static str; 3]> {
    (OPERATORS.iter()).map(|operator| [operator.domain, operator.name, operator.without])
}

/// The operator of this name, where it has kernels.
pub(super) fn operator(domain: &str, name: &str) -> Option<&'static Operator> {
    (OPERATORS.iter()).find(|operator| (operator.domain, operator.name) == (domain, name))
}

impl Operator {
    /// An attribute of a node that is not understood.
    pub(super) fn unknown_attribute<'n>(&self, node: &'n NodeProto) -> Option<&'n str> {
        let known = self.attributes?;
        let mut names = node
            .attribute
            .iter()
            .map(|attribute| attribute.name.as_deref().unwrap_or_default());
        names.find(|name| !known.contains(name))
    }

    /// What a node gives that is read, in the order of its outputs.
    pub(super) fn read(&self, reader: &mut Reader<'_>, node: &NodeProto) -> Read<Vec<Value>> {
        match self.how {
            How::One(read) | How::Scores(read) => Ok(vec![read(reader, node)?]),
            How::Several(read) => read(reader, node),
        }
    }

    /// The outputs that are read.
    pub(super) fn outputs<'n>(&self, node: &'n NodeProto) -> &'n [String] {
        match self.how {
            How::Scores(_) => node.output.get(1..).unwrap_or_default(),
            _ => &node.output,
        }
    }
}

/// One row of the table for each operator.
macro_rules! operators {
    ($($domain:literal $name:literal $how:ident $read:ident $([$($attribute:literal)*])? $without:literal)*) => {
        const OPERATORS: &[Operator] = &[$(Operator {
            domain: $domain,
            name: $name,
            how: How::$how(|reader, node| reader.$read(node)),
            attributes: known!($([$($attribute)*])?),
            without: $without,
        },)*];
    };
}

macro_rules! known {
    () => {
        None
    };
    ([$($attribute:literal)*]) => {
        Some(&[$($attribute),*])
    };
}

operators! {
    "" "Add" One arithmetic [] ""
    "" "AveragePool" One pool ["auto_pad" "ceil_mode" "count_include_pad" "dilations" "kernel_shape" "pads" "strides"] "windows of three dimensions"
    "" "BatchNormalization" One batch_normalization ["epsilon" "momentum" "training_mode"] "statistics of the batch"
    "" "Cast" One cast ["saturate" "to"] "values to whole numbers"
    "" "CastLike" One cast_like ["saturate"] "values to whole numbers"
    "" "Ceil" One function [] "values"
    "" "Clip" One clip ["max" "min"] "bounds for single values, beyond 8"
    "" "Concat" One concat ["axis"] "the batch's axis"
    "" "Constant" One constant ["value" "value_float" "value_floats" "value_int" "value_ints"] "texts"
    "" "ConstantOfShape" One constant_of_shape ["value"] ""
    "" "Conv" One conv ["auto_pad" "dilations" "group" "kernel_shape" "pads" "strides"] "windows of three dimensions, kernels that are computed"
    "" "Div" One arithmetic [] "of a constant by a value"
    "" "Dropout" One dropout ["ratio" "seed"] "as in training, its mask"
    "" "Elu" One function ["alpha"] ""
    "" "Equal" One comparison [] "of values"
    "" "Erf" One function [] "outside a GELU"
    "" "Exp" One function [] ""
    "" "Expand" One expand [] ""
    "" "Flatten" One flatten ["axis"] ""
    "" "Floor" One function [] "values"
    "" "Gather" One gather ["axis"] "places that are computed"
    "" "Gelu" One function ["approximate"] ""
    "" "Gemm" One gemm ["alpha" "beta" "transA" "transB"] "of two values, transA"
    "" "GlobalAveragePool" One global_pool [] ""
    "" "GlobalMaxPool" One global_pool [] ""
    "" "Greater" One comparison [] "of values"
    "" "GroupNormalization" One channel_statistics ["epsilon" "num_groups" "stash_type"] ""
    "" "HardSigmoid" One hard_sigmoid ["alpha" "beta"] ""
    "" "HardSwish" One function [] ""
    "" "Identity" One identity [] ""
    "" "InstanceNormalization" One channel_statistics ["epsilon"] ""
    "" "LRN" One lrn ["alpha" "beta" "bias" "size"] ""
    "" "LayerNormalization" One layer_normalization ["axis" "epsilon" "stash_type"] ""
    "" "LeakyRelu" One function ["alpha"] ""
    "" "Less" One comparison [] "of values"
    "" "LogSoftmax" One softmax ["axis"] "inside the network"
    "" "MatMul" One matmul [] "by a constant of more than two axes"
    "" "Max" One arithmetic [] "of more than two, constants beyond 8"
    "" "MaxPool" One pool ["auto_pad" "ceil_mode" "dilations" "kernel_shape" "pads" "storage_order" "strides"] "windows of three dimensions"
    "" "Min" One comparison [] "of two values, constants beyond 8"
    "" "Mish" One function [] ""
    "" "Mod" One comparison ["fmod"] "of values"
    "" "Mul" One arithmetic [] ""
    "" "Neg" One function [] ""
    "" "PRelu" One prelu [] ""
    "" "Pad" One pad ["mode" "pads" "value"] "with what is there, numbers beyond 8, of the batch"
    "" "Pow" One power [] "other than 2 and 3"
    "" "Range" One range [] ""
    "" "Reciprocal" One function [] "of values"
    "" "ReduceMax" One reduce ["axes" "keepdims" "noop_with_empty_axes"] "across the batch"
    "" "ReduceMean" One reduce ["axes" "keepdims" "noop_with_empty_axes"] "across the batch"
    "" "ReduceSum" One reduce ["axes" "keepdims" "noop_with_empty_axes"] "across the batch"
    "" "Relu" One function [] ""
    "" "Reshape" One reshape ["allowzero" "shape"] "a shape of 0 with allowzero"
    "" "Selu" One selu ["alpha" "gamma"] ""
    "" "Shape" One shape ["end" "start"] ""
    "" "Sigmoid" One function [] ""
    "" "Slice" One slice ["axes" "ends" "starts"] "bounds that are computed"
    "" "Softmax" One softmax ["axis"] "across the batch"
    "" "Softplus" One function [] ""
    "" "Softsign" One function [] ""
    "" "Split" Several split ["axis" "num_outputs" "split"] "the batch's axis"
    "" "Sqrt" One function [] "of values"
    "" "Squeeze" One squeeze ["axes"] ""
    "" "Sub" One arithmetic [] ""
    "" "Sum" One sum [] ""
    "" "Tanh" One function [] ""
    "" "Transpose" One transpose ["perm"] ""
    "" "Unsqueeze" One unsqueeze ["axes"] ""
    "" "Where" One choice [] "of values"
    "ai.onnx.ml" "FeatureVectorizer" One feature_vectorizer ["inputdimensions"] "inputs of other widths than it names"
    "ai.onnx.ml" "LinearClassifier" Scores linear_classifier "one score for two classes"
    "ai.onnx.ml" "Normalizer" One normalizer ["norm"] "other than shares of a softmax"
    "ai.onnx.ml" "SVMClassifier" Scores support_vectors "fitted without probabilities"
    "ai.onnx.ml" "Scaler" One scaler ["offset" "scale"] ""
    "ai.onnx.ml" "TreeEnsembleClassifier" Scores tree_ensemble "comparisons other than `<=` and `<`, one score for two classes of another kind than a forest's and boosted trees'"
}
