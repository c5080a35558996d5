"""The command line: a window without a command, or the same engine and log without a screen.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 stopped, 130 Ctrl-C. With `--json` standard output
holds one JSON document and nothing else; progress and messages go to standard error.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from io import TextIOWrapper

from workbench import __version__
from workbench.cli import carry, commands, foresight, going_on, several, study, upkeep
from workbench.errors import Cancelled, UsageError, WorkbenchError
from workbench.paths import remember_home
from workbench.session import Session, SessionApart
from workbench.session.upkeep import put_in_place

ELSEWHERE = "Another place is chosen with --home DIR."
DONE, FAILED, WRONG_USE, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    multiprocessing.freeze_support()  # a bundled program starts itself anew for its children
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a GUI script on Windows has none
            stream.reconfigure(encoding="utf-8", errors="replace")
    options = parser().parse_args(arguments)
    try:
        return _done(options)
    except BrokenPipeError:  # `| head` has read enough; nothing more is to be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        commands.say("Stopped by Ctrl-C.")
        return INTERRUPTED
    except WorkbenchError as error:
        commands.say(f"{error} {ELSEWHERE}" if error.elsewhere else str(error))
        return (
            STOPPED
            if isinstance(error, Cancelled)
            else WRONG_USE
            if isinstance(error, UsageError)
            else FAILED
        )


def _done(options: argparse.Namespace) -> int:
    """Do the command; the window may want the log, and itself, opened anew."""
    command: Callable[[Session, argparse.Namespace], int] = options.command
    if options.command is upkeep.rescue:  # of a log that cannot be opened
        return int(upkeep.rescue(options))
    while True:
        with closing(_opened(options)) as session:
            for note in commands.notes_of(session, options):
                commands.say(note)
            code = command(session, options)
        if code != commands.OPEN_AGAIN:
            return code
        if session.upkeep.replacement is not None:
            put_in_place(session.home, session.upkeep.replacement)


def _opened(options: argparse.Namespace) -> Session:
    """Open the log; for the window a log that cannot be opened is a question, not the end."""
    given = vars(options)
    home = given.get("home")
    safe, trust = "safe_mode" in given, "trust_plugins" in given
    apart = options.command is commands.window and not options.in_process
    kind = SessionApart if apart else Session
    while True:
        try:
            return kind(home, safe_mode=safe, trust_plugins=trust)
        except WorkbenchError as error:
            if options.command is not commands.window:
                raise
            if upkeep.settled(error):
                continue
            chosen = commands.ask_for_home(str(error))
            if chosen is None:
                raise
            if home is None:
                remember_home(chosen)
            home = chosen


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--home", metavar="DIR", default=argparse.SUPPRESS, help="folder of log, runs and weights"
    )
    common.add_argument(
        "--safe-mode", action="store_true", default=argparse.SUPPRESS,
        help="start with the built-ins only, without any plug-in",
    )  # fmt: skip
    common.add_argument(
        "--trust-plugins", action="store_true", default=argparse.SUPPRESS,
        help="load plug-ins that were not seen before, now and from now on",
    )  # fmt: skip
    top = argparse.ArgumentParser(
        prog="main.py", parents=[common], description=__doc__.splitlines()[0] if __doc__ else None,
        epilog="Without a command, the window opens.",
    )  # fmt: skip
    top.add_argument("--version", action="version", version=f"NTK-CL workbench {__version__}")
    top.add_argument(
        "--scheme",
        choices=("system", "light", "dark"),
        default="system",
        help="the window's colours",
    )
    top.add_argument(
        "--in-process", action="store_true",
        help="let the window train in its own process, where a step that hangs cannot be ended",
    )  # fmt: skip
    top.set_defaults(command=commands.window, folders=[])
    subs = top.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        name: str, run: Callable[..., int], text: str, *, has_json: bool = True
    ) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(command=run)
        if has_json:
            sub.add_argument(
                "--json", action="store_true", help="print one JSON document and nothing else"
            )
        return sub

    _add_learning(command)
    _add_foreseeing(command)
    _add_taking_away(command)
    _add_looking(command)
    return top


def _add_learning(command: Callable[..., argparse.ArgumentParser]) -> None:
    _add_run(command("run", commands.run, "train without a window"))
    _add_going_on(command)
    text = "list the runs that wait for their turn"
    queue = command("queue", several.queue, text)
    queue.add_argument("--go", action="store_true", help="train them, one after another")
    _add_at_once(queue)
    _add_study(
        command("study", study.study, "compare methods as STUDY.toml says, or go on with it")
    )
    command("runs", commands.runs, "list the runs of the log, newest first")
    text = "show one run: state, accuracy matrix, metrics, configuration"
    show = command("show", commands.show, text)
    show.add_argument("run", metavar="RUN", help="id, beginning of an id, or name")


def _add_at_once(sub: argparse.ArgumentParser) -> None:
    text = "train N runs at the same time, each in a process with its share of the cores"
    sub.add_argument("--at-once", type=int, metavar="N", default=1, help=text)


def _add_study(sub: argparse.ArgumentParser) -> None:
    _add_at_once(sub)
    sub.add_argument("files", metavar="STUDY.toml", nargs="+", help="what is to be compared")
    sub.add_argument("--again", action="store_true", help="also train once more what has failed")
    text = "write what all these studies show as one page of Markdown"
    sub.add_argument("--ledger", metavar="FILE.md", help=text)


def _add_going_on(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "train a run that was stopped, cut off or failed to its end, from its last checkpoint"
    resume = command("resume", going_on.resume, text)
    resume.add_argument("run", metavar="RUN", help="id, beginning of an id, or name")
    resume.add_argument("--batch-size", type=int, metavar="N", help="go on with another batch")
    text = "go on with another learning rate"
    resume.add_argument("--learning-rate", type=float, metavar="X", help=text)
    text = "go on on another device: auto, cpu, cuda"
    resume.add_argument("--device", metavar="NAME", help=text)
    text = "go on in another precision: auto, strict, tf32, bf16"
    resume.add_argument("--precision", metavar="NAME", help=text)
    text = "resume even though pictures or versions are not as they were"
    resume.add_argument("--anyway", action="store_true", help=text)
    text = "the pictures of folder OLD lie in NEW now; may be given several times"
    resume.add_argument(
        "--found", nargs=2, metavar=("OLD", "NEW"), action="append", default=[], help=text
    )
    text = "go on from the end of a finished run, as a new run: with further folders or more epochs"
    extend = command("extend", going_on.extend, text)
    extend.add_argument("run", metavar="RUN", help="id, beginning of an id, or name")
    extend.add_argument("folders", metavar="DIR", nargs="*", help="task folders to learn after it")
    text = "train the last task N epochs longer instead"
    extend.add_argument("--epochs", type=int, metavar="N", default=0, help=text)


def _add_foreseeing(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "forecast which tasks of a run suffer if a folder is learnt next"
    forecast = command("forecast", foresight.forecast, text)
    forecast.add_argument("run", metavar="RUN")
    forecast.add_argument("folder", metavar="DIR", nargs="?", help="the task that may come next")
    text = "list what was forecast from the run, with scores"
    forecast.add_argument("--list", action="store_true", help=text)
    text = "suggest an order of tasks before training, by what the kernel says of it"
    order = command("order", foresight.order, text)
    order.add_argument("tasks", metavar="DIR", nargs="+", help="task folders, or one CONFIG.toml")
    text = "see the pictures through the network that a run left"
    order.add_argument("--run", metavar="RUN", default="", help=text)


def _add_taking_away(command: Callable[..., argparse.ArgumentParser]) -> None:
    text = "write a run's adapter, plots and numbers into a folder"
    export = command("export", carry.export, text, has_json=False)
    export.add_argument("run", metavar="RUN")
    export.add_argument("--to", metavar="DIR", required=True)
    export.add_argument(
        "--adapter", action="store_true", help="the trained adapter, read back and checked"
    )
    export.add_argument("--plots", action="store_true", help="PNG, SVG and PDF")
    export.add_argument("--csv", action="store_true", help="every number, as CSV and JSON")
    text = "one page (report.html) with results, plots, settings and versions; only if it is named"
    export.add_argument("--report", action="store_true", help=text)
    export.add_argument(
        "--with", dest="exporter", metavar="NAME", help="write with an exporter only"
    )
    text = "write a run as one file that 'open' reads on another computer"
    bundle = command("bundle", carry.bundle, text, has_json=False)
    bundle.add_argument("run", metavar="RUN")
    bundle.add_argument("file", metavar="FILE.zip")
    opened = command("open", carry.open_bundle, "take a bundled run into the log", has_json=False)
    opened.add_argument("file", metavar="FILE.zip")
    text = "classify pictures with a run's or an exported adapter"
    predict = command("predict", commands.predict, text)
    predict.add_argument("adapter", metavar="RUN_OR_ADAPTER")
    predict.add_argument("pictures", metavar="IMAGE", nargs="+")


def _add_looking(command: Callable[..., argparse.ArgumentParser]) -> None:
    scan = command("scan", commands.scan, "look through folders as a drop on the window would")
    scan.add_argument("folders", metavar="DIR", nargs="+")
    doctor = command("doctor", commands.doctor, "versions, GPU, Qt, folders, health of the log")
    text = "save what can be read of a damaged log into a new one; the old file is kept"
    command("rescue", upkeep.rescue, text, has_json=False)
    text = "also check the NTK arithmetic on a linear head"
    doctor.add_argument("--ntk", action="store_true", help=text)


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("config", metavar="CONFIG.toml", nargs="?", help="a run configuration")
    run.add_argument("--sample", action="store_true", help="train on the shipped sample (quick)")
    run.add_argument("--full", action="store_true", help="with --sample: on all its pictures")
    run.add_argument("--preset", metavar="NAME", help="start from a preset's settings")
    run.add_argument("--tasks", metavar="DIR", nargs="+", help="task folders, in learning order")
    run.add_argument(
        "--set", metavar="section.key=value", action="append", default=[], help="change one setting"
    )
    run.add_argument("--seed", type=int, metavar="N", help="set every seed to N")
    run.add_argument("--name", help="name of the run")
    text = "train with N seeds (0 to N-1), or those listed (1,5,9), as one group"
    run.add_argument("--seeds", metavar="N", help=text)
    text = "train the tasks in K different orders, the present one first, as one group"
    run.add_argument("--orders", type=int, metavar="K", help=text)
    _add_at_once(run)
