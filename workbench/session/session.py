"""Folders in, runs out: what a window or a command may ask, over one home folder."""

import os
import threading
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from workbench import config as configs, paths
from workbench.config import RunConfig, TaskFolder
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Event, Note, Stage
from workbench.log.numbers import write_numbers
from workbench.log.store import Log
from workbench.plugins import load
from workbench.report import (
    Choices,
    Forecast,
    Guess,
    KeptForecast,
    OrderStudy,
    RunDetails,
    RunSummary,
    ScanProgress,
    ScanReport,
    SelfTestRow,
    TaskReport,
)
from workbench.session import bundle, forecasts
from workbench.session.run import Run, prepare_threads
from workbench.session.table import RunTable
from workbench.session.versions import versions


class Session:
    """Everything a window or a command needs, over one home folder.

    Attributes:
        home: the folder of log, runs and weights.
        notes: sentences worth showing at the start (plug-ins that failed, runs found cut off).
    """

    def __init__(self, home: str | Path | None = None, *, entry_points: bool = True) -> None:
        self.home = paths.home_folder(home)
        self._log = Log(self.home / paths.LOG_NAME)
        self._owner = threading.get_ident()
        self._plugins = load(entry_points=entry_points)
        cut_off = set(self._log.sweep())
        names = (r.name for r in self._log.runs(binned=True) if r.id in cut_off) if cut_off else ()
        self.notes = (
            *self._plugins.problems,
            *(
                f"{name} was cut off before its end; what was logged until then is kept."
                for name in names
            ),
            *([self._log.journal_note] if self._log.journal_note else []),
        )

    @cached_property
    def table(self) -> RunTable:
        """The runs as a table: filtered pages, groups, tags, notes, stars, the bin, the baseline."""
        return RunTable(self.home, self.log)

    def choices(self) -> Choices:
        """Return backbones and presets for the settings; cheap, no torch."""
        from workbench.core.hub import stored_file

        backbones = (
            replace(
                choice, present=choice.present or stored_file(choice.name, self.home) is not None
            )
            for choice in self._plugins.backbones
        )
        return Choices(
            tuple(backbones), tuple(configs.preset(name) for name in configs.preset_names())
        )

    def sample_config(self, *, full: bool = False) -> RunConfig:
        """Return the configuration behind "Try the sample" (quick, or full)."""
        root = paths.resource("sample/emoji")
        tasks = tuple(
            configs.TaskFolder(folder.name, str(folder))
            for folder in sorted(root.iterdir())
            if folder.is_dir()
        )
        base = RunConfig(data=configs.DataConfig(tasks=tasks))
        return configs.with_values(base, configs.preset("sample-full" if full else "sample").values)

    def scan(
        self, folders: Sequence[str], accepted: Sequence[TaskReport] = ()
    ) -> Generator[ScanProgress | ScanReport, None, None]:
        """Scan dropped folders; the last item is the ScanReport. Closing the iterator cancels."""
        from workbench.core.scan import scan

        return scan(folders, accepted)

    def answer_one_class(self, report: TaskReport) -> TaskReport:
        """Take a folder of pictures without sub-folders as one class."""
        from workbench.core.scan import answer_one_class

        return answer_one_class(report)

    def split(
        self, report: TaskReport, first: int, increment: int, seed: int
    ) -> tuple[TaskReport, ...]:
        """Split one scanned task into several by class."""
        from workbench.core.split import split_report

        return split_report(report, first, increment, seed)

    def start(self, config: RunConfig) -> Run:
        """Enter a run into the log and return it, ready to `work`; raises UsageError at once if it cannot."""
        from workbench.core.tasks import expand

        configs.check(config)
        if not config.data.tasks:
            raise UsageError(
                "There is no task to learn. Add a folder whose sub-folders are classes."
            )
        for task in config.data.tasks:
            if not os.path.isdir(task.path):
                raise UsageError(
                    f"The folder of task {task.name!r} is not there ({task.path}). "
                    "Connect the drive, or remove the task."
                )
        config = replace(
            config, data=expand(config.data, config.seeds), name=config.name or self._next_name()
        )
        run = Run(self.home, uuid.uuid4().hex, config)
        self._log.begin(
            run.id, run.name, configs.to_dict(config), configs.effective_switches(config),
            config.method.profile, config.model.backbone, config.seeds.initialisation, versions(),
            len(config.data.tasks),
        )  # fmt: skip
        return run

    def runs(self) -> list[RunSummary]:
        """Return all runs of the log that are not in the bin, newest first."""
        with self.log() as log:
            return log.runs()

    def details(self, run: str) -> RunDetails:
        """Return everything the log knows of the run with this id, id prefix or name."""
        with self.log() as log:
            return log.details(log.find(run))

    def events(self, run: str) -> list[Event]:
        """Return a past run's events in order, as they were sent live (without Stage and Pace)."""
        with self.log() as log:
            return log.events(log.find(run))

    def arrays(self, run: str, path: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of a `Snapshot` of this run, by name.

        Raises:
            WorkbenchError: the file is gone or damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        file = paths.run_folder(self.home, self.details(run).summary.id) / path
        try:
            return dict(load_file(file))
        except (OSError, SafetensorError) as error:
            raise WorkbenchError(
                f"The kernel's arrays in {file} cannot be read: {error}. The run's other numbers are kept."
            ) from error

    def rename(self, run: str, name: str) -> None:
        """Give a run another name."""
        with self.log() as log:
            log.rename(log.find(run), name)

    def export(
        self, run: str, folder: str | Path, *, adapter: bool = True, numbers: bool = True
    ) -> list[Path]:
        """Write the run's adapter and its numbers (CSV, JSON) below `folder`; return the files.

        The adapter is read back and its answers compared on real pictures before it is kept.
        """
        details, target, written = self.details(run), Path(folder), []
        if numbers:
            written += write_numbers(details, self.events(run), target)
        if adapter:
            source = paths.run_folder(self.home, details.summary.id)
            written += self._export_adapter(source, target / "adapter")
        return written

    def bundle(self, run: str, file: str | Path) -> Path:
        """Write a run as one .zip file that `open_bundle` reads on another computer."""
        return bundle.write(self.home, self.log, run, Path(file))

    def open_bundle(self, file: str | Path) -> str:
        """Enter a bundled run into the log, marked as imported; return its id."""
        return bundle.read(self.home, self.log, Path(file))

    def predict(self, run_or_adapter: str, pictures: Sequence[str]) -> Iterator[Stage | Guess]:
        """Classify pictures with a run's adapter (by id or name) or an exported one (by path)."""
        if Path(run_or_adapter).exists():
            source = Path(run_or_adapter)
        else:
            source = (
                paths.run_folder(self.home, self.details(run_or_adapter).summary.id) / "adapter"
            )
            if not source.exists():
                raise UsageError(
                    f"Run {run_or_adapter!r} has no adapter yet: it is saved after the first task."
                )
        return self._predict(source, pictures)

    def self_test(self) -> Iterator[Stage | Note | tuple[SelfTestRow, ...]]:
        """Compare prediction and measurement where they must be equal, on the sample; the last item is the result."""
        yield Stage("Starting the engine (loading torch)")
        prepare_threads()
        from workbench.core.self_test import self_test

        config = self.sample_config()
        data = replace(config.data, tasks=config.data.tasks[:2], test_per_class=1)
        yield (yield from self_test(replace(config, data=data), self.home))

    def forecast(self, run: str, folder: TaskFolder) -> Iterator[Stage | Note | Forecast]:
        """Forecast which tasks of a run suffer if `folder` is learnt next; the last item, kept in the log.

        Raises:
            UsageError: the run has learnt nothing, still trains, or has learnt this folder.
        """
        return forecasts.forecast(self, run, folder)

    def forecasts(self, run: str) -> list[KeptForecast]:
        """Return what was forecast from a run, oldest first, each scored if a later run learnt it."""
        return forecasts.kept(self, run)

    def unscored(self) -> list[str]:
        """Return the ids of runs with a forecast that has no score yet; cheap."""
        with self.log() as log:
            return log.unscored()

    def score_forecasts(self) -> list[KeptForecast]:
        """Score what can be scored by now, of all runs; return what was."""
        return [item for run in self.unscored() for item in forecasts.score_waiting(self, run)]

    def order(self, config: RunConfig, run: str = "") -> Iterator[Stage | Note | OrderStudy]:
        """Suggest an order of the tasks of `config`, before training; the last item is the study.

        Pictures are seen by the untrained network of `config`, or by the network that `run` left.
        """
        return forecasts.order(self, config, run)

    def health(self) -> dict[str, object]:
        """Return what `doctor` says about the log."""
        with self.log() as log:
            return dict(log.health())

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _predict(self, source: Path, pictures: Sequence[str]) -> Iterator[Stage | Guess]:
        yield Stage("Starting the engine (loading torch)")
        prepare_threads()
        from workbench.core.predict import predict

        yield from predict(source, pictures, self.home)

    def _export_adapter(self, source: Path, target: Path) -> list[Path]:
        """Export beside the target first: a bad copy never takes the place of a good one."""
        from workbench.core.card import export_adapter

        prepare_threads()
        try:
            target.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix="check-", dir=target.parent) as beside:
                checked = export_adapter(source, Path(beside), self.home)
                return [path.replace(target / path.name) for path in checked]
        except OSError as error:
            raise WorkbenchError(
                f"The adapter could not be written to {target}: {error.strerror}. Choose another place."
            ) from error
        except UsageError as error:  # damaged where the run keeps it: no mistake of who asks
            raise WorkbenchError(f"The run's adapter was not exported. {error}") from error
        finally:
            if target.is_dir() and not any(target.iterdir()):
                target.rmdir()

    def _next_name(self) -> str:
        taken = {summary.name for summary in self._log.runs(binned=True)}
        number = len(taken) + 1
        while f"run-{number:04d}" in taken:
            number += 1
        return f"run-{number:04d}"

    @contextmanager
    def log(self) -> Iterator[Log]:
        """The log in this thread: a connection belongs to the thread that made it."""
        if threading.get_ident() == self._owner:
            yield self._log
            return
        with closing(Log(self.home / paths.LOG_NAME)) as log:
            yield log
