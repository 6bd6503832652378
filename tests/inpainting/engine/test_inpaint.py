"""The contract of `engine.inpaint`, kept with every model."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from inpainting import engine
from inpainting.engine import door, registry
from inpainting.engine.inpainters.lama.network import Lama
from inpainting.engine.inpainters.migan.network import Migan

Scene = Callable[[int, int], np.ndarray]
Inpaint = Callable[[np.ndarray, np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def desks(small_lama: Lama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[door.Desks]:
    """An engine with a small LaMa and a MI-GAN of random weights."""
    weights = tmp_path_factory.mktemp("weights")
    lama, migan = weights / "small.safetensors", weights / "migan.safetensors"
    save_file(small_lama.state_dict(), lama)
    save_file(Migan().state_dict(), migan)
    # Nobody is refused, however slow the machine.
    with override_settings(LAMA_WEIGHTS=str(lama), MIGAN_WEIGHTS=str(migan), ENGINE_WAIT=3600):
        yield door.Desks()


# What samples is too slow to be asked so often; its own tests keep the contract.
@pytest.fixture(params=[name for name, entry in registry.INPAINTERS.items() if not entry.samples])
def inpaint(request: pytest.FixtureRequest, desks: door.Desks, monkeypatch: pytest.MonkeyPatch) -> Inpaint:
    monkeypatch.setattr(door, "_desks", desks)
    return lambda picture, blend_mask: engine.inpaint(picture, blend_mask, request.param).picture


def test_it_works(inpaint: Inpaint, scene: Scene) -> None:
    image, blend_mask = scene(120, 150), np.zeros((120, 150), np.uint8)
    blend_mask[40:60, 50:90] = 255
    made = inpaint(image, blend_mask)
    assert (made.shape, made.dtype) == (image.shape, np.dtype(np.uint8))
    assert np.array_equal(made[blend_mask == 0], image[blend_mask == 0])
    assert not np.array_equal(made, image)


@pytest.mark.slow
@given(data=st.data(), height=st.integers(1, 40), width=st.integers(1, 90))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_takes_any_size_and_any_hole_that_leaves_something(
    inpaint: Inpaint, scene: Scene, data: st.DataObject, height: int, width: int
) -> None:
    image = scene(height, width)
    levels = st.lists(st.sampled_from([0, 64, 255]), min_size=height * width, max_size=height * width)
    few = st.sampled_from([np.zeros, np.ones]).map(lambda fill: 255 * fill(height * width))
    blend_mask = np.array(data.draw(levels | few), np.uint8)
    blend_mask[data.draw(st.integers(0, height * width - 1))] = 0
    blend_mask = blend_mask.reshape(height, width)
    made = inpaint(image, blend_mask)
    assert (made.shape, made.dtype) == (image.shape, np.dtype(np.uint8))
    assert np.array_equal(made[blend_mask == 0], image[blend_mask == 0])


@pytest.mark.parametrize("size", [(1, 2), (1, 4096), (4096, 1), (15, 17), (333, 1), (700, 701)])
def test_takes_odd_sizes(inpaint: Inpaint, scene: Scene, size: tuple[int, int]) -> None:
    blend_mask = np.zeros(size, np.uint8)
    blend_mask[size[0] // 2, size[1] // 2 :] = 255
    blend_mask[0, 0] = 0
    image = scene(*size)
    assert np.array_equal(inpaint(image, blend_mask)[blend_mask == 0], image[blend_mask == 0])


@pytest.mark.slow
def test_takes_the_largest_picture(inpaint: Inpaint) -> None:
    image, blend_mask = np.full((4096, 4096, 3), 77, np.uint8), np.zeros((4096, 4096), np.uint8)
    blend_mask[:3, :3] = blend_mask[2000:2009, 3000:3009] = blend_mask[-5:, -5:] = 255
    made = inpaint(image, blend_mask)
    assert np.array_equal(made[blend_mask == 0], image[blend_mask == 0])


def test_leaves_the_arguments_as_they_are(inpaint: Inpaint, scene: Scene) -> None:
    image, blend_mask = scene(50, 60), np.zeros((50, 60), np.uint8)
    blend_mask[20:25, 20:25] = 128
    before = image.copy(), blend_mask.copy()
    made = inpaint(image, blend_mask)
    assert np.array_equal(image, before[0])
    assert np.array_equal(blend_mask, before[1])
    assert not np.shares_memory(made, image)


def test_takes_views_and_read_only_arrays(inpaint: Inpaint, scene: Scene) -> None:
    image, blend_mask = scene(50, 60), np.zeros((50, 60), np.uint8)
    blend_mask[20:25, 10:35] = 255
    straight = inpaint(image, blend_mask)
    view = np.asfortranarray(image[:, ::-1])[:, ::-1]
    view.flags.writeable = False
    blend_mask.flags.writeable = False
    assert np.array_equal(inpaint(view, blend_mask), straight)


def test_the_result_can_be_written_to_even_without_a_hole(inpaint: Inpaint, scene: Scene) -> None:
    image = scene(20, 20)
    made = inpaint(image, np.zeros((20, 20), np.uint8))
    assert np.array_equal(made, image)
    made[:] = 0
    assert image.any()


def test_same_input_same_output_also_from_many_threads(inpaint: Inpaint, scene: Scene) -> None:
    image, blend_mask = scene(90, 80), np.zeros((90, 80), np.uint8)
    blend_mask[30:60, 30:60] = 255
    made: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: made.append(inpaint(image, blend_mask))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert all(np.array_equal(one, made[0]) for one in made)


def test_blends_by_weight(inpaint: Inpaint, scene: Scene) -> None:
    image, hard = scene(64, 64), np.zeros((64, 64), np.uint8)
    hard[20:40, 20:40] = 255
    inpainted = inpaint(image, hard).astype(np.float32)
    expected = np.rint(image + 64 / 255 * (inpainted - image))
    assert np.array_equal(inpaint(image, hard // 255 * np.uint8(64)), expected)


def test_what_lies_in_the_hole_does_not_matter(inpaint: Inpaint, scene: Scene) -> None:
    image, blend_mask = scene(64, 64), np.zeros((64, 64), np.uint8)
    blend_mask[20:40, 20:40] = 255
    marked = image.copy()
    marked[25:35, 25:35] = 255
    assert np.array_equal(inpaint(image, blend_mask), inpaint(marked, blend_mask))


def test_refuses_a_hole_that_leaves_nothing(inpaint: Inpaint, scene: Scene) -> None:
    with pytest.raises(ValueError, match="covers the whole picture"):
        inpaint(scene(8, 8), np.full((8, 8), 1, np.uint8))


@pytest.mark.parametrize(
    ("image", "blend_mask"),
    [
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.uint8)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32)),
    ],
)
def test_refuses_other_shapes_and_types(inpaint: Inpaint, image: np.ndarray, blend_mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        inpaint(image, blend_mask)
