"""The columns of the table of runs: what each is called, what it shows of a run and of a group of runs."""

from collections.abc import Callable
from dataclasses import dataclass

from workbench.face.hardware import trained_on
from workbench.face.language import say
from workbench.face.words import ago, counted, percent
from workbench.measures import MEASURES
from workbench.report import RunSummary
from workbench.session.spread import Spread
from workbench.session.table import AlikeRuns

MARKS = {
    "starting": "○", "running": "●", "paused": "◐", "finished": "✓", "stopped": "■", "failed": "✕",
    "interrupted": "◌",
}  # fmt: skip
LEVELS = {"running": "accent", "finished": "good", "failed": "bad", "interrupted": "warning"}


@dataclass(frozen=True)
class Column:
    """One column. `order` is what the log sorts it by; `shared` is what a group of runs shows."""

    order: str
    title: str
    shown: Callable[[RunSummary], str]
    shared: Callable[[AlikeRuns], str]
    help: str = ""
    width: int = 90
    number: bool = False
    at_first: bool = True


def spread_text(spread: Spread) -> str:
    """Return "81.4 ± 0.3 %", one value without ±, or a dash."""
    if spread.mean is None:
        return "–"
    if spread.deviation is None:
        return percent(spread.mean)
    return f"{100 * spread.mean:.1f} ± {100 * spread.deviation:.1f} %"


def _measured(order: str, title: str, measure: str, field: str) -> Column:
    about = MEASURES[measure]
    text = f"{about.label}\n{about.formula}\n{about.reading}"
    return Column(
        order,
        title,
        lambda run: percent(getattr(run, field)),
        lambda group: spread_text(group.spread(field)),
        f"{text}\nOf a group: mean ± sample standard deviation",
        112,
        True,
    )


def _one(group: AlikeRuns, shown: Callable[[RunSummary], str]) -> str:
    """Return what all runs of a group show, or how many different things they show."""
    texts = {shown(run) for run in group.runs}
    return (
        next(iter(texts)) if len(texts) == 1 else say("{count} different").format(count=len(texts))
    )


def _plain(
    order: str,
    title: str,
    shown: Callable[[RunSummary], str],
    help: str = "",  # noqa: A002  (the field's own word)
    width: int = 90,
    *,
    number: bool = False,
    at_first: bool = True,
) -> Column:
    return Column(
        order, title, shown, lambda group: _one(group, shown), help, width, number, at_first
    )


def _group_name(group: AlikeRuns) -> str:
    return counted(len(group.runs), "run", "runs")


COLUMNS = (
    Column("name", "Run", lambda run: run.name, _group_name,
           "Tick to lay its curves over the plots and to compare", 150),
    _plain("state", "State", lambda run: f"{MARKS.get(run.state, '')} {say(run.state)}", "", 104),
    _plain("tasks", "Tasks", lambda run: f"{run.tasks_done}/{run.tasks_total}", "Tasks learnt of all", 54, number=True),
    _measured("mean", "Ā", "average_accuracy", "average_accuracy"),
    _measured("acc", "A_T", "accuracy_seen", "final_accuracy"),
    _measured("forget", "Forgetting", "forgetting", "forgetting"),
    _measured("floor", "Floor", "baseline_seen", "baseline_accuracy"),
    _plain("method", "Method", lambda run: run.method, "How it learns", 92),
    _plain("profile", "Profile", lambda run: run.profile, "Arithmetic: repaired, or paper", 76),
    _plain("backbone", "Backbone", lambda run: run.backbone, "The frozen Vision Transformer", 124),
    _plain("seed", "Seed", lambda run: str(run.seed), "Seed of the initialisation", 54, number=True),
    _plain("device", "Trained", lambda run: trained_on(run.device, run.precision), "On the processor, or on which GPU, and in which precision", 130, at_first=False),
    _plain("created", "Created", lambda run: ago(run.created), "", 96),
    _plain("star", "★", lambda run: "★" if run.starred else "", "Starred: press S", 30),
    _plain("tags", "Tags", lambda run: ", ".join(run.tags), "Edit with T: words between commas", 100),
    _plain("note", "Note", lambda run: run.note.replace("\n", " "), "Edit with N", 140),
)  # fmt: skip

PLACES = {column.order: place for place, column in enumerate(COLUMNS)}
