"""The answers given about a scan before its tasks are taken, and what comes of them. Qt-free."""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from workbench.report import ClassReport, Problem, ScanReport, TaskReport
from workbench.session import Session

DAMAGED = frozenset({"unreadable", "too_large", "empty_file", "not_a_picture", "no_permission"})
CLOSED = ("no_permission", "link_loop", "too_long", "vanished")
SHORT = ("too_few", "left_short")
DOUBLED = ("duplicate_task", "duplicate_test")


@dataclass(frozen=True)
class Notice:
    """Something to know or to answer about one task (-1: about none), in one sentence or counted."""

    kind: str
    task: int
    problems: tuple[Problem, ...]
    pictures: int = 0  # that the task has, damaged ones too


@dataclass
class Plan:
    """How the folders become tasks: one each, all as one, or one split by classes."""

    kind: str = "each"  # each, one, split
    first: int = 1
    increment: int = 1
    seed: int = 0


@dataclass
class Review:
    """What was found, changed by each answer. `before` and `after` are the draft's own tasks around it."""

    session: Session
    found: ScanReport
    before: tuple[TaskReport, ...] = ()
    after: tuple[TaskReport, ...] = ()
    test_share: float = 0.2
    plan: Plan = field(default_factory=Plan)

    def __post_init__(self) -> None:
        """Start from what was found."""
        self.tasks = list(self.found.tasks)

    def notices(self) -> list[Notice]:
        """Return what is still to be known or answered, in the order of tasks."""
        told = [*self._grouped(-1, self.found.problems, 0)]
        for number, task in enumerate(self.tasks):
            readable = sum(len(c.pictures) + len(c.tests) for c in (*task.classes, *task.spare))
            out = {str(Path(task.folder.path) / path) for path in task.folder.left_out}
            damaged = tuple(p for p in task.problems if p.kind in DAMAGED and p.path in out)
            if damaged:
                count = readable + len(damaged)
                told.append(Notice("damaged", number, damaged, count))
            rest = [problem for problem in task.problems if problem not in damaged]
            told += self._grouped(number, rest, readable)
        return told

    def classes(self, number: int) -> tuple[ClassReport, ...]:
        """Return all classes of a task, those set aside too, by name."""
        task = self.tasks[number]
        return tuple(sorted((*task.classes, *task.spare), key=lambda each: each.name))

    def left_out(self, number: int) -> set[str]:
        """Return the readable pictures of a task that are left out."""
        task = self.tasks[number]
        return {path for path in task.folder.left_out if path in task.hashes}

    def set_left_out(self, number: int, pictures: Collection[str]) -> None:
        """Leave exactly these of a task's readable pictures out."""
        task = self.tasks[number]
        self.tasks[number] = self.session.pictures.leave_out(task, pictures, self.test_share)

    def take_classes(self, number: int, names: Collection[str]) -> None:
        """Take exactly these classes of a task."""
        task = self.tasks[number]
        self.tasks[number] = self.session.pictures.take_classes(task, names, self.test_share)

    def use_as_one_class(self, number: int) -> None:
        """Take a folder of pictures without sub-folders as one class."""
        self.tasks[number] = self.session.answer_one_class(self.tasks[number])

    def leave_doubled_out(self, notice: Notice) -> None:
        """Leave out the pictures that also occur elsewhere."""
        number = notice.task
        if notice.kind == "duplicate_test":
            doubled = self.session.pictures.twice(self.tasks[number])
        else:
            earlier = (*self.before, *self.tasks[:number], *self.after)
            doubled = self.session.pictures.shared(self.tasks[number], earlier)
        self.set_left_out(number, {*self.left_out(number), *doubled})
        self.settle(notice)

    def answer_name(self, notice: Notice, *, same: bool, for_all: bool) -> None:
        """Say whether a class name means the earlier class, or that every one still asked about does."""
        asked = [n for n in self.notices() if n.kind == "same_name"] if for_all else [notice]
        for each in asked:
            name = PurePath(each.problems[0].path).name
            names = ((name,), ()) if same else ((), (name,))
            place = len(self.before) + each.task
            whole = self.session.pictures.marked(self._whole(self.tasks), place, *names)
            self._take_over(whole)

    def settle(self, notice: Notice) -> None:
        """Ask no more about this."""
        if notice.task < 0:
            return
        task = self.tasks[notice.task]
        kept = tuple(problem for problem in task.problems if problem not in notice.problems)
        self.tasks[notice.task] = dataclasses.replace(task, problems=kept)

    def move(self, source: int, target: int) -> None:
        """Put a task at another place among those found."""
        self.tasks.insert(target, self.tasks.pop(source))

    def planned(self) -> tuple[TaskReport, ...]:
        """Return the tasks as they would be taken.

        Raises:
            WorkbenchError: the plan does not fit the folders.
        """
        usable = [task for task in self.tasks if task.usable]
        if self.plan.kind == "one" and len(usable) > 1:
            alone = {name for task in usable for name in task.folder.other_classes}
            return (self.session.pictures.merge(usable, alone, self.test_share),)
        if self.plan.kind == "split" and len(usable) == 1:
            plan = self.plan
            return self.session.pictures.split(usable[0], plan.first, plan.increment, plan.seed)
        return tuple(usable)

    def whole(self) -> tuple[TaskReport, ...]:
        """Return the draft's tasks with those planned among them."""
        return self._whole(self.planned())

    def _whole(self, tasks: Sequence[TaskReport]) -> tuple[TaskReport, ...]:
        return (*self.before, *tasks, *self.after)

    def _take_over(self, whole: Sequence[TaskReport]) -> None:
        first, last = len(self.before), len(self.before) + len(self.tasks)
        self.before = tuple(whole[:first])
        self.tasks = list(whole[first:last])
        self.after = tuple(whole[last:])

    def _grouped(self, number: int, problems: Sequence[Problem], pictures: int) -> list[Notice]:
        """Return one notice for all of a kind that is counted, else one for each."""
        groups: dict[str, list[Problem]] = {}
        notices = []
        for problem in problems:
            if problem.kind in CLOSED:
                groups.setdefault(problem.kind, []).append(problem)
            else:
                notices.append(Notice(problem.kind, number, (problem,), pictures))
        counted = [Notice("closed", number, tuple(found), pictures) for found in groups.values()]
        return [*counted, *notices]
