"""Build small random networks of tokens: attention as Keras has it and as users write it.

    pip install keras jax safetensors && KERAS_BACKEND=jax python make_tokens.py

Writes `tokens/NAME.keras`, `tokens/NAME.h5` of one of them, and `tokens/answers.safetensors`.
"""

import os

os.environ["VARIANTS_ONLY_HELPERS"] = "1"

from make_variants import HERE, MADE_WITH, L, keras, np, randomise, rng, save_file

ops = keras.ops
answers = {}
(HERE / "tokens").mkdir(exist_ok=True)


def add(name, x, end, *more):
    model = keras.Model(x, L.Dense(3)(end))
    randomise(model)
    inputs = rng.normal(0, 1, (4, *x.shape[1:])).astype("float32")
    answers[f"{name}.inputs"] = inputs
    answers[f"{name}.outputs"] = np.asarray(model(inputs, training=False)).astype("float32")
    for kind in ["keras", *more]:
        model.save(HERE / "tokens" / f"{name}.{kind}")


def block(x, width):
    y = L.LayerNormalization(epsilon=1e-6)(x)
    x = L.Add()([x, L.MultiHeadAttention(3, 4, dropout=0.1)(y, y)])
    y = L.Dense(2 * width, activation="gelu")(L.LayerNormalization()(x))
    return L.Add()([x, L.Dense(width)(L.Dropout(0.1)(y))])


# A vision transformer: patches by a convolution, places as a constant.
x = keras.Input((8, 8, 3))
y = L.Reshape((16, 12))(L.Conv2D(12, 2, strides=2)(x))
y = y + rng.normal(0, 1, (1, 16, 12)).astype("float32")
y = block(y, 12)
add("vit", x, L.GlobalAveragePooling1D()(L.LayerNormalization()(y)), "h5")

# Queries of other tokens than keys and values, of other widths, named and shared.
x = keras.Input((7, 5))
y, z = L.Dense(12)(x), L.Conv1D(8, 3)(x)
attention = L.MultiHeadAttention(2, 3, output_shape=12, use_bias=False)
y = attention(query=y, value=z, key=L.Activation("tanh")(z))
add("crossed", x, L.Flatten()(attention(y, z)))

# By operations alone.
x = keras.Input((7, 5))
heads = lambda x: ops.transpose(ops.reshape(L.Dense(12)(x), (-1, 7, 3, 4)), (0, 2, 1, 3))
q, k, v = heads(x), ops.transpose(heads(x), (0, 1, 3, 2)), heads(x)
y = ops.matmul(ops.softmax(ops.matmul(q, k) * 0.5, axis=-1), v)
y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, 7, 12))
y = ops.matmul(L.Softmax()(ops.matmul(y, L.Permute((2, 1))(y))), y)
add("operations", x, ops.mean(y, axis=1) + y[:, 0])

# Attention in linear time, as EfficientViT has it: what is divided, and what it is divided by, are values.
x = keras.Input((7, 5))
q, k, v = ops.relu(heads(x)), ops.relu(heads(x)), heads(x)
v = ops.concatenate([v, ops.sigmoid(v[..., :1]) * 0.5 + 1.0], axis=-1)
y = ops.matmul(q, ops.matmul(ops.transpose(k, (0, 1, 3, 2)), v))
y = y[..., :-1] / (y[..., -1:] + 0.5)
one = L.Dense(1, "sigmoid")(x) + 1.0
y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, 7, 12))
add("quotients", x, ops.mean(ops.divide(y, one), axis=1) + ops.divide(one, L.Activation("elu")(x) + 2.0)[:, 0, :1])

# Two tokens of their own, one of which answers for all.
x = keras.Input((8, 8, 3))
y = L.Reshape((16, 12))(L.Conv2D(12, 2, strides=2)(x))
token = ops.zeros_like(y[:, :1]) + rng.normal(0, 1, (1, 1, 12)).astype("float32")
other = ops.ones_like(y[:, :1]) * rng.normal(0, 1, (1, 1, 12)).astype("float32")
y = L.Dense(12)(ops.concatenate([token, other, y], axis=1)) + rng.normal(0, 1, (1, 18, 12)).astype("float32")
add("class_token", x, L.LayerNormalization()(block(y, 12))[:, 0])

save_file(answers, HERE / "tokens" / "answers.safetensors", metadata={"made_with": MADE_WITH, "softmax": "[]"})
