"""What the reader of a page brings along, for tests/it/pages.rs: python make.py

Small models that Keras and ONNX wrote, and photos that are test images of Fashion-MNIST. Made with
Keras 3.15.1 on jax 0.10.2, onnx 1.23.2, safetensors 0.8.0, Pillow 13.0.0 and numpy 2.4.6.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

from pathlib import Path

import keras
import numpy as np
import onnx
from keras import layers
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.numpy import save_file

here = Path(__file__).parent
data = here.parent.parent / "data" / "fashion-mnist"
images = np.fromfile(data / "t10k-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
labels = np.fromfile(data / "t10k-labels-idx1-ubyte", np.uint8)[8:]
names = ["T-shirt-top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
keras.utils.set_random_seed(26)


def trained(side):
    """Ten classes by the mean of 7 x 7 blocks, so that the files are small."""
    model = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Rescaling(1 / 255),
            layers.AveragePooling2D(side // 7),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    larger = images[:, :, :, None]
    if side != 28:
        larger = keras.ops.convert_to_numpy(keras.ops.image.resize(larger.astype("float32"), (side, side)))
    model.fit(larger, labels, epochs=10, batch_size=128, verbose=0)
    # Without the optimizer's state, which nothing here reads.
    kept = keras.Sequential.from_config(model.get_config())
    kept.set_weights(model.get_weights())
    return kept


# Four photos a class.
for label, name in enumerate(names):
    folder = here / "photos" / name
    folder.mkdir(parents=True, exist_ok=True)
    for number in np.flatnonzero(labels == label)[:4]:
        Image.fromarray(images[number]).save(folder / f"{number}.png", optimize=True)

mine = trained(28)
mine.save(here / "mine.keras")
mine.save_weights(here / "mine.weights.h5")
(here / "mine.json").write_text(mine.to_json())
trained(64).save(here / "mine-64.keras")

# The same network as ONNX, without its scaling.
kernel, bias = mine.layers[-1].get_weights()
graph = helper.make_graph(
    [
        helper.make_node("AveragePool", ["image"], ["blocks"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["blocks"], ["values"]),
        helper.make_node("Gemm", ["values", "kernel", "bias"], ["logits"]),
    ],
    "mine",
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
    [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(bias, "bias")],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), here / "mine.onnx")

# Dense layers as PyTorch names them: of images, and of rows of three features.
random = np.random.default_rng(26)
for name, sizes in {"mlp.safetensors": [784, 4, 10], "rows.safetensors": [3, 4, 3]}.items():
    tensors = {}
    for n, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weight = random.normal(0, inputs**-0.5, (outputs, inputs))
        tensors[f"{2 * n}.weight"] = weight.astype(np.float32)
        tensors[f"{2 * n}.bias"] = np.zeros(outputs, np.float32)
    save_file(tensors, here / name)
