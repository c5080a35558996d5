"""What a scan found, as a report: counts, and a sentence for everything a user should know first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.config import TaskFolder
from workbench.core.listing import ClassFiles, Listing, no_pictures
from workbench.core.pictures import PictureError
from workbench.core.split import test_count, too_few
from workbench.core.walk import counted, examples, name_of
from workbench.report import ClassReport, Problem, TaskReport


@dataclass
class Found:
    """What decoding found, by POSIX path relative to the task's folder."""

    hashes: dict[str, str] = field(default_factory=dict)
    errors: dict[str, PictureError] = field(default_factory=dict)


def report_on(listing: Listing, question: str, found: Found, test_share: float) -> TaskReport:
    """Return the report of one listed and decoded task, not yet compared with others."""
    name = name_of(listing.path)
    is_there = listing.path.is_dir()  # if not, one sentence says so and that is enough
    problems = [*listing.problems, *_unreadable(listing, found)]
    named = {problem.path for problem in problems}
    classes = []
    for each in listing.classes if is_there else ():
        readable = ClassFiles(
            each.name,
            tuple(path for path in each.train if path in found.hashes),
            tuple(path for path in each.test if path in found.hashes),
        )
        problem = _shortage(listing, each, readable)
        if problem is None:
            classes.append(_count(listing, readable, test_share))
        elif problem.kind != "empty_class" or problem.path not in named:
            problems.append(problem)
    if question:
        problems.append(_question(listing))
    if is_there and not found.hashes:
        problems.append(_nothing(listing))
    problems += _duplicates(listing, found)
    folder = TaskFolder(
        name,
        str(listing.path),
        classes=() if question else tuple(each.name for each in classes),
        left_out=tuple(sorted(path for path in found.errors if not _lost(listing.path, path))),
    )
    parts = listing.parts is not None
    return TaskReport(folder, tuple(classes), parts, tuple(problems), question, found.hashes)


def _count(listing: Listing, readable: ClassFiles, test_share: float) -> ClassReport:
    number = len(readable.train)
    if listing.parts:
        held = len(readable.test)
        return ClassReport(readable.name, number, held, readable.train, readable.test)
    n_test = test_count(number, test_share)
    return ClassReport(readable.name, number - n_test, n_test, readable.train)


def _unreadable(listing: Listing, found: Found) -> Iterator[Problem]:
    """Yield a problem for each picture; of a folder that vanished, one for all it held."""
    told = set()
    for path, error in found.errors.items():
        lost = _lost(listing.path, path) if error.kind == "vanished" else None
        if lost is None:
            yield Problem(str(listing.path / path), error.kind, str(error))
        elif lost not in told:
            told.add(lost)
            sentence = f"The folder {lost.name!r} is no longer there ({lost}). Connect the drive, or choose another."
            yield Problem(str(lost), "vanished", sentence)


def _lost(root: Path, path: str) -> Path | None:
    """Return the topmost folder that is gone, from the task's folder down to the picture's."""
    folder = (root / path).parent
    if folder.is_dir():
        return None
    above = [place for place in folder.parents if place.is_relative_to(root)]
    return next((place for place in reversed(above) if not place.is_dir()), folder)


def _shortage(listing: Listing, each: ClassFiles, readable: ClassFiles) -> Problem | None:
    """Return why a class cannot be learnt, or None."""
    place = listing.path if listing.one_class else listing.path / each.name
    shown = place.relative_to(listing.path.parent).as_posix()
    if listing.parts:
        missing = [
            part
            for part, files in zip(listing.parts, (readable.train, readable.test), strict=True)
            if not files
        ]
        if not missing:
            return None
        path = str(listing.path / missing[0] / each.name)
        where = " and ".join(map(repr, missing))
        sentence = f"{shown!r} has no readable picture in {where}. It will be left out."
        return Problem(path, "too_few" if each.train or each.test else "empty_class", sentence)
    if not each.train:
        return Problem(
            str(place), "empty_class", f"{shown!r} has no pictures. It will be left out."
        )
    if len(readable.train) < 2:
        return Problem(str(place), "too_few", too_few(shown, len(readable.train)))
    return None


def _question(listing: Listing) -> Problem:
    holds = f"{name_of(listing.path)!r} holds {counted(len(listing.files), 'picture')}"
    sentence = f"{holds} but no sub-folders. Use it as one class, or choose the folder above?"
    return Problem(str(listing.path), "no_classes", sentence)


def _nothing(listing: Listing) -> Problem:
    if not listing.files:
        return no_pictures(listing.path)
    sentence = f"None of the {counted(len(listing.files), 'picture')} in {name_of(listing.path)!r} can be read."
    return Problem(str(listing.path), "no_pictures", sentence)


def _duplicates(listing: Listing, found: Found) -> Iterator[Problem]:
    """Yield the problem of one picture in both parts, or, before a split, of one that occurs twice."""
    train = [path for each in listing.classes for path in each.train if path in found.hashes]
    test = [path for each in listing.classes for path in each.test if path in found.hashes]
    name = name_of(listing.path)
    if listing.parts:
        learnt = {found.hashes[path] for path in train}
        twice = [path for path in test if found.hashes[path] in learnt]
        where = (
            "are in the training part as well"
            if len(twice) > 1
            else "is in the training part as well"
        )
        sentence = (
            f"{counted(len(twice), 'test picture')} of {name!r} {where}. Scores would look too good"
        )
    else:
        first = {found.hashes[path]: path for path in reversed(train)}
        twice = [path for path in train if first[found.hashes[path]] != path]
        copies = "are copies of others" if len(twice) > 1 else "is a copy of another"
        sentence = (
            f"{counted(len(twice), 'picture')} of {name!r} {copies} and may be kept for testing while "
            "the original is learnt. Scores would look too good"
        )
    if twice:
        yield Problem(
            str(listing.path / twice[0]),
            "duplicate_test",
            f"{sentence}: {examples(map(repr, twice))}.",
        )


def compared_with(report: TaskReport, others: Sequence[TaskReport]) -> TaskReport:
    """Return the report with what it shares with others: pictures and classes; its name unlike theirs."""
    root = Path(report.folder.path)
    problems = list(report.problems)
    for other in others:
        shared = shared_pictures(report, (other,))
        if shared:
            is_are = "is" if len(shared) == 1 else "are"
            sentence = (
                f"{counted(len(shared), 'picture')} of {report.folder.name!r} {is_are} also in task "
                f"{other.folder.name!r}. Scores would look too good: {examples(map(repr, shared))}."
            )
            problems.append(Problem(str(root / shared[0]), "duplicate_task", sentence))
    for name, number in owners(report, others).items():
        sentence = (
            f"{name!r} also appears in task {number}. "
            "Same class (it will be learnt further) or a different one?"
        )
        problems.append(Problem(str(root / name), "same_name", sentence))
    name = _unlike(report.folder.name, {other.folder.name for other in others})
    return replace(report, folder=replace(report.folder, name=name), problems=tuple(problems))


def shared_pictures(report: TaskReport, others: Sequence[TaskReport]) -> list[str]:
    """Return the report's pictures in use whose content another task uses as well."""
    taken = {sha for other in others for sha in _in_use(other).values()}
    return [path for path, sha in _in_use(report).items() if sha in taken]


def owners(report: TaskReport, others: Sequence[TaskReport]) -> dict[str, int]:
    """Return the report's class names that an earlier task has too, with that task's number from 1."""
    numbers: dict[str, int] = {}
    for number, other in enumerate(others, 1):
        for each in other.classes:
            if each.name not in other.folder.other_classes:
                numbers.setdefault(each.name, number)
    return {each.name: numbers[each.name] for each in report.classes if each.name in numbers}


def _in_use(report: TaskReport) -> dict[str, str]:
    out = set(report.folder.left_out)
    return {path: sha for path, sha in report.hashes.items() if path not in out}


def _unlike(name: str, taken: set[str]) -> str:
    """Return `name`, numbered if another task has it."""
    number = 1
    while (name if number == 1 else f"{name} ({number})") in taken:
        number += 1
    return name if number == 1 else f"{name} ({number})"
