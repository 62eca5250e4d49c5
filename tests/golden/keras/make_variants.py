"""Build small random models in which Keras 2 and Keras 3 differ, or in which a reader can go wrong.

    pip install "tensorflow-cpu==2.15.*" safetensors && python make_variants.py     # Keras 2
    pip install keras jax safetensors && KERAS_BACKEND=jax python make_variants.py  # Keras 3

Each in an environment of its own. Files are named by what wrote them, `tf2.15_*` or `keras3_*`, with the
answers in `*_variants.safetensors`: `NAME.inputs` and `NAME.outputs`, what the model gives. Most models are
`.safetensors` with the config and the version in the metadata, which is smaller than HDF5.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
from safetensors.numpy import save_file

try:
    import tensorflow as tf

    keras = tf.keras
    from importlib.metadata import version

    MADE_WITH, VERSION = f"TensorFlow {tf.__version__}, Keras {version('keras')}", version("keras")
except ImportError:
    import keras

    MADE_WITH, VERSION = f"Keras {keras.__version__}, {keras.backend.backend()}", keras.__version__
TWO = VERSION.startswith("2.")
PREFIX = "tf2.15" if TWO else "keras3"
HERE = Path(__file__).parent
L = keras.layers
rng = np.random.default_rng(20261128)
answers: dict[str, np.ndarray] = {}

# What both have, and what Keras 3 added. `softmax` and its logarithm stand at an end only.
ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "elu", "selu", "gelu", "swish", "softplus", "softsign"]
ACTIVATIONS += ["exponential", "hard_sigmoid", "mish"]
if not TWO:
    ACTIVATIONS += ["relu6", "leaky_relu", "silu", "hard_silu", "hard_swish"]


def randomise(model) -> None:
    values = []
    for variable in model.weights:
        shape, name = tuple(variable.shape), getattr(variable, "path", variable.name)
        if "variance" in name or "gamma" in name:
            values.append(rng.uniform(0.5, 2.0, shape))
        elif "kernel" in name:
            values.append(rng.normal(0, 1.3 / np.sqrt(max(1, np.prod(shape[:-1]))), shape))
        else:
            values.append(rng.normal(0, 0.4, shape))
    model.set_weights([value.astype("float32") for value in values])


def tensors(model, outer="") -> dict[str, np.ndarray]:
    found = {}
    for layer in model.layers:
        name = outer + layer.name
        if hasattr(layer, "layers"):
            found |= tensors(layer, name + "/")
            continue
        for variable in layer.weights:
            role = variable.name.split("/")[-1].split(":")[0]
            found[f"{name}.{role}"] = np.asarray(variable)
    return found


def add(name, model, inputs, *files) -> None:
    """Writes a model, as .safetensors where no other kind of file is asked for."""
    randomise(model)
    inputs = inputs.astype("float32")
    answers[f"{PREFIX}_{name}.inputs"] = inputs
    answers[f"{PREFIX}_{name}.outputs"] = np.asarray(model(inputs, training=False)).astype("float32")
    for kind in files:
        model.save(HERE / f"{PREFIX}_{name}.{kind}")
    if not files:
        metadata = {"keras_config": model.to_json(), "keras_version": VERSION}
        save_file(tensors(model), HERE / f"{PREFIX}_{name}.safetensors", metadata=metadata)


def rows(values=6, low=-4, high=4):
    return rng.uniform(low, high, (6, values))


def functions() -> None:
    x = keras.Input((6,))
    branches = [L.Dense(3, activation=name, name=f"f_{name}")(x) for name in ACTIVATIONS]
    add("activations", keras.Model(x, L.Dense(3)(L.Add()(branches))), rows())
    slope = "alpha" if TWO else "negative_slope"
    named = [L.ReLU(), L.ReLU(6.0), L.ReLU(4.0, 0.1, 0.5), L.ELU(0.7), L.LeakyReLU(), L.LeakyReLU(**{slope: 0.05})]
    named += [L.Activation("hard_sigmoid"), L.Activation("gelu")]
    if TWO:
        named += [L.ThresholdedReLU(0.8)]
    x = keras.Input((6,))
    branches = [layer(L.Dense(3)(x)) for layer in named]
    add("activation_layers", keras.Model(x, L.Dense(3)(L.Add()(branches))), rows())
    x = keras.Input((6,))
    branches = [L.BatchNormalization(epsilon=e)(L.Dense(3)(x)) for e in (1e-7, 1e-5, 1e-3, 0.1)]
    branches += [L.BatchNormalization(scale=False, center=False)(L.Dense(3)(x))]
    add("epsilons", keras.Model(x, L.Dense(3)(L.Add()(branches))), rows())


def ends() -> None:
    for units in (1, 4):
        for end in ("sigmoid", "hard_sigmoid", "linear", "softmax", "tanh"):
            if (units, end) in ((1, "softmax"), (1, "tanh")):
                continue
            model = keras.Sequential([L.InputLayer((6,)), L.Dense(5, "relu"), L.Dense(units, end)])
            add(f"end_{end}_{units}", model, rows())
    x = keras.Input((6,))
    y = L.Activation("sigmoid")(L.Flatten()(L.Reshape((1, 3))(L.Dense(3)(x))))
    add("end_sigmoid_layer", keras.Model(x, y), rows())


def names() -> None:
    """Layers of the same name in models inside a model, and slashes in names."""

    def inner(name):
        return keras.Sequential([L.Dense(6, "tanh", name="fc"), L.BatchNormalization(name="bn")], name=name)

    x = keras.Input((6,))
    both = keras.Model(x, inner("right")(inner("left")(x)), name="both")
    x = keras.Input((6,))
    y = L.Dense(6, "relu", name="fc")(both(x))
    model = keras.Model(x, L.Dense(3, name="out")(inner("left")(y)))
    add("same_names", model, rows(), "keras", *([] if TWO else ["h5"]))
    if TWO:
        x = keras.Input((6,))
        y = L.Dense(6, activation="relu", name="s/y/fc")(x)
        y = L.Dense(6, activation="tanh", name="s/x/fc")(y)
        y = L.Dense(6, activation="elu", name="fc")(y)
        y = keras.Sequential([L.InputLayer((6,)), L.Dense(6, name="x/fc"), L.Dense(6, name="y/fc")], name="t")(y)
        add("slashes", keras.Model(x, L.Dense(3, name="out")(y)), rows(), "h5")


def calls() -> None:
    """Layers and models that are called more than once, and functions of tensors and constants."""
    x = keras.Input((6,))
    relu, dense = L.ReLU(), L.Dense(6, "tanh")
    twice = keras.Sequential([L.InputLayer((6,)), L.Dense(6), L.BatchNormalization()])
    y = relu(dense(relu(twice(dense(x)))))
    y = L.Add()([twice(y), y])
    add("shared", keras.Model(x, L.Dense(3)(y)), rows())
    x = keras.Input((4, 5, 3))
    y = (x - np.array([9.0, 5.0, 7.0], "float32")) / 127.5
    y = 1.0 - (y + 0.25) * 2.0
    y = L.Dense(3)(L.Flatten()(y))
    add("operations", keras.Model(x, y + y), rng.uniform(0, 255, (6, 4, 5, 3)))


# make_networks.py uses the helpers alone.
if "VARIANTS_ONLY_HELPERS" not in os.environ:
    functions()
    ends()
    names()
    calls()
    metadata = {"made_with": MADE_WITH, "softmax": "[]"}
    save_file(answers, HERE / f"{PREFIX}_variants.safetensors", metadata=metadata)
