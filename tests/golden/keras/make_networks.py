"""Build small random models of the layers that networks of several branches are made of.

Run it as `make_variants.py`, whose helpers it uses, once with each Keras. Models are `*_net_*.safetensors`
(or `.keras`), answers `*_networks.safetensors`.
"""

import os

os.environ["VARIANTS_ONLY_HELPERS"] = "1"

from make_variants import HERE, MADE_WITH, PREFIX, TWO, L, add, answers, keras, np, rng, save_file


def image(name, make, shape=(9, 7, 3), *files):
    x = keras.Input(shape)
    y = make(x)
    if len(y.shape) > 2:
        y = L.Flatten()(y)
    add(f"net_{name}", keras.Model(x, L.Dense(3)(y)), rng.normal(0, 1, (4, *shape)), *files)


def merges(x):
    a, b = L.Conv2D(4, 3, padding="same")(x), L.Conv2D(4, 1, activation="tanh")(x)
    one = L.Conv2D(1, 1, activation="sigmoid")(x)
    channel = L.Reshape((1, 1, 4))(L.Dense(4, "sigmoid")(L.GlobalAveragePooling2D()(a)))
    y = [L.Average()([a, b, a]), L.Maximum()([a, b]), L.Minimum()([a, b]), L.Subtract()([a, b])]
    y += [L.Multiply()([a, channel]), L.Multiply()([one, b]), L.ReLU()(L.Multiply()([a, b, a]))]
    y = L.Concatenate()(y)
    return L.Concatenate(axis=1)([y, L.Activation("elu")(y)])


def moves(x):
    y = L.Conv2D(4, 3, strides=2)(L.ZeroPadding2D(((0, 1), (2, 1)))(x))
    z = L.MaxPooling2D(3, strides=2)(L.ZeroPadding2D(1)(x))
    y = L.UpSampling2D((2, 1))(L.Cropping2D(((1, 0), (0, 1)))(y))
    z = L.Permute((2, 1, 3))(z)
    if not TWO:
        z = L.CenterCrop(3, 4)(z)
    return L.Concatenate()([L.Flatten()(y), L.Flatten()(z)])


def normalised(x):
    y = L.Conv2D(6, 3)(x)
    parts = [L.LayerNormalization()(y), L.LayerNormalization(epsilon=0.1, scale=False)(y)]
    parts += [L.LayerNormalization(center=False, scale=False)(y), L.PReLU()(y), L.PReLU(shared_axes=[1, 2])(y)]
    parts += [L.GroupNormalization(groups)(y) for groups in (1, 3, -1)] + [L.UnitNormalization()(y)]
    return L.Concatenate()(parts)


def convolved(x):
    y = L.Conv2D(6, 2)(x)
    parts = [L.Conv2D(4, 3, groups=2, padding="same")(y), L.Conv2D(12, 3, groups=6, padding="same")(y)]
    parts += [L.Conv2D(4, 3, dilation_rate=(2, 3), padding="same")(y)]
    parts += [L.DepthwiseConv2D(2, dilation_rate=2, padding="same")(y)]
    y = L.Concatenate()(parts)
    ends = [L.Conv2D(2, 3, dilation_rate=2)(y)]
    for size, strides, padding in [(3, 1, "valid"), (3, 2, "same"), (4, 2, "valid"), (3, 3, "same"), (2, 2, "valid")]:
        ends += [L.Conv2DTranspose(2, size, strides=strides, padding=padding)(y)]
    return L.Concatenate()([L.GlobalMaxPooling2D()(e) for e in ends] + [L.Flatten()(e) for e in ends])


def rows(x):
    y = L.Conv1D(6, 3, activation="relu")(x)
    parts = [L.Conv1D(4, 2, padding="same", strides=2)(y), L.MaxPooling1D(2, padding="same")(y)]
    parts += [L.AveragePooling1D(2, padding="same")(y)]
    y = L.Concatenate()(parts)
    z = L.Conv1D(4, 3, padding="causal", dilation_rate=2)(y)
    return L.Concatenate()([L.GlobalAveragePooling1D()(z), L.GlobalMaxPooling1D()(z), L.Flatten()(y)])


def kept(x):
    y = L.Conv2D(5, 3)(x)
    scale = L.Conv2D(5, 1, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(y))
    y = L.Multiply()([y, scale])
    return L.Add()([L.GlobalMaxPooling2D(keepdims=True)(y), y])


def operated(x):
    y = keras.ops.stack([x[..., 2], x[..., 1], x[:, :, :, 0]], axis=-1) * 2.0 - np.array([1.0, 2.0, 3.0], "float32")
    y = keras.ops.concatenate([keras.ops.relu(y[:, ::-1, 1:-1]), keras.ops.tanh(x)[:, :, 2:7:1] * 0.5], axis=-1)
    return keras.ops.maximum(y[:, 1::2], y[:, :-1:2]) * y[:, 0:1, ...]


image("merges", merges)
image("moves", moves)
image("normalised", normalised)
image("convolved", convolved)
image("rows", rows, (13, 3))
image("kept", kept)
if not TWO:
    image("operated", operated)
    image("spectral", lambda x: L.SpectralNormalization(L.Conv2D(4, 3, activation="relu"))(x), (6, 5, 3), "keras")
save_file(answers, HERE / f"{PREFIX}_networks.safetensors", metadata={"made_with": MADE_WITH, "softmax": "[]"})
