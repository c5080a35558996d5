"""The report of runs side by side: final numbers, what differs and curves, in one page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.face import html_page as page
from workbench.face.bars import SIGNS, Bars
from workbench.face.compare_lines import CHOICES, Drawn
from workbench.face.compare_words import doubt_of, shown_of
from workbench.face.html_page import Html, tag
from workbench.face.language import say
from workbench.face.record import RunRecord
from workbench.face.run_report import foot, value_text
from workbench.face.views import VIEWS
from workbench.face.words import as_date, counted
from workbench.session.compare import Comparison, Difference

_MOST = 6  # columns of a table that are legible on paper


@dataclass(frozen=True, eq=False)
class ComparisonFacts:
    """What the tab Compare shows at one moment."""

    comparison: Comparison
    drawn: Sequence[Drawn]
    records: Mapping[str, RunRecord]
    bars: Sequence[Bars]  # one for each number, with its verdicts
    by_task: bool
    ticked: int


def comparison_figures(facts: ComparisonFacts) -> Iterator[str]:
    """Draw every plot that one of the runs has points for, one <svg> at a time; on Qt's own thread."""
    from workbench.face.compare_plot import show  # plots take long to load
    from workbench.face.plot import LivePlot
    from workbench.face.plot_file import SIZE, svg_of
    from workbench.face.theme import LIGHT

    for key in CHOICES:
        curve = VIEWS[key].headline
        if any(record.last(curve) is not None for record in facts.records.values()):
            plot = LivePlot(say(VIEWS[key].title), theme=LIGHT)
            show(plot, key, facts.drawn, facts.records, by_task=facts.by_task)
            plot.lay_out(SIZE)
            yield svg_of(plot)


def comparison_page(facts: ComparisonFacts, svgs: Sequence[str]) -> str:
    """Return the page."""
    runs = facts.comparison.runs
    title = say("Comparison of {runs}").format(runs=counted(len(runs), "run", "runs"))
    doubt, _ = doubt_of(facts.comparison)
    cut = shown_of(len(runs), facts.ticked)
    return page.document(
        title,
        tag("h1", title),
        tag("p", ", ".join(run.name for run in runs), class_="muted"),
        *(tag("p", text, class_="warning") for text in (doubt, cut) if text),
        page.section(say("Runs"), _runs(facts)),
        page.section(say("Final numbers"), _numbers(facts)),
        page.section(say("Curves"), page.gallery(svgs) or _no_curves()),
        page.section(say("What differs"), _differences(facts)),
        foot(say("From the log's records of these runs.")),
    )


def _runs(facts: ComparisonFacts) -> Html:
    place = facts.comparison.baseline
    rows = [
        (
            tag("b", say("{run} (baseline)").format(run=run.name)) if at == place else run.name,
            say(run.state), f"{run.tasks_done}/{run.tasks_total}", run.backbone, run.profile,
            str(run.seed), as_date(run.created),
        )
        for at, run in enumerate(facts.comparison.runs)
    ]  # fmt: skip
    head = (say("Run"), say("State"), say("Tasks"), say("Backbone"), say("Profile"), say("Seed"), say("Began"))  # fmt: skip
    said = "" if place >= 0 else say("No baseline is pinned.")
    return page.table(head, rows, caption=said)


def _numbers(facts: ComparisonFacts) -> Html:
    if not facts.bars:
        return tag("p", say("Not recorded by these runs"), class_="absent")
    said = say("The last value of each; a group is its mean ± sample standard deviation.")
    pinned = facts.comparison.baseline
    if pinned >= 0:
        text = say("{said} ▲ better, ▼ worse, = equal, as against {run}.")
        said = text.format(said=said, run=facts.comparison.runs[pinned].name)
    tables = []
    for places in _batches(len(facts.drawn)):
        head = (say("Measure"), *(_head(facts, place) for place in places))
        rows = [
            (bars.measure, *(_cell(facts, n, place) for place in places))
            for n, bars in enumerate(facts.bars)
        ]
        tables.append(page.table(head, rows, numbers=True))
    return page.joined([tag("p", said, class_="muted"), *tables])


def _head(facts: ComparisonFacts, place: int) -> str:
    label, pinned = facts.drawn[place].label, facts.comparison.baseline
    own = pinned >= 0 and facts.drawn[place].members == (facts.comparison.runs[pinned].id,)
    return say("{run} (baseline)").format(run=label) if own else label


def _cell(facts: ComparisonFacts, number: int, place: int) -> Html:
    """Return one number, or the mean of a group; what was not recorded says so."""
    bars, measure = facts.bars[number], facts.comparison.numbers[number].name
    bar = bars.bars[place]
    if not bar.values:
        return tag("span", bars.absent, class_="absent")
    sign = f"{SIGNS[bar.verdict]} " if bar.verdict in SIGNS else ""
    if len(bar.values) == 1:
        return tag("span", sign, value_text(measure, bar.values[0]), class_=bar.verdict)
    return tag("span", bars.text(bar), class_=bar.verdict)


def _differences(facts: ComparisonFacts) -> Html:
    found: tuple[Difference, ...] = (*facts.comparison.pictures, *facts.comparison.differences)
    if not found:
        return tag("p", say("Nothing that the log knows of: settings, versions, device, pictures."))
    names = [run.name for run in facts.comparison.runs]
    tables = []
    for places in _batches(len(names)):
        rows = [
            (tag("span", each.label, title=each.key), *(each.values[at] for at in places))
            for each in found
        ]
        tables.append(page.table((say("Setting"), *(names[at] for at in places)), rows))
    return page.joined(tables)


def _no_curves() -> Html:
    return tag("p", say("These runs have recorded nothing that can be drawn."), class_="absent")


def _batches(count: int) -> list[range]:
    """Return the columns of each table in turn."""
    return [range(first, min(first + _MOST, count)) for first in range(0, count, _MOST)]
