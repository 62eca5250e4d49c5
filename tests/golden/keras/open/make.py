"""Small random networks of images whose size the file leaves open, and Keras's answers at two sizes.

    pip install keras tensorflow-cpu tf_keras safetensors && python make.py

`keras3_functional.keras`, `keras3_sequential.keras` and `keras2.h5`; `answers.safetensors` has
`NAME.HxW.inputs` in grey levels, `[3, H, W, C]`, and `NAME.HxW.outputs`, probabilities `[3, 3]`.
"""

import os
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tf_keras
from safetensors.numpy import save_file

HERE = Path(__file__).parent
rng = np.random.default_rng(20261128)
answers: dict[str, np.ndarray] = {}


def body(layers):
    return [
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(5, 3, activation="tanh"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3, activation="softmax"),
    ]


def save(name, model, channels):
    model.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    model.save(HERE / name)
    for height, width in [(12, 10), (9, 13)]:
        x = rng.integers(0, 256, (3, height, width, channels)).astype("float32")
        stem = name.rsplit(".", 1)[0]
        answers[f"{stem}.{height}x{width}.inputs"] = x
        answers[f"{stem}.{height}x{width}.outputs"] = np.asarray(model.predict(x, verbose=0))


x = y = keras.Input((None, None, 3))
for layer in body(keras.layers):
    y = layer(y)
save("keras3_functional.keras", keras.Model(x, y), 3)
save("keras3_sequential.keras", keras.Sequential([keras.Input((None, None, 1)), *body(keras.layers)]), 1)
first, *rest = body(tf_keras.layers)
x = tf_keras.Input((None, None, 1))
y = first(x)
for layer in rest:
    y = layer(y)
save("keras2.h5", tf_keras.Model(x, y), 1)
made_with = f"Keras {keras.__version__}, tf_keras {version('tf_keras')}"
save_file(answers, HERE / "answers.safetensors", metadata={"made_with": made_with})
