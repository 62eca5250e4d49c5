"""Build small random models with Keras 3 and write them with Keras's own answers.

Every layer and option that the program reads is in one of them, each in a place where a
mistake changes the answers: biases, means and gammas are random, images are not square,
sizes are odd where padding is "same". How to run it, in this folder:

    pip install keras jax safetensors
    KERAS_BACKEND=jax python make_fixtures.py

It writes NAME.keras (some as .h5 or .weights.h5 with a .json) and answers.safetensors with
NAME.inputs and NAME.outputs: what Keras's model gives, logits or, where the model ends in a
softmax, probabilities. Metadata `softmax` lists the latter.
"""

import json
import os
import zipfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # must be set before keras is imported
os.environ.setdefault("JAX_ENABLE_X64", "1")  # or else float64 weights are stored as float32

import h5py
import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file

HERE = Path(__file__).parent
NUM_INPUTS = 4
rng = np.random.default_rng(20261124)
answers: dict[str, np.ndarray] = {}
softmax: list[str] = []


def randomise(model: keras.Model) -> None:
    """Random weights of a size that keeps values near 1; variances and gammas above 0."""
    for variable in model.variables:
        if "seed" in variable.path or variable.dtype in ("int32", "int64", "uint32"):
            continue
        shape, name = variable.shape, variable.name
        if "variance" in name or name == "gamma":
            values = rng.uniform(0.5, 2.0, shape)
        elif "kernel" in name:
            fan_in = max(1, int(np.prod(shape[:-1])))
            if "depthwise" in variable.path:
                fan_in = shape[0] * shape[1]
            values = rng.normal(0, 1.2 / np.sqrt(fan_in), shape)
        else:
            values = rng.normal(0, 0.4, shape)
        variable.assign(values.astype("float32"))


def answer(name: str, model: keras.Model, low: float, high: float, is_softmax: bool) -> None:
    inputs = rng.uniform(low, high, (NUM_INPUTS, *model.input_shape[1:]))
    # Some inputs brighter than others, or else the mean over an image is always the same.
    brightness = rng.uniform(0.2, 1, (NUM_INPUTS, *[1] * (inputs.ndim - 1)))
    inputs = (inputs * brightness).astype("float32")
    outputs = np.asarray(model(inputs, training=False)).astype("float32")
    assert outputs.ndim == 2 and np.isfinite(outputs).all(), name
    assert np.ptp(outputs, axis=0).max() > 1e-2, f"{name}: answers do not depend on inputs"
    if is_softmax:
        softmax.append(name)
    answers[f"{name}.inputs"] = inputs
    answers[f"{name}.outputs"] = outputs


def write(name, model, low=-1.5, high=1.5, is_softmax=False, save=None):
    """Randomise a model, save it and note its answers."""
    randomise(model)
    (save or (lambda model: model.save(HERE / f"{name}.keras")))(model)
    answer(name, model, low, high, is_softmax)


def sequential(*items):
    return keras.Sequential(list(items))


ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "sigmoid", "tanh", "elu", "selu", "gelu", "silu",
    "swish", "softplus", "softsign", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "mish",
]  # fmt: skip


def dense_models() -> None:
    x = keras.Input((5,))
    branches = [layers.Dense(6, activation=name)(x) for name in ACTIVATIONS]
    write("activations", keras.Model(x, layers.Dense(4)(layers.Add()(branches))))

    functions = [
        layers.ReLU(),
        layers.ReLU(max_value=0.8, negative_slope=0.2, threshold=0.25),
        layers.LeakyReLU(),
        layers.LeakyReLU(negative_slope=0.05),
        layers.ELU(alpha=0.7),
        layers.Activation("gelu"),
        layers.Activation("tanh"),
    ]
    x = keras.Input((5,))
    branches = [function(layers.Dense(6)(x)) for function in functions]
    branches.append(layers.Dense(6, activation=layers.LeakyReLU(negative_slope=0.4))(x))
    write("activation_layers", keras.Model(x, layers.Dense(4)(layers.Add()(branches))))

    write(
        "softmax_dense",
        sequential(layers.Input((6,)), layers.Dense(5, "relu", use_bias=False), layers.Dense(3, "softmax")),
        is_softmax=True,
    )
    for name, last in [
        ("softmax_layer", layers.Softmax()),
        ("softmax_activation", layers.Activation("softmax")),
    ]:
        model = sequential(layers.Input((6,)), layers.Dense(5, "tanh"), layers.Dense(3), last)
        write(name, model, is_softmax=True)
    # Dense works on the last axis; its result is flattened row by row.
    write(
        "dense_last_axis",
        sequential(layers.Input((4, 5)), layers.Dense(6, "relu"), layers.Flatten(), layers.Dense(3)),
    )
    write(
        "reshape",
        sequential(
            layers.Input((24,)), layers.Reshape((2, -1, 3)), layers.Conv2D(4, 2), layers.Flatten(),
            layers.Dense(3),
        ),
    )  # fmt: skip
    # No input layer: the shape is known once the model was built.
    model = sequential(layers.Dense(5, "relu"), layers.Dense(3))
    model.build((None, 7))
    write("built_late", model)
    # Layers are filed by class and count, in an order of their own, whatever their names.
    write(
        "names",
        sequential(
            layers.Input((6,)),
            layers.Dense(5, "relu", name="dense_1"),
            layers.Dense(5, "tanh", name="out"),
            layers.Dense(5, "relu", name="dense"),
            layers.Dense(3, name="0"),
        ),
    )


def preprocessing_models() -> None:
    write(
        "rescaling",
        sequential(
            layers.Input((6, 5, 3)), layers.Rescaling([0.01, 0.005, 0.02], offset=[-1.0, 0.5, 0.25]),
            layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3),
        ),
        0, 255,
    )  # fmt: skip
    write(
        "rescaling_same_padding",
        sequential(
            layers.Input((6, 5, 1)), layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(4, 3, padding="same"), layers.Flatten(), layers.Dense(3),
        ),
        0, 255,
    )  # fmt: skip
    for name, shape, make in [
        ("normalization_rows", (5,), lambda: layers.Normalization()),
        ("normalization_channels", (5, 4, 3), lambda: layers.Normalization(axis=-1)),
        ("normalization_scalar", (5, 4, 3), lambda: layers.Normalization(axis=None)),
        ("normalization_values", (4, 3, 2), lambda: layers.Normalization(axis=(1, 2, 3))),
        ("normalization_given", (5,), lambda: layers.Normalization(mean=[1.0, 2, 3, 4, 5], variance=[4.0, 1, 9, 2, 0.5])),
        ("normalization_one_given", (5,), lambda: layers.Normalization(mean=3.0, variance=4.0)),
        ("normalization_inverse", (5,), lambda: layers.Normalization(mean=[1.0, 0, -1, 0.5, 0], variance=[4.0, 1, 0.25, 2, 0.5], invert=True)),
    ]:  # fmt: skip
        layer = make()
        if layer.input_mean is None:
            layer.adapt(rng.uniform(0, 8, (64, *shape)))
        model = sequential(
            layers.Input(shape), layer, layers.Flatten(), layers.Dense(6, "relu"), layers.Dense(3)
        )
        # randomise() would replace mean and variance behind Keras's back: keep the adapted ones.
        kept = [np.asarray(variable) for variable in layer.variables]
        randomise(model)
        for variable, value in zip(layer.variables, kept):
            variable.assign(value)
        if layer.input_mean is None:
            layer.finalize_state()
        model.save(HERE / f"{name}.keras")
        answer(name, model, *((-1.5, 1.5) if layer.invert else (0, 8)), False)


def convolution_models() -> None:
    write(
        "conv",
        sequential(
            layers.Input((11, 8, 1)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(5, (2, 3), strides=1, padding="valid", activation="tanh"),
            layers.Conv2D(3, (4, 2), strides=(3, 2), padding="same", use_bias=False),
            layers.Flatten(), layers.Dense(3),
        ),
    )  # fmt: skip
    write(
        "conv_valid_strides",
        sequential(
            layers.Input((10, 13, 3)), layers.Conv2D(4, (3, 2), strides=(2, 3), activation="relu"),
            layers.Conv2D(4, 1, activation="silu"), layers.Flatten(), layers.Dense(3),
        ),
    )  # fmt: skip
    write(
        "depthwise",
        sequential(
            layers.Input((9, 6, 3)),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu"),
            layers.DepthwiseConv2D((2, 3), strides=2, padding="same", use_bias=False),
            layers.DepthwiseConv2D(2, activation="tanh"),
            layers.Flatten(), layers.Dense(3),
        ),
    )  # fmt: skip
    write(
        "separable",
        sequential(
            layers.Input((9, 6, 3)),
            layers.SeparableConv2D(5, 3, padding="same", depth_multiplier=2, activation="relu"),
            layers.SeparableConv2D(4, (2, 3), strides=2, use_bias=False),
            layers.Flatten(), layers.Dense(3),
        ),
    )  # fmt: skip
    write(
        "pooling",
        sequential(
            layers.Input((23, 17, 3)),
            layers.MaxPooling2D(2, padding="same"),
            layers.AveragePooling2D((3, 2), strides=(2, 1), padding="same"),
            layers.MaxPooling2D((2, 3), strides=1),
            layers.AveragePooling2D(2),
            layers.Flatten(), layers.Dense(3),
        ),
    )  # fmt: skip
    for name, pool in [
        ("global_average", layers.GlobalAveragePooling2D()),
        ("global_max", layers.GlobalMaxPooling2D()),
    ]:
        model = sequential(layers.Input((5, 7, 3)), layers.Conv2D(4, 2), pool, layers.Dense(3))
        write(name, model)


def normalised_models() -> None:
    write(
        "batch_normalization",
        sequential(
            layers.Input((9, 7, 3)),
            layers.BatchNormalization(),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(epsilon=0.01),
            layers.ReLU(),
            layers.BatchNormalization(axis=3, center=False),
            layers.MaxPooling2D(2),
            layers.BatchNormalization(scale=False),
            layers.DepthwiseConv2D(2),
            layers.BatchNormalization(center=False, scale=False),
            layers.Activation("tanh"),
            layers.Flatten(),
            layers.Dense(6, "relu"),
            layers.BatchNormalization(),
            layers.Dense(3),
            layers.BatchNormalization(),
        ),
    )

    def block(x, filters, stride):
        y = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = layers.ReLU()(y)
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if stride != 1 or x.shape[-1] != filters:
            x = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=stride)(x))
        return layers.ReLU()(layers.Add()([x, y]))

    x = keras.Input((11, 9, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(x))
    y = block(block(y, 4, 1), 6, 2)
    y = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(y))
    write("residual", keras.Model(x, layers.Dense(4, "softmax")(y)), 0, 255, is_softmax=True)

    # An Add of three, one of them the input; and `+` of Keras's own operations.
    x = keras.Input((6,))
    a, b = layers.Dense(6, "relu")(x), layers.Dense(6, "tanh")(x)
    y = layers.Add()([x, a, b])
    write("add", keras.Model(x, layers.Dense(3)(y + layers.Dense(6)(y))))


def inactive_models() -> None:
    augment = sequential(
        layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1),
        layers.RandomTranslation(0.1, 0.1), layers.RandomContrast(0.2),
        layers.RandomBrightness(0.2, value_range=(-2, 2)),
    )  # fmt: skip
    write(
        "inactive",
        sequential(
            layers.Input((6, 5, 3)),
            augment,
            layers.GaussianNoise(0.5),
            layers.Conv2D(4, 3, activation="relu"),
            layers.SpatialDropout2D(0.3),
            layers.Identity(),
            layers.Flatten(),
            layers.ActivityRegularization(l2=0.01),
            layers.Dense(6, "selu"),
            layers.AlphaDropout(0.2),
            layers.GaussianDropout(0.2),
            layers.Dropout(0.5),
            layers.Dense(3),
        ),
    )
    # A model in a model in a model, with names that repeat.
    x = keras.Input((8, 6, 3))
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    base = keras.Model(x, layers.Conv2D(5, 2, name="conv_1")(y), name="base")
    middle = sequential(
        layers.Input((8, 6, 3)), base, layers.Flatten(), layers.Dense(6, "relu", name="dense")
    )
    x = keras.Input((8, 6, 3))
    write("nested", keras.Model(x, layers.Dense(3, name="dense")(middle(x))))


def precision_models() -> None:
    for name in ["float16", "bfloat16", "float64", "mixed_float16"]:

        def make(dtype):
            return sequential(
                layers.Input((6,)), layers.Dense(5, "relu", dtype=dtype, name="a"),
                layers.BatchNormalization(dtype=dtype, name="b"), layers.Dense(3, dtype=dtype, name="c"),
            )  # fmt: skip

        narrow, wide = make(name), make("float32")
        randomise(narrow)
        narrow.save(HERE / f"{name}.keras")
        # The answers of the same weights in 32-bit floats, which the program computes in.
        wide.set_weights([np.asarray(value).astype("float32") for value in narrow.get_weights()])
        answer(name, wide, -1.5, 1.5, False)


def other_containers() -> None:
    def make():
        return sequential(
            layers.Input((9, 7, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2, depth_multiplier=2),
            layers.SeparableConv2D(3, 2),
            sequential(layers.Flatten(), layers.Dense(6, "tanh")),
            layers.Dropout(0.2),
            layers.Dense(3),
        )

    write("keras3_legacy", make(), save=lambda model: model.save(HERE / "keras3_legacy.h5"))

    def weights_only(model):
        model.save_weights(HERE / "keras3.weights.h5")
        (HERE / "keras3.json").write_text(model.to_json())

    write("keras3_weights", make(), save=weights_only)

    def deflated(model):
        """The same file packed by another hand."""
        model.save(HERE / "stored.keras")
        with (
            zipfile.ZipFile(HERE / "stored.keras") as source,
            zipfile.ZipFile(HERE / "deflated.keras", "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for name in source.namelist():
                target.writestr(name, source.read(name))
        (HERE / "stored.keras").unlink()

    write("deflated", make(), save=deflated)

    # A trained model carries its optimizer's state.
    model = sequential(layers.Input((5,)), layers.Dense(6, "relu"), layers.Dense(3))
    randomise(model)
    model.compile("adam", "mse")
    model.fit(rng.normal(size=(8, 5)), rng.normal(size=(8, 3)), verbose=0)
    model.save(HERE / "trained.keras")
    answer("trained", model, -1.5, 1.5, False)


def circle() -> None:
    """Weights whose layers hold all layers again, which HDF5's hard links can do."""
    with h5py.File(HERE / "circle.weights.h5", "w") as file:
        for name in ["dense", "dense_1"]:
            file[f"layers/{name}/vars/0"] = np.ones((2, 2), "float32")
            file[f"layers/{name}/vars"].attrs["name"] = name
            file[f"layers/{name}/layers"] = file["layers"]


def main() -> None:
    circle()
    dense_models()
    preprocessing_models()
    convolution_models()
    normalised_models()
    inactive_models()
    precision_models()
    other_containers()
    metadata = {
        "made_with": f"Keras {keras.__version__}, {keras.backend.backend()}",
        "softmax": json.dumps(softmax),
    }
    save_file(answers, HERE / "answers.safetensors", metadata=metadata)


if __name__ == "__main__":
    main()
