"""One contract for both engines: the same events, the same rows, the same obedience, the same sentences."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines import PATIENCE, Working, session_of, wait_for
from tests.said import decided, lasting
from tests.trained import folders, quick_config
from workbench.events import (
    EpochEnded,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    Step,
    Stopped,
    TaskEnded,
)
from workbench.session import Session

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(params=["thread", "process"])
def session(request, tmp_path):
    with session_of(request.param, tmp_path / "home") as made:
        yield made


def config_of(tmp_path, epochs: int = 3):
    return quick_config(folders(tmp_path / "pictures"), epochs=epochs)


def is_step(event: Event) -> bool:
    return isinstance(event, Step)


def test_both_engines_say_and_log_the_same_and_keep_the_same_adapter(tmp_path) -> None:
    config, said, logged, adapters = config_of(tmp_path, epochs=1), {}, {}, {}
    for kind in ("thread", "process"):
        with session_of(kind, tmp_path / kind) as session:
            run = session.start(config)
            assert run.work() == "finished"
            said[kind], logged[kind] = run.news(), session.events(run.id)
            assert lasting(said[kind]) == logged[kind]
            file = session.home / "runs" / run.id / "adapter" / "adapter.safetensors"
            adapters[kind] = file.read_bytes()
            assert session.details(run.id).summary.state == "finished"
    assert decided(said["thread"]) == decided(said["process"])
    assert adapters["thread"] == adapters["process"]


@pytest.mark.parametrize("when", ["now", "epoch", "task"])
def test_a_run_stops_at_the_moment_asked_for(session: Session, tmp_path, when) -> None:
    run = session.start(config_of(tmp_path, epochs=15 if when == "task" else 5000))
    working = Working(run)
    working.wait_for(is_step)
    run.stop(when)
    events = decided(working.end())
    assert run.state == session.details(run.id).summary.state == "stopped"
    assert isinstance(events[-1], Stopped)
    assert isinstance(events[-2], {"now": Event, "epoch": (EpochEnded, TaskEnded), "task": TaskEnded}[when])  # fmt: skip
    assert decided(session.events(run.id)) == events
    steps = sum(map(is_step, events))
    assert events[-1] == Stopped(steps)


def test_a_run_pauses_and_goes_on(session: Session, tmp_path) -> None:
    run = session.start(config_of(tmp_path, epochs=12))
    working = Working(run)
    working.wait_for(is_step)
    run.pause()
    wait_for(lambda: run.state == "paused", "the pause")
    assert session.details(run.id).summary.state == "paused"
    run.go_on()
    kinds = [type(event) for event in working.end()]
    assert run.state == "finished"
    assert kinds.count(Paused) == kinds.count(Resumed) == 1


def test_a_wish_made_before_the_start_counts(session: Session, tmp_path) -> None:
    run = session.start(config_of(tmp_path))
    run.pause_between_tasks(True)
    working = Working(run)
    wait_for(lambda: run.state == "paused", "the pause")
    run.pause_between_tasks(False)
    assert run.state == "paused"
    run.go_on()
    events = working.end()
    assert [e.task for e in events if isinstance(e, Paused)] == [0]
    assert isinstance(events[-1], Finished)


def test_what_fails_is_one_sentence_in_the_log_and_to_the_listener(session, tmp_path) -> None:
    run = session.start(config_of(tmp_path))
    for picture in (tmp_path / "pictures").rglob("*.png"):
        picture.unlink()
    assert run.work() == "failed"
    last = run.news()[-1]
    assert isinstance(last, Failed)
    assert "finches" in last.sentence
    assert not last.detail
    assert session.events(run.id)[-1] == last
    assert session.details(run.id).summary.state_reason == last.sentence


CTRL_C = """
import sys
from pathlib import Path
from tests.engines import session_of
from tests.said import decided, lasting
from tests.trained import folders, quick_config

if __name__ == "__main__":
    root = Path(sys.argv[2])
    with session_of(sys.argv[1], root / "home") as session:
        run = session.start(quick_config(folders(root / "pictures"), epochs=5000))
        print(run.id, flush=True)
        try:
            run.work()
        except KeyboardInterrupt:
            print("interrupted", run.state, flush=True)
"""


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_ctrl_c_stops_the_run_and_goes_on_as_such(tmp_path, kind) -> None:
    script = tmp_path / "script.py"
    script.write_text(CTRL_C)
    asked = subprocess.Popen(
        [sys.executable, str(script), kind, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
    )  # fmt: skip
    with asked:
        assert asked.stdout is not None
        run = asked.stdout.readline().strip()
        with session_of("thread", tmp_path / "home") as session:
            wait_for(lambda: any(map(is_step, session.events(run))), "a step")
            os.killpg(asked.pid, signal.SIGINT)  # as a terminal does: to the whole family
            said, _ = asked.communicate(timeout=PATIENCE)
            assert said.split() == ["interrupted", "stopped"]
            assert isinstance(session.events(run)[-1], Stopped)
