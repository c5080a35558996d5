"""Loading what computes (torch and what is built on it): how it is begun, and what is said if it fails."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.errors import WorkbenchError

LOADING = "Starting the engine (loading torch)"
NO_ENGINE = (
    "The training engine did not start: torch could not be imported. "
    "You can look at past runs; training is off."
)


class NoEngineError(WorkbenchError):
    """What training needs cannot be imported."""


@contextmanager
def starting() -> Iterator[None]:
    """Import what needs torch inside this; raises NoEngineError, with the cause, if that fails."""
    prepare_threads()
    try:
        yield
    except (ImportError, OSError) as error:  # OSError: one of its libraries cannot be loaded
        raise NoEngineError(NO_ENGINE) from error


def prepare_threads() -> None:
    """Before torch is imported: let its threads wait asleep rather than spinning.

    A training step on two cores costs the same alone; beside a busy neighbour (a window that is
    drawn, another program) it is several times faster: `tests/benchmarks/RESULTS.md`.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
