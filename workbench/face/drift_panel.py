"""How far each task's kernel has come: little plots of drift and CKA."""

from collections.abc import Iterable, Sequence

from PySide6.QtWidgets import QWidget

from workbench.events import Measured
from workbench.face import kernel_words as words, known
from workbench.face.known import Moment
from workbench.face.language import say
from workbench.face.legend import Entry
from workbench.face.moment_panel import MomentPanel
from workbench.face.multiples import Little, Multiples, Stroke
from workbench.face.record import RunRecord
from workbench.face.theme import Theme
from workbench.measures import MEASURES


class DriftPanel(MomentPanel):
    """A little plot for each task: since it was learnt, or while it was trained."""

    def __init__(self, parent: QWidget | None = None, theme: Theme | None = None) -> None:
        choices = [(say("while it was trained"), False), (say("since it was learnt"), True)]
        super().__init__(say("Kernel of each task"), choices, parent, theme)
        self.add_legend()

    def refresh(self) -> None:
        record, at = self._shown.record, self._shown.at
        since: bool = self.choice.currentData()
        drawing = drift_multiples(record, at, self.theme, since_learnt=since)
        self.setToolTip(_formula(since_learnt=since))
        strokes = drawing.plots[0].strokes if drawing else ()
        self.show_legend([Entry(s.label, s.label, (s.colour,), s.dash, 2) for s in strokes])
        self.tell(drawing, words.drift(record, at, since_learnt=since))


def drift_multiples(
    record: RunRecord, at: Moment | None, theme: Theme, *, since_learnt: bool
) -> Multiples | None:
    """Return a little plot of drift and CKA for every task of which something is known by then.

    Since a task was learnt, its drift begins at 0 and its CKA at 1: it is compared with itself.
    """
    drift, cka = (
        _by_task(record, what, at, since_learnt=since_learnt) for what in ("drift", "cka")
    )
    plots = []
    for task in sorted(drift | cka):
        name = record.task_label(task)
        learnt = [float(row.step) for row in record.rows if since_learnt and row.after_task == task]
        strokes = (
            Stroke("drift", theme.lines[1], "solid", _points(drift.get(task, ()), learnt, 0.0)),
            Stroke("CKA", theme.lines[2], "dash", _points(cka.get(task, ()), learnt, 1.0)),
        )
        reason = next((m.reason for m in drift.get(task, ()) if m.value is None), "")
        plots.append(Little(name, strokes, _told(name, strokes, reason)))
    if not any(stroke.points for plot in plots for stroke in plot.strokes):
        return None
    return Multiples(tuple(plots), "step", _formula(since_learnt=since_learnt))


def _by_task(
    record: RunRecord, what: str, at: Moment | None, *, since_learnt: bool
) -> dict[int, list[Measured]]:
    """Return all that was said by then, by the task whose kernel it is about."""
    said: Iterable[Measured] = (
        record.pairs.get(f"ntk.old_{what}", ())
        if since_learnt
        else record.said.get(f"ntk.kernel_{what}", ())
    )
    found: dict[int, list[Measured]] = {}
    for one in said:
        if at is None or known.moment_of(one) <= at:
            task = one.task if one.other is None else one.other
            found.setdefault(task, []).append(one)
    return found


def _formula(*, since_learnt: bool) -> str:
    prefix = "ntk.old" if since_learnt else "ntk.kernel"
    return "\n\n".join(MEASURES[f"{prefix}_{what}"].told() for what in ("drift", "cka"))


def _points(
    said: Iterable[Measured], learnt: Sequence[float], at_first: float
) -> tuple[tuple[float, float], ...]:
    known = [(float(one.step), one.value) for one in said if one.value is not None]
    return tuple([*((step, at_first) for step in learnt), *known] if known else [])


def _told(name: str, strokes: Sequence[Stroke], reason: str) -> str:
    if not any(stroke.points for stroke in strokes):
        return f"{name}: {reason or 'not measured'}."
    last = [f"{s.label} {words.plain(s.points[-1][1])}" for s in strokes if s.points]
    return say("{name}: {parts} at the last look.").format(name=name, parts=", ".join(last))
