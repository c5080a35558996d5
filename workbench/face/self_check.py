"""The linear-head self-test from the window: run away from it, told in a sentence and a table."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, Signal

from workbench.events import Stage
from workbench.face.activities import Activities, Activity
from workbench.face.background import Background
from workbench.face.language import say
from workbench.report import SelfTestRow
from workbench.session import Session


class SelfCheck(QObject):
    """Runs one self-test at a time. `ended` carries a sentence and a table of text."""

    said = Signal(str)
    ended = Signal(str, str)

    def __init__(
        self,
        session: Session,
        parent: QObject | None = None,
        activities: Activities | None = None,
    ) -> None:
        super().__init__(parent)
        self._activities = activities or Activities(self)
        self._activity: Activity | None = None
        self._session = session
        self._work = Background(self)
        self._work.item.connect(self._take)
        self._work.failed.connect(self.said)
        self._work.ended.connect(self._finish)

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._work.busy:
            return
        self.said.emit(self.tr("Checking the NTK arithmetic on the sample; a few seconds…"))
        self._work.start(self._items)
        title = self.tr("Checking the NTK arithmetic")
        self._activity = self._activities.begin(title, self._work.cancel)

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._work.shut_down()

    def _items(self) -> Iterator[object]:
        yield from self._session.self_test()

    def _take(self, item: object) -> None:
        if self._work.cancelled:
            return
        if isinstance(item, Stage) and self._activity is not None:
            self._activity.progress(item.done, item.total, item.text)
        elif isinstance(item, tuple):
            self.ended.emit(sentence_of(item), table_of(item))

    def _finish(self) -> None:
        if self._activity is not None:
            self._activity.end()


def sentence_of(rows: Sequence[SelfTestRow]) -> str:
    """Return what the self-test found, in one or two sentences."""
    wrong = [row.name for row in rows if not row.holds]
    if wrong:
        return say(
            "Prediction and measurement differ: {names}. Do not trust the NTK numbers of this installation, and please report it with the details."
        ).format(names=", ".join(wrong))
    largest = max(row.difference or 0.0 for row in rows)
    return say(
        "Prediction equals measurement. On frozen features of the sample with a linear head, all {count} numbers agree; the largest difference is {largest:.1e}."
    ).format(count=len(rows), largest=largest)


def table_of(rows: Sequence[SelfTestRow]) -> str:
    """Return the rows as aligned text."""
    lines = [f"{'':38} {'predicted':>14} {'measured':>14} {'difference':>12}"]
    for row in rows:
        cells = (_text(row.predicted, 14), _text(row.measured, 14), _text(row.difference, 12))
        lines.append(f"{row.name:38} {' '.join(cells)}")
    return "\n".join(lines)


def _text(value: float | None, width: int) -> str:
    return f"{'not defined' if value is None else format(value, '.6g'):>{width}}"
