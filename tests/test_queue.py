"""The queue in the log: runs wait in order, survive a restart, leave when they start, and belong to groups."""

import sqlite3
import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier

import pytest

from tests.trained import folders, quick_config
from workbench.config import with_values
from workbench.errors import UsageError
from workbench.events import Finished, Paused, Resumed, RunStarted, TaskEnded
from workbench.log.store import Log
from workbench.paths import LOG_NAME
from workbench.report import RunSummary
from workbench.session import Session
from workbench.session.plans import bounds_plan, orders_plan, seeds_plan


@pytest.fixture
def session(tmp_path):
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        yield session


@pytest.fixture
def config(tmp_path):
    return quick_config(folders(tmp_path / "pictures"))


def names(session):
    return [run.name for run in session.queue.runs()]


def test_runs_wait_in_order_and_are_there_after_a_restart(session, config):
    for name in ("a", "b", "c"):
        session.queue.add(replace(config, name=name))
    with closing(Session(session.home, entry_points=False)) as again:
        assert names(again) == ["a", "b", "c"]
        assert again.queue.waiting() == 3
        assert again.queue.runs()[1].config == replace(config, name="b")
    assert session.runs() == []


def test_the_first_that_waits_starts_and_leaves_the_queue_in_the_same_breath(session, config):
    session.queue.add(replace(config, name="a"))
    session.queue.add(config)
    run, problems = session.queue.start_next()
    assert (run.name, problems) == ("a", [])
    assert [each.name for each in session.runs()] == ["a"]
    assert session.queue.waiting() == 1
    second, _ = session.queue.start_next()
    assert second.name == "run-0002"
    assert session.queue.start_next() == (None, [])


def test_a_start_that_fails_half_way_leaves_the_run_in_the_queue(session, config, monkeypatch):
    session.queue.add(config)
    monkeypatch.setattr("workbench.log.queue.started", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.queue.start_next()
    assert session.queue.waiting() == 1
    assert session.runs() == []


def test_what_cannot_start_stays_with_its_reason_and_the_rest_goes_on(session, config, tmp_path):
    session.queue.add(replace(config, name="gone"))
    session.queue.add(with_values(replace(config, name="there"), {"data.tasks": [{"name": "t", "path": str(tmp_path)}]}))  # fmt: skip
    moved = tmp_path / "pictures"
    moved.rename(tmp_path / "elsewhere")
    run, problems = session.queue.start_next()
    assert run.name == "there"
    (problem,) = problems
    assert problem.startswith("The folder of task 'finches' is not there")
    (left,) = session.queue.runs()
    assert (left.state, left.reason) == ("refused", problem)
    assert session.queue.waiting() == 0
    (tmp_path / "elsewhere").rename(moved)
    session.queue.try_again(left.id)
    assert session.queue.start_next()[0].name == "gone"


def test_order_removal_undo_and_name(session, config):
    a, b, c = (session.queue.add(replace(config, name=name)) for name in "abc")
    session.queue.order([c, a, b])
    assert names(session) == ["c", "a", "b"]
    taken = session.queue.take_out(a)
    assert names(session) == ["c", "b"]
    session.queue.put_back(taken)
    assert names(session) == ["c", "a", "b"]
    session.queue.rename(b, " new ")
    assert names(session) == ["c", "a", "new"]
    with pytest.raises(UsageError, match="at least one letter"):
        session.queue.rename(b, "  ")
    last = session.queue.take_out(session.queue.runs()[-1].id)
    session.queue.add(replace(config, name="later"))  # may get the number that was free
    session.queue.put_back(last)
    assert names(session) == ["c", "a", "new", "later"]
    with pytest.raises(UsageError, match="No run 99 waits"):
        session.queue.take_out(99)


def test_of_two_that_take_the_same_run_out_one_gets_it(session, config):
    both = Barrier(2)

    def take(key):
        with Log(session.home / LOG_NAME) as log:
            both.wait()
            try:
                return log.queue.take_out(key)
            except UsageError:
                return None

    with ThreadPoolExecutor(2) as pool:
        for _ in range(40):
            key = session.queue.add(config)
            taken = list(pool.map(take, [key, key]))
            assert sum(each is not None for each in taken) == 1


def test_what_no_run_could_start_with_is_refused_at_the_door(session, config):
    with pytest.raises(UsageError, match="There is no task to learn"):
        session.queue.add(with_values(config, {"data.tasks": []}))
    assert session.queue.waiting() == 0


def test_the_queue_says_what_differs_from_the_first(session, config):
    session.queue.add(config)
    session.queue.add(with_values(config, {"train.learning_rate": 0.5, "data.joint": True}))
    session.queue.add_group(orders_plan(config, 2))
    first, second, _, swapped = session.queue.runs()
    assert first.differs == ()
    assert second.differs == ("All tasks at once on", "Learning rate 0.5")
    assert swapped.differs == ("order Ö 空格, finches",)


def test_seeds_vary_what_training_draws_and_nothing_else(config):
    plan = seeds_plan(replace(config, name="x"), [0, 3, 5])
    assert [each.label for each in plan.runs] == ["seed 0", "seed 3", "seed 5"]
    assert plan.title == "3 seeds of x"
    changed = plan.runs[1].config
    assert changed.name == "x seed 3"
    seeds = changed.seeds
    assert (seeds.initialisation, seeds.data_order, seeds.augmentation, seeds.dropout) == (3,) * 4
    assert (seeds.class_order, seeds.split, seeds.probe) == (0, 0, 0)
    assert replace(changed, seeds=config.seeds, name="") == config
    only = seeds_plan(config, [1, 2], ["class_order"]).runs[0].config.seeds
    assert (only.class_order, only.initialisation) == (1, 0)


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [([1], "from 2 to 100, not 1"), ([1, 2, 1], "Seed 1 is listed twice"), ([0, -1], "Initialisation")],
)  # fmt: skip
def test_seeds_that_make_no_group_are_refused(config, seeds, sentence):
    with pytest.raises(UsageError, match=sentence):
        seeds_plan(config, seeds)


def test_orders_are_different_begin_with_the_present_one_and_are_drawn_from_a_seed(
    tmp_path, config
):
    from tests.pictures import make_task_folders

    paths = make_task_folders(tmp_path / "four", {name: {"x": 2, "y": 2} for name in "abcd"})
    four = quick_config(paths)
    plan = orders_plan(four, 24)
    orders = [tuple(each.member["order"]) for each in plan.runs]
    assert len(set(orders)) == 24
    assert orders[0] == (0, 1, 2, 3)
    for each in plan.runs:
        learnt = [task.name for task in each.config.data.tasks]
        assert learnt == ["abcd"[place] for place in each.member["order"]]
    again = orders_plan(four, 5, seed=1)
    assert again == orders_plan(four, 5, seed=1) != orders_plan(four, 5, seed=2)
    with pytest.raises(UsageError, match="orders must be from 2 to 2, not 3"):
        orders_plan(config, 3)


def test_many_tasks_have_different_orders_too():
    from workbench.session.plans import orders_of

    orders = orders_of(9, 100, seed=4)
    assert len(set(orders)) == 100
    assert all(sorted(order) == list(range(9)) for order in orders)


def test_a_task_that_goes_on_with_an_earlier_class_has_no_free_place(config):
    first, second = config.data.tasks
    tied = replace(config.data, tasks=(first, replace(second, same_classes=("grey",))))
    with pytest.raises(UsageError, match="goes on with the class 'grey'"):
        orders_plan(replace(config, data=tied), 2)


def worked(session):
    """Work the queue to its end; return the runs' end states."""
    states = []
    while (run := session.queue.start_next()[0]) is not None:
        states.append(run.work())
    return states


def test_a_group_of_seeds_trained_through_the_queue_has_mean_and_sample_deviation(session, config):
    key = session.queue.add_group(seeds_plan(config, [0, 1, 2]))
    assert (session.groups.group(key).total, session.groups.group(key).waiting) == (3, 3)
    first, _ = session.queue.start_next()
    assert first.name == "run-0001 seed 0"
    assert first.work() == "finished"
    group = session.groups.group(key)
    assert (len(group.finished), group.total) == (1, 3)
    assert group.spread("final_accuracy").deviation is None
    assert session.queue.runs()[0].seconds > 0  # as long as the first took
    assert worked(session) == ["finished"] * 2
    group = session.groups.group(key)
    assert [each.label for each in group.members] == ["seed 0", "seed 1", "seed 2"]
    assert all(each.run.group == key for each in group.members)
    finals = [run.final_accuracy for run in session.runs()]
    spread = group.spread("final_accuracy")
    mean = sum(finals) / 3
    assert spread.n == 3
    assert spread.mean == pytest.approx(mean)
    assert spread.deviation == pytest.approx((sum((x - mean) ** 2 for x in finals) / 2) ** 0.5)
    assert spread.deviation == pytest.approx(statistics.stdev(finals))
    session.table.bin(group.members[1].run.id)
    left = session.groups.group(key)
    assert [each.label for each in left.members] == ["seed 0", "seed 2"]
    kept = [each.run.final_accuracy for each in left.members]
    assert left.spread("final_accuracy").mean == pytest.approx(sum(kept) / 2)
    session.table.restore(group.members[1].run.id)
    assert session.groups.group(key) == group
    steps = [[e.terms for e in session.events(run.id) if type(e).__name__ == "Step"] for run in session.runs()]  # fmt: skip
    assert steps[0] != steps[1] != steps[2]  # the seeds do make a difference


def test_the_log_tells_of_groups_in_a_view_for_people(session, config):
    key = session.queue.add_group(seeds_plan(config, [0, 1]))
    run, _ = session.queue.start_next()
    with closing(sqlite3.connect(session.home / LOG_NAME)) as db:
        sql = "SELECT group_id, kind, title, run, state FROM groups"
        assert db.execute(sql).fetchall() == [
            (key, "seeds", "2 seeds of 2 tasks", run.name, "starting")
        ]
        run.stop()
        run.work()
        session.table.bin(run.id)
        assert db.execute(sql).fetchall() == []


def test_a_run_under_way_says_how_long_its_like_will_take(session, config):
    session.queue.add(config)
    session.queue.add(with_values(config, {"train.epochs": 9}))
    like, other = session.queue.runs((replace(config, name="now"), 80.0))
    assert (like.seconds, other.seconds) == (80.0, None)


@pytest.mark.parametrize(
    ("change", "seconds"),
    [
        ("imported = imported", 30.0),
        ("imported = created", None),  # another computer's time
        ("config = json_set(config, '$.train.unheard_of', 1)", None),  # of another version
    ],
)
def test_how_long_a_run_takes_is_known_from_its_like_on_this_computer(
    session, config, change, seconds
):
    run = session.start(config)
    started = RunStarted((), {}, "sample", "", 9, 9, "cpu", "closed")
    with session.log() as log:
        said = [(100.0, started), (110.0, TaskEnded(0, 1)), (115.0, Paused(1)), (800.0, Resumed(1))]
        log.write(run.id, [*said, (815.0, TaskEnded(1, 2)), (815.0, Finished(2))])  # 685 s paused
        with log.change() as db:
            db.execute(f"UPDATE run SET {change}")
    session.queue.add(config)
    assert [each.seconds for each in session.queue.runs()] == [seconds]


def test_a_failure_leaves_the_rest_and_does_not_count(session, config):
    plan = seeds_plan(config, [0, 1, 2])
    broken = with_values(plan.runs[1].config, {"model.weights": "nowhere.safetensors"})
    plan = replace(plan, runs=(plan.runs[0], replace(plan.runs[1], config=broken), plan.runs[2]))
    key = session.queue.add_group(plan)
    assert worked(session) == ["finished", "failed", "finished"]
    group = session.groups.group(key)
    assert (len(group.finished), group.total) == (2, 3)
    assert group.spread("final_accuracy").n == 2


def test_orders_are_predicted_by_the_kernel_as_the_order_study_does(session, config):
    key = session.queue.add_group(orders_plan(config, 2))
    session.queue.take_out(session.queue.runs()[0].id)  # only the swapped one is trained
    assert worked(session) == ["finished"]
    *_, group = session.groups.predict(key)
    (member,) = group.members
    *_, study = session.order(config)
    *_, swapped = session.order(replace(config, data=replace(config.data, tasks=config.data.tasks[::-1])))  # fmt: skip
    predicted = group.facts["predicted"][member.run.id]
    assert predicted == pytest.approx(swapped.present_total, rel=1e-4)
    assert predicted != pytest.approx(study.present_total, rel=1e-4)
    assert session.groups.group(key).facts == group.facts


def test_bounds_are_runs_of_their_own_linked_to_the_run(session, config):
    run = session.start(replace(config, name="mine"))
    assert run.work() == "finished"
    assert session.groups.bounds(run.id) == {}
    session.queue.add_group(bounds_plan(config, session.runs()[0]))
    assert worked(session) == ["finished"] * 2
    bounds = session.groups.bounds(run.id)
    assert {role: each.name for role, each in bounds.items()} == {
        "joint": "mine joint", "plain fine-tuning": "mine plain fine-tuning",
    }  # fmt: skip
    joint, plain = bounds["joint"], bounds["plain fine-tuning"]
    assert (joint.tasks_total, plain.tasks_total) == (1, 2)
    for bound in (joint, plain):
        ours = session.details(run.id).tasks
        tested = [n for task in session.details(bound.id).tasks for n in task["counts"]["test"]]
        assert tested == [n for task in ours for n in task["counts"]["test"]]
        assert bound.final_accuracy is not None
    with pytest.raises(
        UsageError, match="mine joint learnt all tasks at once, so there is no earlier"
    ):
        next(session.forecast(joint.id, config.data.tasks[0]))
    with pytest.raises(UsageError, match="an upper bound itself"):
        bounds_plan(replace(config, data=replace(config.data, joint=True)), joint)


def test_the_plain_bound_of_a_plug_ins_run_is_not_learnt_by_the_plug_in(config):
    run = RunSummary("id", "mine", "finished", "", "", None, "", "", 0, 2, 2, *[None] * 4)
    ours = with_values(config, {"method.name": "somebody's"})
    joint, plain = (each.config for each in bounds_plan(ours, run).runs)
    assert joint.method.name == "somebody's"
    assert plain == bounds_plan(config, run).runs[1].config


def test_rank_correlation_is_spearmans():
    from workbench.session.groups import rank_correlation

    assert rank_correlation([1, 2, 3, 4], [10, 30, 20, 40]) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # ties share their mean rank: ranks 1.5 1.5 3 against 1 2 3
    assert rank_correlation([5, 5, 9], [1, 2, 3]) == pytest.approx(3**0.5 / 2)
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
