"""Plug-ins as a session has them: which are there, whether they may run, and their use in a run."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import config as configs, paths
from workbench.config import RunConfig
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Event
from workbench.plugins import Entry, Memory, Plugins, load, resolve
from workbench.plugins.blame import sentence_of
from workbench.plugins.loader import FAILED, LEFT_OUT, LOADED, NEW, OFF
from workbench.report import MethodOffer
from workbench.session.extra_measures import with_measures

if TYPE_CHECKING:
    from workbench.report import RunDetails

__all__ = [
    "FAILED", "LEFT_OUT", "LOADED", "NEW", "OFF", "WARNING", "Entry", "PlugIns", "line_of", "version_of",
]  # fmt: skip

WARNING = "Plug-ins are programs and can do anything you can."


class PlugIns:
    """The plug-ins over one home folder.

    Args:
        home: where the user's own lie and what is trusted is remembered.
        entry_points: whether installed packages are looked at.
        safe_mode: whether to start with the built-ins only.
        trust: whether to run, and from now on trust, what was not seen before.
    """

    def __init__(
        self, home: Path, *, entry_points: bool = True, safe_mode: bool = False, trust: bool = False
    ) -> None:
        self.home, self.entry_points = home, entry_points
        self.memory = Memory(home)
        self.died_in = self.memory.died_in()
        self.safe_mode = safe_mode
        self.loaded: Plugins = load(
            paths.plugin_folders(home), entry_points=entry_points, memory=self.memory,
            safe_mode=safe_mode or bool(self.died_in),
        )  # fmt: skip
        if trust and not safe_mode:
            for entry in self.waiting():
                self.trust(entry.name)

    @property
    def entries(self) -> list[Entry]:
        """One entry for each plug-in found, in the order of loading."""
        return self.loaded.entries

    def notes(self) -> tuple[str, ...]:
        """Return sentences for a terminal: what failed, what was not run and why."""
        said = list(self.loaded.problems)
        if self.died_in:
            said.append(
                f"Started without plug-ins because the last start failed in '{self.died_in}'."
            )
        said += [
            f"'{entry.name}' is new and was not run. {WARNING} Read {entry.source.place}; "
            "with --trust-plugins it is loaded from now on."
            for entry in self.waiting()
        ]  # fmt: skip
        return tuple(said)

    def methods(self) -> tuple[MethodOffer, ...]:
        """Return the methods for the settings."""
        return tuple(MethodOffer(m.name, m.title, m.note) for m in self.loaded.methods)

    def waiting(self) -> list[Entry]:
        """Return the plug-ins that were not seen before with this content."""
        return [entry for entry in self.entries if entry.state == NEW]

    def trust(self, name: str) -> Entry:
        """Load a plug-in whose content was not seen before, now and at every later start."""
        entry = self.loaded.entry(name)
        self.memory.trust(entry.source.digest)
        self.loaded.admit(entry)
        return entry

    def switch(self, name: str, *, on: bool) -> Entry:
        """Switch a plug-in off, from the next start on, or on, at once where it is not loaded."""
        entry = self.loaded.entry(name)
        self.memory.switch(name, on=on)
        if on and entry.state == OFF:
            self.loaded.admit(entry)
        return entry

    def is_off(self, name: str) -> bool:
        """Whether the plug-in is switched off, now or from the next start on."""
        return self.memory.is_off(name)

    def load_left_out(self) -> None:
        """Load what this start left out."""
        self.died_in, self.safe_mode = "", False
        for entry in self.entries:
            if entry.state == LEFT_OUT:
                self.loaded.admit(entry)

    def versions(self) -> dict[str, str]:
        """Return the version of each plug-in in use, as a run's row keeps it."""
        used = (entry for entry in self.entries if entry.state == LOADED)
        return {f"plug-in {entry.name}": version_of(entry) for entry in used}

    def facts(self) -> dict[str, str]:
        """Return name and one line for each plug-in, for `doctor` and About."""
        return {entry.name: line_of(entry) for entry in self.entries}

    def prepared(self, config: RunConfig) -> RunConfig:
        """Return the configuration with the settings that its method needs as they are.

        Raises:
            UsageError: the method is not known, or its plug-in is not loaded.
        """
        try:
            method = self.loaded.methods.get(config.method.name)
        except UsageError as error:
            names = ", ".join(entry.name for entry in self.entries if entry.state != LOADED)
            hint = f" Not loaded: {names}." if names else ""
            raise UsageError(f"method.name: {error}{hint}") from error
        return configs.with_values(config, method.values) if method.values else config

    def learner(self, config: RunConfig) -> Callable[..., Any]:
        """Return what makes the learner of the run's method; imports torch.

        Raises:
            WorkbenchError: it cannot be imported, with the plug-in's name.
        """
        choice = self.loaded.methods.get(config.method.name)
        owner = self.loaded.owner("method", choice.name)
        return (
            _learner(owner, f"method '{choice.title}'", choice.make)
            if owner
            else resolve(choice.make)
        )

    def measured(
        self, events: Generator[Event, None, None], before: Sequence[Event] = ()
    ) -> Generator[Event, None, None]:
        """Return the run's events with the numbers of plug-ins among them; `before` had been said."""
        return with_measures(_without_exit(events), tuple(self.loaded.measures), before)

    def take_data(self, name: str, given: Path | None) -> list[str]:
        """Return the folders of a data set, as absolute paths; may be slow."""
        choice = self.loaded.datasets.get(name)
        place = self.home / "datasets"
        place.mkdir(exist_ok=True)
        owner = self.loaded.owner("dataset", name)
        folders = _called(owner, f"data set '{choice.title}'", choice.make, place, given)
        return [str(folder.absolute()) for folder in folders]

    def export(
        self, name: str, details: "RunDetails", events: list[Event], folder: Path
    ) -> list[Path]:
        """Write a run with an exporter; return the files.

        Raises:
            WorkbenchError: the exporter failed, with the plug-in's name.
        """
        choice = self.loaded.exporters.get(name)
        owner = self.loaded.owner("exporter", name)
        return _called(owner, f"exporter '{choice.title}'", choice.make, details, events, folder)


def version_of(entry: Entry) -> str:
    """Return "1.0 (sha256 0123456789ab)": what tells later whether it was the same plug-in."""
    digest = f"sha256 {entry.source.digest[:12]}" if entry.source.digest else entry.source.place
    return f"{entry.version} ({digest})" if entry.version else digest


def line_of(entry: Entry) -> str:
    """Return version, state and what it brings, or why it is not there, in a line."""
    things = ", ".join(f"{kind} '{name}'" for kind, name in entry.brings) or "nothing"
    state = {
        LOADED: f"brings {things}",
        NEW: "new, not run",
        OFF: "switched off",
        LEFT_OUT: "left out of this start",
    }
    return f"{version_of(entry)}: {entry.problem or state.get(entry.state, entry.state)}"


def _without_exit(events: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """Pass events on; a method that ends the whole program ends its run instead."""
    try:
        yield from events
    except SystemExit as error:
        raise RuntimeError("it called sys.exit()").with_traceback(error.__traceback__) from None


def _learner(owner: str, what: str, factory: Any) -> Callable[..., Any]:
    """Return a plug-in's factory of learners, which says so where it makes anything else."""
    from workbench.core.learner import Learner

    try:
        make = resolve(factory)
    except (Exception, SystemExit) as error:
        raise _failed(owner, what, error) from error

    def made(*parts: Any) -> Any:
        found = make(*parts)
        if not isinstance(found, Learner):
            raise _failed(
                owner, what, TypeError(f"it makes a {type(found).__name__}, not a Learner")
            )
        return found

    return made


def _failed(owner: str, what: str, error: BaseException) -> WorkbenchError:
    return WorkbenchError(
        f"The {what} failed. {sentence_of(owner, error)} Switch the plug-in off, or tell its author."
    )


def _called(owner: str, what: str, make: Any, *arguments: Any) -> list[Path]:
    """Call a factory for paths; what a plug-in's raises becomes a sentence with its name, our own bug stays one."""
    try:
        return [Path(each) for each in resolve(make)(*arguments)]
    except WorkbenchError:
        raise
    except (Exception, SystemExit) as error:
        if not owner:
            raise
        raise _failed(owner, what, error) from error
