"""Studies without a window: trained to their end or gone on with, and written down."""

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from workbench.cli.at_once import must_be_possible
from workbench.cli.commands import print_out, say
from workbench.cli.several import train_waiting
from workbench.log.numbers import write_texts
from workbench.session import Session
from workbench.session.ledger import Entry, cells_of, ledger, said_of_test_part
from workbench.session.study_file import read_study
from workbench.session.study_state import StudyState


def study(session: Session, options: argparse.Namespace) -> int:
    """Train what the studies in files lack, print what they show, and write the ledger."""
    must_be_possible(options.at_once)
    asked = [(path, read_study(Path(path))) for path in options.files]  # all, before any begins
    code, entries = 0, []
    for path, wanted in asked:
        key = session.studies.begin(wanted, again=options.again)
        code = max(code, train_waiting(session, key, options.at_once))
        state = session.studies.get(key)
        say(_how_far(state))
        found = session.studies.results(key)
        sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        entries.append(Entry(path, sha256, state, found, session.studies.commits(key)))
        if code == 3:
            break
    if options.ledger:
        target = Path(options.ledger)
        write_texts({target.name: ledger(entries)}, target.parent)
        say(f"The ledger is in {target}.")
    text = "\n\n".join("\n".join(_lines(entry)) for entry in entries)
    print_out([_document(entry) for entry in entries], options.json, text)
    return code


def _how_far(state: StudyState) -> str:
    tested, failed = len(state.tested), len(state.failed)
    lost = f", {failed} failed; 'study FILE --again' tries them once more" if failed else ""
    return f"{state.study.name}: {tested} of {state.study.runs} runs tested{lost}."


def _document(entry: Entry) -> dict[str, object]:
    state = entry.state
    return {
        "id": state.id, "name": state.study.name, "stage": state.stage, "digest": state.study.digest,
        "tested": len(state.tested), "runs": state.study.runs, "trials": state.study.trials,
        "failed": [{"label": each.label, "reason": each.run.state_reason} for each in state.failed],
        "chosen": [asdict(each) for each in state.chosen or ()],
        **asdict(entry.results),
    }  # fmt: skip


def _lines(entry: Entry) -> Iterator[str]:
    state, baseline = entry.state, entry.state.study.baseline
    yield state.study.name
    yield said_of_test_part(state)
    for table in entry.results.tables:
        yield ""
        yield table.data
        yield f"{'method':24} {'n':>4} {'average':>13} {'final':>13} {'forgetting':>13}  final less {baseline}"
        for row in table.rows:
            method, n, average, final, forgetting, less, *_ = cells_of(row, baseline)
            yield f"{method:24.24} {n:>4} {average:>13} {final:>13} {forgetting:>13}  {less}"
    yield ""
    for place, each in enumerate(entry.results.ranking, 1):
        yield f"{place}. {each.method}: mean rank {each.rank:.2f} over {each.cells} cells"
    yield from (f"Failed: {each.label}: {each.run.state_reason}" for each in state.failed)
    yield from entry.results.odd
