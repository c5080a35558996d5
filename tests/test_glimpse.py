"""A glimpse: balanced, the same every time, and no more decoded than is looked at."""

from pathlib import Path

import pytest
import torch

from tests.pictures import make_class_folders
from tests.tiny import tiny_network
from workbench.config import DataConfig, RunConfig, TaskFolder
from workbench.core.glimpse import Glimpse, look_at
from workbench.core.network import Network
from workbench.core.steps import result_of
from workbench.errors import WorkbenchError


@pytest.fixture
def network() -> Network:
    return tiny_network().float()


def seen(
    network: Network, root: Path, size: int, config: RunConfig | None = None, *, tests: bool = True
) -> Glimpse:
    folder = TaskFolder("gulls", str(root))
    found: Glimpse = result_of(
        look_at(network, folder, config or RunConfig(), size, 0, tests=tests)
    )
    return found


def test_it_is_balanced_and_the_same_every_time(network: Network, tmp_path: Path) -> None:
    root = make_class_folders(tmp_path / "gulls", {"white": 20, "black": 11, "grey": 15})
    before = torch.get_rng_state()
    first, again = (seen(network, root, 9) for _ in range(2))
    assert first.classes == ("black", "grey", "white")
    assert torch.bincount(first.train_labels).tolist() == [3, 3, 3]
    assert first.train.main.shape == (9, network.width)
    assert first.pictures == 16 + 9 + 12  # a fifth of each class is kept for testing
    assert first.train.main.equal(again.train.main)
    assert first.test_labels.equal(again.test_labels)
    assert torch.get_rng_state().equal(before)


def test_two_of_each_class_are_looked_at_however_few_are_asked_for(
    network: Network, tmp_path: Path
) -> None:
    root = make_class_folders(tmp_path / "gulls", dict.fromkeys("abcde", 6))
    assert torch.bincount(seen(network, root, 4).train_labels).tolist() == [2] * 5


def test_only_what_is_looked_at_is_decoded(network: Network, tmp_path: Path) -> None:
    root = make_class_folders(tmp_path / "gulls", {"white": 30, "black": 30})
    chosen = seen(network, root, 4, tests=False)
    assert len(chosen.test_labels) == 0
    broken = 0
    for picture in sorted(root.rglob("*.png")):
        content = picture.read_bytes()
        picture.write_bytes(b"no picture")
        notes = [item for item in look_at(network, TaskFolder("g", str(root)), RunConfig(), 4, 0, tests=False) if hasattr(item, "level")]  # fmt: skip
        broken += bool(notes)
        picture.write_bytes(content)
    assert broken == 6  # two to learn from and one test picture of each class


def test_no_more_of_a_class_is_taken_than_the_run_takes(network: Network, tmp_path: Path) -> None:
    root = make_class_folders(tmp_path / "gulls", {"white": 30, "black": 30})
    config = RunConfig(data=DataConfig(train_per_class=3, test_per_class=1))
    found = seen(network, root, 32, config)
    assert (len(found.train_labels), len(found.test_labels)) == (6, 2)
    assert found.pictures == 6


def test_a_folder_that_is_gone_is_a_sentence(network: Network, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no longer there"):
        seen(network, tmp_path / "nowhere", 4)
