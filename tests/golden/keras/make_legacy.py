"""Build small random models with TensorFlow's own Keras 2, which wrote other files.

    pip install "tensorflow-cpu==2.12.*" safetensors    # or 2.15.*, each in an environment of its own
    python make_legacy.py

Files are named by the version that wrote them, `tf2.12_*` and `tf2.15_*`, with the answers in
`tf2.12_answers.safetensors`. `model.save("x.keras")` wrote HDF5 in 2.12 and a zip, without the names of
layers beside the weights, in 2.15.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

keras = tf.keras
layers = keras.layers
HERE = Path(__file__).parent
VERSION = "tf" + ".".join(tf.__version__.split(".")[:2])
rng = np.random.default_rng(20261124)


def randomise(model) -> None:
    for variable in model.variables:
        shape, name = variable.shape, variable.name
        if "variance" in name or "gamma" in name:
            values = rng.uniform(0.5, 2.0, shape)
        elif "kernel" in name:
            fan_in = shape[0] * shape[1] if "depthwise" in name else np.prod(shape[:-1])
            values = rng.normal(0, 1.2 / np.sqrt(fan_in), shape)
        elif "count" in name or "seed" in name or "state" in name:
            continue
        else:
            values = rng.normal(0, 0.4, shape)
        variable.assign(values.astype("float32"))


def sequential():
    return keras.Sequential(
        [
            layers.Input((9, 7, 1)),
            layers.Rescaling(1 / 64, offset=-1),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.DepthwiseConv2D(2, depth_multiplier=2),
            layers.SeparableConv2D(3, 2, strides=2, padding="same"),
            layers.Conv2D(4, 1),
            layers.LeakyReLU(alpha=0.2),
            layers.MaxPooling2D(2, padding="same"),
            keras.Sequential([layers.Flatten(), layers.Dense(6, "tanh"), layers.Dense(5, "swish")]),
            layers.Dropout(0.2),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def functional():
    x = keras.Input((9, 7, 3))
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    z = layers.AveragePooling2D(3, strides=1, padding="same")(y)
    y = layers.Add()([layers.Conv2D(4, 3, padding="same")(y), z, y])
    return keras.Model(x, layers.Dense(4)(layers.GlobalAveragePooling2D()(y)))


def main() -> None:
    answers = {}
    for kind, make, high in [("sequential", sequential, 128), ("functional", functional, 2)]:
        model = make()
        randomise(model)
        name = f"{VERSION}_{kind}"
        model.save(HERE / f"{name}.keras")
        if VERSION == "tf2.12" and kind == "sequential":
            model.save_weights(HERE / f"{name}.weights.h5")
            (HERE / f"{name}.json").write_text(model.to_json())
        inputs = rng.uniform(0, high, (4, *model.input_shape[1:]))
        inputs = (inputs * rng.uniform(0.2, 1, (4, 1, 1, 1))).astype("float32")
        answers[f"{name}.inputs"] = inputs
        answers[f"{name}.outputs"] = model(inputs, training=False).numpy()
    metadata = {
        "made_with": f"TensorFlow {tf.__version__}, Keras {version('keras')}",
        "softmax": json.dumps([f"{VERSION}_sequential"]),
    }
    save_file(answers, HERE / f"{VERSION}_answers.safetensors", metadata=metadata)


if __name__ == "__main__":
    main()
