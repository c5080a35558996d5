"""Questions to a child process: its items one by one, given up at any time from any thread."""

import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

from workbench.errors import WorkbenchError
from workbench.session.children import Children, EngineChild
from workbench.session.messages import Answered, Ask, Enough, Item, Switches

LOOK_SECONDS = 0.5  # how often it is looked whether the answer is still wanted
ENOUGH_SECONDS = 10.0  # that an item may take whose asker does not want it any more


class Asked(Iterator[Any]):
    """Items of an answer. Nothing is asked before the first one is wanted; one thread iterates and closes."""

    def __init__(self, children: Children, switches: Switches, mark: object, ask: Ask) -> None:
        self._children, self._switches, self._mark, self._ask = children, switches, mark, ask
        self._child: EngineChild | None = None
        self._enough = threading.Event()
        self._lock = threading.Lock()  # of whose child it is: the next user's is not to be told
        self._items = self._answer()

    def __next__(self) -> Any:
        return next(self._items)

    def cancel(self) -> None:
        """Let the iteration end soon, whatever the child is doing; for any thread."""
        self._enough.set()
        with self._lock:
            if self._child is not None:
                self._child.send(Enough())  # it need not wait for this side to look

    def close(self) -> None:
        """Give the rest up, and wait until the child has."""
        self._items.close()

    def _answer(self) -> Generator[Any, None, None]:
        child = self._children.take(self._switches, self._mark)
        self._child = child
        answered = False
        try:
            child.send(self._ask)
            for message in self._heard(child):
                if isinstance(message, Item):
                    yield message.value
                elif isinstance(message, Answered):
                    answered = True
                    _raise(message)
                    return
            if not self._enough.is_set():
                raise WorkbenchError(
                    "The engine process ended before it had answered; often too little memory. Try again."
                )
        finally:
            with self._lock:
                self._child = None
            whole = answered or (child.alive and _give_up(child))
            self._children.give_back(child, self._mark, whole=whole)

    def _heard(self, child: EngineChild) -> Generator[Any, None, None]:
        while not child.gone and not self._enough.is_set():
            yield from child.receive(LOOK_SECONDS)


def _give_up(child: EngineChild) -> bool:
    """Wait for the item under way; a child that goes on for long, or has not begun to work, is ended instead.

    Returns whether it can be used again.
    """
    child.send(Enough())
    until = time.monotonic() + ENOUGH_SECONDS
    while child.alive and time.monotonic() < until:
        if any(isinstance(message, Answered) for message in child.receive(LOOK_SECONDS)):
            return True
        if not child.ready:
            break
    child.end(at_once=True)
    return False


def _raise(answer: Answered) -> None:
    if answer.error is not None:
        raise answer.error
    if answer.detail:
        raise RuntimeError(f"In the engine process:\n{answer.detail}")
