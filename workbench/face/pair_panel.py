"""What learning one task does to another, task against task: overlap, common directions, disturbance, rank."""

from PySide6.QtWidgets import QWidget

from workbench.face import kernel_words as words, known
from workbench.face.heat import HeatMap
from workbench.face.known import Moment
from workbench.face.language import say
from workbench.face.moment_panel import MomentPanel
from workbench.face.record import RunRecord
from workbench.face.theme import Theme
from workbench.measures import MEASURES

_NAMES = {  # measure: its name in the list
    "ntk.overlap": "Overlap of tasks",
    "ntk.angle_max": "Largest common direction",
    "ntk.disturbance": "Disturbance",
    "ntk.disturbance_forecast": "Disturbance, forecast",
    "ntk.disturbance_settled": "Disturbance, all told",
    "ntk.vulnerable_rank": "Vulnerable rank",
}


class PairPanel(MomentPanel):
    """Task against task: row = the earlier one, column = the one that was learnt."""

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        choices = [(say(title), name) for name, title in _NAMES.items()]
        super().__init__(say("Task against task"), choices, parent, theme)

    def refresh(self) -> None:
        name: str = self.choice.currentData()
        record, at = self._shown.record, self._shown.at
        self.setToolTip(MEASURES[name].told())
        numbers = known.values(known.by_pair(record, name, at))
        drawing = pair_map(record, name, at) if numbers else None
        self.tell(drawing, words.pairs(record, name, at))


def pair_map(record: RunRecord, name: str, at: Moment | None) -> HeatMap:
    """Return the heat map of a measure of two tasks as it was known at a moment."""
    numbers = known.values(known.by_pair(record, name, at))
    count = max(len(record.tasks), 1 + max(new for _, new in numbers))
    labels = [record.task_label(index) for index in range(count)]
    old, new = range(count - 1), range(1, count)
    values = tuple(tuple(numbers.get((i, j)) for j in new) for i in old)

    def tell(row: int, column: int) -> str:
        return _pair_sentence(record, (row, column + 1), at)

    bounded = name in ("ntk.overlap", "ntk.angle_max")
    top = 1.0 if bounded else max([*numbers.values(), 1e-12])
    return HeatMap(
        tuple(labels[:-1]), tuple(labels[1:]), values, tell, say("old ↓ learnt →"), MEASURES[name].told(),
        words.plain, lambda value: f"{value:.4g}", top,
    )  # fmt: skip


def _pair_sentence(record: RunRecord, pair: known.Pair, at: Moment | None) -> str:
    if pair[0] >= pair[1]:
        learnt, old = (record.task_label(pair[index]) for index in (1, 0))
        return say("{learnt} is not learnt after {old}.").format(learnt=learnt, old=old)
    return "\n".join(words.pair_told(record, pair, at))
