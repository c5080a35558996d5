"""The report of one run: what the log and the run's files know of it, in one page that needs nothing else."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial

from workbench.config import from_dict
from workbench.errors import UsageError
from workbench.events import Event, Measured, Note, RunStarted
from workbench.face import html_page as page
from workbench.face.cost_words import cost_facts, seconds_text, size_of
from workbench.face.curve_lines import Beside, bounds_beside
from workbench.face.html_page import Html, tag
from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.settings_report import settings_tables
from workbench.face.words import as_date, bare_name, percent
from workbench.measures import MEASURES
from workbench.report import RunDetails, RunSummary
from workbench.session import Session
from workbench.session.results import RunCost

HEADLINE = {  # measures, each with the one of the frozen backbone that it is read against
    "average_accuracy": "baseline_average",
    "accuracy_seen": "baseline_seen",
    "forgetting": "",
    "backward_transfer": "",
}
_ENDED_EARLY = ("stopped", "failed", "interrupted")


@dataclass(frozen=True, eq=False)
class RunFacts:
    """All that a report says. Numbers come from `events`, read at one moment, so that none is ahead of another."""

    details: RunDetails
    events: Sequence[Event]
    cost: RunCost | None
    parent: str = ""  # name of the run that it goes on from
    beside: Beside | None = None  # what lies over its curves
    gone: str = ""  # why the cost is not known

    @cached_property
    def record(self) -> RunRecord:
        """The run's curves and rows."""
        record = RunRecord()
        record.take(self.events)
        return record

    @cached_property
    def started(self) -> RunStarted | None:
        """What the run said when it began."""
        return next((e for e in self.events if isinstance(e, RunStarted)), None)

    @cached_property
    def last(self) -> dict[str, Measured]:
        """The last word on every measure of the whole run."""
        said = (e for e in self.events if isinstance(e, Measured) and e.other is None)
        return {event.name: event for event in said}


def facts_of(
    session: Session, run_id: str, beside: Sequence[tuple[str, str, RunRecord]] = ()
) -> RunFacts:
    """Read what the log and the run's folder know; may be called from any thread."""
    details = session.details(run_id)
    run = details.summary
    parents = session.table.some([run.parent]) if run.parent else []
    levels = bounds_beside(session.groups.bounds(run.id))
    cost, gone = None, ""
    try:
        cost = session.results.cost(run.id)
    except OSError as error:  # its folder cannot be looked into
        gone = error.strerror or ""
    name = parents[0].name if parents else run.parent
    return RunFacts(details, session.events(run.id), cost, name, Beside(beside, levels), gone)


def run_figures(session: Session, facts: RunFacts) -> Iterator[str]:
    """Draw the plots that exports have, one <svg> at a time; on Qt's own thread."""
    from workbench.face.figure import figures  # plots take long to load
    from workbench.face.plot_file import svg_of

    read = partial(session.arrays, facts.details.summary.id)
    for _, panel in figures(facts.events, read=read, beside=facts.beside):
        yield svg_of(panel)


def run_page(facts: RunFacts, svgs: Sequence[str]) -> str:
    """Return the page."""
    run = facts.details.summary
    heading = " · ".join((run.backbone, run.profile, say("seed {n}").format(n=run.seed)))
    return page.document(
        say("{run}: report").format(run=run.name),
        tag("h1", run.name),
        tag("p", heading, class_="muted"),
        page.facts(_about(facts)),
        _warnings(facts.events),
        page.section(say("Results"), _headline(facts)),
        page.section(say("Accuracy matrix"), _matrix(facts)),
        page.section(say("Plots"), page.gallery(svgs) or _no_plots(run)),
        page.section(say("Tasks"), _tasks(facts), _folders(facts)),
        page.section(say("Settings"), *settings_tables(facts.details)),
        page.section(say("Made with"), page.facts(_made_with(facts)), _versions(facts)),
        page.section(say("Cost"), _cost(facts)),
        page.section(say("Notes of the run"), _notes(facts.events)),
        page.section(say("Files"), _files(facts)),
        page.section(say("All numbers"), _numbers(facts)),
        _foot(run),
    )


def absent_text(facts: RunFacts, measure: str) -> str:
    """Return why a measure has no value."""
    said = facts.last.get(measure)
    if said is not None and said.reason:
        return said.reason
    if facts.record.rows:
        return say("not recorded")
    if facts.details.summary.state in _ENDED_EARLY:
        return say("the run ended before its first task was learnt")
    return say("no task has been learnt yet")


def value_text(measure: str, value: float) -> Html:
    """Return a measure's value as a person reads it, all its digits beside."""
    about = MEASURES.get(measure)
    share = about is not None and about.unit == "fraction"
    return page.number(percent(value) if share else f"{value:.4g}", value)


def _about(facts: RunFacts) -> Iterator[tuple[str, str]]:
    run = facts.details.summary
    reason = say("{state}: {reason}").format(state=say(run.state), reason=run.state_reason)
    yield say("State"), reason if run.state_reason else say(run.state)
    text = say("{done} of {total} learnt")
    yield say("Tasks"), text.format(done=run.tasks_done, total=run.tasks_total)
    yield say("Began"), as_date(run.created)
    yield say("Ended"), as_date(run.ended) if run.ended else say("not yet")
    yield say("Duration"), _duration(run)
    if run.imported:
        yield say("Taken from a bundle"), as_date(run.imported)
    if facts.parent:
        yield say("Goes on from"), facts.parent
    yield say("Tags"), ", ".join(run.tags) or "–"
    yield say("Note"), run.note or "–"
    yield say("Id"), tag("code", run.id)


def _duration(run: RunSummary) -> str:
    if not run.ended:
        return say("not known before the run ends")
    begin, end = datetime.fromisoformat(run.created), datetime.fromisoformat(run.ended)
    text = say("{time} from beginning to end, pauses included")
    return text.format(time=seconds_text((end - begin).total_seconds()))


def _warnings(events: Sequence[Event]) -> Html:
    said = dict.fromkeys(e.text for e in events if isinstance(e, Note) and e.level == "warning")
    return page.joined(tag("p", text, class_="warning") for text in said)


def _notes(events: Sequence[Event]) -> Html:
    said = [e.text for e in events if isinstance(e, Note) and e.level != "warning"]
    return tag("ul", *(tag("li", text) for text in dict.fromkeys(said))) if said else Html()


def _headline(facts: RunFacts) -> Html:
    cards = []
    for name, floor in HEADLINE.items():
        inner = [_large(facts, name), MEASURES[name].label]
        if floor:
            text = tag("small", say("floor (frozen backbone): "), _shown(facts, floor))
            inner += [Html("<br>"), text]
        cards.append(tag("div", *inner, class_="card", title=MEASURES[name].formula))
    return tag("div", *cards, class_="cards")


def _large(facts: RunFacts, measure: str) -> Html:
    known = _value(facts, measure) is not None
    return tag("b", _shown(facts, measure), class_="" if known else "absent")


def _shown(facts: RunFacts, measure: str) -> Html:
    """Return a measure's last value, or why there is none."""
    value = _value(facts, measure)
    if value is None:
        return tag("span", absent_text(facts, measure), class_="absent")
    return value_text(measure, value)


def _value(facts: RunFacts, measure: str) -> float | None:
    said = facts.last.get(measure)
    return None if said is None else said.value


def _numbers(facts: RunFacts) -> Html:
    """Every measure of the whole run by its last value, with what it means."""
    names = [name for name in MEASURES if name in facts.last]
    names += [name for name in facts.last if name not in MEASURES]
    rows = []
    for name in names:
        about = MEASURES.get(name)
        told = (about.label, about.formula) if about else (name, "")
        rows.append((told[0], _shown(facts, name), told[1]))
    head = (say("Measure"), say("Last value"), say("How it is defined"))
    said = say("Every number that the run recorded of itself, as it was last measured.")
    return page.table(head, rows, caption=said) if rows else Html()


def _matrix(facts: RunFacts) -> Html:
    record = facts.record
    if not record.rows:
        return tag("p", absent_text(facts, ""), class_="absent")
    last = record.rows[-1]
    count = len(last.accuracy)
    labels = [record.task_label(place) for place in range(count)]
    rows = [
        _row(
            say("after {task}").format(task=record.task_label(row.after_task)), row.accuracy, count
        )
        for row in record.rows
    ]
    rows.append(_row(say("frozen backbone (floor)"), last.baseline, count))
    rows.append((say("test pictures"), *(f"{size:,}" for size in last.sizes)))
    said = say(
        "Share of a column's test pictures recognised after a row's task, all classes seen so far; "
        "a dash: the task had not been learnt."
    )
    return page.table((say("after ↓  on →"), *labels), rows, caption=said, numbers=True)


def _row(name: str, values: Sequence[float], count: int) -> tuple[str, ...]:
    cells = [page.number(percent(v), v) if math.isfinite(v) else "–" for v in values]
    return (name, *cells, *["–"] * (count - len(cells)))


def _no_plots(run: RunSummary) -> Html:
    return tag(
        "p",
        say("{run} has recorded nothing that can be drawn.").format(run=run.name),
        class_="absent",
    )


def _tasks(facts: RunFacts) -> Html:
    if facts.started is None:
        return tag("p", say("The run has not looked at its pictures."), class_="absent")
    rows = []
    for place, task in enumerate(facts.started.tasks):
        trained, tested = sum(task.train_counts), sum(task.test_counts)
        counts = zip(task.class_names, task.train_counts, task.test_counts, strict=True)
        classes = ", ".join(f"{name} ({train:,} / {test:,})" for name, train, test in counts)
        name = f"{place + 1} {bare_name(place + 1, task.name)}"
        rows.append(
            (name, f"{len(task.class_names):,}", f"{trained:,}", f"{tested:,}",
             tag("small", classes), tag("code", task.fingerprint[:12]))
        )  # fmt: skip
    head = (say("Task"), say("Classes"), say("To learn"), say("To test"),
            say("Each class (to learn / to test)"), say("Content"))  # fmt: skip
    return page.table(head, rows)


def _folders(facts: RunFacts) -> Html:
    try:
        tasks = from_dict(facts.details.config).data.tasks
    except UsageError:  # of another version: they stand among the settings as they are written
        return Html()
    text = say("Folder of {task}")
    return page.facts(
        (text.format(task=task.name), tag("code", path)) for task in tasks for path in task.paths
    )


def _made_with(facts: RunFacts) -> Iterator[tuple[str, str]]:
    run, started = facts.details.summary, facts.started
    unknown = say("not recorded: the run never began to train")
    yield say("Backbone"), run.backbone
    yield say("Weights (SHA-256)"), tag("code", started.weights_sha256) if started else unknown
    yield say("Device"), started.device if started else unknown
    yield say("Precision"), (started.precision if started else "") or say("not recorded")
    yield say("Seed"), str(run.seed)
    if started:
        yield say("Feature width"), f"{started.feature_width:,}"
        yield say("Sequence"), started.sequence


def _versions(facts: RunFacts) -> Html:
    versions = facts.details.versions
    return (
        page.table((say("Program"), say("Version")), list(versions.items())) if versions else Html()
    )


def _cost(facts: RunFacts) -> Html:
    if facts.cost is None:
        text = say("Not known: the run's files cannot be read ({reason}).")
        return tag("p", text.format(reason=facts.gone), class_="absent")
    return page.facts(cost_facts(facts.cost, len(facts.record.tasks), facts.record.task_label))


def _files(facts: RunFacts) -> Html:
    rows = [
        (str(file["path"]), size_of(file["bytes"] or 0), tag("code", str(file["sha256"] or "–")))
        for file in facts.details.files
    ]
    return page.table((say("File"), say("Size"), say("SHA-256")), rows) if rows else Html()


def _foot(run: RunSummary) -> Html:
    return foot(say("From the log's record of {run}.").format(run=run.name))


def foot(source: str) -> Html:
    """Return the last line of a report: what it is made of, when, and by what."""
    from workbench import __version__

    now = as_date(datetime.now(UTC).isoformat(timespec="seconds"))
    text = say("{source} Written by NTK-CL workbench {version} on {date}.")
    return tag("footer", text.format(source=source, version=__version__, date=now))
