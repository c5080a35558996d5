"""Pictures are looked at in pieces that memory holds: the same features in the same order, whatever it holds."""

from contextlib import closing

import numpy as np
import pytest
import timm
import torch

from tests.benchmarks.timing import peak_bytes
from tests.tiny import tiny_network
from workbench.core.backbone import Backbone
from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.evaluate import frozen_features, see
from workbench.core.feeder import Feeder
from workbench.core.network import Network
from workbench.core.steps import result_of
from workbench.events import Stage

COUNT, SIDE = 23, 32
CPU = torch.device("cpu")


@pytest.fixture
def feeder():
    with closing(PictureCache(1)) as cache:
        chance = np.random.default_rng(0)
        for _ in range(COUNT):
            cache.append(chance.integers(0, 256, (40, 36, 3), dtype=np.uint8))
        yield Feeder(cache, SIDE, CPU, torch.float64, Stream(0))


def short_of_memory(network: Network, most: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let the memory, which is the outside world, hold so many pictures; return how many were shown each time."""
    stem, shown = network.backbone.stem, []

    def full(images: torch.Tensor) -> object:
        shown.append(len(images))
        if len(images) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return stem(images)

    monkeypatch.setattr(network.backbone, "stem", full)
    return shown


@pytest.mark.parametrize(
    ("most", "held", "tried"), [(10, 8, [16, 8, 8, 7]), (1, 1, [16, 8, 4, 2] + [1] * COUNT)]
)
def test_features_are_those_of_the_pieces_that_fit_and_what_was_found_out_holds(
    feeder, monkeypatch, most, held, tried
):
    network, indices = tiny_network(), np.arange(COUNT)
    network.holds = held
    frozen = result_of(frozen_features(network, feeder, indices, "Looking"))
    expected = result_of(see(network, feeder, indices, frozen, "Looking"))

    network.holds = 16
    shown = short_of_memory(network, most, monkeypatch)
    steps = []
    generator = frozen_features(network, feeder, indices, "Looking")
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            found = end.value
            break
    assert torch.equal(found, frozen)
    assert shown == tried
    assert all(isinstance(step, Stage) and step.total == COUNT for step in steps)
    assert [step.done for step in steps] == sorted(step.done for step in steps)

    shown.clear()
    seen = result_of(see(network, feeder, indices, frozen, "Looking"))
    assert torch.equal(seen.s1, expected.s1)
    assert torch.equal(seen.s2, expected.s2)
    assert max(shown) == held


def test_where_not_even_one_picture_fits_the_error_is_passed_on(feeder, monkeypatch):
    network = tiny_network()
    shown = short_of_memory(network, 0, monkeypatch)
    with pytest.raises(torch.OutOfMemoryError):
        result_of(frozen_features(network, feeder, np.arange(3), "Looking"))
    assert shown[-1] == 1


@pytest.mark.parametrize(
    "name", ["vit_tiny_patch16_224", "vit_small_patch32_224", "vit_base_patch16_clip_quickgelu_224"]
)
def test_a_look_takes_no_more_memory_than_is_counted_on_and_not_far_less(name):
    """The slope over pictures, so that weights and what does not grow are left out; counted are what operators return."""
    backbone = Backbone(timm.create_model(name, num_classes=0, depth=2).eval())
    side = backbone.image_size

    def look(count: int) -> None:
        with torch.no_grad():
            backbone(backbone.stem(torch.zeros(count, 3, side, side)))

    slope = (peak_bytes(lambda: look(6), CPU) - peak_bytes(lambda: look(2), CPU)) / 4
    assert 0.4 * backbone.bytes_of_look < slope <= backbone.bytes_of_look
