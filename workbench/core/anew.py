"""A run that goes on with other pictures than it began with: what it had made of them is made anew, or said to be old."""

from collections.abc import Generator, Iterator, Sequence

from workbench.core.evaluate import frozen_features
from workbench.core.running import Running
from workbench.errors import PicturesDiffer
from workbench.events import Note, Stage


def renew(run: Running, changed: Sequence[int]) -> Iterator[Stage | Note]:
    """Look anew at the pictures of tasks that are begun and not as they were; what cannot be made anew is said.

    Raises:
        PicturesDiffer: something needs the pictures as they were.
    """
    begun = [number for number in changed if number < len(run.examiner.tests)]
    if not begun:
        return
    names = ", ".join(repr(run.tasks.tasks[number].info.name) for number in begun)
    learning = run.place.begun and run.place.task in begun
    if learning and run.place.before is not None:
        raise PicturesDiffer(
            f"How far old prototypes drift is measured on the pictures of {names} before and after they are learnt, and "
            "they have changed in between. Put them back, or start a new run with the same settings."
        )
    for number in begun:
        yield from _tests(run, number)
    if learning:
        yield from _frozen(run)
    yield Note(
        f"From step {run.step:,} on, the pictures of {names} are those of now: tests are on them. What was learnt of "
        "them before stays, and so do the prototypes of tasks that were learnt and those of the baseline.",
        "warning",
    )
    if run.monitor.end():
        yield Note(
            f"The NTK monitor is off from here on: it compares with pictures of {names} that are not there any more."
        )


def _tests(run: Running, number: int) -> Generator[Stage | Note, None, None]:
    task = run.tasks.tasks[number]
    text = f"Looking at '{task.info.name}' (test)"
    found = yield from frozen_features(run.network, run.feeder, task.test, text)
    run.examiner.tests[number] = (task, found)


def _frozen(run: Running) -> Generator[Stage | Note, None, None]:
    task = run.tasks.tasks[run.place.task]
    text = f"Looking at '{task.info.name}'"
    run.place.frozen = yield from frozen_features(run.network, run.feeder, task.train, text)
    run.place.start = None  # of the pictures as they were: nothing to compare with, so the task does not stop early
