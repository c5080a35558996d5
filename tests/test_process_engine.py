"""The engine process killed in each phase, its window killed, and what is left of either: nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.engines import PATIENCE, SIGNALS, Working, engines, session_of, wait_for
from tests.trained import folders, quick_config
from workbench.events import (
    Checkpointed,
    Evaluated,
    Event,
    Interrupted,
    Paused,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskStarted,
)
from workbench.log.store import Log
from workbench.paths import LOG_NAME
from workbench.session.children import EngineChild
from workbench.session.end import Ending
from workbench.session.engine import LOADING
from workbench.session.engine_log import LINES, MOST_BYTES, last_lines, printed_to, shorten
from workbench.session.messages import Told
from workbench.session.outbox import BOUND, Outbox

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
START = "The training engine stopped while starting (exit code −{code}). Nothing was lost."
CAUSES = {
    "SIGKILL": "the engine was ended by the system; often too little memory",
    "SIGSEGV": "the engine crashed with SIGSEGV",
}


def is_in(phase: str, event: Event) -> bool:
    if phase == "loading":  # the engine's own word: before, there may be no process yet
        return isinstance(event, Stage) and event.text != LOADING
    kinds: dict[str, type[Event]] = {"training": Step, "evaluating": Evaluated, "paused": Step}
    return isinstance(event, kinds[phase])


@pytest.fixture
def session(tmp_path):
    with session_of("process", tmp_path / "home") as made:
        yield made
    assert engines() == []


@pytest.mark.parametrize("name", ["SIGKILL", pytest.param("SIGSEGV", marks=pytest.mark.long)])
@pytest.mark.parametrize("phase", ["starting", "loading", "training", "evaluating", "paused"])
def test_a_child_that_dies_leaves_a_sentence_and_an_ended_run(session, tmp_path, name, phase):
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=3))
    working = Working(run)
    if phase == "starting":
        wait_for(engines, "a child")
    else:
        working.wait_for(lambda event: is_in(phase, event))
    if phase == "paused":
        run.pause()
        wait_for(lambda: run.state == "paused", "the pause")
    (engine,) = engines()
    engine.send_signal(SIGNALS[name])
    took = wait_for(lambda: run.state == "interrupted", "the end")
    sys.stdout.write(f"{name} while {phase}: told after {took:.2f} s\n")
    last = working.end()[-1]
    assert isinstance(last, Interrupted)
    if any(isinstance(event, RunStarted) for event in working.heard):
        assert last.sentence.startswith(f"Training stopped unexpectedly ({CAUSES[name]}). ")
    else:
        assert last.sentence == START.format(code=int(SIGNALS[name]))
    summary = session.details(run.id).summary
    assert (summary.state, summary.state_reason) == ("interrupted", last.sentence)
    logged = session.events(run.id)
    assert logged[-1] == last
    heard = [each for each in working.heard if isinstance(each, (RunStarted, Evaluated, TaskEnded))]
    kept = [each for each in logged if isinstance(each, (RunStarted, Evaluated, TaskEnded))]
    assert kept[: len(heard)] == heard
    if name == "SIGSEGV" and phase in ("training", "evaluating", "paused"):
        assert "Segmentation fault" in last.detail
    assert not engine.is_running()  # nor a zombie


@pytest.mark.parametrize("phase", ["starting", "training"])
def test_a_dead_run_that_another_program_finds_first_is_told_of_all_the_same(
    session, tmp_path, monkeypatch, phase
):
    bury = EngineChild.bury

    def buried(child: EngineChild) -> int | None:
        code = bury(child)
        with closing(Log(session.home / LOG_NAME)) as log:  # as at the start of any command
            found.extend(log.sweep())
        return code

    found: list[str] = []
    monkeypatch.setattr(EngineChild, "bury", buried)
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=3))
    working = Working(run)
    if phase == "training":
        working.wait_for(lambda event: isinstance(event, Step))
    else:
        wait_for(engines, "a child")
        with session.log() as log, log.change() as db:
            db.execute("UPDATE run SET pid = 0")  # of a child that says nothing yet
    engines()[0].kill()
    last = working.end()[-1]
    assert found == [run.id]
    assert isinstance(last, Interrupted)
    assert run.state == "interrupted"
    assert session.details(run.id).summary.state_reason == last.sentence
    assert session.events(run.id)[-1] == last


def test_a_run_after_a_death_trains_in_a_new_child(session, tmp_path) -> None:
    config = quick_config(folders(tmp_path / "pictures"))
    working = Working(session.start(config))
    wait_for(engines, "a child")
    engines()[0].kill()
    assert isinstance(working.end()[-1], Interrupted)
    assert session.start(config).work() == "finished"


def test_the_warm_child_trains_the_next_run_and_one_that_died_idle_is_replaced(
    session, tmp_path
) -> None:
    config = quick_config(folders(tmp_path / "pictures"))
    session.warm()
    (first,) = engines()
    assert session.start(config).work() == "finished"
    assert session.start(config).work() == "finished"
    assert engines() == [first]
    first.kill()
    wait_for(lambda: first.status() == psutil.STATUS_ZOMBIE, "its death")
    run = session.start(config)
    assert run.work() == "finished"
    (second,) = engines()
    assert second.pid != first.pid
    assert (session.home / "runs" / run.id / "engine.log").is_file()


def test_force_stop_ends_a_child_that_does_not_listen(session, tmp_path) -> None:
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=5000))
    working = Working(run)
    working.wait_for(lambda event: isinstance(event, Step))
    (engine,) = engines()
    engine.suspend()  # neither Stop nor SIGTERM reaches it any more
    run.force_stop()
    last = working.end()[-1]
    assert isinstance(last, Interrupted)
    assert last.sentence.startswith("Training was stopped by force.")
    assert session.details(run.id).summary.state == "interrupted"
    assert not engine.is_running()


def test_an_engine_that_has_nothing_to_say_gives_signs_of_life(session, tmp_path) -> None:
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=5000))
    working = Working(run)
    working.wait_for(lambda event: isinstance(event, Step))
    run.pause()
    working.wait_for(lambda event: isinstance(event, Paused))
    wait_for(lambda: session.engine.seconds_silent > 1.5, "silence")
    wait_for(lambda: session.engine.seconds_silent < 1.0, "a sign of life")
    assert run.news() == []
    assert run.is_at_work
    run.stop()
    working.end()
    assert not run.is_at_work


def test_a_stop_while_the_engine_still_loads_ends_the_run_at_once(session, tmp_path) -> None:
    run = session.start(quick_config(folders(tmp_path / "pictures"), epochs=5000))
    working = Working(run)
    wait_for(engines, "a child")
    (loading,) = engines()
    run.stop()
    said = working.end()
    assert [type(event) for event in said] == [Stage, Stopped]  # nothing was begun
    assert not loading.is_running()
    assert session.details(run.id).summary.state == "stopped"
    again = session.resuming.resume(run.id)
    ended = Working(again)
    ended.wait_for(lambda event: isinstance(event, Step))
    again.stop()
    assert isinstance(ended.end()[-1], Stopped)


def test_an_answer_is_given_up_while_the_child_loads_and_while_it_works(session, tmp_path) -> None:
    asked = session.self_test()
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.extend(asked))
    asking.start()
    wait_for(engines, "a child")
    asked.cancel()
    asking.join(PATIENCE)
    assert not asking.is_alive()
    assert answers == []
    assert engines() == []  # it had not begun to work
    asked = session.self_test()
    next(asked)
    (engine,) = engines()
    asked.cancel()
    assert all(isinstance(each, Stage) for each in asked)  # what was said already, and no answer
    assert engines() == [engine]
    config = quick_config(folders(tmp_path / "pictures"))
    whole = list(session.estimate(config))  # nothing is left of the other question
    assert type(whole[-1]).__name__ == "RunEstimate"
    assert engines() == [engine]


def test_closing_leaves_no_process_and_no_thread(tmp_path) -> None:
    before = set(threading.enumerate())
    with session_of("process", tmp_path / "home") as session:
        config = quick_config(folders(tmp_path / "pictures"))
        assert session.start(config).work() == "finished"
        assert len(engines()) == 1
    assert engines() == []
    assert set(threading.enumerate()) == before


OWNER = """
import sys
from pathlib import Path
from tests.engines import session_of
from tests.trained import folders, quick_config

if __name__ == "__main__":
    root = Path(sys.argv[1])
    with session_of("process", root / "home") as session:
        run = session.start(quick_config(folders(root / "pictures"), epochs=5000))
        print(run.id, flush=True)
        run.work()
"""


@contextmanager
def owner_of_a_run(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that trains as a window does, and the id of its run."""
    script = root / "script.py"
    script.write_text(OWNER)
    owner = subprocess.Popen(
        [sys.executable, str(script), str(root)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    with owner:
        assert owner.stdout is not None
        yield owner, owner.stdout.readline().strip()


def family_of(owner: subprocess.Popen[str]) -> list[psutil.Process]:
    return list(psutil.Process(owner.pid).children(recursive=True))


def is_gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_when_the_window_is_killed_its_child_saves_the_run_and_ends(tmp_path) -> None:
    with (
        owner_of_a_run(tmp_path) as (owner, run),
        session_of("thread", tmp_path / "home") as session,
    ):
        wait_for(lambda: any(isinstance(e, Step) for e in session.events(run)), "a step")
        family = family_of(owner)
        owner.send_signal(signal.SIGKILL)
        took = wait_for(lambda: all(map(is_gone, family)), "their end")
        sys.stdout.write(f"window killed: its processes were gone after {took:.2f} s\n")
        assert session.details(run).summary.state == "interrupted"
        kept, last = session.events(run)[-2:]
        assert isinstance(kept, Checkpointed)
        assert isinstance(last, Interrupted)
        assert last.sentence == (
            f"Training stopped after step {kept.step:,}, because the program that it belonged to ended."
        )
        assert [each.id for each in session.resuming.cut_off()] == [run]  # what the start offers


def test_a_child_whose_window_is_killed_while_it_starts_ends_too(tmp_path) -> None:
    with owner_of_a_run(tmp_path) as (owner, run):
        wait_for(lambda: any("spawn_main" in " ".join(p.cmdline()) for p in family_of(owner)))
        family = family_of(owner)
        owner.send_signal(signal.SIGKILL)
        wait_for(lambda: all(map(is_gone, family)), "their end")
    with session_of("thread", tmp_path / "home") as session:
        assert session.details(run).summary.state == "interrupted"


HANGS = """
import subprocess, sys
from multiprocessing import Pipe
from pathlib import Path
from workbench.session.child import Child
from workbench.session.messages import Switches

theirs, ours = Pipe()
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
theirs.close()
child = Child(ours, Path(sys.argv[1]), Switches())
child._ready = True
child._listen()
"""


def test_a_child_that_is_alone_ends_with_all_it_started_though_its_work_does_not(tmp_path) -> None:
    words = [sys.executable, "-c", HANGS, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as hanging:
        assert hanging.stdout is not None
        started = psutil.Process(int(hanging.stdout.readline()))
        assert hanging.wait(60) == 1
        wait_for(lambda: is_gone(started), "its end")


def step(number: int) -> Step:
    return Step(0, 0, number, 0.1, {"total": 1.0})


def test_the_outbox_leaves_out_the_oldest_steps_and_nothing_else() -> None:
    outbox = Outbox()
    outbox.put(TaskStarted(0, 0, 1, 5000))
    for number in range(5000):
        outbox.put(step(number))
    outbox.put(TaskEnded(0, 5000))
    outbox.close()
    (told,) = outbox.take()
    assert isinstance(told, Told)
    assert len(told.events) == BOUND
    assert told.events[0] == TaskStarted(0, 0, 1, 5000)
    assert told.events[-1] == TaskEnded(0, 5000)
    assert told.events[1:-1] == tuple(step(number) for number in range(5002 - BOUND, 5000))
    assert outbox.take() == []


def test_what_is_printed_goes_to_the_log_of_the_engine_which_stays_short(tmp_path, capfd) -> None:
    with printed_to(tmp_path) as file:
        os.write(2, b"from below Python\n")
        os.write(1, b"x" * (MOST_BYTES + 10) + b"\n" + b"last\n" * 500)
        shorten(file)
        os.write(1, b"after\n")
    os.write(1, b"outside\n")
    assert capfd.readouterr().out == "outside\n"
    assert file.stat().st_size < MOST_BYTES
    assert last_lines(tmp_path) == "last\n" * (LINES - 1) + "after\n"


def test_the_last_words_name_what_is_saved() -> None:
    ending = Ending()
    ending.hear(RunStarted((), {}, "sample", "", 1, 1, "cpu", "closed"))
    assert ending.sentence(3, 0.0).endswith(
        "(the engine ended with exit code 3). No task was learnt to its end; what was logged is kept."
    )
    ending.hear(TaskEnded(1, 900))
    assert ending.sentence(-9, 0.0).endswith("What was learnt up to task 2 is kept.")
    ending.hear(Checkpointed(2, 0, 1200, "checkpoint/000003", time=1000.0))
    assert ending.sentence(-9, 1040.4) == (
        "Training stopped unexpectedly (the engine was ended by the system; often too little memory). "
        "Saved up to step 1,200, 40 s before."
    )
