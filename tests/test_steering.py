"""Stopping and pausing a run that really trains: after which event it ends, and what the log holds."""

import time
from collections.abc import Callable

import pytest

from tests.engines import wait_for, working
from tests.said import decided, lasting
from tests.trained import folders, quick_config
from workbench.events import (
    Checkpointed,
    EpochEnded,
    Evaluated,
    Event,
    Finished,
    Paused,
    Resumed,
    RunStarted,
    Stage,
    Step,
    Stopped,
    TaskEnded,
    TaskInfo,
    TaskStarted,
)
from workbench.log.store import Log
from workbench.paths import LOG_NAME
from workbench.session import Run, Session, work as work_module
from workbench.session.steering import Steering, WorkClock
from workbench.session.work import ThreadEngine


class Watched(ThreadEngine):
    """The real engine; `then` is called with the run after the first event that `at` accepts."""

    def __init__(self, at: Callable[[Event], bool], then: Callable[[Run], object]) -> None:
        super().__init__()
        self.at, self.then = at, then
        self.run: Run | None = None
        self.asked = 0  # events that were asked for

    def events(self, config, home, folder, clock):
        waits = True
        for event in super().events(config, home, folder, clock):
            self.asked += 1
            if waits and self.at(event) and self.run is not None:
                waits = False
                self.then(self.run)
            yield event


def watched_run(tmp_path, at, then, epochs: int = 3) -> tuple[Session, Run, Watched]:
    session = Session(tmp_path / "home")
    entered = session.start(quick_config(folders(tmp_path / "pictures"), epochs=epochs))
    engine = Watched(at, then)
    engine.run = Run(session.home, entered.id, entered.config, engine)
    return session, engine.run, engine


def step_of(task: int, epoch: int) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, Step) and (event.task, event.epoch) == (task, epoch)


def ended_by(tmp_path, at, then) -> tuple[Session, Run, list[Event]]:
    session, run, _ = watched_run(tmp_path, at, then)
    assert run.work() == "stopped"
    events = lasting(run.news())
    assert session.events(run.id) == events
    assert session.details(run.id).summary.state == "stopped"
    return session, run, decided(events)


def test_stop_now_ends_after_the_step(tmp_path) -> None:
    session, run, events = ended_by(tmp_path, step_of(0, 1), lambda run: run.stop("now"))
    assert isinstance(events[-2], Step)
    assert events[-1] == Stopped(events[-2].step + 1)
    assert session.details(run.id).summary.tasks_done == 0


def test_stop_after_this_epoch_ends_with_its_measures_made(tmp_path) -> None:
    _, _, events = ended_by(tmp_path, step_of(0, 1), lambda run: run.stop("epoch"))
    started = next(event for event in events if isinstance(event, TaskStarted))
    epoch = started.steps // started.epochs
    assert events[-2:] == [EpochEnded(0, 1, 2 * epoch), Stopped(2 * epoch)]
    assert sum(isinstance(event, Step) for event in events) == 2 * epoch


def test_stop_after_this_task_ends_with_the_task_kept(tmp_path) -> None:
    session, run, events = ended_by(tmp_path, step_of(0, 0), lambda run: run.stop("task"))
    assert isinstance(events[-2], TaskEnded)
    assert events[-1] == Stopped(events[-2].step)
    assert sum(isinstance(event, Evaluated) for event in events) == 1
    summary = session.details(run.id).summary
    assert (summary.tasks_done, summary.final_accuracy is None) == (1, False)
    assert (session.home / "runs" / run.id / "adapter" / "adapter.safetensors").exists()


def test_stop_after_this_task_in_the_last_task_lets_the_run_finish(tmp_path) -> None:
    _, run, _ = watched_run(tmp_path, step_of(1, 0), lambda run: run.stop("task"))
    assert run.work() == "finished"
    assert isinstance(run.news()[-1], Finished)


def test_a_stop_after_the_task_can_still_become_a_stop_now(tmp_path) -> None:
    def both(run: Run) -> None:
        run.stop("task")
        assert run.stop_when == "task"
        run.stop("now")

    _, _, events = ended_by(tmp_path, step_of(0, 1), both)
    assert isinstance(events[-2], Step)


def test_a_stop_after_the_epoch_while_a_task_is_evaluated_ends_with_that_task(tmp_path) -> None:
    _, _, events = ended_by(
        tmp_path, lambda event: isinstance(event, Evaluated), lambda run: run.stop("epoch")
    )
    assert isinstance(events[-2], TaskEnded)


def state_in_log(session: Session, run: Run) -> str:
    with Log(session.home / LOG_NAME) as log:
        return log.details(run.id).summary.state


def test_a_paused_run_asks_for_no_event_and_goes_on_to_the_same_numbers(tmp_path) -> None:
    session, run, engine = watched_run(tmp_path, step_of(0, 1), lambda run: run.pause())
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    asked = engine.asked
    assert state_in_log(session, run) == "paused"
    time.sleep(0.3)
    assert engine.asked == asked
    run.go_on()
    thread.join(60)
    assert run.state == "finished"
    events = session.events(run.id)
    places = [i for i, event in enumerate(events) if isinstance(event, (Paused, Resumed))]
    assert [type(events[i]) for i in places] == [Paused, Resumed]
    assert places[1] == places[0] + 1
    plain = session.start(quick_config(folders(tmp_path / "pictures"), epochs=3))
    assert plain.work() == "finished"
    assert decided(events) == decided(session.events(plain.id))


def test_a_pause_between_tasks_waits_with_the_task_kept_and_not_after_the_last(tmp_path) -> None:
    session, run, _ = watched_run(tmp_path, lambda event: False, lambda run: None, epochs=1)
    run.pause_between_tasks(True)
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    assert session.details(run.id).summary.tasks_done == 1
    run.go_on()
    thread.join(60)
    assert run.state == "finished"
    waits = [event for event in session.events(run.id) if isinstance(event, Paused)]
    assert [wait.task for wait in waits] == [0]


@pytest.mark.parametrize("when", ["now", "epoch", "task"])
def test_a_run_that_waits_between_tasks_stops_where_it_is(tmp_path, when) -> None:
    session, run, _ = watched_run(tmp_path, lambda event: False, lambda run: None, epochs=1)
    run.pause_between_tasks(True)
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    run.stop(when)
    thread.join(60)
    assert state_in_log(session, run) == "stopped"
    events = session.events(run.id)
    told = [type(event) for event in events if not isinstance(event, Checkpointed)]
    assert told[-3:] == [TaskEnded, Paused, Stopped]


def test_a_run_paused_in_an_epoch_goes_on_to_its_end_if_it_is_to_stop_there(tmp_path) -> None:
    session, run, _ = watched_run(tmp_path, step_of(0, 1), lambda run: run.pause())
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    run.stop("epoch")
    thread.join(60)
    kinds = [type(event) for event in session.events(run.id)]
    assert kinds[-3:] == [EpochEnded, Checkpointed, Stopped]
    assert kinds.count(Paused) == kinds.count(Resumed) == 1


def test_a_paused_run_whose_process_is_gone_is_found_cut_off(tmp_path) -> None:
    session, run, _ = watched_run(tmp_path, step_of(0, 1), lambda run: run.pause())
    thread = working(run)
    wait_for(lambda: state_in_log(session, run) == "paused")
    with Log(session.home / LOG_NAME) as log:
        assert log.sweep() == []
        assert log.sweep(lambda pid, started: False) == [run.id]
    run.stop()
    thread.join(60)


def test_the_pace_does_not_see_a_pause() -> None:
    clock = WorkClock()
    began, before = time.monotonic(), clock()
    time.sleep(0.2)
    paused = time.monotonic() - before
    clock.leave_out(paused)
    assert clock() - before <= time.monotonic() - began - paused  # however busy the machine is


class Clocked(ThreadEngine):
    """The real engine, which remembers the clock that it was given."""

    clock = None

    def events(self, config, home, folder, clock=time.monotonic):
        self.clock = clock
        return super().events(config, home, folder, clock)


def test_the_engine_lives_by_a_clock_that_stands_still_while_the_run_is_paused(tmp_path) -> None:
    session = Session(tmp_path / "home")
    entered = session.start(quick_config(folders(tmp_path / "pictures"), epochs=50))
    engine = Clocked()
    run = Run(session.home, entered.id, entered.config, engine)
    run.pause()
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    before, seconds, began = engine.clock(), run.seconds, time.monotonic()
    time.sleep(1.0)
    run.go_on()
    wait_for(lambda: run.state == "running")
    passed = time.monotonic() - began
    assert passed - (engine.clock() - before) > 0.9
    assert passed - (run.seconds - seconds) > 0.9
    run.stop()
    thread.join(60)


def test_a_paused_run_gives_signs_of_life(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(work_module, "HEARTBEAT", 0.05)
    session, run, _ = watched_run(tmp_path, step_of(0, 0), lambda run: run.pause())
    thread = working(run)
    wait_for(lambda: run.state == "paused")
    with Log(session.home / LOG_NAME) as log:

        def beat() -> str:
            ((value,),) = log._db.execute("SELECT heartbeat FROM run").fetchall()
            return str(value)

        first = beat()
        wait_for(lambda: beat() != first)
    run.stop()
    thread.join(60)


def started(tasks: int) -> RunStarted:
    infos = tuple(TaskInfo(str(i), ("a",), (i,), (1,), (1,), "") for i in range(tasks))
    return RunStarted(infos, {}, "sample", "", 1, 1, "cpu", "closed")


def test_a_wish_to_pause_is_nothing_to_a_run_that_is_to_stop() -> None:
    wishes = Steering()
    wishes.between_tasks = True
    wishes.ends_after(started(3))
    wishes.stop("task")
    wishes.pause()
    assert not wishes.pauses_after(Stage("x"))
    assert not wishes.pauses_after(TaskEnded(0, 1))
    assert wishes.wait(0)


def test_an_unknown_moment_to_stop_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="'soon'"):
        Steering().stop("soon")
