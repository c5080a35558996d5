"""Folders in, runs out: what a window or a command may ask, over one home folder."""

import threading
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from workbench import config as configs, paths
from workbench.config import RunConfig, TaskFolder
from workbench.errors import WorkbenchError
from workbench.events import Event, Note, Stage
from workbench.log.store import Log
from workbench.report import (
    Choices,
    Forecast,
    Guess,
    KeptForecast,
    OrderStudy,
    RunDetails,
    RunEstimate,
    RunSummary,
    ScanProgress,
    ScanReport,
    SelfTestRow,
    TaskReport,
)
from workbench.session import bundle, estimates, exports, forecasts, sample
from workbench.session.adapters import Adapters
from workbench.session.backbones import Backbones
from workbench.session.checks import must_be_startable
from workbench.session.groups import Groups
from workbench.session.pictures import Pictures
from workbench.session.plug_ins import PlugIns
from workbench.session.queue import RunQueue
from workbench.session.results import Results
from workbench.session.resume import Resuming
from workbench.session.run import Engine, Run
from workbench.session.studying import Studies
from workbench.session.table import RunTable
from workbench.session.upkeep import Upkeep, open_log
from workbench.session.versions import versions
from workbench.session.work import ThreadEngine
from workbench.tell import Tell, silent


class Session:
    """Everything a window or a command needs, over one home folder.

    Attributes:
        home: the folder of log, runs and weights.
        cut_off: a sentence for each run that was found dead at this start.
        engine: what trains its runs.
        plug_ins: what plug-ins bring, and whether they may run.
        upkeep: how the log's file is, and whether it may be written.
    """

    def __init__(
        self, home: str | Path | None = None, *, entry_points: bool = True,
        safe_mode: bool = False, trust_plugins: bool = False,
    ) -> None:  # fmt: skip
        self.home = paths.home_folder(home)
        self._log, gone = open_log(self.home / paths.LOG_NAME)
        self.upkeep = Upkeep(self.home, self._log)
        self._owner = threading.get_ident()
        self.plug_ins = PlugIns(
            self.home, entry_points=entry_points, safe_mode=safe_mode, trust=trust_plugins
        )
        self.engine: Engine = ThreadEngine(self.plug_ins)
        cut_off = [run for run in self.resuming.cut_off() if run.id in gone] if gone else []
        self.cut_off = tuple(run.sentence for run in cut_off)

    @cached_property
    def backbones(self) -> Backbones:
        """Every backbone there is to choose, with its weights; cheap, no torch."""
        return Backbones(self.home, self.plug_ins.loaded.backbones)

    @cached_property
    def table(self) -> RunTable:
        """The runs as a table: filtered pages, groups, tags, notes, stars, the bin, the baseline."""
        return RunTable(self.home, self.log, self.versions)

    @property
    def resuming(self) -> Resuming:
        """Runs that go on: resumed, or extended by tasks or epochs."""
        return Resuming(self)

    def choices(self) -> Choices:
        """Return backbones and presets for the settings; cheap, no torch."""
        backbones = (
            replace(choice, present=facts is not None and facts.present)
            for choice in self.plug_ins.loaded.backbones
            for facts in (self.backbones.find(choice.name),)
        )
        return Choices(
            tuple(backbones),
            tuple(configs.preset(name) for name in configs.preset_names()),
            self.plug_ins.methods(),
        )

    def sample_config(self, *, full: bool = False) -> RunConfig:
        """Return the configuration behind "Try the sample" (quick, or full)."""
        return sample.configuration(full=full)

    def scan(
        self,
        folders: Sequence[str],
        accepted: Sequence[TaskReport] = (),
        *,
        test_share: float = 0.2,
        fetch: bool = True,
    ) -> Generator[ScanProgress | ScanReport, None, None]:
        """Scan dropped folders; the last item is the ScanReport. Closing the iterator cancels."""
        from workbench.core.scan import scan

        return scan(folders, accepted, test_share=test_share, fetch=fetch)

    def answer_one_class(self, report: TaskReport) -> TaskReport:
        """Take a folder of pictures without sub-folders as one class."""
        from workbench.core.scan import answer_one_class

        return answer_one_class(report)

    @cached_property
    def pictures(self) -> Pictures:
        """What is asked of a scanned task's pictures, and of those that runs were trained on."""
        return Pictures(self)

    def start(self, config: RunConfig, *, queued: int = 0, label: str = "") -> Run:
        """Enter a run into the log and return it, ready to `work`; raises UsageError at once if it cannot.

        A run that waited in the queue leaves it (`queued`); `label` follows the number it gets for a name.
        """
        from workbench.core.tasks import expand

        self._log.must_be_writable()
        config = self.plug_ins.prepared(config)
        must_be_startable(config)
        self.backbones.require(config.model.backbone, config.model.weights)
        name = config.name or f"{self._next_name()} {label}".strip()
        config = replace(config, data=expand(config.data, config.seeds), name=name)
        run = Run(self.home, uuid.uuid4().hex, config, self.engine)
        self._log.begin(
            run.id, run.name, configs.to_dict(config), configs.effective_switches(config),
            config.method.profile, config.model.backbone, config.seeds.initialisation, self.versions(),
            len(config.data.tasks), queued,
        )  # fmt: skip
        return run

    @property
    def queue(self) -> RunQueue:
        """The runs that wait for their turn."""
        return RunQueue(self)

    @property
    def studies(self) -> Studies:
        """Comparisons of methods over data, orders and seeds."""
        return Studies(self)

    @property
    def groups(self) -> Groups:
        """The groups of runs: seeds, orders, bounds."""
        return Groups(self)

    def runs(self) -> list[RunSummary]:
        """Return all runs of the log that are not in the bin, newest first."""
        with self.log() as log:
            return log.runs()

    def details(self, run: str) -> RunDetails:
        """Return everything the log knows of the run with this id, id prefix or name."""
        with self.log() as log:
            return log.details(log.find(run))

    def events(self, run: str, tell: Tell = silent) -> list[Event]:
        """Return a past run's events in order, as they were sent live (without Stage and Pace)."""
        with self.log() as log:
            return log.events(log.find(run), tell)

    def told(self, run: str) -> Iterator[Event]:
        """Yield what `events` returns, as it is read."""
        with self.log() as log:
            yield from log.told(log.find(run))

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
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            raise WorkbenchError(
                f"The kernel's arrays in {file} cannot be read: {error}. The run's other numbers are kept."
            ) from error

    @property
    def results(self) -> Results:
        """Answers on single pictures, what was forgotten, what a run cost."""
        return Results(self)

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
        *_, files = self.exporting(run, folder, adapter=adapter, numbers=numbers)
        return cast("list[Path]", files)

    def exporting(
        self, run: str, folder: str | Path, *, adapter: bool = True, numbers: bool = True
    ) -> Iterator[Stage | list[Path]]:
        """Do `export` stage by stage; the last item is the files. Closing the iterator gives up."""
        return exports.write(self, run, Path(folder), adapter=adapter, numbers=numbers)

    def bundle(self, run: str, file: str | Path, tell: Tell = silent) -> Path:
        """Write a run as one .zip file that `open_bundle` reads on another computer."""
        return bundle.write(self.home, self.log, run, Path(file), tell)

    def open_bundle(self, file: str | Path, tell: Tell = silent) -> str:
        """Enter a bundled run into the log, marked as imported; return its id."""
        return bundle.read(self.home, self.log, Path(file), tell)

    @property
    def adapters(self) -> Adapters:
        """Adapters of runs and of files, and what they answer."""
        return Adapters(self)

    def predict(
        self,
        run_or_adapter: str,
        pictures: Sequence[str],
        device: str = "auto",
        *,
        any_weights: bool = False,
    ) -> Iterator[Stage | Guess]:
        """Classify pictures with a run's adapter (by id or name) or an exported one (by path)."""
        return self.adapters.predict(run_or_adapter, pictures, device, any_weights=any_weights)

    def self_test(self) -> Iterator[Stage | Note | tuple[SelfTestRow, ...]]:
        """Compare prediction and measurement where they must be equal, on the sample; the last item is the result."""
        return sample.self_test(self.home)

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

    def estimate(self, config: RunConfig) -> Iterator[Stage | Note | RunEstimate]:
        """Estimate memory and time of a run by a few dry steps; the last item is the estimate."""
        return estimates.estimate(self, config)

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
        """Close the log; what it wrote is in the one file then."""
        self._log.checkpoint()
        self._log.close()

    def versions(self) -> dict[str, str]:
        """Return the versions that bear on a run's numbers, those of plug-ins included."""
        return {**versions(), **self.plug_ins.versions()}

    def _next_name(self) -> str:
        taken = self._log.names()
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
        path, only = self.home / paths.LOG_NAME, self._log.reading_only
        with closing(Log(path, reading_only=only)) as log:
            yield log
