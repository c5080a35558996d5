"""Global numbers and names of classes over a sequence of tasks."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Numbering:
    """`ids[t][i]` is the global number of class i of task t; `shown[number]` is its unique name."""

    ids: tuple[tuple[int, ...], ...]
    shown: tuple[str, ...]


def number_classes(
    tasks: Sequence[tuple[str, Sequence[str], Collection[str], Collection[str]]],
) -> Numbering:
    """Number classes in learning order.

    Args:
        tasks: of each its name, its classes, those of them that are the same as an earlier task's
            class of that name (the latest one, if there are several), and those that are a class
            of this task alone: nothing joins them, whatever the order of tasks.
    """
    owners: list[tuple[str, str]] = []  # class and task, by number
    newest: dict[str, int] = {}
    ids = []
    for task, classes, same, alone in tasks:
        numbers = []
        for name in classes:
            number = newest.get(name) if name in same and name not in alone else None
            if number is None:
                number = len(owners)
                owners.append((name, task))
            if name not in alone:
                newest[name] = number
            numbers.append(number)
        ids.append(tuple(numbers))
    return Numbering(tuple(ids), _shown(owners))


def _shown(owners: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return unique names: where classes clash, the task's name is added, and a number if need be."""
    count = Counter(name for name, _ in owners)
    taken = {name for name, _ in owners if count[name] == 1}
    names = []
    for name, task in owners:
        full, number = name, 1
        while count[name] > 1 and (full == name or full in taken):
            full = f"{name} ({task})" if number == 1 else f"{name} ({task}, {number})"
            number += 1
        taken.add(full)
        names.append(full)
    return tuple(names)
