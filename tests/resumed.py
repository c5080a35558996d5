"""Runs killed at a checkpoint and gone on with, beside the same run left alone."""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.pictures import make_task_folders
from tests.said import decided
from tests.trained import QUICK
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.core.learner import Learner
from workbench.core.train import Training
from workbench.events import Checkpointed, Event, Step

TASKS = {"first": {"red": 4, "green": 5}, "second": {"one": 5, "two": 4}, "third": {"a": 4, "b": 4}}


def small_config(pictures: Path, **values: object) -> RunConfig:
    """Return three tasks of two epochs, the monitor on."""
    folders = make_task_folders(pictures, TASKS)
    base = RunConfig()
    tasks = tuple(TaskFolder(folder.name, str(folder)) for folder in folders)
    base = replace(base, data=replace(base.data, tasks=tasks))
    small = {"train.epochs": 2, "train.learning_rate": 0.01, "train.batch_size": 3}
    return with_values(base, QUICK | small | values)


@dataclass
class Recorded:
    """A run's events, and each checkpoint as it lay when it was handed out, with the events until then."""

    events: list[Event]
    adapter: bytes
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)

    @property
    def told(self) -> list[Event]:
        """What configuration and seeds decide."""
        return decided(self.events)


def recorded(
    config: RunConfig, root: Path, *, keep_at: tuple[int, ...] = (), **more: object
) -> Recorded:
    """Train to the end, `keep` after the steps of these numbers, and check what lies there at every event."""
    folder = root / "whole"
    training = Training(config, root, folder, **more)
    events: list[Event] = []
    kept: list[tuple[int, Path]] = []
    newest: Path | None = None
    for event in training.events():
        events.append(event)
        if isinstance(event, Step) and event.step in keep_at:
            event = training.keep()
            assert event is not None
            assert training.keep() is None
        if isinstance(event, Checkpointed):
            newest = folder / event.path
            kept.append((len(decided(events)), copied(newest, root / f"kept {len(kept)}")))
        assert newest is None or (newest.is_file() and newest.with_suffix(".json").is_file())
        assert len(list((folder / "checkpoint").glob("*.safetensors"))) <= 3 + len(keep_at)
    return Recorded(events, adapter_of(folder), kept)


def copied(path: Path, root: Path) -> Path:
    """Copy a checkpoint, and the adapter of then, into a run's folder of its own."""
    if (adapter := path.parent.parent / "adapter").is_dir():
        shutil.copytree(adapter, root / "adapter")
    place = root / "checkpoint"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(path.with_suffix(".json"), place)
    return Path(shutil.copy(path, place))


def gone_on(
    config: RunConfig, home: Path, path: Path, method: type = Learner
) -> tuple[list[Event], bytes]:
    """Go on from a checkpoint to the end; return what is said from there, and the adapter."""
    folder = path.parent.parent
    events = list(Training(config, home, folder, method=method, resume=path).events())
    return decided(events), adapter_of(folder)


def adapter_of(folder: Path) -> bytes:
    """Return the final adapter's bytes."""
    return (folder / "adapter" / "adapter.safetensors").read_bytes()
