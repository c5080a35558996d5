"""A session for a window: the same, but whatever needs torch is done in a process of its own."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.config import RunConfig, TaskFolder
from workbench.events import Note, Stage
from workbench.report import (
    BackboneChoice,
    Forecast,
    Guess,
    KeptForecast,
    OrderStudy,
    RunEstimate,
    SelfTestRow,
    WeightsFile,
)
from workbench.session.adapters import AdapterFacts, Adapters
from workbench.session.backbones import Backbones
from workbench.session.groups import Groups, RunGroup
from workbench.session.process_engine import ProcessEngine
from workbench.session.session import Session


class SessionApart(Session):
    """A session whose own process never imports torch; `warm` has a process ready, `close` ends it."""

    def __init__(self, home: str | Path | None = None, **plug_ins: bool) -> None:
        super().__init__(home, **plug_ins)
        self.processes = ProcessEngine(self.home, self.plug_ins)
        self.engine = self.processes

    def warm(self) -> None:
        """Start what will train, in the background."""
        self.processes.warm()

    def close(self) -> None:
        """End the processes, which must not work any more, and close the log."""
        self.processes.shut_down()
        super().close()

    @property
    def adapters(self) -> Adapters:
        """Adapters of runs and of files."""
        return _AdaptersApart(self, self.processes)

    @property
    def groups(self) -> Groups:
        """The groups of runs."""
        return _GroupsApart(self, self.processes)

    @cached_property
    def backbones(self) -> Backbones:
        """Every backbone there is to choose, with its weights."""
        return _BackbonesApart(self.home, self.plug_ins.loaded.backbones, self.processes)

    def predict(
        self, run_or_adapter: str, pictures: Sequence[str], device: str = "auto", *,
        any_weights: bool = False,
    ) -> Iterator[Stage | Guess]:  # fmt: skip
        """Classify pictures with a run's adapter or an exported one."""
        given = (run_or_adapter, list(pictures), device)
        return self.processes.ask("predict", *given, any_weights=any_weights)

    def self_test(self) -> Iterator[Stage | Note | tuple[SelfTestRow, ...]]:
        """Compare prediction and measurement where they must be equal."""
        return self.processes.ask("self_test")

    def forecast(self, run: str, folder: TaskFolder) -> Iterator[Stage | Note | Forecast]:
        """Forecast which tasks of a run suffer if `folder` is learnt next."""
        return self.processes.ask("forecast", run, folder)

    def score_forecasts(self) -> list[KeptForecast]:
        """Score what can be scored by now."""
        return _only(self.processes.ask("score_forecasts")) if self.unscored() else []

    def estimate(self, config: RunConfig) -> Iterator[Stage | Note | RunEstimate]:
        """Estimate memory and time of a run by a few dry steps."""
        return self.processes.ask("estimate", config)

    def order(self, config: RunConfig, run: str = "") -> Iterator[Stage | Note | OrderStudy]:
        """Suggest an order of the tasks of `config`, before training."""
        return self.processes.ask("order", config, run)

    def exporting(
        self, run: str, folder: str | Path, *, adapter: bool = True, numbers: bool = True
    ) -> Iterator[Stage | list[Path]]:
        """Write the run's adapter, read back and compared, and its numbers below `folder`."""
        if not adapter:
            return super().exporting(run, folder, adapter=False, numbers=numbers)
        return self.processes.ask("export", run, Path(folder), adapter=adapter, numbers=numbers)


class _AdaptersApart(Adapters):
    def __init__(self, session: Session, processes: ProcessEngine) -> None:
        super().__init__(session)
        self._processes = processes

    def facts(self, path: str, compared_with: str = "") -> Iterator[Stage | AdapterFacts]:
        """Yield progress, and at last what is known of the adapter file at `path`."""
        return self._processes.ask("facts", path, compared_with)


class _GroupsApart(Groups):
    def __init__(self, session: Session, processes: ProcessEngine) -> None:
        super().__init__(session)
        self._processes = processes

    def predict(self, key: str) -> Iterator[Stage | Note | RunGroup]:
        """Compute the kernel's predicted interplay of each order of a study and keep it."""
        return self._processes.ask("orders", key)


class _BackbonesApart(Backbones):
    def __init__(
        self, home: Path, offered: Iterable[BackboneChoice], processes: ProcessEngine
    ) -> None:
        super().__init__(home, offered)
        self._processes = processes

    def check(self, name: str, path: str) -> Iterator[Stage | WeightsFile]:
        """Read a weights file as training would, without running what it holds."""
        return self._processes.ask("weights", name, path)


def _only(items: Iterator[Any]) -> Any:
    (item,) = items
    return item
