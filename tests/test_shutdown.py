"""Ends from outside, in the middle of training: signals, log-off, an interpreter that just ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QGuiApplication

from tests.engines import PATIENCE, Working, engines, session_of, wait_for
from tests.trained import QUICK, folders, quick_config
from workbench.cli import INTERRUPTED, STOPPED
from workbench.events import Step, Stopped
from workbench.face.outside import FromOutside
from workbench.face.window import Window
from workbench.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]
ROOT = Path(__file__).resolve().parent.parent
CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: STOPPED, signal.SIGHUP: STOPPED}
SIGNALS = [signal.SIGINT, signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]

WINDOW = """
import sys
from pathlib import Path

def main():
    from PySide6.QtCore import QTimer
    from tests.engines import wait_for
    from tests.trained import folders, quick_config
    from workbench import cli
    from workbench.events import Step
    from workbench.face.app import application
    from workbench.face.window import Window

    root, *words = sys.argv[1:]
    config = quick_config(folders(Path(root) / "pictures"), epochs=5000)
    app = application()

    def begin():
        (window,) = [each for each in app.topLevelWidgets() if isinstance(each, Window)]
        if "exit" in words:  # the loop ends though nobody has closed the window
            window.desk.training.news.connect(
                lambda news: [app.exit(7) for each in news if isinstance(each, Step)])
        window.desk.begin(window.desk.session.start(config))

    QTimer.singleShot(500, begin)
    options = [word for word in words if word.startswith("--")]
    sys.exit(cli.main(["--home", str(Path(root) / "home"), *options]))

if __name__ == "__main__":
    main()
"""

FORGETFUL = """
import sys
from pathlib import Path

if __name__ == "__main__":
    from tests.engines import Working
    from tests.trained import folders, quick_config
    from workbench.events import Step
    from workbench.session import SessionApart

    root = Path(sys.argv[1])
    session = SessionApart(root / "home", entry_points=False)
    session.warm()
    working = Working(session.start(quick_config(folders(root / "pictures"), epochs=5000)))
    working.wait_for(lambda event: isinstance(event, Step))
"""

TWICE = """
import signal, sys
from pathlib import Path
from tests.trained import folders, quick_config
from workbench.cli.commands import stopped_by_signals
from workbench.session import Session

root = Path(sys.argv[1])
session = Session(root / "home", entry_points=False)
run = session.start(quick_config(folders(root / "pictures")))
with stopped_by_signals([run]):  # of a run whose step never ends
    signal.raise_signal(signal.SIGINT)
    print(run.stop_when, flush=True)
    signal.raise_signal(signal.SIGINT)
    print("still there", flush=True)
"""


@contextmanager
def process(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A Python program, ended at the latest with the test."""
    with subprocess.Popen(
        [sys.executable, *map(str, words)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as made:  # fmt: skip
        try:
            yield made
        finally:
            made.kill()


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.py"
    path.write_text(text)
    return path


def wait_for_steps(session: Session, more_than: int = 2) -> None:
    """Wait until the log of another process holds steps."""

    wait_for(lambda: steps_of(session) > more_than, "a step")


def steps_of(session: Session) -> int:
    """Count the steps in the log."""
    events = (event for run in session.runs() for event in session.events(run.id))
    return sum(isinstance(event, Step) for event in events)


def works(each: psutil.Process) -> bool:
    """Whether it has not ended; a container may have nobody who buries orphans."""
    try:
        return bool(each.is_running() and each.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def end_of(owner: subprocess.Popen[str], *numbers: int) -> tuple[int, str]:
    """Send the signals, one after another; return exit code and what was said, with no process left."""
    family = psutil.Process(owner.pid).children(recursive=True)
    for number in numbers:
        owner.send_signal(number)
    _, err = owner.communicate(timeout=PATIENCE)
    wait_for(lambda: not any(map(works, family)), "the end of its children")
    return owner.returncode, err


def assert_it_goes_on(session: Session) -> None:
    """The only run was stopped after a step, and goes on with the next one."""
    (run,) = session.runs()
    assert run.state == "stopped"
    last = session.events(run.id)[-1]
    assert isinstance(last, Stopped)
    newest = session.resuming.points(run.id).newest
    assert newest is not None
    assert newest.event.step == last.step > 0
    (doubts,) = [each for each in session.resuming.questions(run.id) if isinstance(each, tuple)]
    assert doubts == ()
    working = Working(session.resuming.resume(run.id, {}, []))
    working.wait_for(lambda event: isinstance(event, Step))
    working.run.stop()
    first = next(event for event in working.end() if isinstance(event, Step))
    assert first.step == last.step


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_stops_saves_and_closes_the_window(tmp_path, number) -> None:
    with (
        process(script(tmp_path, WINDOW), tmp_path) as owner,
        session_of("thread", tmp_path / "home") as session,
    ):
        wait_for_steps(session)
        code, err = end_of(owner, number, signal.SIGTERM)  # the second one changes nothing
        assert code in (CODES[number], STOPPED), err  # two at once come in any order
        assert "Traceback" not in err
        assert_it_goes_on(session)


@pytest.mark.long
def test_a_window_that_trains_in_its_own_process_is_stopped_too(tmp_path) -> None:
    with (
        process(script(tmp_path, WINDOW), tmp_path, "--in-process") as owner,
        session_of("thread", tmp_path / "home") as session,
    ):
        wait_for_steps(session)
        assert end_of(owner, signal.SIGINT)[0] == INTERRUPTED
        assert_it_goes_on(session)


@pytest.mark.long
def test_a_loop_that_ends_without_a_closed_window_leaves_nothing_behind(tmp_path) -> None:
    with (
        process(script(tmp_path, WINDOW), tmp_path, "exit") as owner,
        session_of("thread", tmp_path / "home") as session,
    ):
        wait_for_steps(session, 0)
        code, err = end_of(owner)
        assert code == 7, err
        assert_it_goes_on(session)


def test_an_interpreter_that_ends_without_closing_leaves_nothing_behind(tmp_path) -> None:
    with (
        process(script(tmp_path, FORGETFUL), tmp_path) as owner,
        session_of("thread", tmp_path / "home") as session,
    ):
        wait_for_steps(session, 0)
        code, err = end_of(owner)
        assert code == 0, err
        assert_it_goes_on(session)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_run_and_resume_stop_after_the_step_and_say_how_to_go_on(tmp_path, number) -> None:
    home = tmp_path / "home"
    tiny = [f"{key}={value}" for key, value in (QUICK | {"train.epochs": 5000}).items()]
    sets = [word for each in tiny for word in ("--set", each)]
    pictures = folders(tmp_path / "pictures")
    words = ["main.py", "--home", home, "run", *sets, "--tasks", *pictures]
    with session_of("thread", home) as session:
        for again in (False, True):
            if again:
                words = ["main.py", "--home", home, "resume", session.runs()[0].id]
            before = steps_of(session)
            with process(*words) as owner:
                wait_for_steps(session, before + 2)
                code, err = end_of(owner, number)
            (run,) = session.runs()
            assert code == CODES[number], err
            assert f"run-0001 was stopped and saved; 'resume {run.id[:8]}' goes on" in err
            assert "Traceback" not in err
        assert_it_goes_on(session)


def test_a_second_ctrl_c_ends_at_once(tmp_path) -> None:
    with process(script(tmp_path, TWICE), tmp_path) as owner:
        out, err = owner.communicate(timeout=PATIENCE)
    assert (owner.returncode, out) == (INTERRUPTED, "now\n")
    with session_of("thread", tmp_path / "home") as session:
        (run,) = session.runs()
        assert run.state == "interrupted"
        assert err == f"Ended at once. 'resume {run.id[:8]}' goes on from what was saved.\n"


@pytest.fixture
def window(tmp_path, qtbot):
    with session_of("process", tmp_path / "home") as session:
        made = Window(session)
        made.show()
        yield made
        made.close()
        made.shut_down()
        made.deleteLater()
    assert engines() == []


def train(window: Window, qtbot, pictures: Path) -> None:
    session = window.desk.session
    window.desk.begin(session.start(quick_config(folders(pictures), epochs=5000)))
    with qtbot.waitSignal(
        window.desk.training.news, timeout=60_000,
        check_params_cb=lambda news: any(isinstance(each, Step) for each in news),
    ):  # fmt: skip
        pass


def test_at_the_end_of_the_desktops_session_the_run_is_saved_before_the_call_returns(
    window, qtbot, tmp_path
) -> None:
    app = QGuiApplication.instance()
    outside = FromOutside(app, window.closing)
    try:
        train(window, qtbot, tmp_path / "pictures")
        app.commitDataRequest.emit(None)
        assert window.desk.training.state == "idle"
        assert window.isVisible()  # the desktop may be kept by another program
        assert window.close()  # and if not, nothing is asked
    finally:
        outside.shut_down()
    assert_it_goes_on(window.desk.session)


def test_the_question_stops_a_child_and_leaves_a_run_to_resume(window, qtbot, tmp_path) -> None:
    train(window, qtbot, tmp_path / "pictures")
    window.close()
    question = window.closing.question
    assert question.text().startswith("run-0001 is still training")
    assert list(question.answers) == ["Stop, save and quit", "Finish task 1, then quit"]
    question.answers["Stop, save and quit"].click()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
    assert_it_goes_on(window.desk.session)
