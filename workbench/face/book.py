"""A run's answers as the tab "Results" reads them: which picture is where, whose class is whose. Qt-free."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from workbench.answers import Answers
from workbench.events import TaskInfo
from workbench.face.language import say
from workbench.face.words import bare_name, percent
from workbench.session.results import RunCost


@dataclass(frozen=True)
class Picture:
    """One picture of a gallery, or a heading over those that follow."""

    task: int
    path: str  # below the task's folder, POSIX
    caption: str
    note: str = ""
    heading: bool = False


@dataclass(frozen=True, eq=False)
class Book:
    """Everything that was read of one run."""

    run: str = ""
    tasks: tuple[TaskInfo, ...] = ()
    history: Mapping[int, Answers] = field(default_factory=dict)  # by the task after which
    pictures: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # by task
    folders: tuple[str, ...] = ()  # of each task
    cost: RunCost | None = None
    trouble: str = ""  # why there are no answers though there should be

    def until(self, after: int) -> list[Answers]:
        """Return the answers after task 0, 1, …, `after`; none if one of them is not there."""
        wanted = range(after + 1)
        return [self.history[t] for t in wanted] if all(t in self.history for t in wanted) else []

    @cached_property
    def names(self) -> dict[int, str]:
        """Class names by global number."""
        return {
            number: name
            for task in reversed(self.tasks)
            for number, name in zip(task.class_ids, task.class_names, strict=True)
        }

    @cached_property
    def owner(self) -> dict[int, int]:
        """The task that each class was first learnt in."""
        return {
            number: place
            for place, task in reversed(list(enumerate(self.tasks)))
            for number in task.class_ids
        }

    def classes(self, after: int) -> list[int]:
        """Return the classes learnt by the end of a task, in the order of the tasks that own them."""
        seen = [number for number, task in self.owner.items() if task <= after]
        return sorted(seen, key=lambda number: (self.owner[number], number))

    def task_label(self, task: int) -> str:
        """Return "2 gulls" for the second task."""
        return f"{task + 1} {bare_name(task + 1, self.tasks[task].name)}".strip()

    def picture(self, answers: Answers, row: int, note: str = "") -> Picture:
        """Return one row as a picture: what it is, what it was taken for, how surely."""
        task, place = int(answers.task[row]), int(answers.places[row])
        true, said = self.names[int(answers.label[row])], self.names[int(answers.predicted[row])]
        score = percent(float(answers.score[row]), 0)
        caption = f"{true} → {said}" if true != said else true
        paths = self.pictures.get(task)  # None where that file is gone
        path = paths[place] if paths else say("picture {number}").format(number=place + 1)
        return Picture(task, path, caption, note or score)

    def file(self, picture: Picture, moved: Mapping[str, str]) -> str:
        """Return where a picture lies; `moved` maps folders to where they were found again."""
        folder = self.folders[picture.task]
        return os.path.join(moved.get(folder, folder), *picture.path.split("/"))


def under_headings(groups: Sequence[tuple[str, Sequence[Picture]]]) -> list[Picture]:
    """Return the pictures with a heading over each group that has any."""
    found: list[Picture] = []
    for name, pictures in groups:
        if pictures:
            found += [Picture(pictures[0].task, "", name, heading=True), *pictures]
    return found
