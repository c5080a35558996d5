"""Several tasks made one: from one folder, or from folders in different places."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from workbench.config import ExtraFolder, TaskFolder
from workbench.core.decisions import recounted
from workbench.core.gather import way_to
from workbench.errors import UsageError
from workbench.report import ClassReport, TaskReport


def merge(
    reports: Sequence[TaskReport], different: Collection[str], test_share: float
) -> TaskReport:
    """Return several tasks as one, named after all of them.

    A class name that two of them have is one class, unless it is in `different`.
    """
    first = reports[0]
    merged = first
    for other in reports[1:]:
        merged = _joined(merged, other, different)
    name = " + ".join(report.folder.name for report in reports)
    problems = tuple(
        problem
        for report in reports
        for problem in report.problems
        if problem.kind not in ("same_name", "duplicate_task")
    )
    folder = replace(merged.folder, name=name)
    return recounted(replace(merged, folder=folder, problems=problems), test_share)


def _joined(first: TaskReport, other: TaskReport, different: Collection[str]) -> TaskReport:
    """Return `first` with the classes and folders of `other` added."""
    if _same_place(first.folder, other.folder):
        return _united(first, other)
    folder, before = first.folder, way_to(first.folder.path, other.folder.path)
    unlike = {each.name for each in first.classes} & set(different)
    if unlike and any(part.other_classes for part in other.folder.also):
        raise UsageError(
            f"Task {other.folder.name!r} holds different classes of one name already. Move it above "
            f"{first.folder.name!r} before merging."
        )
    extras = [_extra(part, other.folder.name, unlike) for part in other.folder.parts]
    names = {
        each.name: f"{each.name} ({other.folder.name})" if each.name in unlike else each.name
        for each in other.classes
    }
    classes = (_renamed(each, names[each.name], before) for each in other.classes)
    more = other.folder
    joined = replace(
        folder,
        also=(*folder.also, *extras),
        left_out=(*folder.left_out, *(before + path for path in more.left_out)),
        same_classes=_names((*folder.same_classes, *(names.get(n, n) for n in more.same_classes))),
        other_classes=_names(
            (*folder.other_classes, *(names.get(n, n) for n in more.other_classes))
        ),
    )
    return replace(
        first,
        folder=joined,
        classes=_pooled((*first.classes, *classes)),
        spare=(*first.spare, *(_renamed(each, each.name, before) for each in other.spare)),
        hashes={**first.hashes, **{before + path: sha for path, sha in other.hashes.items()}},
        has_split=first.has_split or other.has_split,
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _same_place(first: TaskFolder, other: TaskFolder) -> bool:
    return (
        way_to(first.path, other.path) == ""
        and not other.also
        and not first.one_class
        and not other.one_class
        and bool(first.classes)
        and bool(other.classes)
    )


def _united(first: TaskReport, other: TaskReport) -> TaskReport:
    """Return two tasks from one folder as one."""
    folder, more = first.folder, other.folder
    classes = (*folder.classes, *(n for n in more.classes if n not in folder.classes))
    left_out = tuple(sorted({*folder.left_out, *more.left_out}))
    known = {each.name for each in first.classes}
    added = tuple(each for each in other.classes if each.name not in known)
    names = {each.name for each in (*first.classes, *added)}
    return replace(
        first,
        folder=replace(folder, classes=classes, left_out=left_out),
        classes=(*first.classes, *added),
        spare=tuple(each for each in (*first.spare, *other.spare) if each.name not in names),
        hashes={**first.hashes, **other.hashes},
    )


def _renamed(each: ClassReport, name: str, before: str) -> ClassReport:
    pictures, tests = (
        tuple(before + path for path in paths) for paths in (each.pictures, each.tests)
    )
    return replace(each, name=name, pictures=pictures, tests=tests)


def _pooled(classes: Iterable[ClassReport]) -> tuple[ClassReport, ...]:
    """Return classes with those of one name made one."""
    pooled: dict[str, ClassReport] = {}
    for each in classes:
        old = pooled.get(each.name)
        if old is not None and bool(old.tests) != bool(each.tests):
            raise UsageError(
                f"{each.name!r} has a test part of its own in one folder and none in the other. "
                "Keep the two as different classes, or add a test part."
            )
        pooled[each.name] = each if old is None else ClassReport(
            each.name, old.train + each.train, old.test + each.test,
            old.pictures + each.pictures, old.tests + each.tests,
        )  # fmt: skip
    return tuple(pooled.values())


def _extra(part: ExtraFolder, name: str, unlike: Collection[str]) -> ExtraFolder:
    """Return a folder as part of another task; its classes in `unlike` are called after `name`."""
    if not unlike:
        return part
    return replace(part, name=name, other_classes=_names((*part.other_classes, *unlike)))
