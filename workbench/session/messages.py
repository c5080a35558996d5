"""What a window and its engine process say to each other: frozen dataclasses of plain values, never a tensor.

They travel over a pipe between a process and the child it has started itself, in the pickles of
`multiprocessing`: nothing from a file or from the network is read this way.
"""

from dataclasses import dataclass, field
from typing import Any

from workbench.errors import WorkbenchError
from workbench.events import Event
from workbench.session.steering import Wish
from workbench.session.work import Job

PROTOCOL = 2  # both sides come from one installation; an update under a running window shows here


@dataclass(frozen=True)
class Hello:
    """The child is there; said once, first."""

    protocol: int
    pid: int


@dataclass(frozen=True)
class Ready:
    """What training needs is loaded, or cannot be; from now on the child can be asked to give up."""


@dataclass(frozen=True)
class Beat:
    """The process is there and its threads run, however long its work says nothing."""


@dataclass(frozen=True)
class Told:
    """What a run said, oldest first."""

    events: tuple[Event, ...]


@dataclass(frozen=True)
class Over:
    """The run's work has returned, and everything it said has been told."""


@dataclass(frozen=True)
class Item:
    """The next item of what was asked for."""

    value: Any


@dataclass(frozen=True)
class Answered:
    """There are no more items: it ended by itself, by `error`, or by a bug whose traceback is `detail`."""

    error: WorkbenchError | None = None
    detail: str = ""


@dataclass(frozen=True)
class Start:
    """Train this; wishes follow."""

    job: Job


@dataclass(frozen=True)
class Wished:
    """A wish about the run under way."""

    wish: Wish


@dataclass(frozen=True)
class Ask:
    """Iterate one of the named things of a session, and send its items."""

    name: str
    arguments: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Enough:
    """No more items are wanted."""


@dataclass(frozen=True)
class Quit:
    """End; nothing is under way."""


@dataclass(frozen=True)
class Switches:
    """How the child is to load plug-ins: as its parent did."""

    entry_points: bool = True
    safe_mode: bool = False
