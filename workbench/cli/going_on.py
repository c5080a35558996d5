"""Commands for runs that go on: resumed where they ended early, extended after they have finished."""

import argparse
from typing import Any

from workbench.cli.commands import print_out, result_of, say, work
from workbench.cli.progress import Progress
from workbench.cli.request import scan_all
from workbench.cli.text import run_text
from workbench.errors import UsageError
from workbench.log.numbers import details_dict
from workbench.session import Run, Session

_EXIT = {"finished": 0, "failed": 1, "stopped": 3}
_SETTINGS = {
    "batch_size": "train.batch_size",
    "learning_rate": "train.learning_rate",
    "device": "train.device",
    "precision": "train.precision",
}


def resume(session: Session, options: argparse.Namespace) -> int:
    """Train a run that ended early to its end, from its last checkpoint."""
    for old, new in options.found:
        session.resuming.find(options.run, old, new)
    doubts = result_of(session.resuming.questions(options.run), tuple)
    questions = [doubt.sentence for doubt in doubts]
    if questions and not options.anyway:
        raise UsageError(" ".join((*questions, "Add --anyway to resume all the same.")))
    given = {key: getattr(options, name) for name, key in _SETTINGS.items()}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    started = session.resuming.resume(options.run, changes, questions)
    say(f"{started.name} goes on after {started.steps:,} steps.")
    return _train(session, started, options)


def extend(session: Session, options: argparse.Namespace) -> int:
    """Train a child of a finished run: with further folders, or for more epochs."""
    session.details(options.run)  # an unknown name is told before folders are looked through
    report = scan_all(session, options.folders, Progress()) if options.folders else None
    tasks = [task.folder for task in report.tasks] if report is not None else []
    if report is not None and not tasks:
        raise UsageError("None of the folders can be a task. 'scan' says why.")
    return _train(session, session.resuming.extend(options.run, tasks, options.epochs), options)


def _train(session: Session, started: Run, options: argparse.Namespace) -> int:
    work(started)
    details = session.details(started.id)
    print_out(details_dict(details), options.json, run_text(details))
    return _EXIT.get(started.state, 1)
