"""A network in torch on arrays like those of CIFAR-10: (n, 32, 32, 3) uint8.

Needs torch; run it with `python torch_network.py`. The network is not trained: what matters here is how it is
asked.
"""

# %% Arrays and a network
import numpy as np
import torch

import morphscape as ms

rng = np.random.default_rng(0)
coarse = rng.integers(0, 256, (60, 8, 8, 3)).astype(np.uint8)
x_test = coarse.repeat(4, axis=1).repeat(4, axis=2)
y_test = rng.integers(0, 10, 60)

torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, 3, padding=1),
    torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(4),
    torch.nn.Flatten(),
    torch.nn.Linear(256, 10),
).eval()
names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

# %% The module itself: it gets (n, 3, 32, 32) on its device, in inference mode; mean and std are in the items' units
mean, std = [125.3, 123.0, 113.9], [63.0, 62.1, 66.7]
model = ms.Model(net, mean=mean, std=std, class_names=names)
one = ms.landscape(model, x_test[9], x_test[2], x_test[1], steps=11)
print(one, one.notes)


# %% Or any function: it is called on this thread, with float32 arrays (n, 32, 32, 3) from 0 to 255
@torch.inference_mode()
def cnn(x):
    x = torch.from_numpy(x).permute(0, 3, 1, 2)
    return net((x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1))


same = ms.landscape(ms.Model(cnn, class_names=names), x_test[9], x_test[2], x_test[1], steps=11)
np.testing.assert_allclose(same.probabilities, one.probabilities, atol=1e-5)

# %% Landscapes that a seed chooses
swept = ms.sweep(model, x_test, y_test, groups=2, seed=1, steps=11)
print(swept, "mean intrusion", np.mean([each.measures["intrusion"] for each in swept]))
