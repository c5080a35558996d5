"""Where forgetting comes from: the parts of what old tasks lost, which sum to it exactly."""

from PySide6.QtWidgets import QWidget

from workbench.events import Measured
from workbench.face import kernel_words as words
from workbench.face.bands import Bands, Part
from workbench.face.known import Moment
from workbench.face.language import say
from workbench.face.legend import Entry
from workbench.face.moment_panel import MomentPanel
from workbench.face.record import RunRecord
from workbench.face.theme import Theme
from workbench.measures import MEASURES


class LostPanel(MomentPanel):
    """Where forgetting comes from: what the old tasks lost after each task, part by part."""

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        super().__init__(say("Causes of forgetting"), [(say("all old tasks"), None)], parent, theme)
        self.add_legend()
        told = [MEASURES[name].told() for name in ("lost.total", *words.LOST_PARTS)]
        self.setToolTip("\n\n".join(told))

    def refresh(self) -> None:
        record, at = self._shown.record, self._shown.at
        tasks = range(max(len(record.tasks) - 1, 0))
        self.offer([(say("all old tasks"), None), *((record.task_label(t), t) for t in tasks)])
        old: int | None = self.choice.currentData()
        drawing = lost_bands(record, old, at, self.theme)
        self.show_legend(band_legend(drawing, self.theme))
        self.tell(drawing, words.lost(record, old, at))


def lost_bands(record: RunRecord, old: int | None, at: Moment | None, theme: Theme) -> Bands | None:
    """Return the parts of what was lost after each task, or None while nothing is known.

    Tasks to come have their place already, and the axis reaches as far as the run did later.
    """
    totals = words.lost_by_task(record, "lost.total", old, at)
    known = [task for task, said in totals.items() if said.value is not None]
    if not known:
        return None
    after = range(1 if old is None else old + 1, max(len(record.tasks), max(known) + 1))
    colours = (theme.lines[0], theme.lines[1], theme.lines[2], theme.runs[0])
    parts = []
    for (name, label), colour in zip(words.LOST_PARTS.items(), colours, strict=True):
        found = words.lost_by_task(record, name, old, at)
        parts.append(Part(say(label), colour, tuple(_value(found.get(task)) for task in after)))
    formula = f"{MEASURES['lost.total'].formula}\n{MEASURES['lost.total'].reading}"
    names = tuple(record.task_label(task) for task in after)
    whole = tuple(_value(totals.get(task)) for task in after)
    later = lost_bands(record, old, None, theme) if at is not None else None
    room = later.reach() if later else (0.0, 0.0)
    return Bands(names, tuple(parts), whole, say("accuracy lost"), formula, room)


def band_legend(bands: Bands | None, theme: Theme) -> list[Entry]:
    """Return the names of the bands' parts and of their sum."""
    if bands is None:
        return []
    parts = [Entry(part.label, part.label, (part.colour,), "solid", 8) for part in bands.parts]
    return [*parts, Entry("total", bands.total_label, (theme.text,), "solid", 2)]


def _value(said: Measured | None) -> float | None:
    return None if said is None else said.value
