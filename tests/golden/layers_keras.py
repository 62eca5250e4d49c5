"""Answers of Keras for single layers, for tests/it/engines_layers.rs.

    KERAS_BACKEND=jax python tests/golden/layers_keras.py

writes layers_keras.safetensors beside itself: for case NAME the tensors NAME.x, NAME.y (float32,
without the batch axis where the batch is one), NAME.kernel and NAME.bias where there are any, and
in the metadata, key "cases", a JSON list of what the layers are. Keras 3.15.1 on jax, on the CPU.
"""

import json
import pathlib

import jax
import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file

jax.config.update("jax_default_matmul_precision", "highest")
rng = np.random.default_rng(5)
tensors, cases = {}, []


def uniform(*shape):
    return rng.uniform(-1, 1, shape).astype(np.float32)


def add(kind, shape, layer, **described):
    name = f"{kind}{len(cases)}"
    x = uniform(2, *shape)
    y = np.asarray(layer(x))
    tensors[f"{name}.x"], tensors[f"{name}.y"] = x, y.astype(np.float32)
    if layer.weights:
        kernel, bias = (uniform(*weight.shape) for weight in layer.weights)
        layer.set_weights([kernel, bias])
        tensors[f"{name}.kernel"], tensors[f"{name}.bias"] = kernel, bias
        tensors[f"{name}.y"] = np.asarray(layer(x)).astype(np.float32)
    cases.append({"name": name, "kind": kind, **described})


for shape, filters, size, strides in [
    ((7, 5, 1), 3, (3, 3), (1, 1)),
    ((8, 6, 3), 8, (3, 3), (2, 2)),
    ((5, 9, 2), 9, (2, 4), (2, 1)),
    ((4, 4, 5), 4, (1, 1), (1, 1)),
    ((6, 7, 4), 5, (5, 2), (1, 3)),
    ((3, 3, 2), 2, (3, 3), (3, 3)),
]:
    for padding in ["valid", "same"]:
        described = {"size": size, "strides": strides, "padding": padding}
        layer = layers.Conv2D(filters, size, strides, padding)
        add("conv", shape, layer, **described)
        # Keras takes depthwise strides that are equal alone.
        step = (strides[0], strides[0])
        described["strides"] = step
        multiplier = 1 + filters % 2
        layer = layers.DepthwiseConv2D(size, step, padding, depth_multiplier=multiplier)
        add("depthwise", shape, layer, **described)
        described["strides"] = strides
        add("max", shape, layers.MaxPooling2D(size, strides, padding), **described)
        add("average", shape, layers.AveragePooling2D(size, strides, padding), **described)

v = np.concatenate([np.linspace(-9, 9, 73), [-200, -90, -20, 20, 60]]).astype(np.float32)
tensors["activation.x"] = v
k = keras.activations
for name, function in {
    "linear": k.linear,
    "relu": k.relu,
    "sigmoid": k.sigmoid,
    "tanh": k.tanh,
    "relu6": k.relu6,
    "leaky_relu": k.leaky_relu,
    "relu_with": lambda v: k.relu(v, negative_slope=0.25, max_value=3.0, threshold=0.5),
    "elu": lambda v: k.elu(v, alpha=1.5),
    "selu": k.selu,
    "gelu": lambda v: k.gelu(v, approximate=False),
    "gelu_tanh": lambda v: k.gelu(v, approximate=True),
    "silu": k.silu,
    "softplus": k.softplus,
    "softsign": k.softsign,
    "exponential": k.exponential,
    "hard_sigmoid": k.hard_sigmoid,
    "hard_silu": k.hard_silu,
    "mish": k.mish,
}.items():
    tensors[f"activation.{name}"] = np.asarray(function(v)).astype(np.float32)

metadata = {"cases": json.dumps(cases), "keras": keras.__version__}
save_file(tensors, pathlib.Path(__file__).with_suffix(".safetensors"), metadata)
