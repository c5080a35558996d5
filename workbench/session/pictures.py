"""What a window asks of pictures: to leave some out, to join tasks, to find out what changed on disk."""

import typing
from collections.abc import Collection, Iterator, Sequence

from workbench import config as configs, paths
from workbench.errors import UsageError
from workbench.report import PictureChanges, ScanProgress, TaskReport

if typing.TYPE_CHECKING:
    from workbench.session.session import Session


class Pictures:
    """Answers about scanned tasks, and comparisons of a run's pictures with what is on disk."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def leave_out(
        self, report: TaskReport, pictures: Collection[str], test_share: float
    ) -> TaskReport:
        """Return the task with exactly these of its readable pictures left out."""
        from workbench.core.decisions import leave_out

        return leave_out(report, pictures, test_share)

    def take_classes(
        self, report: TaskReport, names: Collection[str], test_share: float
    ) -> TaskReport:
        """Return the task with these of its classes; raises UsageError if a folder would be left empty."""
        from workbench.core.decisions import take_classes

        return take_classes(report, names, test_share)

    def merge(
        self, reports: Sequence[TaskReport], different: Collection[str], test_share: float
    ) -> TaskReport:
        """Return several tasks as one; a name in `different` stays a class of each that has it."""
        from workbench.core.merging import merge

        return merge(reports, different, test_share)

    def split(
        self, report: TaskReport, first: int, increment: int, seed: int
    ) -> tuple[TaskReport, ...]:
        """Split one scanned task into several by class."""
        from workbench.core.split import split_report

        return split_report(report, first, increment, seed)

    def marked(
        self,
        tasks: Sequence[TaskReport],
        number: int,
        same: Collection[str],
        other: Collection[str],
    ) -> tuple[TaskReport, ...]:
        """Return all tasks with the answers for task `number`: which class names are an earlier class."""
        from workbench.core.decisions import marked

        return marked(tasks, number, same, other)

    def shared(self, report: TaskReport, others: Sequence[TaskReport]) -> list[str]:
        """Return the task's pictures whose content others use as well."""
        from workbench.core.findings import shared_pictures

        return shared_pictures(report, others)

    def twice(self, report: TaskReport) -> list[str]:
        """Return the task's pictures that are copies of one it learns from."""
        from workbench.core.decisions import twice

        return twice(report)

    def class_owners(self, report: TaskReport, others: Sequence[TaskReport]) -> dict[str, int]:
        """Return its class names that an earlier task has too, with that task's number from 1."""
        from workbench.core.findings import owners

        return owners(report, others)

    def compare(self, before: TaskReport, after: TaskReport) -> PictureChanges:
        """Return how the pictures of a task found elsewhere differ from those that were scanned."""
        from workbench.core.manifest import same_contents

        return same_contents(before.folder.name, before.hashes, after.hashes)

    def moved(self, before: TaskReport, after: TaskReport, test_share: float) -> TaskReport:
        """Return the task as it was, at the place where `after` found it."""
        from workbench.core.decisions import moved

        return moved(before, after, test_share)

    def changes(self, run: str) -> Iterator[ScanProgress | tuple[PictureChanges, ...]]:
        """Compare the pictures a run used with what is on disk now; the last item is the answer.

        Raises:
            UsageError: the run kept no list of its pictures.
        """
        from workbench.core.manifest import changes_since, read_manifest

        details = self._session.details(run)
        known = read_manifest(paths.run_folder(self._session.home, details.summary.id))
        if not known:
            raise UsageError(
                f"{details.summary.name} kept no list of its pictures, so they cannot be compared."
            )
        yield from changes_since(configs.from_dict(details.config).data.tasks, known)

    def has_list(self, run: str) -> bool:
        """Whether a run, by id, kept a list of its pictures; cheap."""
        return (paths.run_folder(self._session.home, run) / "pictures.json").is_file()
