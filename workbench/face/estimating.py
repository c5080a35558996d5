"""Memory and time before the start: a line above Train, filled by dry steps away from the window."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.config import RunConfig
from workbench.events import Stage
from workbench.face.actions import Command
from workbench.face.activities import Activity
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.words import duration
from workbench.report import RunEstimate
from workbench.session.machine import GIB


class EstimateLine(QWidget):
    """A sentence, a button that estimates or cancels, and one that takes the batch that fits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.button = QPushButton(self.tr("Estimate"), self)
        self.use_button = QPushButton(self)
        self.use_button.setAccessibleName(self.tr("Use the batch that fits"))
        self.use_button.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.addWidget(self.label, 1)
        buttons = QVBoxLayout()
        buttons.addWidget(self.button)
        buttons.addWidget(self.use_button)
        row.addLayout(buttons)

    def say(self, text: str, *, level: str = "", pale: bool = False) -> None:
        """Show a sentence: plain, pale, or as a warning or an error."""
        self.label.setText(text)
        self.label.setProperty("level", level)
        self.label.setProperty("muted", "true" if pale else "false")
        self.label.style().unpolish(self.label)
        self.label.style().polish(self.label)


class Estimating(Feature):
    """Estimates the draft when asked to. What is shown turns pale as soon as it is another draft's."""

    commands = (
        Command("estimate", "Run", "Estimate memory and time", enabled_when=lambda m: not m.reason, help="Try a few steps, and say what the run will need"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.line = EstimateLine()
        self.found: RunEstimate | None = None
        self._of: RunConfig | None = None  # what was estimated, or is
        self._problem = ""
        self._work = Background(self)
        self._work.item.connect(self._take)
        self._work.failed.connect(self._fail)
        self._work.ended.connect(self._finish)
        self._activity: Activity | None = None
        self._start: Callable[[], None] | None = None  # a run that waits for the last dry step
        self.line.button.clicked.connect(self._pressed)
        self.line.use_button.clicked.connect(self._use)
        desk.settings.foot.addWidget(self.line)
        desk.changed.connect(self._refresh)
        desk.start_questions.append(self.holds)
        self._refresh()

    @property
    def busy(self) -> bool:
        """Whether dry steps are under way."""
        return self._work.busy

    def estimate(self) -> None:
        """Begin, unless it is under way or no run could start."""
        if self.busy or self.desk.reason():
            return
        self._of, self.found, self._problem = self.desk.draft.state.run_config(), None, ""
        self._work.start(self._items)
        self._activity = self.desk.activities.begin(
            self.tr("Estimating memory and time"), self.cancel
        )
        self._refresh()

    def cancel(self) -> None:
        """Give it up at the next step."""
        self._work.cancel()

    def holds(self, config: RunConfig, start: Callable[[], None]) -> bool:
        """Let a run wait for the end of the last dry step: they would disturb each other's chance."""
        self.cancel()
        self._start = start if self.busy else None
        return self.busy

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._start = None
        self._work.shut_down()

    def sentence(self, found: RunEstimate) -> str:
        """Return what the run needs, or that it is more than there is and which batch would fit."""
        if found.fits:
            text = self.tr("Estimate: about {needs} of {total} GB · about {time}")
            return text.format(
                needs=_gb(found.needs), total=_gb(found.total), time=duration(found.seconds)
            )
        if found.on_gpu:
            text = self.tr("Needs about {needs} GB, the GPU has {total}.")
        else:
            text = self.tr("Needs about {needs} GB, the computer has {total}.")
        more = self.tr("Not even batch 1 would fit. Choose a smaller backbone.")
        if found.fitting:
            more = self.tr("Batch {batch} would need {less}.").format(
                batch=found.fitting, less=_gb(found.fitting_needs)
            )
        return f"{text.format(needs=_gb(found.needs), total=_gb(found.total))} {more}"

    def _items(self) -> Iterator[object]:
        assert self._of is not None
        yield from self.desk.session.estimate(self._of)

    def _take(self, item: object) -> None:
        if self._work.cancelled:
            return
        if isinstance(item, Stage) and self._activity is not None:
            self._activity.progress(item.done, item.total, item.text)
        elif isinstance(item, RunEstimate):
            self.found = item

    def _fail(self, sentence: str) -> None:
        self._problem = sentence

    def _finish(self) -> None:
        start, self._start = self._start, None
        if self._activity is not None:
            self._activity.end()
        self._refresh()
        if start is not None:
            start()

    def _pressed(self) -> None:
        if self.busy:
            self.cancel()
        else:
            self.estimate()

    def _use(self) -> None:
        if self.found is not None and self.found.fitting:
            text = self.tr("Use batch {batch}").format(batch=self.found.fitting)
            self.desk.draft.set_values({"train.batch_size": self.found.fitting}, text)

    def _refresh(self) -> None:
        if self.desk.training.state != "idle":  # begun from the queue or the table of runs
            self.cancel()
        reason, found = self.desk.reason(), self.found
        button = self.line.button
        button.setText(self.tr("Cancel") if self.busy else self.tr("Estimate"))
        button.setAccessibleName(
            self.tr("Cancel the estimate") if self.busy else self.tr("Estimate memory and time")
        )
        button.setEnabled(self.busy or not reason)
        button.setToolTip(reason or self.tr("Try a few steps, and say what the run will need"))
        fresh = self._of == self.desk.draft.state.run_config()
        over = found is not None and not found.fits and fresh and not self.busy
        offer = over and found is not None and found.fitting > 0 and not self.desk.fixed
        self.line.use_button.setVisible(bool(offer))
        if found is not None:
            self.line.use_button.setText(self.tr("Use {batch}").format(batch=found.fitting))
        if self.busy:
            self.line.say(self.tr("Estimating: a few steps are tried…"), pale=True)
        elif self._problem and fresh:
            self.line.say(self._problem, level="error")
        elif found is None:
            self.line.say(self.tr("Memory and time: not known"), pale=True)
        elif fresh:
            self.line.say(self.sentence(found), level="warning" if over else "")
        else:
            text = self.tr("Before the last change: {estimate}")
            self.line.say(text.format(estimate=self.sentence(found)), pale=True)


def _gb(amount: float) -> str:
    """Return bytes as GB with the digits that matter: "0.3", "8", "24"."""
    value = amount / GIB
    return f"{value:.0f}" if value >= 10 else f"{max(value, 0.1):.1f}".removesuffix(".0")
