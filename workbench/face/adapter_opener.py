"""Opening an adapter file for Try it: looked at on a thread, refused with the reason, or told of."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from workbench.events import Stage
from workbench.face.background import Background
from workbench.face.messages import Strips
from workbench.face.try_work import Refused, facts
from workbench.session import Session
from workbench.session.adapters import AdapterFacts

_SUBJECT = "adapter"


class AdapterOpener(QObject):
    """Knows the files opened so far; one is looked at at a time."""

    opened = Signal(object)  # AdapterFacts
    switch_requested = Signal(str)  # to another backbone, in the settings
    changed = Signal()

    def __init__(self, session: Session, strips: Strips, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._strips = session, strips
        self._work = Background(self)
        self._work.item.connect(self._take)
        self._work.ended.connect(self.changed)
        self.chosen_backbone: Callable[[], str] = str  # of the settings
        self.known: dict[str, AdapterFacts] = {}  # by path

    @property
    def busy(self) -> bool:
        """Whether a file is being looked at."""
        return self._work.busy

    def open(self, path: str) -> None:
        """Look at a file, unless another is being looked at."""
        if self.busy:
            return
        chosen = self.chosen_backbone()
        self._strips.clear_strip(_SUBJECT)
        self._work.start(lambda: facts(self._session, path, chosen))
        self.changed.emit()

    def shut_down(self) -> None:
        """Wait for the thread."""
        self._work.shut_down()

    def _take(self, item: Stage | AdapterFacts | Refused) -> None:
        if isinstance(item, Refused):
            self._strips.show_strip(_SUBJECT, item.sentence, "error")
        elif isinstance(item, AdapterFacts):
            self.known[item.path] = item
            self._compare(item)
            self.opened.emit(item)

    def _compare(self, known: AdapterFacts) -> None:
        chosen = self.chosen_backbone()
        if not known.chosen_width or chosen == known.backbone:
            return
        text = self.tr(
            "This adapter belongs to {own} ({width} wide); chosen is {chosen} ({other})."
        )
        text = text.format(
            own=known.backbone, width=known.width, chosen=chosen, other=known.chosen_width
        )

        def switch() -> None:
            self.switch_requested.emit(known.backbone)
            self._strips.clear_strip(_SUBJECT)

        self._strips.show_strip(_SUBJECT, text, "info", [(self.tr("Switch backbone"), switch)])
