"""A study, or several, as a page of Markdown: what was asked, chosen and found, made from the log alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.session.spread import Spread
from workbench.session.study_choice import Choice
from workbench.session.study_plan import CHOOSING
from workbench.session.study_results import DataTable, MethodRow, Paired, StudyResults
from workbench.session.study_state import StudyState


@dataclass(frozen=True)
class Entry:
    """What the page says of one study: the file that it was read from, as it is to be named, and that file's SHA-256."""

    source: str
    sha256: str
    state: StudyState
    results: StudyResults
    commits: tuple[str, ...]


def ledger(entries: Sequence[Entry]) -> str:
    """Return the page."""
    lines = [
        "# Ledger of studies", "",
        "Made by `python main.py study FILE … --ledger THIS` from the log of the runs; not to be edited. Per cent, mean ± s",
        "over the cells (order, seed) that finished, s with n − 1. Ā: average accuracy over tasks; A_T: accuracy on all classes at",
        "the end; F_T: forgetting. Difference: the method less the baseline over the cells that both have, with its 95 % interval by",
        "Student's t; cells that share test pictures are not wholly independent. Best other: of the other methods in the table the one with",
        "the highest mean A_T, joint training too where it is there. Floor: nearest class mean of frozen features (Ā).",
        "Seconds: learning and testing of one run; not the first look at each picture through the frozen backbone, which runs share.",
        "Numbers kept: beside the backbone at the end, what is needed to learn further included. Memory: the most the process had held.", "",
    ]  # fmt: skip
    for entry in entries:
        lines += [*_entry(entry), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    state, study = entry.state, entry.state.study
    yield f"## {study.name}"
    yield ""
    yield f"`{entry.source}` (SHA-256 {entry.sha256[:12]}), made at {', '.join(c[:12] for c in entry.commits) or 'no commit'}."
    yield (
        f"{_counted(len(study.methods), 'method')}, {_counted(len(study.data), 'set')} of pictures, orders: {study.orders}, seeds: "
        f"{', '.join(map(str, study.seeds))}{'' if study.crossed else ', each in one order'}; {len(state.tested)} of {study.runs} runs tested, {len(state.failed)} failed."
    )
    yield ""
    yield f"**Settings.** {said_of_test_part(state)}"
    for table in entry.results.tables:
        yield ""
        yield from _table(table, study.baseline)
    yield ""
    yield from _ranking(entry.results)
    for choice in state.chosen or ():
        yield ""
        yield from _choice(choice)
    for each in state.failed:
        yield ""
        yield f"Failed: {each.label}: {each.run.state_reason}"
    for sentence in entry.results.odd:
        yield ""
        yield sentence


def said_of_test_part(state: StudyState) -> str:
    """Return in sentences what was chosen by, and how often the test part was read."""
    study, tried = state.study, len(state.of_stage(CHOOSING))
    if not study.trials:
        choosing = "Nothing is chosen in this study: each method runs as its file says."
    else:
        choosing = f"{study.choosing.sentence} {tried} of {study.trials} trials were run; none read a test picture."
    return f"{choosing} The test part was read by {_counted(len(state.tested), 'run')}, each cell once."


def _table(table: DataTable, baseline: str) -> Iterator[str]:
    yield f"### {table.data}"
    yield ""
    yield f"| method | n | Ā | A_T | F_T | A_T less {baseline} | Ā less {baseline} | floor Ā | seconds | numbers kept | memory | A_T less the best other |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for row in table.rows:
        best = f"{difference(row.best_difference)} ({row.best_other})" if row.best_other else "—"
        yield "| " + " | ".join((*cells_of(row, baseline), best)) + " |"


def cells_of(row: MethodRow, baseline: str) -> tuple[str, ...]:
    """Return a method's line as texts, in the order of the page's columns."""
    own = row.method == baseline
    n = str(row.n) if not row.failed else f"{row.n} ({row.failed} failed)"
    return (
        row.method, n, percent(row.average), percent(row.final), percent(row.forgetting),
        "baseline" if own else difference(row.final_difference),
        "baseline" if own else difference(row.average_difference),
        percent(row.floor), _plain(row.seconds, 1), _plain(row.values, 0),
        "—" if row.peak.mean is None else f"{row.peak.mean / 2**20:,.0f} MB",
    )  # fmt: skip


def percent(spread: Spread) -> str:
    """Return "38.9 ± 3.0", or "—" where nothing is known."""
    if spread.mean is None:
        return "—"
    mean = f"{100 * spread.mean:.1f}"
    return mean if spread.deviation is None else f"{mean} ± {100 * spread.deviation:.1f}"


def difference(pair: Paired) -> str:
    """Return "+1.2 [+0.4, +2.0]" in points, without an interval for one cell."""
    if pair.mean is None:
        return "—"
    mean = f"{100 * pair.mean:+.1f}"
    if pair.half is None:
        return mean
    low, high = (100 * (pair.mean + sign * pair.half) for sign in (-1, 1))
    return f"{mean} [{low:+.1f}, {high:+.1f}]"


def _ranking(found: StudyResults) -> Iterator[str]:
    if not found.ranking:
        yield "No cell was finished by every method yet, so there is no ranking."
        return
    yield "| rank | method | mean rank by A_T | cells | best mean on |"
    yield "|---|---|---|---|---|"
    for place, each in enumerate(found.ranking, 1):
        sets = f"{each.best} of {len(found.tables)} sets"
        yield f"| {place} | {each.method} | {each.rank:.2f} | {each.cells} | {sets} |"


def _choice(choice: Choice) -> Iterator[str]:
    head = f"Chosen for {choice.method} on {choice.data}: "
    yield head + (
        f"{values_text(choice.values)}." if choice.found else "nothing, as every candidate failed."
    )
    yield ""
    yield "| candidate | validation | parts |"
    yield "|---|---|---|"
    for place, trial in enumerate(choice.trials):
        mark = " (chosen)" if place == choice.place else " (out)" if trial.failed else ""
        yield f"| {values_text(trial.values)}{mark} | {percent(trial.spread)} | {len(trial.accuracies)} |"


def values_text(values: Any) -> str:
    """Return settings as "learning_rate = 0.02, epochs = 3"."""
    return ", ".join(f"{key.rpartition('.')[2]} = {value}" for key, value in values.items())


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _plain(spread: Spread, digits: int) -> str:
    return "—" if spread.mean is None else f"{spread.mean:,.{digits}f}"
