"""A step's numbers from the device: at once from a processor; from a GPU when they are there, and nobody waits.

To read a number of a GPU is to wait until it has done all that it was given, and it then stands still until it is
given more. So the numbers are copied behind the step, and read when the log or the window wants them.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from workbench.errors import NotFinite

AT_MOST = 2  # steps whose numbers may be on their way while the next one is begun


class Arrival(Protocol):
    """Says when a copy is there: `torch.cuda.Event`."""

    def query(self) -> bool:
        """Return whether it is there."""
        ...

    def synchronize(self) -> None:
        """Wait until it is there."""
        ...


class OnTheirWay(Mapping[str, float]):
    """Numbers by name that may not be there yet; whoever looks at one waits for them. To another process they go as a dict.

    Args:
        values: (n,), in the computer's memory once `arrival` says so.
    """

    def __init__(self, names: tuple[str, ...], values: Tensor, arrival: Arrival) -> None:
        self._names = names
        self._values = values
        self._arrival = arrival
        self._read: dict[str, float] | None = None

    @property
    def there(self) -> bool:
        """Whether looking would not wait."""
        return self._read is not None or self._arrival.query()

    def __getitem__(self, name: str) -> float:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._all() == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[dict[str, float]], tuple[dict[str, float]]]:
        return dict, (self._all(),)

    def _all(self) -> dict[str, float]:
        if self._read is None:
            self._arrival.synchronize()
            self._read = dict(zip(self._names, self._values.tolist(), strict=True))
        return self._read


def numbers(terms: Mapping[str, Tensor]) -> Mapping[str, float]:
    """Return terms, each of one element, as numbers, all fetched at once."""
    values = torch.stack([term.detach().reshape(()) for term in terms.values()])
    if not values.is_cuda:
        return dict(zip(terms, values.tolist(), strict=True))
    here = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    here.copy_(values, non_blocking=True)
    arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
    arrival.record()
    return OnTheirWay(tuple(terms), here, arrival)


class Watch:
    """Sees that the numbers of every step are finite: at once where they are there, else a step or two later."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Mapping[str, float]]] = deque()

    def see(self, task: int, values: Mapping[str, float]) -> None:
        """Take the numbers of a step of a 0-based task, and look at those that are there.

        Raises:
            NotFinite: one is no number any more.
        """
        self._waiting.append((task, values))
        while self._waiting and (len(self._waiting) > AT_MOST or _there(self._waiting[0][1])):
            _check(*self._waiting.popleft())

    def see_all(self) -> None:
        """Wait for whatever is on its way.

        Raises:
            NotFinite: as `see`.
        """
        while self._waiting:
            _check(*self._waiting.popleft())


def _there(values: Mapping[str, float]) -> bool:
    return values.there if isinstance(values, OnTheirWay) else True


def _check(task: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if not math.isfinite(value):
            what = f"The loss term '{name}' became {value}"
            sentence = f"{what} in task {task + 1}. A lower learning rate usually helps."
            raise NotFinite(sentence, what)
