"""Which pictures are learnt from and which are kept for testing; which classes form a task.

A class's pictures are ranked by a hash of seed, class and path: the choice for one class knows
nothing of the others, and a picture more or less moves few others across.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from workbench.core.walk import counted
from workbench.errors import UsageError
from workbench.report import TaskReport


def split_pictures(
    names: Sequence[str], class_name: str, seed: int, test_share: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the class's training and test pictures, each sorted and with at least one.

    Raises:
        UsageError: there are fewer than two pictures.
    """
    if len(names) < 2:
        raise UsageError(too_few(class_name, len(names)))
    n_test = test_count(len(names), test_share)
    ranked = _ranked(names, f"test|{seed}|{class_name}")
    return tuple(sorted(ranked[n_test:])), tuple(sorted(ranked[:n_test]))


def test_count(number: int, test_share: float) -> int:
    """Return how many of a class's pictures are kept for testing: at least one, never all."""
    return min(max(1, int(number * test_share + 0.5)), number - 1)


def at_most(names: Sequence[str], most: int, class_name: str, seed: int) -> tuple[str, ...]:
    """Return `most` of the class's pictures, sorted; 0 returns all."""
    if not most or len(names) <= most:
        return tuple(sorted(names))
    return tuple(sorted(_ranked(names, f"limit|{seed}|{class_name}")[:most]))


def fold_of(
    names: Sequence[str], class_name: str, seed: int, folds: int, fold: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a class's training pictures without part `fold` (from 1) of `folds`, and that part; both sorted.

    Parts differ by at most one picture, and together they are the whole class.

    Raises:
        UsageError: there are fewer pictures than parts, or no such part.
    """
    if folds < 2 or fold > folds:
        raise UsageError(
            f"Validation part {fold} of {folds} is not there: two parts or more are needed (data.folds), "
            f"and one of them is tested on (data.fold from 1)."
        )
    if len(names) < folds:
        raise UsageError(
            f"{class_name!r} has {counted(len(names), 'training picture')}, too few for {folds} validation parts. "
            "Choose fewer parts (data.folds), or leave the class out."
        )
    ranked = _ranked(names, f"fold|{seed}|{class_name}")
    held = frozenset(ranked[fold - 1 :: folds])
    return tuple(sorted(frozenset(ranked) - held)), tuple(sorted(held))


def split_by_class(
    names: Sequence[str], first: int, increment: int, seed: int
) -> tuple[tuple[str, ...], ...]:
    """Return the classes of each task: `first`, then `increment` each, the last task what remains.

    The order of classes is shuffled by `seed` and does not depend on the order of `names`.

    Raises:
        UsageError: the numbers do not fit the number of classes.
    """
    if not 1 <= first <= len(names):
        raise UsageError(
            f"Classes in the first task: {first} is not possible with {len(names)} classes; "
            f"choose 1 to {len(names)}."
        )
    if increment < 1 and first < len(names):
        raise UsageError(
            f"Classes in later tasks: {increment} is not possible while {len(names) - first} "
            f"classes remain after the first task; choose at least 1."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    classes = [sorted(names)[place] for place in order]
    starts = range(first, len(classes), max(increment, 1))
    later = (tuple(classes[start : start + increment]) for start in starts)
    return (tuple(classes[:first]), *later)


def split_report(
    report: TaskReport, first: int, increment: int, seed: int
) -> tuple[TaskReport, ...]:
    """Split one scanned task by class into several; what was found out goes with the class.

    Raises:
        UsageError: the numbers do not fit the number of classes.
    """
    counts = {each.name: each for each in report.classes}
    parts = split_by_class(tuple(counts), first, increment, seed)
    place = {name: number for number, names in enumerate(parts) for name in names}
    root = Path(report.folder.path)

    def task_of(path: str) -> int:
        steps = Path(path).relative_to(root).parts if os.path.isabs(path) else path.split("/")
        below_part = steps[1:] if report.has_split else steps
        inside = (below_part or steps)[:1]
        return place.get(inside[0], 0) if inside else 0  # what belongs to no class: the first task

    def part(number: int, names: tuple[str, ...]) -> TaskReport:
        folder = replace(
            report.folder,
            name=f"{report.folder.name} {number + 1}",
            classes=names,
            left_out=tuple(path for path in report.folder.left_out if task_of(path) == number),
        )
        return replace(
            report,
            folder=folder,
            classes=tuple(counts[name] for name in names),
            problems=tuple(each for each in report.problems if task_of(each.path) == number),
            hashes={path: sha for path, sha in report.hashes.items() if task_of(path) == number},
            spare=report.spare if number == 0 else (),
        )

    return tuple(part(number, names) for number, names in enumerate(parts))


def too_few(class_name: str, number: int) -> str:
    """Return the sentence for a class that cannot be split."""
    pictures = "1 picture" if number == 1 else f"{number} pictures"
    return f"{class_name!r} has {pictures}. At least 2 are needed (1 to learn, 1 to test)."


def _ranked(names: Sequence[str], salt: str) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(f"{salt}|{name}".encode()).digest())
