"""The last words about a run whose process ended without any: what happened, and how much is kept."""

import signal

from workbench.events import (
    Checkpointed,
    Event,
    RunStarted,
    Step,
    TaskEnded,
    TaskStarted,
)

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
        self._saved: tuple[int, float | None] | None = None  # step, and when it was written
        self._learning: int | None = None
        self._task: int | None = None  # the last whole one

    def go_on(self, step: int, task: int) -> None:
        """Begin at a checkpoint at this step of a task, rather than at the run's beginning."""
        self.steps, self._saved, self._learning = step, (step, None), task

    def hear(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(
            event, (RunStarted, TaskStarted, Step)
        ):  # one that goes on starts without a word
            self._began = True
        if isinstance(event, (TaskStarted, Step)):
            self._learning = event.task
        if isinstance(event, Step):
            self.steps = event.step + 1
        elif isinstance(event, Checkpointed):
            self._saved = event.step, event.time
        elif isinstance(event, TaskEnded):
            self._task = event.task

    def sentence(self, code: int | None, now: float, *, forced: bool = False) -> str:
        """Return what is to be said of an end with this exit code, now."""
        if forced:
            return f"Training was stopped by force. {self.kept(now)}"
        if not self._began:
            return (
                f"The training engine stopped while starting ({exit_text(code)}). Nothing was lost."
            )
        return f"Training stopped unexpectedly ({_cause(code)}). {self.kept(now)}"

    @property
    def place(self) -> str:
        """Where the run is, as it is told: "in task 2", or "before the first task"."""
        return (
            "before the first task" if self._learning is None else f"in task {self._learning + 1}"
        )

    def checkpoint(self) -> str:
        """Return which checkpoint a run whose numbers went wrong goes back to."""
        if self._saved is None:
            return "There is no checkpoint to go back to."
        return f"The last checkpoint (step {self._saved[0]:,}) is kept."

    def kept(self, now: float) -> str:
        """Return how much of the run is saved."""
        if self._saved is not None:
            step, written = self._saved
            past = "" if written is None else f", {_ago(now - written)} before"
            return f"Saved up to step {step:,}{past}."
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
