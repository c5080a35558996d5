"""The estimate before a run: its arithmetic by hand, real dry steps, and the line in the window."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from pytestqt.qtbot import QtBot

from tests.opened import feature, opened
from tests.tiny import tiny_learner, tiny_network
from tests.trained import folders, quick_config
from workbench.config import RunConfig, with_values
from workbench.core.cache import PictureCache
from workbench.core.method import Method
from workbench.core.running import pacer_of
from workbench.core.tasks import TaskSet
from workbench.core.units import Line, Units, largest_batch, total_seconds
from workbench.core.workload import Amounts, amounts, stand_ins
from workbench.face.estimating import Estimating
from workbench.report import RunEstimate
from workbench.session import Session

TASKS = [[(10, 3), (7, 2)], [(5, 4)]]
GB = 2**30


def plain_learner(**training: float) -> Method:
    """Return the learner of a method that looks at nothing but prototypes and tests."""
    one = tiny_learner(tiny_network(), **training)
    return Method(one.network, one.method, one.switches, one.training, one.chance)


def test_the_total_is_what_a_hand_computes() -> None:
    config = with_values(RunConfig(), {"train.epochs": 3, "train.batch_size": 8})
    work = amounts(TASKS, config, plain_learner(epochs=3, batch_size=8))
    # 17 and 5 to learn, 5 and 4 to test; the first task's tests are seen twice
    assert work == Amounts(
        read=31, frozen=31, steps=3 * (3 + 1), trained=3 * 22, looked=22 + 10 + 4
    )
    units = Units(0.01, 0.1, 0.2, Line(0.5, 0.3), Line(0, 0))
    assert total_seconds(work, units, 2.0) == pytest.approx(
        0.31 + 3.1 + 12 * 0.5 + 66 * 0.3 + 36 * 0.2 + 2.0
    )


def test_the_work_is_what_the_run_paces_itself_by() -> None:
    config = with_values(RunConfig(), {"train.epochs": 3, "train.batch_size": 8})
    network = tiny_network()
    learner = tiny_learner(network, epochs=3, batch_size=8)
    work = amounts(TASKS, config, learner)
    assert work.looked == 22 + 10 + 4 + 22  # each task's pictures once more, as they were before it
    # a fourth of each class is left to judge by: 8, 6 and 4 are trained on, the last where it seldom sees a second epoch
    assert (work.steps, work.trained) == (3 * 2 + 1, 3 * 14 + 4)
    with PictureCache(1) as cache:
        paced = pacer_of(config, learner, TaskSet(cache, tuple(stand_ins(TASKS))), lambda: 0.0)
    looks = 2 * len(network.branches) * work.looked
    assert paced.passes == work.frozen + work.trained * network.passes_of_step + looks


@given(st.integers(1, 50), st.integers(1, 300), st.integers(1, 40))
def test_more_epochs_or_pictures_take_longer(epochs: int, pictures: int, batch: int) -> None:
    units = Units(0.01, 0.1, 0.2, Line(0.5, 0.3), Line(0, 0))

    def seconds(e: int, n: int) -> float:
        values = {"train.epochs": e, "train.batch_size": batch}
        learner = plain_learner(epochs=e, batch_size=batch)
        work = amounts([[(n, 2)]], with_values(RunConfig(), values), learner)
        return total_seconds(work, units, 0.0)

    assert seconds(epochs + 1, pictures) > seconds(epochs, pictures)
    assert seconds(epochs, pictures + 1) > seconds(epochs, pictures)


@given(st.floats(0, 20), st.floats(0.01, 5), st.floats(1, 30))
def test_the_batch_proposed_fits_and_the_next_would_not(
    fixed: float, each: float, total: float
) -> None:
    memory = Line(fixed, each)
    batch = largest_batch(memory, total)
    if batch:
        assert memory.at(batch) <= 0.9 * total
    assert batch == 1024 or memory.at(max(2 * batch, 1)) > 0.9 * total


def test_dry_steps_really_measure(tmp_path: Path) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    *_, found = session.estimate(quick_config(folders(tmp_path / "pictures")))
    session.close()
    assert isinstance(found, RunEstimate)
    assert 0 < found.seconds < 600
    assert found.batch == found.fitting == 4
    assert 0 < found.needs < found.total
    assert not found.on_gpu


def test_the_line_says_it_and_turns_pale(tmp_path: Path, qtbot: QtBot) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        window.desk.draft.load(quick_config(folders(tmp_path / "pictures")), "Load")
        estimating = feature(window, Estimating)
        estimating.line.button.click()
        assert estimating.line.button.text() == "Cancel"
        qtbot.waitUntil(lambda: not estimating.busy, timeout=60_000)
        assert estimating.line.label.text().startswith("Estimate: about ")
        window.desk.draft.set_values({"train.epochs": 7}, "More")
        assert estimating.line.label.text().startswith("Before the last change: ")
        window.desk.draft.stack.undo()
        assert estimating.line.label.text().startswith("Estimate: about ")


def test_too_much_is_said_and_use_is_one_step(tmp_path: Path, qtbot: QtBot) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        config = quick_config(folders(tmp_path / "pictures"), batch_size=16)
        window.desk.draft.load(config, "Load")
        estimating = feature(window, Estimating)
        estimating.estimate()
        qtbot.waitUntil(lambda: not estimating.busy, timeout=60_000)
        assert estimating.found is not None
        estimating.found = dataclasses.replace(
            estimating.found,
            needs=13 * GB,
            total=8 * GB,
            on_gpu=True,
            fitting=8,
            fitting_needs=7 * GB,
        )
        window.desk.changed.emit()
        said = "Needs about 13 GB, the GPU has 8. Batch 8 would need 7."
        assert estimating.line.label.text() == said
        assert estimating.line.use_button.text() == "Use 8"
        steps = window.desk.draft.stack.count()
        estimating.line.use_button.click()
        assert window.desk.draft.state.settings.train.batch_size == 8
        assert window.desk.draft.stack.count() == steps + 1


def test_an_estimate_is_given_up(tmp_path: Path, qtbot: QtBot) -> None:
    with opened(tmp_path / "home", qtbot) as window:
        window.desk.draft.load(quick_config(folders(tmp_path / "pictures")), "Load")
        estimating = feature(window, Estimating)
        estimating.estimate()
        estimating.line.button.click()
        qtbot.waitUntil(lambda: not estimating.busy, timeout=60_000)
        assert estimating.line.label.text() == "Memory and time: not known"
        assert not window.desk.activities.under_way()
