"""The last words about a run whose process ended without any: what happened, and how much is kept."""

import signal

from workbench.events import Checkpointed, Event, RunStarted, Step, TaskEnded

OWNER_GONE = "the program that it belonged to ended"
KILLED = "the engine was ended by the system; often too little memory"


class Ending:
    """Hears a run's events, and knows at any time what its sudden end would leave.

    Attributes:
        steps: how many are done.
    """

    def __init__(self) -> None:
        self.steps = 0
        self._began = False
        self._saved: Checkpointed | None = None
        self._task: int | None = None  # the last whole one

    def hear(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, RunStarted):
            self._began = True
        elif isinstance(event, Step):
            self.steps = event.step + 1
        elif isinstance(event, Checkpointed):
            self._saved = event
        elif isinstance(event, TaskEnded):
            self._task = event.task

    def sentence(self, code: int | None, now: float, *, forced: bool = False) -> str:
        """Return what is to be said of an end with this exit code, now."""
        if forced:
            return f"Training was stopped by force. {self._kept(now)}"
        if not self._began:
            return (
                f"The training engine stopped while starting ({exit_text(code)}). Nothing was lost."
            )
        return f"Training stopped unexpectedly ({_cause(code)}). {self._kept(now)}"

    def _kept(self, now: float) -> str:
        if self._saved is not None:
            past = "" if self._saved.time is None else f", {_ago(now - self._saved.time)} before"
            return f"Saved up to step {self._saved.step:,}{past}."
        if self._task is not None:
            return f"What was learnt up to task {self._task + 1} is kept."
        return "No task was learnt to its end; what was logged is kept."


def exit_text(code: int | None) -> str:
    """Return an exit code as it is told: with a real minus sign, which stands for a signal."""
    return f"exit code {code}".replace("-", "\N{MINUS SIGN}")


def _cause(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the engine ended with {exit_text(code)}"
    if code == -9:
        return KILLED
    try:
        return f"the engine crashed with {signal.Signals(-code).name}"
    except ValueError:  # a signal without a name
        return f"the engine crashed with {exit_text(code)}"


def _ago(seconds: float) -> str:
    return f"{max(0, seconds):.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
