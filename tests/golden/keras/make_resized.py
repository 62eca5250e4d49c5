"""Build small random models that bring images to another size, and one of two outputs.

Run it as `make_variants.py`, whose helpers it uses, with Keras 3. Models are `keras3_size_*.safetensors` and
`keras3_two_outputs.safetensors`, answers `keras3_resized.safetensors`.
"""

import os

os.environ["VARIANTS_ONLY_HELPERS"] = "1"

from make_variants import HERE, MADE_WITH, L, VERSION, add, answers, keras, np, randomise, rng, save_file, tensors


def resized(name, *layers, shape=(9, 7, 3)):
    x = keras.Input(shape)
    y = L.Conv2D(4, 2)(x)
    for layer in layers:
        y = layer(y)
    add(f"size_{name}", keras.Model(x, L.Dense(3)(L.Flatten()(y))), rng.normal(0, 1, (4, *shape)))


resized("linear", L.Resizing(5, 11), L.Resizing(13, 4))
resized("nearest", L.Resizing(5, 11, interpolation="nearest"), L.Resizing(13, 4, interpolation="nearest"))
resized("upsampled", L.UpSampling2D((2, 3), interpolation="bilinear"))

x = keras.Input((6, 5, 3))
y = L.Conv2D(4, 2, activation="relu")(x)
y = L.GlobalAveragePooling2D()(y)
first = L.Dense(3, name="first")(L.Dense(6, activation="relu")(y))
inner = keras.Sequential([L.Dense(5, activation="tanh"), L.Dense(4)], name="inner")
second = L.Dense(4, name="second")(inner(y))
two = keras.Model(x, [first, second])
randomise(two)
inputs = rng.normal(0, 1, (4, 6, 5, 3)).astype("float32")
answers["keras3_two_outputs.given"] = inputs
for name, values in zip(["first", "second"], two(inputs, training=False)):
    answers[f"keras3_two_outputs.{name}"] = np.asarray(values).astype("float32")
metadata = {"keras_config": two.to_json(), "keras_version": VERSION}
save_file(tensors(two), HERE / "keras3_two_outputs.safetensors", metadata=metadata)
save_file(answers, HERE / "keras3_resized.safetensors", metadata={"made_with": MADE_WITH, "softmax": "[]"})
