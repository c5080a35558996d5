"""What was found in folders of pictures, and what has become of it since."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.config import TaskFolder


@dataclass(frozen=True)
class Problem:
    """Something about a path that the user should know, in one sentence.

    Kinds: unreadable, too_large, not_a_picture, empty_file, no_permission, link_loop, vanished,
    empty_class, too_few, no_pictures, no_classes, duplicate_test, duplicate_task, same_name, same_folder,
    not_a_folder, unused_part, too_long, elsewhere.
    """

    path: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class ClassReport:
    """One class of a scanned task: how many pictures each part has, and which are readable.

    `pictures` and `tests` are POSIX paths relative to the task's folder; those left out are among
    them, but not counted.
    """

    name: str
    train: int
    test: int
    pictures: tuple[str, ...] = ()  # to learn from; without a test part of its own, to be divided
    tests: tuple[str, ...] = ()  # of the folder's own test part


@dataclass(frozen=True)
class TaskReport:
    """One scanned task. `folder` is what the configuration will hold if it is accepted."""

    folder: TaskFolder
    classes: tuple[ClassReport, ...]
    has_split: bool  # the folder brings its own train and test part
    problems: tuple[Problem, ...]
    question: str = ""  # "one_class": pictures but no sub-folders; needs an answer before use
    hashes: Mapping[str, str] = field(default_factory=dict)  # POSIX path -> content hash
    spare: tuple[ClassReport, ...] = ()  # classes that are there and not taken

    @property
    def usable(self) -> bool:
        """Whether the task can be trained on as it is: at least one class, no open question."""
        return bool(self.classes) and not self.question


@dataclass(frozen=True)
class ScanProgress:
    """How far a scan has come; `total` grows while folders are still being listed."""

    text: str
    done: int
    total: int


@dataclass(frozen=True)
class ScanReport:
    """Everything a scan found: one report a task, and problems that belong to no task."""

    tasks: tuple[TaskReport, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class PictureChanges:
    """What became of one task's pictures: paths relative to the task's folder.

    `gone` is the folder itself if it is not there; then nothing was compared.
    """

    task: str
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: str = ""

    @property
    def number(self) -> int:
        """How many pictures are not as they were."""
        return len(self.changed) + len(self.missing) + len(self.new)
