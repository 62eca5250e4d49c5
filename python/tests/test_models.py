"""Models of all kinds; those of frameworks that are not installed are stood in for by name."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import morphscape as ms
from conftest import brightness


def test_a_file(images, labels, model_path, tmp_path):
    model = ms.Model(model_path)
    assert model.classes[:2] == ("T-shirt/top", "Trouser") and "fashion-mnist" in repr(model)
    answers = model(images[:100])
    assert answers.shape == (100, 10)
    assert (answers.argmax(axis=1) == labels[:100]).mean() > 0.8
    np.testing.assert_allclose(model(images[:9] / 255), answers[:9], atol=1e-4)
    with pytest.raises(FileNotFoundError, match="nothing.keras"):
        ms.Model("nothing.keras")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ms.ModelError, match="broken.keras"):
        ms.Model(broken)
    with pytest.raises(ms.InputError, match=r"expected inputs of shape \(28, 28\)"):
        ms.landscape(model_path, *np.zeros((3, 20, 20), np.uint8))
    for option in ({"output": "logits"}, {"pad": True}, {"device": "cpu"}, {"batch_size": 3}):
        with pytest.raises(ms.InputError, match=f"leave {next(iter(option))} out"):
            ms.Model(model_path, **option)


def test_a_function(images):
    model = ms.Model(brightness, class_names=["dark", "grey", "light"], name="brightness of three")
    assert repr(model) == "Model(brightness of three)" and model.classes == ("dark", "grey", "light")
    answers = model(images[:7])
    np.testing.assert_allclose(answers, np.log(brightness(images[:7])), atol=1e-5)
    with pytest.raises(TypeError, match="expected a path, a function"):
        ms.Model(3)
    with pytest.raises(ms.InputError, match="batch_size"):
        ms.Model(brightness, batch_size=0)
    with pytest.raises(ms.InputError, match="output"):
        ms.Model(brightness, output="softmax")


def test_mean_and_std(images):
    given = []

    def model(x):
        given.append(x)
        return brightness(x)

    ms.Model(model, mean=10, std=2)(images[:3])
    np.testing.assert_allclose(given[0], (images[:3].astype(np.float32) - 10) / 2)
    colours = np.stack([images[:3]] * 3, axis=1)
    ms.Model(model, mean=[1, 2, 3], std=[1, 2, 4])(colours)
    expected = (colours - np.array([1, 2, 3]).reshape(3, 1, 1)) / np.array([1, 2, 4]).reshape(3, 1, 1)
    np.testing.assert_allclose(given[1], expected, rtol=1e-6)
    with pytest.raises(ms.InputError, match="expected 1 or 3 numbers, found 2"):
        ms.Model(model, mean=[1, 2])(colours)
    with pytest.raises(ms.InputError, match="none 0"):
        ms.Model(model, std=0)


def test_estimators():
    pytest.importorskip("sklearn")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    pandas = pytest.importorskip("pandas")
    from sklearn.datasets import load_iris

    iris = load_iris(as_frame=True)
    species = iris.target.map(dict(enumerate(iris.target_names)))
    forest = RandomForestClassifier(n_estimators=10, random_state=0).fit(iris.data, species)
    with warnings.catch_warnings():
        # A model that was fitted on a DataFrame warns whenever it is given anything else.
        warnings.simplefilter("error")
        one = ms.landscape(forest, *(iris.data.iloc[[n]] for n in (0, 50, 100)), steps=11)
    assert one.classes == ("setosa", "versicolor", "virginica")
    assert one.item_labels == one.classes and one.frames.shape == (11, 11, 4)
    frame = pandas.DataFrame(one.frames.reshape(-1, 4), columns=iris.data.columns)
    np.testing.assert_allclose(one.probabilities.reshape(-1, 3), forest.predict_proba(frame), atol=1e-6)
    swept = ms.sweep(forest, iris.data, species, groups=2, steps=5)
    assert swept.names == ("A.1", "A.2", "A.3", "B.1", "B.2", "B.3")
    assert "150" not in str(swept.notes) and any("as labelled" in note for note in swept.notes)
    with pytest.raises(ms.InputError, match="found 'oak'"):
        ms.sweep(forest, iris.data, species.replace("setosa", "oak"))

    # Labels that are not 0, 1, 2, and two classes.
    values = iris.data.to_numpy()
    line = LogisticRegression(max_iter=500).fit(values[:100], np.where(species[:100] == "setosa", 7, 3))
    two = ms.landscapes(line, values[:100], [(0, 60, 1)], labels=line.predict(values[:100]), steps=5)[0]
    assert two.classes == ("3", "7") and two.item_labels == ("7", "3", "7")
    margins = LinearSVC().fit(values, species)
    three = ms.landscape(margins, *values[[0, 50, 100]], steps=5)
    assert any("no predict_proba" in note for note in three.notes) and len(three.classes) == 3

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of_series = ms.landscape(forest, *(iris.data.iloc[n] for n in (0, 50, 100)), steps=11)
    np.testing.assert_array_equal(of_series.probabilities, one.probabilities)
    with pytest.raises(ms.InputError, match="c: expected the columns of a"):
        ms.landscape(forest, *(iris.data.iloc[[n]] for n in (0, 50)), iris.data.iloc[[100]].iloc[:, :3])
    mixed = iris.data.assign(name="a")
    with pytest.raises(TypeError, match='column "name"'):
        ms.landscape(forest, *(mixed.iloc[[n]] for n in (0, 50, 100)))


def test_rows_of_many_landscapes_share_calls():
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier

    values, target = load_iris(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(values, target)
    calls = []
    inner = forest.predict_proba
    forest.predict_proba = lambda x: calls.append(len(x)) or inner(x)
    triples = np.random.default_rng(1).integers(0, 150, (100, 3))
    assert len(ms.landscapes(forest, values, triples, steps=11)) == 100
    assert len(calls) <= 10, calls


def test_frameworks_are_not_imported():
    program = "import sys, morphscape; print([m for m in ('torch', 'keras', 'sklearn', 'pandas', 'matplotlib', 'plotly') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_torch(images):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    shapes, modes = [], []

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 4, 5)
            self.drop = torch.nn.Dropout()

        def forward(self, x):
            shapes.append(tuple(x.shape))
            modes.append(torch.is_grad_enabled())
            return self.drop(self.layer(x)).mean(dim=(2, 3))

    net = Net()
    items = np.stack([images[[9, 2, 1]]] * 3, axis=-1)
    with pytest.warns(UserWarning, match="training mode"):
        ms.landscape(net, *items, steps=3)
    net.eval()
    last = ms.landscape(net, *items, steps=5)
    assert set(shape[1:] for shape in shapes) == {(3, 28, 28)} and not any(modes)
    first = ms.landscape(net, *items.transpose(0, 3, 1, 2), steps=5)
    np.testing.assert_allclose(first.logits, last.logits, atol=1e-4)
    tensors = torch.from_numpy(items.transpose(0, 3, 1, 2) / 255).float().requires_grad_()
    given = []

    def with_gradient(x):
        given.append(x)
        return net(x * 255)

    of_tensors = ms.landscape(with_gradient, *tensors, steps=5)
    assert isinstance(given[0], torch.Tensor) and given[0].dtype == torch.float32
    np.testing.assert_allclose(of_tensors.logits, last.logits, atol=1e-3)
    with torch.no_grad():
        modes.clear()
        ms.landscape(lambda x: net(torch.from_numpy(x)), *items.transpose(0, 3, 1, 2), steps=5)
    assert modes and not any(modes), "the gradient mode is the caller's"

    class Answer:
        def __init__(self, logits):
            self.logits = logits

    class Hub(Net):
        def __init__(self):
            super().__init__()
            self.config = type("Config", (), {"id2label": {0: "cat", 1: "dog", 2: "cow", 3: "owl"}})()

        def forward(self, x):
            return Answer(super().forward(x))

    named = ms.landscape(Hub().eval(), *items, steps=3)
    assert named.classes == ("cat", "dog", "cow", "owl")


def test_a_hugging_face_classifier(images):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    names = {0: "cat", 1: "dog", 2: "cow"}
    config = transformers.ViTConfig(
        image_size=28, patch_size=7, num_channels=3, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=48, id2label=names, label2id={name: n for n, name in names.items()},
    )  # fmt: skip
    network = transformers.ViTForImageClassification(config).eval()
    items = np.stack([images[[9, 2, 1]]] * 3, axis=-1)
    one = ms.landscape(ms.Model(network, mean=127.5, std=127.5), *items, steps=5, keep_frames=True)
    assert one.classes == ("cat", "dog", "cow")
    frames = torch.from_numpy(one.frames.reshape(-1, 28, 28, 3).copy()).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network((frames - 127.5) / 127.5).logits.reshape(5, 5, 3)
    np.testing.assert_allclose(one.logits, expected, atol=1e-4)
    swept = ms.sweep(ms.Model(network, mean=127.5, std=127.5), np.stack([images[:30]] * 3, axis=-1),
                     np.array(["cat", "dog", "cow"] * 10), groups=1, steps=3)  # fmt: skip
    assert set(swept[0].item_labels) == {"cat", "dog", "cow"}


def test_keras(images, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    one = ms.landscape(model, *images[[9, 2, 1]], steps=5, keep_frames=True)
    expected = model.predict(one.frames.reshape(-1, 28, 28), verbose=0).reshape(5, 5, 4)
    np.testing.assert_allclose(one.probabilities, expected, atol=1e-5)
