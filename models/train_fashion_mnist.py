"""Train a Fashion-MNIST classifier and write it as one .safetensors file.

Two networks that take grey levels 0..255: `mlp`, 784-128-10, the bundled one, and `cnn`,
two convolutions and two dense layers. The scaling is a layer of the model, so it travels
with the weights. The file holds the weights and, in its metadata, the Keras configuration
that gives them their shape and order.

How to run it:

    pip install keras jax safetensors
    apt-get install dataset-fashion-mnist
    KERAS_BACKEND=jax python train_fashion_mnist.py
    KERAS_BACKEND=jax python train_fashion_mnist.py --network cnn

Other backends work too (KERAS_BACKEND=torch or tensorflow), but end at slightly
different weights. All 60,000 training images are used; the test images serve only
to measure the finished model.
"""

import argparse
import gzip
import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # must be set before keras is imported

import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file

CLASSES = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip
BATCH_SIZE = 128


def read_idx(folder: Path, name: str) -> np.ndarray:
    """Read an unsigned-byte IDX file, `name` or `name`.gz, as an array of its shape."""
    raw, packed = folder / name, folder / f"{name}.gz"
    if raw.exists():
        content = raw.read_bytes()
    elif packed.exists():
        content = gzip.decompress(packed.read_bytes())
    else:
        raise SystemExit(f"{folder}: expected {name} or {name}.gz, found neither; give --data")
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"{folder}/{name}: expected an IDX file of unsigned bytes")
    rank = content[3]
    shape = np.frombuffer(content, ">u4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def build_model(network: str) -> keras.Sequential:
    """Grey levels [28, 28] (cnn: [28, 28, 1]) in, ten logits out."""
    if network == "cnn":
        stack = [
            layers.Input((28, 28, 1)),
            layers.Rescaling(1 / 255, name="rescaling"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv_0"),
            layers.MaxPooling2D(2, name="pool_0"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.25, name="dropout"),
            layers.Dense(64, activation="relu", name="dense_0"),
            layers.Dense(10, name="dense_1"),
        ]
    else:
        stack = [
            layers.Input((28, 28)),
            layers.Rescaling(1 / 255, name="rescaling"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense_0"),
            layers.Dense(10, name="dense_1"),
        ]
    model = keras.Sequential(stack, name="fashion_mnist")
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a Fashion-MNIST classifier.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("/usr/share/datasets/fashion-mnist"),
        help="folder with the four IDX files, raw or .gz",
    )
    parser.add_argument("--network", choices=["mlp", "cnn"], default="mlp", help="its layers")
    parser.add_argument(
        "--out",
        type=Path,
        help="file to write (default: fashion-mnist.safetensors or fashion-mnist-cnn.safetensors beside the script)",
    )
    parser.add_argument("--keras", type=Path, help="a .keras file to write, too")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training set")
    parser.add_argument("--seed", type=int, default=20260, help="for the weights and the shuffling")
    args = parser.parse_args()
    names = {"mlp": "fashion-mnist.safetensors", "cnn": "fashion-mnist-cnn.safetensors"}
    args.out = args.out or Path(__file__).with_name(names[args.network])
    return args


def main() -> None:
    args = parse_arguments()
    keras.utils.set_random_seed(args.seed)

    # float32 grey levels, as the model receives them at inference
    train_images = read_idx(args.data, "train-images-idx3-ubyte").astype("float32")
    train_labels = read_idx(args.data, "train-labels-idx1-ubyte")
    test_images = read_idx(args.data, "t10k-images-idx3-ubyte").astype("float32")
    test_labels = read_idx(args.data, "t10k-labels-idx1-ubyte")

    model = build_model(args.network)
    model.fit(train_images, train_labels, batch_size=BATCH_SIZE, epochs=args.epochs, verbose=2)
    _, accuracy = model.evaluate(test_images, test_labels, verbose=0)
    print(f"test accuracy: {accuracy:.4f}")

    tensors = {}
    for layer in (layer for layer in model.layers if layer.weights):
        tensors[f"{layer.name}.kernel"], tensors[f"{layer.name}.bias"] = layer.get_weights()
    metadata = {
        "keras_config": json.dumps({"class_name": "Sequential", "config": model.get_config()}),
        "classes": json.dumps(CLASSES),
        "scaling": "input is grey levels 0..255; the Rescaling layer multiplies by 1/255",
        "test_accuracy": f"{accuracy:.4f}",
        "keras_version": keras.__version__,
        "backend": keras.backend.backend(),
        "seed": str(args.seed),
        "epochs": str(args.epochs),
        "training_data": f"Fashion-MNIST train, {len(train_images):,} images",
    }
    save_file(tensors, args.out, metadata=metadata)
    if args.keras:
        model.save(args.keras)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
