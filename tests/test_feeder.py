"""Batches made ahead on threads are those made one after the other, and chance stands where it stood then."""

import threading
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode, v2

from tests.pictures import make_picture
from workbench.core.cache import PictureCache
from workbench.core.device import Stream
from workbench.core.feeder import Feeder
from workbench.core.transforms import RATIO, SCALE

SIZE = 24
BATCHES = [np.arange(5), np.array([7, 2]), np.arange(3, 9), np.array([0]), np.arange(9)]


@pytest.fixture
def cache() -> Iterator[PictureCache]:
    """Nine pictures of different shapes, the last of which lie in a file."""
    with PictureCache(60_000) as made:
        for n in range(9):
            made.append(make_picture("owl", n, size=40 + 5 * n)[:, : 60 - n])
        yield made


def feeder(cache: PictureCache, ahead: int, seed: int = 1) -> Feeder:
    return Feeder(cache, SIZE, torch.device("cpu"), torch.float64, Stream(seed), ahead)


def feeding_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("feeding")]


def test_crops_are_those_that_torchvision_draws_and_cuts_one_picture_after_the_other(
    cache: PictureCache,
) -> None:
    whole = v2.Compose([
        v2.RandomResizedCrop(SIZE, scale=SCALE, ratio=RATIO, interpolation=InterpolationMode.BILINEAR, antialias=True),
        v2.RandomHorizontalFlip(0.5),
    ])  # fmt: skip
    stream = Stream(1)
    for indices, batch in zip(BATCHES, feeder(cache, 0).augmented(BATCHES), strict=True):
        with stream:
            wanted = [whole(torch.tensor(cache[int(i)]).permute(2, 0, 1)) for i in indices]
        assert torch.equal(batch, (torch.stack(wanted).float() / 255).double())


@pytest.mark.parametrize("ahead", [1, 3, 20])
def test_what_is_made_ahead_is_what_would_be_made_in_turn(cache: PictureCache, ahead: int) -> None:
    in_turn, made_ahead = feeder(cache, 0), feeder(cache, ahead)
    pairs = zip(in_turn.augmented(BATCHES), made_ahead.augmented(BATCHES), strict=True)
    for wanted, found in pairs:
        assert torch.equal(wanted, found)
        assert torch.equal(in_turn.augmentation.states[0], made_ahead.augmentation.states[0])
    indices = np.arange(9)
    pieces = list(made_ahead.plain_pieces(indices, 4))
    assert [len(piece) for piece in pieces] == [4, 4, 1]
    assert torch.equal(torch.cat(pieces), in_turn.plain(indices))


@pytest.mark.parametrize("left_after", [1, 3, 5])
def test_whoever_goes_on_from_where_the_stream_stood_gets_the_rest(
    cache: PictureCache, left_after: int
) -> None:
    wanted = list(feeder(cache, 0).augmented(BATCHES))
    left = feeder(cache, 2)
    batches = left.augmented(BATCHES)
    found = list(islice(batches, left_after))
    batches.close()
    on = feeder(cache, 2, seed=99)
    on.augmentation.states = left.augmentation.states
    found += on.augmented(BATCHES[left_after:])
    for a, b in zip(wanted, found, strict=True):
        assert torch.equal(a, b)


def test_leaving_in_the_midst_leaves_no_thread(cache: PictureCache) -> None:
    batches = feeder(cache, 3).augmented(BATCHES)
    next(batches)
    assert feeding_threads()
    batches.close()
    assert not feeding_threads()


def test_a_picture_that_cannot_be_read_any_more_is_raised_where_it_is_asked_for(
    cache: PictureCache,
) -> None:
    batches = feeder(cache, 3).augmented(BATCHES)
    cache.close()
    with pytest.raises((ValueError, IndexError)):
        next(batches)
    assert not feeding_threads()


def test_a_processor_makes_nothing_ahead(cache: PictureCache) -> None:
    plain = Feeder(cache, SIZE, torch.device("cpu"), torch.float32, Stream(0))
    batches = plain.augmented(BATCHES)
    next(batches)
    assert not feeding_threads()
