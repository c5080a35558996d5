"""What a plug-in offers: descriptions, each with a factory that is called only when it is needed."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.measures import Measure

Factory = str | Callable[..., Any]  # "package.module:name", imported when it is needed, or callable


@dataclass(frozen=True)
class MethodChoice:
    """A way to learn tasks, chosen by `method.name`.

    `make(network, method, switches, training, chance)` returns a `core.learner.Learner`; most derive
    from `core.method.Method`. `values` maps "section.key" to settings that the method needs as they
    are; they are put into the run's configuration when it starts, so the log has them.
    """

    name: str
    title: str
    make: Factory
    note: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetChoice:
    """Folders that can be taken as tasks: `make(place, given)` returns their paths.

    `place` is a folder of its own for files it has to write; `given` is the folder that the user
    was asked for with the sentence `asks`, or None where that is empty. It may be slow, and raises
    WorkbenchError with a sentence for what the user can mend.
    """

    name: str
    title: str
    make: Factory
    note: str = ""
    asks: str = ""


@dataclass(frozen=True)
class ExtraMeasure:
    """A number made at the end of each task: `make(events)` from what the run said so far.

    It returns the value, or a sentence why there is none. It sees events and nothing else, so it
    cannot change what is trained.
    """

    measure: Measure
    make: Factory


@dataclass(frozen=True)
class ExporterChoice:
    """A way to take a run along: `make(details, events, folder)` writes and returns the files' paths."""

    name: str
    title: str
    make: Factory
    note: str = ""


@dataclass(frozen=True)
class PanelChoice:
    """A tab of the window: `make()` returns a QWidget that has `show_news(events)` and `clear()`.

    `show_news` gets a run's events as they come, or all of them in replay; `clear` forgets the run.
    """

    name: str
    title: str
    make: Factory
    note: str = ""


def resolve(make: Factory) -> Callable[..., Any]:
    """Return the factory itself; one that is named by "package.module:name" is imported now."""
    if not isinstance(make, str):
        return make
    module, _, name = make.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found
