"""A run's answers on single pictures, read back: for the window, and as files for other programs."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import config as configs, paths
from workbench.answers import Answers, answers_of
from workbench.errors import WorkbenchError
from workbench.events import Answered, Event, RunStarted, TaskInfo

if TYPE_CHECKING:
    from workbench.session.session import Session


@dataclass(frozen=True)
class RunCost:
    """What a run has cost so far; 0 or None where it is not known."""

    adapter_parameters: int  # numbers in the adapter file, prototypes and slow copies included
    trained_parameters: int
    backbone_parameters: int
    adapter_bytes: int
    run_bytes: int  # of all files that the run keeps
    seconds: tuple[float, ...]  # of each whole task
    monitor_share: float | None  # of the time, by the NTK monitor
    kept_values: int | None = None  # beside the backbone, after the last whole task
    kept_bytes: int | None = None
    peak_bytes: int | None = None  # the most memory of any process that trained it


class Results:
    """Reads what `core.answering` kept; every method may be called from any thread."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def answers(self, run_id: str, path: str) -> Answers:
        """Return the answers of one `Answered` event's file.

        Raises:
            WorkbenchError: the file is gone or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        file = paths.run_folder(self._session.home, run_id) / path
        try:
            return answers_of(load_file(file))
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            raise WorkbenchError(_unreadable(file, error)) from error

    def pictures(self, run_id: str, path: str) -> tuple[str, ...]:
        """Return the paths of one task's test pictures below its folder, POSIX.

        Raises:
            WorkbenchError: the file is gone or damaged.
        """
        file = paths.run_folder(self._session.home, run_id) / path
        try:
            return tuple(str(name) for name in json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise WorkbenchError(_unreadable(file, error)) from error

    def folders(self, run_id: str) -> tuple[str, ...]:
        """Return the folder of each task of a run, as it was when the run began."""
        config = configs.from_dict(self._session.details(run_id).config)
        return tuple(task.path for task in config.data.tasks)

    def cost(self, run_id: str) -> RunCost:
        """Return what the run has cost so far, by the log and by the files it keeps."""
        with self._session.log() as log:
            known = log.cost(log.find(run_id))
        folder = paths.run_folder(self._session.home, run_id)
        files = [file for file in folder.rglob("*") if file.suffix != ".part" and file.is_file()]
        adapter = [file for file in files if file.parent == folder / "adapter"]
        return RunCost(
            _numbers_in(folder / "adapter" / "adapter.safetensors"), known.trained_parameters,
            known.backbone_parameters, _bytes_of(adapter), _bytes_of(files), known.seconds,
            known.monitor_share, next(reversed(known.kept_values), None), next(reversed(known.kept_bytes), None),
            max((peak for peak in known.peak_bytes if peak is not None), default=None),
        )  # fmt: skip

    def history(self, run_id: str, events: Sequence[Event]) -> dict[int, Answers]:
        """Return the answers after each task that kept any."""
        told = [event for event in events if isinstance(event, Answered)]
        return {event.after_task: self.answers(run_id, event.path) for event in told}

    def export(self, run_id: str, events: Sequence[Event], folder: Path) -> list[Path]:
        """Write confusion.csv, classes.csv and answers.csv after the last task, if answers were kept."""
        from workbench.log.answer_tables import write_answers

        history = self.history(run_id, events)
        tasks: tuple[TaskInfo, ...] = next(
            (event.tasks for event in events if isinstance(event, RunStarted)), ()
        )
        if not history:
            return []
        told = {event.after_task: event for event in events if isinstance(event, Answered)}
        names = {task: self.pictures(run_id, event.pictures) for task, event in told.items()}
        return write_answers(history, tasks, names, folder)


def _numbers_in(file: Path) -> int:
    """Return how many numbers a safetensors file holds; 0 if there is none yet."""
    from math import prod

    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "np") as opened:
            return sum(prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return 0


def _bytes_of(files: Sequence[Path]) -> int:
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # a run that trains replaces its files
            total += file.stat().st_size
    return total


def _unreadable(file: Path, error: Exception) -> str:
    return (
        f"The answers on single pictures in {file} cannot be read: {error}. "
        "The run's other numbers are kept."
    )
