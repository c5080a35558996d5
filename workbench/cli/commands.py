"""What each command does: ask the session, print the answer, return the exit code."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from threading import Thread
from types import FrameType
from typing import Any, TypeVar

from workbench.cli.lookout import Lookout
from workbench.cli.progress import Progress
from workbench.cli.request import configuration, scan_all
from workbench.cli.text import (
    guess_text,
    lines_of,
    run_text,
    runs_text,
    scan_text,
    task_dict,
)
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Failed
from workbench.log.numbers import details_dict, summary_dict
from workbench.report import Guess, SelfTestRow
from workbench.session import Run, Session, versions

Result = TypeVar("Result")

OPEN_AGAIN = -1  # what the window returns if the log is to be opened anew, and the window with it
_EXIT = {"finished": 0, "failed": 1, "stopped": 3}


def say(text: str) -> None:
    """Write a line for the person at the terminal, if there is one (Windows' GUI script has none)."""
    if sys.stderr is not None:
        sys.stderr.write(text + "\n")


def notes_of(session: Session, options: argparse.Namespace) -> tuple[str, ...]:
    """Return what is to be said at the start; the window tells of cut-off runs and plug-ins itself."""
    asks = options.command is window
    if asks:
        return ()
    return (*session.cut_off, *session.upkeep.notes(), *session.plug_ins.notes())


def window(session: Session, options: argparse.Namespace) -> int:
    """Open the window."""
    from workbench.face import app

    return app.run(session, paths=options.folders, scheme=options.scheme)


def ask_for_home(sentence: str) -> str | None:
    """Ask in a box for another folder for the log; None where there is no screen, or nothing was chosen."""
    from workbench.face import app

    try:
        return app.ask_for_home(sentence)
    except UsageError:  # no display: the sentence is printed instead
        return None


def run(session: Session, options: argparse.Namespace) -> int:
    """Train without a window."""
    progress = Progress()
    config = configuration(session, options, progress)
    if options.seeds or options.orders:
        from workbench.cli.several import group

        return group(session, config, options)
    if options.at_once != 1:
        raise UsageError("--at-once goes with --seeds or --orders: one run is trained at a time.")
    started = session.start(config)
    work(started)
    for item in session.score_forecasts():
        if item.score is not None:
            say(item.score.sentence)
    details = session.details(started.id)
    print_out(details_dict(details), options.json, run_text(details))
    return _EXIT.get(started.state, 1)  # "running": the training thread itself broke


def work(started: Run) -> str:
    """Train a run to its end, showing how far it is; return its end state. Ctrl-C goes on as such."""
    with stopped_by_signals([started]) as heard:
        failure = _follow(started, Progress())
    if failure:
        say(failure)
    say_stopped(started)
    if started.state == "stopped" and signal.SIGINT in heard:
        raise KeyboardInterrupt
    return started.state


def say_stopped(run: Run) -> None:
    """Say how a run that was stopped goes on; nothing of another."""
    if run.state == "stopped":
        say(f"{run.name} was stopped and saved; 'resume {run.id[:8]}' goes on from there.")


def runs(session: Session, options: argparse.Namespace) -> int:
    """List the runs, newest first."""
    found = session.runs()
    print_out([summary_dict(summary) for summary in found], options.json, runs_text(found))
    return 0


def show(session: Session, options: argparse.Namespace) -> int:
    """Show one run; its forecasts are scored first, where a later run has learnt what they were about."""
    session.forecasts(options.run)
    details = session.details(options.run)
    print_out(details_dict(details), options.json, run_text(details))
    return 0


def predict(session: Session, options: argparse.Namespace) -> int:
    """Classify pictures."""
    progress, guesses = Progress(), []
    for item in session.predict(options.adapter, options.pictures):
        if isinstance(item, Guess):
            guesses.append(item)
        else:
            progress.show(item)
    progress.close()
    text = "\n".join(guess_text(guess) for guess in guesses)
    print_out([asdict(guess) for guess in guesses], options.json, text)
    return 1 if all(guess.problem for guess in guesses) else 0


def scan(session: Session, options: argparse.Namespace) -> int:
    """Look through folders."""
    report = scan_all(session, options.folders, Progress())
    document = {
        "tasks": [task_dict(task) for task in report.tasks],
        "problems": [asdict(problem) for problem in report.problems],
    }
    print_out(document, options.json, scan_text(report))
    return 0 if report.tasks else 1


def doctor(session: Session, options: argparse.Namespace) -> int:
    """Say what is installed, what the GPU is, where things lie and how the log is."""
    import torch

    gpu = (
        torch.cuda.get_device_name(0)
        if torch.cuda.is_available()
        else "none: training uses the processor"
    )
    facts: dict[str, Any] = {
        "versions": versions(), "gpu": gpu, "processors": os.cpu_count(), "qt": _qt_state(),
        "home": str(session.home), "log": session.health(), "notes": [*session.cut_off, *session.upkeep.notes()],
        "plug-ins": session.plug_ins.facts(),
    }  # fmt: skip
    rows = _self_test(session) if options.ntk else ()
    if options.ntk:
        facts["ntk"] = {
            row.name: {"predicted": row.predicted, "measured": row.measured, "difference": row.difference}
            for row in rows
        }  # fmt: skip
    print_out(facts, options.json, "\n".join(lines_of(facts)))
    return 0 if all(row.holds for row in rows) else 1


def _self_test(session: Session) -> tuple[SelfTestRow, ...]:
    """Run the linear-head self-test, showing how far it is."""
    return result_of(session.self_test(), tuple)


def result_of(items: Iterator[Any], kind: type[Result]) -> Result:
    """Show how far something is until its result comes, and return that."""
    progress = Progress()
    for item in items:
        if isinstance(item, kind):
            progress.close()
            return item
        progress.show(item)
    raise WorkbenchError("It ended without a result.")


@contextmanager
def stopped_by_signals(under_way: Sequence[Run]) -> Iterator[list[int]]:
    """Let signals ask the runs that are under way then to stop after their steps; yields the list of those that came.

    The second Ctrl-C ends the program at once: the next one finds the run cut off, to be resumed.
    """
    heard: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        heard.append(number)
        for run in under_way:
            run.stop()
        if heard.count(signal.SIGINT) > 1:
            for run in under_way:
                text = f"Ended at once. 'resume {run.id[:8]}' goes on from what was saved.\n"
                os.write(2, text.encode())
            os._exit(130)  # the thread that trains would be waited for

    before = {number: signal.signal(number, stop) for number in _ends()}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ends() -> list[int]:
    """Return the signals that end a run: also the terminal's end, unless `nohup` keeps that away."""
    ends: list[int] = [signal.SIGINT, signal.SIGTERM]
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is not None and signal.getsignal(hang_up) != signal.SIG_IGN:
        ends.append(int(hang_up))
    return ends


def _follow(run: Run, progress: Progress) -> str:
    """Train in a thread, so that signals are heard here meanwhile; return why it failed, if it did."""
    worker = Thread(target=run.work, name="training")
    worker.start()
    failure, told, lookout = "", False, Lookout(run, progress)
    while True:
        worker.join(0.05)
        ended = not worker.is_alive()
        if run.stop_when and not told:
            progress.line("Stopping after this step.")
            told = True
        for event in run.news():
            progress.show(event)
            lookout.hear(event)
            if isinstance(event, Failed):
                failure = event.detail + event.sentence
        if ended:
            progress.close()
            return failure
        lookout.look()


def print_out(document: object, as_json: bool, text: str) -> None:
    """Write the answer to standard output: one JSON document, or text."""
    if as_json:
        text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()  # here, so that a reader that has gone away is noticed here


def _qt_state() -> str:
    from workbench.face import app

    try:
        app.require_qt()
        app.require_display()
    except UsageError as error:
        return str(error)
    return "ok"
