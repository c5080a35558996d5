"""A run that ended while its log could not be written: its end is noted as soon as there is room."""

from PySide6.QtCore import QTimer

from workbench.face.adapter_box import UNDER_WAY
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.session import Run

AGAIN_MS = 5_000


class Settling(Feature):
    """Sees to it that a run which trains no more is not shown as training."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.unsettled: list[Run] = []
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(AGAIN_MS)
        self.timer.timeout.connect(self.settle)
        desk.training.ended.connect(self._run_ended)

    def shut_down(self) -> None:
        """Try no more; the next start finds the run cut off."""
        self.timer.stop()

    def settle(self) -> None:
        """Note the ends that the log does not know; try again later where it still cannot be written."""
        before, self.unsettled = self.unsettled, [r for r in self.unsettled if not r.settle()]
        if self.unsettled:
            self.timer.start()
        if len(self.unsettled) < len(before):
            self.desk.reread_log()

    def _run_ended(self) -> None:
        run = self.desk.training.run
        known = self.desk.history.model.known(run.id) if run is not None else None
        if run is not None and known is not None and known.state in UNDER_WAY:
            self.unsettled.append(run)
            self.settle()
