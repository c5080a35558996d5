import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from workbench.core.cache import PictureCache
from workbench.errors import WorkbenchError


def some_pictures(count: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    shapes = chance.integers(1, 20, (count, 2))
    return [chance.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


@pytest.mark.parametrize("limit", [0, 1000, 10**9])
def test_pictures_come_back_as_they_were_from_memory_and_file(tmp_path: Path, limit: int) -> None:
    pictures = some_pictures(50)
    with PictureCache(limit, tmp_path) as cache:
        assert [cache.append(picture) for picture in pictures] == list(range(50))
        assert len(cache) == 50
        for index in (*range(50), *reversed(range(50))):
            assert (cache[index] == pictures[index]).all()
            assert cache[index].dtype == np.uint8


def test_memory_stays_within_its_limit(tmp_path: Path) -> None:
    with PictureCache(1000, tmp_path) as cache:
        for picture in some_pictures(50):
            cache.append(picture)
        held = sum(item.nbytes for item in cache._items if isinstance(item, np.ndarray))
        assert 0 < held <= 1000


def test_what_is_kept_does_not_change_with_the_callers_array() -> None:
    with PictureCache(10**6) as cache:
        picture = np.zeros((2, 2, 3), np.uint8)
        cache.append(picture)
        picture[:] = 1
        assert (cache[0] == 0).all()
        with pytest.raises(ValueError, match="read-only"):
            cache[0][:] = 1


def test_closing_removes_the_file(tmp_path: Path) -> None:
    cache = PictureCache(0, tmp_path)
    cache.append(np.zeros((2, 2, 3), np.uint8))
    cache.close()
    cache.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(IndexError):
        cache[0]


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    pictures = some_pictures(40)
    with PictureCache(2000, tmp_path) as cache:
        for picture in pictures:
            cache.append(picture)

        def all_equal(seed: int) -> bool:
            order = np.random.default_rng(seed).permutation(40)
            return all((cache[index] == pictures[index]).all() for index in order)

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(all_equal, range(20)))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    cache = PictureCache(0, tmp_path / "none")
    with pytest.raises(WorkbenchError, match=r"cannot be kept in .*none: No such file"):
        cache.append(np.zeros((2, 2, 3), np.uint8))


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "r+b"))  # noqa: SIM115
    cache = PictureCache(0, tmp_path)
    with pytest.raises(WorkbenchError, match="No space left"):
        cache.append(np.zeros((2, 2, 3), np.uint8))
    cache.close()
