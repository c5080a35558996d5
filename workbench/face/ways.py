"""Which ways out make sense after a run has ended early: from its last checkpoint, or from its beginning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench import paths
from workbench.config import TrainConfig
from workbench.face.language import say


@dataclass(frozen=True)
class Way:
    """What a button says, and the settings that it changes."""

    text: str
    changes: Mapping[str, Any]


def could_leave_gpu(train: TrainConfig, device: str) -> bool:
    """Return whether the processor would be another device than the one that was used.

    `device` is what the run said that it trains on; empty if it ended before it said so.
    """
    if train.device == "cpu" or device == "cpu":
        return False
    return bool(device) or paths.has_gpu_driver()


def ways_after(cause: str, train: TrainConfig, device: str, *, saved: bool) -> list[Way]:
    """Return what may help after an end by this cause; `saved` if there is a checkpoint to go on from."""
    if cause == "not finite":
        half_rate = {"train.learning_rate": train.learning_rate / 2}
        again = say("Try again with half the learning rate")
        return [Way(say("Resume with half the learning rate") if saved else again, half_rate)]
    if cause == "memory":
        return _elsewhere(train, device, saved=saved)
    return [Way(say("Resume"), {})] if saved and cause != "pictures" else []


def _elsewhere(train: TrainConfig, device: str, *, saved: bool) -> list[Way]:
    if could_leave_gpu(train, device):
        text = say("Resume on processor") if saved else say("Try on processor")
        return [Way(text, {"train.device": "cpu"})]
    return [Way(say("Resume") if saved else say("Try again"), {})]
