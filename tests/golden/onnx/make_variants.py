"""Small ONNX graphs that end, pad and store their weights in as many ways as exporters know.

    pip install onnx onnxruntime numpy safetensors scikit-learn pandas skl2onnx lightgbm onnxmltools && python make_variants.py

Writes `variant_NAME.onnx` and `variants.safetensors` with `NAME.inputs`, what the program gets, and
`NAME.answers`, onnxruntime's. Names that begin with `refused_` have no answers: the library that runs ONNX
computes them otherwise.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import sklearn
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as N
from lightgbm import LGBMClassifier
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from onnxruntime.quantization import quantize_dynamic
from safetensors.numpy import save_file
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

HERE = Path(__file__).parent
rng = np.random.default_rng(20261128)
tensors = {}
pixels = rng.integers(0, 256, (5, 7, 6, 3)).astype("float32")
rows = rng.normal(0, 1.5, (5, 4)).astype("float32")


def node(operator, inputs, outputs, **attributes):
    return H.make_node(operator, inputs, outputs, **attributes)


def add(name, nodes, weights, images=False, output=("n", 3), more=(), opset=17, save=None):
    inputs = ("n", 3, 7, 6) if images else ("n", 4)
    graph = H.make_graph(
        nodes,
        name,
        [H.make_tensor_value_info("x", T.FLOAT, inputs)],
        [H.make_tensor_value_info("out", T.FLOAT, output), *more],
        [N.from_array(np.asarray(array), key) for key, array in weights.items()],
    )
    model = H.make_model(graph, opset_imports=[H.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    path = HERE / f"variant_{name}.onnx"
    (save or onnx.save)(model, path)
    if name.startswith("refused_"):
        return
    given = pixels if images else rows
    fed = given.transpose(0, 3, 1, 2) if images else given
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = session.run(["out"], {"x": np.ascontiguousarray(fed)})[0]
    tensors[f"{name}.inputs"] = given
    tensors[f"{name}.answers"] = answers.reshape(len(given), -1).astype("float32")


W = rng.normal(0, 1, (4, 3)).astype("float32")
one = rng.normal(0, 1, (4, 1)).astype("float32")
product = node("MatMul", ["x", "W"], ["z"])
scalar = lambda value: np.array(value, "float32")
quantised = {"qs": scalar(1 / 256), "qz": np.array(0, "uint8")}

add("softmax", [product, node("Softmax", ["z"], ["out"], axis=-1)], {"W": W})
add("temperature", [product, node("Div", ["z", "t"], ["y"]), node("Softmax", ["y"], ["out"])], {"W": W, "t": scalar(2.5)})
add("log_softmax", [product, node("LogSoftmax", ["z"], ["out"])], {"W": W})
add("log_of_softmax", [product, node("Softmax", ["z"], ["y"]), node("Log", ["y"], ["out"])], {"W": W})
add("quantised_softmax", [product, node("Softmax", ["z"], ["s"]), node("QuantizeLinear", ["s", "qs", "qz"], ["q"]),
                          node("DequantizeLinear", ["q", "qs", "qz"], ["out"])], {"W": W, **quantised})
add("clipped_softmax", [product, node("Softmax", ["z"], ["s"]), node("Clip", ["s", "lo", "hi"], ["out"])],
    {"W": W, "lo": scalar(0.01), "hi": scalar(0.99)})
add("rounded_softmax", [product, node("Softmax", ["z"], ["s"]), node("Mul", ["s", "k"], ["m"]), node("Round", ["m"], ["r"]),
                        node("Div", ["r", "k"], ["out"])], {"W": W, "k": scalar(50.0)})
add("written_out_softmax", [product, node("Exp", ["z"], ["e"]), node("ReduceSum", ["e", "ax"], ["sum"]),
                            node("Div", ["e", "sum"], ["out"])], {"W": W, "ax": np.array([1], "int64")})
add("two_columns", [node("MatMul", ["x", "W"], ["z"]), node("Sigmoid", ["z"], ["s"]), node("Sub", ["k", "s"], ["m"]),
                    node("Concat", ["m", "s"], ["out"], axis=1)], {"W": one, "k": scalar(1.0)}, output=("n", 2))
add("sigmoid", [product, node("Sigmoid", ["z"], ["out"])], {"W": W})
add("sigmoid_one", [product, node("Sigmoid", ["z"], ["out"])], {"W": one}, output=("n", 1))
add("sigmoid_flat", [product, node("Sigmoid", ["z"], ["s"]), node("Squeeze", ["s", "ax"], ["out"])],
    {"W": one, "ax": np.array([1], "int64")}, output=("n",))
add("hard_sigmoid", [product, node("HardSigmoid", ["z"], ["out"], alpha=0.2, beta=0.5)], {"W": W})
add("logit_one", [product, node("Identity", ["z"], ["out"])], {"W": one}, output=("n", 1))
add("tanh", [product, node("Tanh", ["z"], ["out"])], {"W": W})

K = rng.normal(0, 0.1, (3, 3, 3, 3)).astype("float32")
E = rng.normal(0, 0.1, (3, 3, 2, 4)).astype("float32")
end = [node("GlobalAveragePool", ["c"], ["g"]), node("Flatten", ["g"], ["out"])]
for name, kernel, strides in [("odd", K, None), ("even", E, None), ("odd_strides", K, [2, 2]), ("even_strides", E, [3, 2])]:
    options = {"strides": strides} if strides else {}
    add(f"lower_{name}", [node("Conv", ["x", "W"], ["c"], auto_pad="SAME_LOWER", **options), *end], {"W": kernel}, images=True)
deep = [node("Conv", ["x", "W"], ["a"], auto_pad="SAME_LOWER", strides=[2, 2]), node("Relu", ["a"], ["b"]),
        node("MaxPool", ["b"], ["p"], kernel_shape=[2, 2], strides=[2, 1], auto_pad="SAME_LOWER"),
        node("AveragePool", ["p"], ["c"], kernel_shape=[2, 2], auto_pad="SAME_LOWER"), *end]
add("lower_pools", deep, {"W": E}, images=True)
add("defaults", [node("Conv", ["x", "W"], ["m"]), node("MaxPool", ["m"], ["c"], kernel_shape=[2, 2]), *end], {"W": K}, images=True)
add("dropout", [node("Dropout", ["x"], ["d"]), node("Conv", ["d", "W"], ["c"], kernel_shape=[3, 3]), *end], {"W": K}, images=True)
add("sides_of_one", [node("Conv", ["x", "W"], ["c"], kernel_shape=[3, 3]), node("GlobalAveragePool", ["c"], ["out"])],
    {"W": K}, images=True, output=("n", 3, 1, 1))
add("second_output", [node("Conv", ["x", "W"], ["c"], kernel_shape=[3, 3]), *end], {"W": K}, images=True,
    more=[H.make_tensor_value_info("c", T.FLOAT, ("n", 3, 5, 4))])
add("branches", [node("Conv", ["x", "W"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), node("Relu", ["a"], ["b"]),
                 node("Conv", ["x", "V"], ["d"], kernel_shape=[1, 1]), node("MaxPool", ["x"], ["e"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                 node("Concat", ["b", "d", "e"], ["f"], axis=1), node("Conv", ["f", "U"], ["h"], kernel_shape=[1, 1]),
                 node("Sum", ["h", "d", "b"], ["c"]), *end],
    {"W": K, "V": K[:, :, :1, :1], "U": np.concatenate([K[:, :, 0, 0], K[:, :, 1, 1], K[:, :, 2, 2]], 1)[:, :, None, None]}, images=True)
# An image of one pixel as a row: what stands behind the softmax are axes of one.
add("softmax_of_pooled_row", [node("AveragePool", ["x"], ["a"], kernel_shape=[7, 6]), node("Reshape", ["a", "rows"], ["b"]),
                   node("Gemm", ["b", "D"], ["c"]), node("Softmax", ["c"], ["out"], axis=1)],
    {"rows": np.array([-1, 3]), "D": K[:, :, 0, 0]}, images=True)
# Half floats' bounds round nothing away.
add("clipped_wide", [product, node("Clip", ["z", "lo", "hi"], ["out"])], {"W": W, "lo": scalar(-65504.0), "hi": scalar(65504.0)})
add("padded_low", [node("Pad", ["x", "pads", "low"], ["p"]), node("MaxPool", ["p"], ["c"], kernel_shape=[3, 3]), *end],
    {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "low": scalar(-1e30)}, images=True)
add("padded_channels_last", [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), node("Pad", ["t", "pads"], ["p"]),
                             node("Transpose", ["p"], ["q"], perm=[0, 3, 1, 2]), node("Conv", ["q", "W"], ["c"], kernel_shape=[3, 3]), *end],
    {"pads": np.array([0, 1, 2, 0, 0, 0, 3, 0]), "W": K}, images=True)
add("padded_along_all", [node("Pad", ["x", "pads", "half"], ["p"]), node("Conv", ["p", "W"], ["c"], kernel_shape=[1, 1]), *end],
    {"pads": np.array([0, 1, 0, 2, 0, 0, 1, 1]), "half": scalar(0.5), "W": K.reshape(3, 27)[:, :4, None, None]}, images=True)
add("labels", [product, node("Softmax", ["z"], ["out"]), node("ArgMax", ["out"], ["label"], axis=1, keepdims=0)], {"W": W},
    more=[H.make_tensor_value_info("label", T.INT64, ("n",))])


def apart(model, path):
    """One file a tensor, named as the tensor is; onnx writes behind what is there."""
    (HERE / "variant_W").unlink(missing_ok=True)
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=False, size_threshold=0)


add("file_a_tensor", [node("MatMul", ["x", "variant_W"], ["z"]), node("Identity", ["z"], ["out"])], {"variant_W": W}, save=apart)
add("refused_conv_integer", [node("Conv", ["x", "W"], ["c"], kernel_shape=[3, 3]), *end], {"W": K}, images=True,
    save=lambda model, path: quantize_dynamic(model, path))
add("refused_softmax_over_batch", [product, node("Softmax", ["z"], ["out"], axis=0)], {"W": W})
add("refused_scaled_softmax", [product, node("Softmax", ["z"], ["s"]), node("Mul", ["s", "k"], ["out"])], {"W": W, "k": scalar(100.0)})



def table(name, model, classes=3, **options):
    """A classifier of scikit-learn's, with its labels and a map of labels beside the probabilities."""
    x = rng.normal(0, 1.5, (90, 4)).astype("float32")
    model.fit(x, np.array(["a", "b", "c"])[np.abs(x[:, :classes]).argmax(1)])
    made = to_onnx(model, x[:1], target_opset=17, options={id(model): options} if options else None)
    onnx.save(made, HERE / f"variant_{name}.onnx")
    if name.startswith("refused_"):
        return
    tensors[f"{name}.inputs"] = rows
    tensors[f"{name}.answers"] = model.predict_proba(rows).astype("float32")


table("forest_probabilities", RandomForestClassifier(8, max_depth=4, random_state=1))
table("forest_probabilities_unzipped", RandomForestClassifier(3, max_depth=3, random_state=2), zipmap=False)
table("logistic_probabilities", make_pipeline(StandardScaler(), LogisticRegression()))
table("mlp_probabilities", MLPClassifier((5,), max_iter=200, random_state=1))

# LightGBM's export ends in a product with 1.
boosted = LGBMClassifier(n_estimators=4, num_leaves=5, min_child_samples=5, verbose=-1)
x = rng.normal(0, 1.5, (90, 4)).astype("float32")
boosted.fit(x, np.abs(x[:, :3]).argmax(1))
made = convert_lightgbm(boosted, initial_types=[("x", FloatTensorType([None, 4]))], target_opset=15, zipmap=False)
onnx.save(made, HERE / "variant_boosted_probabilities.onnx")
tensors["boosted_probabilities.inputs"] = rows
tensors["boosted_probabilities.answers"] = boosted.predict_proba(rows).astype("float32")
table("forest_probabilities_of_500", RandomForestClassifier(500, max_depth=2, random_state=3))
table("forest_probabilities_of_two", RandomForestClassifier(20, max_depth=4, random_state=4), classes=2)
table("svc_probabilities", SVC(probability=True, random_state=5))
table("svc_probabilities_of_two", SVC(C=10, gamma=0.3, probability=True, random_state=6), classes=2, zipmap=False)
table("svc_probabilities_poly", make_pipeline(StandardScaler(), SVC(kernel="poly", degree=3, coef0=0.5, probability=True, random_state=7)))
table("svc_probabilities_tanh", SVC(kernel="sigmoid", gamma=0.1, coef0=0.2, probability=True, random_state=8))
table("svc_probabilities_linear", SVC(kernel="linear", probability=True, random_state=9))
table("refused_svc_without", SVC(random_state=10))

# Of a DataFrame each column is an input of its own, by its name.
columns = ["sepal length (cm)", "width", "petal", "years"]
frame = pd.DataFrame(rng.normal(0, 1.5, (90, 4)).astype("float32"), columns=columns)
frame["years"] = frame["years"].round().astype("int64")
model = make_pipeline(StandardScaler(), LogisticRegression())
model.fit(frame, np.array(["a", "b", "c"])[np.abs(frame.to_numpy()[:, :3]).argmax(1)])
made = to_onnx(model, frame[:1], target_opset=17)
onnx.save(made, HERE / "variant_probabilities_of_columns.onnx")
whole = np.concatenate([rows[:, :3], rows[:, 3:].round()], axis=1)
given = pd.DataFrame(whole, columns=columns).astype({"years": "int64"})
tensors["probabilities_of_columns.inputs"] = whole
tensors["probabilities_of_columns.answers"] = model.predict_proba(given).astype("float32")

# The same in 64 bits, which exporters cast and compute in.
frame = pd.DataFrame(rng.normal(0, 1.5, (90, 4)), columns=["one", "two", "three", "four"])
model = make_pipeline(StandardScaler(), LogisticRegression())
model.fit(frame, np.array(["a", "b", "c"])[np.abs(frame.to_numpy()[:, :3]).argmax(1)])
made = to_onnx(model, frame[:1], target_opset=17)
onnx.save(made, HERE / "variant_probabilities_of_wide_columns.onnx")
given = pd.DataFrame(rows.astype("float64"), columns=frame.columns)
tensors["probabilities_of_wide_columns.inputs"] = rows
tensors["probabilities_of_wide_columns.answers"] = model.predict_proba(given).astype("float32")

# What is divided has more numbers than what it is divided by, fewer, and as many.
above = lambda value, name: [node("Sigmoid", [value], [f"{name}_s"]), node("Add", [f"{name}_s", "k"], [name])]
add("quotients", [product, node("MatMul", ["x", "w"], ["p"]), *above("z", "a"), *above("p", "b"),
    node("Div", ["z", "b"], ["more"]), node("Div", ["b", "a"], ["fewer"]), node("Div", ["more", "a"], ["as_many"]),
    node("Add", ["fewer", "as_many"], ["out"])], {"W": W, "w": one, "k": scalar(0.5)})

versions = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "scikit-learn": sklearn.__version__}
save_file(tensors, HERE / "variants.safetensors", metadata={"made_with": json.dumps(versions)})
