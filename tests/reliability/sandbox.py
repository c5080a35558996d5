"""Where malformed inputs are let loose."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from workbench.session import Session

Target = Callable[[Any], None]


@dataclass(frozen=True)
class Sandbox:
    """Where an input may write: `home` and `given`; everything else below `root` must stay as it is.

    `stack` closes what a kind of input opened for all of its examples.
    """

    root: Path
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def home(self) -> Path:
        """The home folder of the log."""
        return self.root / "home"

    @property
    def given(self) -> Path:
        """Where the inputs lie."""
        return self.root / "given"

    def session(self) -> Session:
        """A session over the home folder, closed with the sandbox."""
        session = Session(self.home, entry_points=False)
        self.stack.callback(session.close)
        return session


Inputs = tuple[st.SearchStrategy[Any], Target]
Kind = Callable[[Sandbox], Inputs]
