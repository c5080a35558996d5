"""The log's file in the window: opened for reading only, on a slow disk, damaged; checked and copied at the start."""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from workbench.events import Stage
from workbench.face.actions import Moment
from workbench.face.background import Background
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.question import Question
from workbench.session.upkeep import Health, Rescue, rescuing

CHECK_DELAY = 1500  # ms after the window has come up


class LogCare(Feature):
    """Says in strips how the log is; a damaged one is rescued once nothing trains, and opened if wanted."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.question: Question | None = None
        self._damaged = 0  # pages
        self._new: Path | None = None
        self._background = Background(self)
        self._background.item.connect(self._take)
        self._background.failed.connect(self._fail)
        self._background.ended.connect(self._rescue_if_due)
        self._care = desk.session.upkeep
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CHECK_DELAY)
        self._timer.timeout.connect(self.look)
        desk.training.ended.connect(self._rescue_if_due)
        self._say()
        if not self._care.reading_only:
            self._timer.start()

    def refine(self, moment: Moment) -> Moment:
        """Nothing can be trained if nothing can be written."""
        reason = self._care.reading_only
        return dataclasses.replace(moment, reason=reason, writable=False) if reason else moment

    def shut_down(self) -> None:
        """Wait for the check."""
        self._timer.stop()
        self._background.shut_down()

    def look(self) -> None:
        """Check the log, and copy it if the last copy is a day old."""
        self._work(self._care.look)

    def try_again(self) -> None:
        """Close the window and open the log and a window anew."""
        self.desk.opens_again = True
        self.desk.window.close()

    def _say(self) -> None:
        strips = self.desk.strips
        if self._care.reading_only:
            self.desk.page.zone.sample_button.setEnabled(False)
            again = [(self.tr("Try again"), self.try_again)]
            strips.show_strip("log", self._care.reading_only, "warning", again)
        if self._care.slow_disk:
            folder = [(self.tr("Open folder"), self._open_folder)]
            strips.show_strip("log disk", self._care.slow_disk, "info", folder)
        if self._care.brought_up_to_date:
            folder = [(self.tr("Open folder"), self._open_folder)]
            strips.show_strip("log_version", self._care.brought_up_to_date, "info", folder)

    def _work(self, make: Callable[[], Iterator[Any]]) -> None:
        self._background.start(make)

    def _take(self, item: Stage | Health | Rescue) -> None:
        if isinstance(item, Rescue):
            self._offer(item)
        elif isinstance(item, Health) and item.damaged:
            self._damaged = item.damaged
            self.desk.strips.show_strip("log", self._damage(), "error")
        elif isinstance(item, Health) and item.trouble:
            self.desk.strips.show_strip("log copy", item.trouble)

    def _damage(self) -> str:
        if self._damaged == 1:
            return self.tr(
                "The log is damaged (1 page). What can be read is saved once nothing trains."
            )
        text = self.tr(
            "The log is damaged ({n} pages). What can be read is saved once nothing trains."
        )
        return text.format(n=self._damaged)

    def _fail(self, sentence: str) -> None:
        answers = [(self.tr("Open folder"), self._open_folder)]
        self.desk.strips.show_strip("log", sentence, "error", answers)

    def _rescue_if_due(self) -> None:
        """Nothing is written from then on, so that the new log holds all that the old one does."""
        if self._damaged and not self._care.reading_only and self.desk.training.state == "idle":
            self._care.stop_writing(self._damage())
            self.desk.page.zone.sample_button.setEnabled(False)
            self.desk.changed.emit()
            self._work(partial(rescuing, self.desk.session.home))

    def _offer(self, found: Rescue) -> None:
        self._new = found.new
        answers = [
            (self.tr("Open the new one"), self._open_new),
            (self.tr("Open folder"), self._open_folder),
        ]
        self.desk.strips.show_strip("log", found.sentence, "error", answers)
        self.question = Question(found.sentence, answers, self.desk.window)
        self.question.setProperty("page", "trouble")
        self.question.open()

    def _open_new(self) -> None:
        self._care.replacement = self._new
        self.try_again()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.desk.session.home)))
