"""Where a task's pictures lie: one folder, or several that are learnt as one task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ExtraFolder:
    """A folder that is learnt together with a task's own; `name` is what it was called as a task."""

    name: str
    path: str
    classes: tuple[str, ...] = ()  # class folders taken; empty: all
    one_class: bool = False  # the pictures lie in `path` itself and form one class
    other_classes: tuple[str, ...] = ()  # not the class of that name in the task's earlier folders


@dataclass(frozen=True)
class TaskFolder:
    """One task: a folder whose sub-folders are classes (or, as `one_class`, whose pictures are one class)."""

    name: str
    path: str
    classes: tuple[str, ...] = ()  # class folders taken, in learning order; empty: all, sorted
    one_class: bool = False  # the pictures lie in `path` itself and form one class
    same_classes: tuple[str, ...] = ()  # names that are the same class in other tasks that say so
    other_classes: tuple[str, ...] = ()  # names that are a class of this task alone
    left_out: tuple[str, ...] = ()  # pictures not used, POSIX paths relative to `path`
    also: tuple[ExtraFolder, ...] = ()  # more folders that belong to this task

    @property
    def paths(self) -> tuple[str, ...]:
        """All folders of the task, its own first."""
        return (self.path, *(extra.path for extra in self.also))

    @property
    def parts(self) -> tuple[ExtraFolder, ...]:
        """All folders of the task with the classes taken from each, its own first."""
        own = ExtraFolder(self.name, self.path, self.classes, self.one_class)
        return (own, *self.also)

    def moved(self, found: Mapping[str, str]) -> "TaskFolder":
        """Return the task with those of its folders that lie elsewhere now: old path -> new path."""
        if found.keys().isdisjoint(self.paths):
            return self
        also = tuple(replace(each, path=found.get(each.path, each.path)) for each in self.also)
        return replace(self, path=found.get(self.path, self.path), also=also)
