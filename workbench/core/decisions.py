"""What the user answers about scanned tasks, worked into their reports: left out, joined, moved.

A report's counts always follow its folder's `left_out` and `classes`, so that what is shown is what
will be trained on.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from workbench.config import ExtraFolder, TaskFolder
from workbench.core.gather import way_to
from workbench.core.split import test_count, too_few
from workbench.errors import UsageError
from workbench.report import ClassReport, Problem, TaskReport


def leave_out(report: TaskReport, pictures: Collection[str], test_share: float) -> TaskReport:
    """Return the report with exactly these of its readable pictures left out.

    A class that keeps too few is set aside with a problem that says so.
    """
    unreadable = [path for path in report.folder.left_out if path not in report.hashes]
    folder = replace(report.folder, left_out=tuple(sorted({*unreadable, *pictures})))
    return recounted(replace(report, folder=folder), test_share)


def take_classes(report: TaskReport, names: Collection[str], test_share: float) -> TaskReport:
    """Return the report with these of its classes taken and the others set aside.

    Raises:
        UsageError: nothing would be left of the task's own folder.
    """
    known = (*report.classes, *report.spare)
    taken = tuple(each for each in known if each.name in names)
    spare = tuple(each for each in known if each.name not in names)
    folder = _with_classes(report.folder, taken)
    return recounted(replace(report, folder=folder, classes=taken, spare=spare), test_share)


def marked(
    tasks: Sequence[TaskReport], number: int, same: Collection[str], other: Collection[str]
) -> tuple[TaskReport, ...]:
    """Return all tasks with the answers for the task at place `number`.

    Both sides are marked, so that an answer holds in every order of the tasks.
    """
    found = list(tasks)
    found[number] = _with_marks(found[number], same, other)
    for name in same:
        having = [
            place
            for place, task in enumerate(tasks)
            if place != number
            and any(each.name == name for each in task.classes)
            and name not in task.folder.other_classes
        ]
        if any(name in tasks[place].folder.same_classes for place in having):
            continue
        earlier = [place for place in having if place < number] or having
        for place in having:
            joins = place == earlier[-1]
            found[place] = _with_marks(
                found[place], (name,) if joins else (), () if joins else (name,)
            )
    return tuple(found)


def twice(report: TaskReport) -> list[str]:
    """Return pictures whose content is learnt from as well: of the test part, or later copies."""
    out = set(report.folder.left_out)
    seen: set[str] = set()
    tests: list[str] = []
    copies = []
    for each in report.classes:
        tests += each.tests
        for path in each.pictures:
            if path not in out and report.hashes[path] in seen and not each.tests:
                copies.append(path)
            elif path not in out:
                seen.add(report.hashes[path])
    return copies + [p for p in tests if p not in out and report.hashes[p] in seen]


def moved(before: TaskReport, after: TaskReport, test_share: float) -> TaskReport:
    """Return the task `before` with what was found of it at its new place.

    Raises:
        UsageError: classes that it takes are not there.
    """
    folder = replace(before.folder, path=after.folder.path)
    known = {each.name: each for each in (*after.classes, *after.spare)}
    if folder.one_class:  # its only class is called like the folder
        return replace(after, folder=folder, question="")
    absent = [name for name in folder.classes if name not in known]
    if absent:
        raise UsageError(
            f"{after.folder.path} is not the folder of task {folder.name!r}: there is no class "
            f"{absent[0]!r} in it. Choose another folder."
        )
    names = folder.classes or tuple(known)
    found = replace(
        after,
        folder=folder,
        classes=tuple(known[name] for name in names),
        spare=tuple(each for name, each in known.items() if name not in names),
        problems=tuple(p for p in after.problems if p.kind not in ("same_name", "duplicate_task")),
    )
    kept = [path for path in folder.left_out if path in after.hashes]
    return leave_out(found, kept, test_share)


def recounted(report: TaskReport, test_share: float) -> TaskReport:
    """Return the report counted anew; a class that keeps too few pictures is set aside."""
    out = set(report.folder.left_out)
    taken, spare = [], [_counted(each, out, test_share) for each in report.spare]
    problems = [problem for problem in report.problems if problem.kind != "left_short"]
    for each in report.classes:
        now = _counted(each, out, test_share)
        if (now.train and now.test) or not each.pictures:
            taken.append(now)
        else:
            spare.append(now)
            problems.append(_short(report, each, now))
    folder = report.folder
    if len(taken) != len(report.classes):
        folder = _with_classes(folder, taken)
    return replace(
        report, folder=folder, classes=tuple(taken), spare=tuple(spare), problems=tuple(problems)
    )


def _short(report: TaskReport, each: ClassReport, now: ClassReport) -> Problem:
    place = Path(report.folder.path) / each.name
    shown = f"{report.folder.name}/{each.name}"
    return Problem(str(place), "left_short", too_few(shown, now.train + now.test))


def _counted(each: ClassReport, out: Collection[str], test_share: float) -> ClassReport:
    if not each.pictures and not each.tests:  # never looked at picture by picture
        return each
    number = sum(path not in out for path in each.pictures)
    held = sum(path not in out for path in each.tests)
    if each.tests:
        return replace(each, train=number, test=held)
    n_test = test_count(number, test_share) if number >= 2 else 0
    return replace(each, train=number - n_test, test=n_test)


def _with_classes(folder: TaskFolder, classes: Sequence[ClassReport]) -> TaskFolder:
    """Return the folder with these classes alone; a further folder of which none is left goes."""
    ways = [way_to(folder.path, part.path) for part in folder.parts]
    own, *others = (
        replace(
            part, classes=tuple(_name_on_disk(part, c) for c in classes if _lies_at(c, way, ways))
        )
        for part, way in zip(folder.parts, ways, strict=True)
    )
    if not own.classes and others:
        raise UsageError(
            f"No class of {folder.path!r} would be left in task {folder.name!r}. Keep one, or remove "
            "the task and add the other folders alone."
        )
    also = tuple(
        replace(part, classes=() if part.one_class else part.classes)
        for part in others
        if part.classes
    )
    return replace(folder, classes=() if folder.one_class else own.classes, also=also)


def _lies_at(each: ClassReport, way: str, ways: Sequence[str]) -> bool:
    """Return whether a class has pictures in the folder that `way` leads to."""
    others = tuple(other for other in ways if other)
    if not way:
        paths = (*each.pictures, *each.tests)
        return not paths or any(not path.startswith(others) for path in paths)
    return any(path.startswith(way) for path in (*each.pictures, *each.tests))


def _name_on_disk(part: ExtraFolder, each: ClassReport) -> str:
    plain = each.name.removesuffix(f" ({part.name})")
    return plain if plain in part.other_classes else each.name


def _with_marks(report: TaskReport, same: Collection[str], other: Collection[str]) -> TaskReport:
    folder = report.folder
    joining = tuple(sorted({*folder.same_classes, *same} - {*other}))
    alone = tuple(sorted({*folder.other_classes, *other} - {*same}))
    answered = {*same, *other}
    problems = tuple(
        problem
        for problem in report.problems
        if problem.kind != "same_name" or PurePath(problem.path).name not in answered
    )
    folder = replace(folder, same_classes=joining, other_classes=alone)
    return replace(report, folder=folder, problems=problems)
