"""A GPU's memory that holds fewer pictures than a batch has: its error is raised where a GPU raises it, and training goes on."""

import pytest
import torch

from tests.resumed import gone_on, recorded, small_config
from workbench.config import with_values
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.core.train import train
from workbench.events import Evaluated, Finished, Note, Step

VALUES = {"model.dropout": 0.3, "train.batch_size": 4}


@pytest.fixture
def memory(monkeypatch):
    """How many pictures the memory holds while their gradient is to be computed; the outside world."""
    holds = {"forward": 100, "backward": 100}
    forward, backward = Network.forward, Learner.backward

    def seeing(self, images, *rest):
        if self.training and torch.is_grad_enabled() and len(images) > holds["forward"]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return forward(self, images, *rest)

    def going_back(self, terms):
        backward(self, terms)
        if (self.at_once or 100) > holds["backward"]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(Network, "forward", seeing)
    monkeypatch.setattr(Learner, "backward", going_back)
    return holds


def numbers_of(events):
    return [event for event in events if isinstance(event, (Step, Evaluated, Finished))]


def said_of_memory(events):
    return [e.text for e in events if isinstance(e, Note) and "too many for the memory" in e.text]  # fmt: skip


@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("most", [1, 2])
def test_a_run_short_of_memory_learns_what_one_with_fewer_at_once_learns_to_the_bit(
    tmp_path, memory, where, most
):
    config = small_config(tmp_path / "pictures", **VALUES)
    expected = list(train(with_values(config, {"train.at_once": most}), tmp_path))
    memory[where] = most
    found = list(train(config, tmp_path))
    assert numbers_of(found) == numbers_of(expected)
    assert isinstance(found[-1], Finished)
    batch = config.train.batch_size
    assert len(said_of_memory(found)) == (1 if most == batch // 2 else 2)
    assert said_of_memory(found)[-1].startswith(
        f"Task 1: {batch} pictures were too many for the memory that is free, so that from step 1 on "
        f"{'1 picture is' if most == 1 else '2 pictures are'} held at a time."
    )
    assert said_of_memory(expected) == []


def test_what_was_found_out_holds_after_a_cut_too_when_there_is_room_again(tmp_path, memory):
    config = small_config(tmp_path / "pictures", **VALUES)
    memory["forward"] = 2
    whole = recorded(config, tmp_path, keep_at=())
    said, path = whole.checkpoints[1]
    memory["forward"] = 100
    events, adapter = gone_on(config, tmp_path, path)
    assert events == whole.told[said:]
    assert adapter == whole.adapter


def test_where_not_even_one_picture_fits_the_error_is_passed_on(tmp_path, memory):
    memory["forward"] = 0
    with pytest.raises(torch.OutOfMemoryError):
        list(train(small_config(tmp_path / "pictures"), tmp_path))


def test_another_error_of_torch_is_no_lack_of_memory(tmp_path, monkeypatch):
    def wrong(self, terms):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Learner, "backward", wrong)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        list(train(small_config(tmp_path / "pictures"), tmp_path))
