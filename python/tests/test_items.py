"""What arrays are taken, what a model is given of them, and what is refused."""

import numpy as np
import pytest

import morphscape as ms
from conftest import brightness


@pytest.fixture
def colours():
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (3, 12, 10, 3)).astype(np.uint8)


def given_to_model(items, **options):
    """The batches that a model is called with, and the landscape."""
    batches = []
    scale = options.pop("scale", 1)

    def model(x):
        batches.append(x)
        return brightness(np.asarray(x, dtype=np.float64) * scale)

    return batches, ms.landscape(model, *items, steps=4, keep_frames=True, **options)


def test_bytes_are_given_as_levels(colours):
    batches, one = given_to_model(colours)
    assert batches[0].shape == (3, 12, 10, 3) and batches[0].dtype == np.float32
    np.testing.assert_array_equal(batches[0], colours)
    assert one.frames.shape == (4, 4, 12, 10, 3)


def test_floats_are_given_in_their_units(colours):
    for dtype in (np.float32, np.float64, np.float16):
        items = (colours / 255).astype(dtype)
        batches, one = given_to_model(items, scale=255)
        assert all(x.dtype == dtype and 0 <= x.min() and x.max() <= 1 for x in batches)
        np.testing.assert_allclose(batches[0], items, atol=1e-3 if dtype == np.float16 else 1e-7)
        np.testing.assert_allclose(one.frames[0, 0], items[0], atol=1e-3 if dtype == np.float16 else 1e-7)
        np.testing.assert_array_equal(one.items, items)
    _, levels = given_to_model(colours)
    _, units = given_to_model((colours / 255).astype(np.float32), scale=255)
    np.testing.assert_allclose(units.probabilities, levels.probabilities, atol=1e-5)


def test_bounds_are_the_users(colours):
    items = colours.astype(np.float32) / 127.5 - 1
    batches, one = given_to_model(items, bounds=(-1, 1), scale=1)
    assert min(x.min() for x in batches) >= -1 and max(x.max() for x in batches) <= 1
    np.testing.assert_allclose(batches[0], items, atol=1e-6)
    with pytest.raises(ms.InputError, match=r"bounds=\(0, 1\), found -1 to 1"):
        given_to_model(items)
    with pytest.raises(ms.InputError, match="black below white"):
        given_to_model(items, bounds=(1, -1))
    assert issubclass(ms.InputError, ValueError)


def test_channels_stand_where_they_stood(colours):
    first = np.ascontiguousarray(colours.transpose(0, 3, 1, 2))
    batches, one = given_to_model(first)
    assert batches[0].shape == (3, 3, 12, 10) and one.frames.shape == (4, 4, 3, 12, 10)
    np.testing.assert_array_equal(batches[0], first)
    _, last = given_to_model(colours)
    np.testing.assert_array_equal(one.frames, last.frames.transpose(0, 1, 4, 2, 3))
    both = np.zeros((3, 3, 12, 3), np.uint8)
    with pytest.raises(ms.InputError, match="both ends"):
        given_to_model(both)
    with pytest.raises(ms.InputError, match="neither end"):
        given_to_model(np.zeros((3, 4, 12, 5), np.uint8))
    with pytest.raises(ms.InputError, match="layout CHW"):
        given_to_model(colours, layout="CHW")
    grey = colours[..., :1]
    batches, one = given_to_model(grey)
    assert batches[0].shape == (3, 12, 10, 1) and one.frames.shape == (4, 4, 12, 10, 1)


def test_any_memory_layout(colours):
    _, plain = given_to_model(colours)
    strided = np.repeat(colours, 2, axis=2)[:, :, ::2]
    fortran = np.asfortranarray(colours)
    backwards = colours[:, ::-1][:, ::-1]
    frozen = colours.copy()
    frozen.flags.writeable = False
    for items in (strided, fortran, backwards, frozen):
        _, one = given_to_model(items)
        np.testing.assert_array_equal(one.logits, plain.logits)
    swapped = (colours / 255).astype(">f4")
    _, one = given_to_model(swapped, scale=255)
    np.testing.assert_allclose(one.probabilities, plain.probabilities, atol=1e-5)
    before = colours.copy()
    given_to_model(colours)
    np.testing.assert_array_equal(colours, before)


def test_a_model_may_keep_and_change_its_batch(colours):
    def rude(x):
        answers = brightness(x)
        x[:] = -7
        return answers

    kept, plain = given_to_model(colours)
    one = ms.landscape(rude, *colours, steps=4, keep_frames=True)
    np.testing.assert_array_equal(one.probabilities, plain.probabilities)
    np.testing.assert_array_equal(one.frames, plain.frames)
    np.testing.assert_array_equal(one.items, colours)
    assert all((x >= 0).all() for x in kept)


def test_a_batch_of_one_image_is_that_image(colours):
    _, plain = given_to_model(colours)
    _, batches = given_to_model([colours[n : n + 1] for n in range(3)])
    np.testing.assert_array_equal(batches.logits, plain.logits)


def test_booleans_and_lists():
    items = np.arange(3 * 144).reshape(3, 12, 12) % 5 == 0
    batches, _ = given_to_model(items, scale=255)
    assert batches[0].dtype == np.float32 and batches[0].max() == 1
    rows = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]
    assert ms.landscape(lambda x: x, *rows, steps=3).classes == ("0", "1")


@pytest.mark.parametrize(
    "items, error, words",
    [
        (np.array([["a"] * 4] * 3), TypeError, "dtype <U1"),
        (np.array([[None] * 4] * 3), TypeError, "dtype object"),
        (np.zeros((3, 8, 8), complex), TypeError, "complex128"),
        (np.zeros((3, 8, 8), np.int32), ms.InputError, "bounds=(black, white)"),
        (np.full((3, 8, 8), np.nan, np.float32), ms.InputError, "found NaN"),
        (np.zeros((3, 0, 8), np.uint8), ms.InputError, "at least one item"),
        (np.zeros((3, 2, 3, 8, 8), np.uint8), ms.InputError, "found an array of shape"),
        (np.zeros(3), ms.InputError, "single number"),
    ],
)
def test_what_is_refused(items, error, words):
    with pytest.raises(error) as refused:
        ms.landscape(brightness, *items)
    assert words in str(refused.value)


def test_items_that_differ():
    zeros = np.zeros((8, 8), np.uint8)
    with pytest.raises(ms.InputError, match=r"b: expected an item of shape \(8, 8\) as a is, found \(9, 8\)"):
        ms.landscape(brightness, zeros, np.zeros((9, 8), np.uint8), zeros)
    with pytest.raises(ms.InputError, match="one dtype"):
        ms.landscape(brightness, zeros, zeros.astype(float), zeros)
    with pytest.raises(ms.InputError, match="at least one item"):
        ms.landscapes(brightness, np.zeros((0, 8, 8), np.uint8), [(0, 1, 2)])
    for triples in ([(0, 1)], [(0, 1, 5)], [(0, 1, -1)], [(0.0, 1.0, 2.0)]):
        with pytest.raises(ms.InputError, match="triples"):
            ms.landscapes(brightness, np.zeros((3, 8, 8), np.uint8), triples)


def test_an_engines_error_names_keywords():
    small = np.arange(3 * 64).astype(np.uint8).reshape(3, 8, 8)
    with pytest.raises(ms.InputError, match="use grid=2 or less"):
        ms.landscape(brightness, *small)


def test_labels(images):
    call = {"steps": 3}
    three = images[[9, 2, 1]]
    with pytest.raises(ms.InputError, match="0 to 2, as the model has 3 classes; found 3"):
        ms.landscape(brightness, *three, labels=[0, 1, 3], **call)
    with pytest.raises(ms.InputError, match="one for each of 3 items"):
        ms.landscape(brightness, *three, labels=[0, 1], **call)
    with pytest.raises(ms.InputError, match="fractions"):
        ms.landscape(brightness, *three, labels=[0, 1, 1.5], **call)
    named = ms.Model(brightness, class_names=["dark", "grey", "light"])
    one = ms.landscape(named, *three, labels=["dark", "grey", "light"], **call)
    assert one.item_labels == ("dark", "grey", "light") and one.classes == ("dark", "grey", "light")
    with pytest.raises(ms.InputError, match="found 'black'"):
        ms.landscape(named, *three, labels=["black", "grey", "light"], **call)
    with pytest.raises(ms.ModelError, match="expected 3 names"):
        ms.landscape(ms.Model(brightness, class_names=["dark"]), *three, **call)
