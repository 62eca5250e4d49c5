"""A file that Keras wrote, without Keras or TensorFlow: the network runs on the engine, in Rust.

Run it with `python keras_file_without_tensorflow.py [FILE]`; without a file it takes the bundled network of
Fashion-MNIST, which Keras trained.
"""

import sys

# %% The model, and the data that come with the package
import morphscape as ms

path = sys.argv[1] if len(sys.argv) > 1 else None
model = ms.Model(path)
images, labels = ms.fashion_mnist()
print(model, "on", ms.engine_name("auto"))

# %% Is it any good?
answers = model(images[:1000])
right = (answers.argmax(axis=1) == labels[:1000]).mean()
print(f"{right:.1%} of 1000 items are classified correctly")
assert right > 0.8

# %% One landscape
boot, pullover, trouser = images[9], images[2], images[1]
one = ms.landscape(model, boot, pullover, trouser, keep_frames=True)
print(one, {key: round(one.measures[key], 3) for key in ("intrusion", "total_variation")})
assert one.frames.shape == (21, 21, 28, 28)

# %% Landscapes that a seed chooses, as `morphscape sweep --groups 2 --seed 1` does
swept = ms.sweep(model, images, labels, groups=2, seed=1)
[worst] = swept.top("intrusion", 1)
print("most intrusion:", worst.name, worst.measures["intrusion"], "by", ", ".join(worst.intruders))

assert "tensorflow" not in sys.modules and "keras" not in sys.modules
