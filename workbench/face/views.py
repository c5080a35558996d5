"""Which curves belong on one pair of axes, and how they look: the panels and figures are made of these.

Panels follow the wish that prediction is solid and measurement dashed, that no axis mixes shares
with plain numbers, and that every accuracy has the frozen backbone as its floor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.theme import Theme
from workbench.measures import LOSS_TERMS, MEASURES, Measure

YRange = Literal["share", "percent", "auto"]


@dataclass(frozen=True)
class Line:
    """One line: `key` names its curve. Lines of one `group` share one entry in the legend."""

    key: str
    label: str
    color: str
    dash: str = "solid"  # dash, dot, dashdot
    width: float = 1.0
    points: bool = False
    group: str = ""


@dataclass(frozen=True)
class View:
    """One pair of axes. `y` is "share" (0 to 100 % fixed), "percent" (fitted) or "auto"."""

    key: str
    title: str
    y: YRange
    lines: Callable[[RunRecord, Theme], list[Line]]
    headline: str  # the one curve drawn for runs shown beside
    measures: tuple[str, ...]  # explained in the tooltip
    empty: str = "Appears after the first task"
    of_kernel: bool = False  # shaded where training was too far from linear to believe the kernel

    @property
    def of_monitor(self) -> bool:
        """Whether it is the NTK monitor that measures what is drawn."""
        return self.headline.startswith("ntk.")


def _tasks(record: RunRecord, theme: Theme, what: str) -> list[Line]:
    colours = theme.task_colours(max(len(record.tasks), len(record.rows)))
    return [
        Line(f"task.{task}.{what}", record.task_label(task), colours[task], group=say("each task"))
        for task in range(len(record.rows))
        if len(record.curve(f"task.{task}.{what}"))
    ]


def _accuracy(record: RunRecord, theme: Theme) -> list[Line]:
    return [
        *_tasks(record, theme, "accuracy"),
        Line("probe_accuracy", say("estimate on the probe"), theme.lines[2], points=True),
        Line("baseline_seen", say("frozen backbone"), theme.muted, "dash", 1.5, points=True),
        Line("accuracy_seen", say("all classes seen"), theme.lines[0], width=3, points=True),
    ]


def _forgetting(record: RunRecord, theme: Theme) -> list[Line]:
    headline = Line("forgetting", say("mean over old tasks"), theme.lines[1], width=3, points=True)
    return [*_tasks(record, theme, "forgetting"), headline]


def _ntk_gap(_: RunRecord, theme: Theme) -> list[Line]:
    colour = theme.lines
    return [
        Line("ntk.interplay_full", say("every block"), colour[3], "dot", 1.5, points=True),
        Line("ntk.interplay_replayed", say("replayed"), colour[2], "dot", 1.5, points=True),
        Line("ntk.interplay_measured", say("measured"), colour[1], "dash", 2, points=True),
        Line("ntk.interplay_predicted", say("predicted"), colour[0], "solid", 2, points=True),
    ]


def _generalisation(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.gap_held_out", say("held out"), theme.lines[1], "dash", 2, points=True),
        Line("ntk.gap_predicted", say("predicted"), theme.lines[0], "solid", 2, points=True),
    ]


def _kernel(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.kernel_drift", say("drift"), theme.lines[1], "solid", 2, points=True),
        Line("ntk.kernel_cka", "CKA", theme.lines[2], "dash", 2, points=True),
        Line("ntk.kernel_alignment", say("alignment"), theme.lines[3], "dot", 2, points=True),
    ]


def _complexity(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.complexity", say("complexity"), theme.lines[1], "dash", 1.5, points=True),
        Line(
            "ntk.complexity_share",
            say("against permuted labels"),
            theme.lines[0],
            width=2,
            points=True,
        ),
    ]


def _rank(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.participation", say("participation"), theme.lines[3], "dot", 2, points=True),
        Line("ntk.effective_dimension", say("dimension"), theme.lines[1], "dash", 2, points=True),
        Line("ntk.effective_rank", say("rank"), theme.lines[0], width=2, points=True),
    ]


def _shares(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.share_s2", say("prompts"), theme.lines[3], "dashdot", 2, points=True),
        Line("ntk.share_s1", say("adapters"), theme.lines[2], "dot", 2, points=True),
        Line("ntk.share_head", say("head"), theme.lines[1], "dash", 2, points=True),
        Line("ntk.share_fusion", say("fusion"), theme.lines[0], "solid", 2, points=True),
    ]


def _scores(_: RunRecord, theme: Theme) -> list[Line]:
    return [
        Line("ntk.forecast_rank", say("forecast, order"), theme.lines[2], "dot", 2, points=True),
        Line(
            "ntk.forecast_cosine",
            say("forecast, direction"),
            theme.lines[1],
            "dash",
            2,
            points=True,
        ),
        Line(
            "ntk.drift_cosine",
            say("prediction, direction"),
            theme.lines[0],
            "solid",
            2,
            points=True,
        ),
    ]


def _linearity(_: RunRecord, theme: Theme) -> list[Line]:
    return [Line("ntk.linearity", say("linearity index"), theme.lines[0], "solid", 2, points=True)]


def _losses(record: RunRecord, theme: Theme) -> list[Line]:
    found = [name.removeprefix("loss.") for name in record.names("loss.")]
    ordered = [term for term in LOSS_TERMS if term in found]
    ordered += [term for term in found if term not in LOSS_TERMS]
    lines = []
    for index, term in enumerate(t for t in ordered if t != "total"):
        label = LOSS_TERMS.get(term, term)
        colour = (*theme.lines[1:3], *theme.runs)[index % (2 + len(theme.runs))]
        dash = ("solid", "dash", "dot")[index % 3]
        lines.append(Line(f"loss.{term}", label, colour, dash))
    return [*lines, Line("loss.total", LOSS_TERMS["total"], theme.lines[0], width=1.5)]


_ALL = (
    View("accuracy", "Accuracy", "share", _accuracy, "accuracy_seen",
         ("accuracy_seen", "baseline_seen", "probe_accuracy")),
    View("forgetting", "Forgetting", "percent", _forgetting, "forgetting",
         ("forgetting",), "Appears after the second task"),
    View("ntk_gap", "NTK gap between tasks", "auto", _ntk_gap, "ntk.interplay_measured",
         ("ntk.interplay_predicted", "ntk.interplay_measured", "ntk.interplay_replayed", "ntk.interplay_full",
          "ntk.forecast", "ntk.linearity"),
         "Appears with the second task", of_kernel=True),
    View("generalisation_gap", "Generalisation gap", "auto", _generalisation,
         "ntk.gap_held_out", ("ntk.gap_predicted", "ntk.gap_held_out", "ntk.linearity"), "Appears after the first epoch",
         of_kernel=True),
    View("kernel", "Kernel drift", "auto", _kernel, "ntk.kernel_drift",
         ("ntk.kernel_drift", "ntk.kernel_cka", "ntk.kernel_alignment"), "Appears after the first epoch"),
    View(say("complexity"), "Task complexity", "auto", _complexity, "ntk.complexity_share",
         ("ntk.complexity_share", "ntk.complexity"), "Appears with the first task"),
    View(say("rank"), "Directions of the kernel", "auto", _rank, "ntk.effective_rank",
         ("ntk.effective_rank", "ntk.participation", "ntk.effective_dimension"), "Appears with the first task"),
    View("shares", "Blocks of the kernel", "share", _shares, "ntk.share_fusion",
         ("ntk.share_head", "ntk.share_fusion", "ntk.share_s1", "ntk.share_s2"), "Appears with the first task"),
    View("scores", "Quality of predictions", "auto", _scores, "ntk.drift_cosine",
         ("ntk.drift_cosine", "ntk.forecast_cosine", "ntk.forecast_rank"), "Appears with the second task", of_kernel=True),
    View("linearity", "Linearity", "auto", _linearity, "ntk.linearity", ("ntk.linearity",), "Appears after the second task",
         of_kernel=True),
    View("losses", "Losses", "auto", _losses, "loss.total", (), "Appears with the first step"),
)  # fmt: skip

VIEWS: dict[str, View] = {view.key: view for view in _ALL}


def add_view_of(measure: Measure) -> str:
    """Make a plug-in's measure a view of its own; return the view's key."""
    key = f"measure.{measure.name}"

    def lines(_: RunRecord, theme: Theme) -> list[Line]:
        return [Line(measure.name, measure.label, theme.lines[0], width=2, points=True)]

    y: YRange = "share" if measure.unit == "fraction" else "auto"
    VIEWS[key] = View(key, measure.label, y, lines, measure.name, (measure.name,))
    return key


def explanation(view: View) -> str:
    """Return the formulas and readings of a view's measures, one a paragraph."""
    if not view.measures:
        return say("The unweighted terms of each step's loss, before the step, and their total.")
    told = (MEASURES[name] for name in view.measures)
    return "\n\n".join(item.told() for item in told)


def summary(view: View, record: RunRecord, lines: list[Line]) -> str:
    """Return one sentence with the last value of every line, for a screen reader."""
    share = view.y != "auto"
    said = []
    for line in lines:
        value = record.last(line.key)
        if value is not None:
            said.append(f"{line.label} {value:.1%}" if share else f"{line.label} {value:.4g}")
    told = ", ".join(said) if said else say(view.empty)
    return say("{view}: {told}.").format(view=say(view.title), told=told)
