"""ONNX's own tests of its operators, each made a network that can be asked row by row.

    pip install onnx onnxruntime numpy safetensors && python make_node_tests.py

The tests come with the package `onnx` (onnx.backend.test.case.node, Apache License 2.0). Of each one whose operators
are all in the table of src/model/onnx/operators.rs, the first input becomes rows of a table, one for each entry of
its first axis, and so do other inputs of the same first axis where the operator takes values there; further inputs
become constants. The output is laid flat and multiplied with twice the unit matrix, so that probabilities are none
any more, or with eight waves where it is long. Left out, with a count of each reason: values that are not 32-bit
floats or not finite, outputs of another first axis, what hangs on a row's place in the batch, and tests of which
onnxruntime computes something else.

Writes `node_tests.safetensors`: `NAME.model`, the file's bytes, `NAME.inputs` and `NAME.answers`, from the test's own
output.
"""

import collections
import json
import re
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as H
from onnx import numpy_helper as N
from onnx.backend.test.case.node import collect_testcases
from safetensors.numpy import save_file

warnings.filterwarnings("ignore")
onnxruntime.set_default_logger_severity(4)
HERE = Path(__file__).parent
TABLE = (HERE / "../../../src/model/onnx/operators.rs").read_text()
OPERATORS = set(re.findall(r'^\s+"" "(\w+)"', TABLE, re.M))
# Operators whose further inputs may be values; of the others they are weights, shapes and bounds.
OF_VALUES = {"Add", "Sub", "Mul", "Div", "Max", "Min", "Concat", "MatMul", "Gemm", "Pow", "Where"}
LARGEST = 2000


def is_float(array):
    return isinstance(array, np.ndarray) and array.dtype == np.float32


def network(case, rows, of_values):
    """The test as a network, and what it is given."""
    graph = case.model.graph
    inputs, outputs = case.data_sets[0]
    values = [0]
    if of_values:
        values += [k for k, array in enumerate(inputs) if k and is_float(array) and array.shape[:1] == (rows,)]
    nodes, constants, columns, at = [], [], [], 0
    for k, (info, array) in enumerate(zip(graph.input, inputs)):
        if k not in values:
            constants.append(N.from_array(np.asarray(array), info.name))
            continue
        width = int(np.prod(array.shape[1:]))
        columns.append(array.reshape(rows, width))
        name = f"given_{k}"
        if len(values) > 1:
            for word, number in (("start", at), ("end", at + width), ("axis", 1)):
                constants.append(N.from_array(np.array([number]), f"{name}_{word}"))
            nodes.append(H.make_node("Slice", ["given", f"{name}_start", f"{name}_end", f"{name}_axis"], [name]))
        at += width
        constants.append(N.from_array(np.array([-1, *array.shape[1:]], "int64"), f"{name}_shape"))
        nodes.append(H.make_node("Reshape", [name if len(values) > 1 else "given", f"{name}_shape"], [info.name]))
    nodes += graph.node
    answers = outputs[0].reshape(rows, -1)
    flat = graph.output[0].name
    nodes.append(H.make_node("Flatten", [flat], ["flat"], axis=1))
    flat = "flat"
    if answers.shape[1] == 1:
        nodes.append(H.make_node("Concat", ["flat", "flat"], ["twice"], axis=1))
        answers, flat = np.repeat(answers, 2, 1), "twice"
    count = answers.shape[1]
    last = 2 * np.eye(count) if count <= 24 else np.cos(np.outer(np.arange(1, count + 1), np.arange(1, 9)))
    last = last.astype("float32")
    answers = (answers.astype("float64") @ last).astype("float32")
    constants.append(N.from_array(last, "last"))
    nodes.append(H.make_node("MatMul", [flat, "last"], ["out"]))
    made = H.make_graph(
        nodes,
        case.name,
        [H.make_tensor_value_info("given", T.FLOAT, ("n", at))],
        [H.make_tensor_value_info("out", T.FLOAT, ("n", answers.shape[1]))],
        [*constants, *graph.initializer],
    )
    model = H.make_model(made, opset_imports=case.model.opset_import, ir_version=min(case.model.ir_version, 10))
    return model, np.ascontiguousarray(np.concatenate(columns, 1)), answers


def why_not(case):
    """Why a test makes no network."""
    inputs, outputs = case.data_sets[0]
    if not inputs or not is_float(inputs[0]) or not is_float(outputs[0]):
        return "no 32-bit floats"
    if inputs[0].ndim < 2 or outputs[0].ndim < 1:
        return "no rows"
    if outputs[0].shape[:1] != inputs[0].shape[:1]:
        return "another first axis"
    if not all(isinstance(array, np.ndarray) or np.isscalar(array) for array in inputs) or len(inputs) != len(case.model.graph.input):
        return "no arrays"
    if any(is_float(array) and not np.isfinite(array).all() for array in (*inputs, *outputs)):
        return "not finite"
    sizes = [np.prod(array.shape) for array in (inputs[0], outputs[0])]
    if not 0 < min(sizes) <= max(sizes) < LARGEST:
        return "too large, or empty"
    return None


tensors, left_out = {}, collections.Counter()
for case in collect_testcases(None):
    if case.model is None or not {node.op_type for node in case.model.graph.node} <= OPERATORS:
        continue
    if any(node.domain for node in case.model.graph.node):
        continue
    reason = why_not(case)
    if reason:
        left_out[reason] += 1
        continue
    rows = case.data_sets[0][0][0].shape[0]
    found = set()
    for of_values in (False, True):
        if of_values and not any(node.op_type in OF_VALUES for node in case.model.graph.node):
            continue
        model, given, answers = network(case, rows, of_values)
        content = model.SerializeToString()
        if given.shape[1] in found:
            continue
        # What depends on where in the batch a row stands answers otherwise when all rows come twice.
        try:
            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
            by_runtime = session.run(None, {"given": given})[0]
            if not np.allclose(session.run(None, {"given": np.tile(given, (2, 1))})[0], np.tile(by_runtime, (2, 1)), 1e-5, 1e-6):
                raise ValueError("hangs on the batch")
        except Exception as error:
            left_out["hangs on the batch, or " + type(error).__name__] += 1
            continue
        if by_runtime.shape != answers.shape or not np.allclose(by_runtime, answers, 1e-4, 1e-5):
            left_out["onnxruntime answers otherwise"] += 1
            continue
        found.add(given.shape[1])
        name = case.name.removeprefix("test_") + ("_of_values" if of_values else "")
        tensors[f"{name}.model"] = np.frombuffer(content, "uint8")
        tensors[f"{name}.inputs"] = given
        tensors[f"{name}.answers"] = answers

print(len(tensors) // 3, "networks; left out:")
for reason, count in left_out.most_common():
    print(f"{count:5} {reason}")
versions = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
save_file(tensors, HERE / "node_tests.safetensors", metadata={"made_with": json.dumps(versions)})
