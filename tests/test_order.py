"""The task-order study: exact totals of real small tasks, and a suggestion only where it is better."""

from contextlib import closing
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.pictures import make_class_folders
from tests.trained import folders, quick_config, trained_session
from workbench.config import with_values
from workbench.core import order
from workbench.core.gaps import Value
from workbench.core.kernel import spectrum
from workbench.core.newcomer import NewTask
from workbench.core.order import Tasks, compare
from workbench.core.steps import result_of
from workbench.errors import UsageError
from workbench.report import OrderStudy
from workbench.session import Session


def draw(seed: int, *size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tasks_of(sizes: tuple[int, ...], parameters: int = 15) -> Tasks:
    """Tasks with a linear model of few parameters between them, so that they disturb each other."""
    at = [draw(n, size * 2, parameters) for n, size in enumerate(sizes)]
    kernels = [[a @ b.T for b in at] for a in at]
    none = draw(0, 0)
    tasks = [
        NewTask(none, none, kernels[n][n], spectrum(kernels[n][n]), draw(30 + n, size, 2), draw(50 + n, size, 2), none, Value(0.1), 0.0, 0)
        for n, size in enumerate(sizes)
    ]  # fmt: skip
    return Tasks(tasks, kernels)


def test_of_few_tasks_the_order_of_the_least_exact_total_is_found() -> None:
    tasks = tasks_of((4, 6, 3, 5))
    study = result_of(compare(tasks, tuple("abcd"), "by hand"))
    totals = {places: tasks.learnt(places).total for places in permutations(range(4))}
    assert study.suggested_total == pytest.approx(min(totals.values()))
    assert study.suggested == min(totals, key=lambda places: totals[places])
    assert study.present_total == pytest.approx(totals[0, 1, 2, 3])
    assert not study.keeps
    assert study.sentence.startswith("Learn ")


def test_the_matrix_says_how_far_the_second_moves_the_first_of_its_own_signal() -> None:
    tasks = tasks_of((4, 6))
    study = result_of(compare(tasks, ("a", "b"), ""))
    pair = tasks.learnt((0, 1))
    logits = tasks.tasks[0].outputs + pair.outputs[1][0].reshape(4, 2)
    spread = float(logits.var(dim=0, correction=0).mean())
    wanted = float(pair.drifts[1][0].square().mean()) / spread
    assert study.disturbance[0][1] == pytest.approx(wanted)
    assert study.disturbance[0][0] is None


def test_of_many_tasks_a_suggestion_by_pairs_that_is_no_better_in_sequence_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order, "EVERY", 1)
    seen = set()
    for seed in range(6):
        tasks = tasks_of((4, 6, 3, 5 + seed))
        study = result_of(compare(tasks, tuple("abcd"), ""))
        assert study.suggested_total <= study.present_total
        assert study.suggested_total == pytest.approx(tasks.learnt(study.suggested).total)
        assert bool(study.notes) <= study.keeps
        seen.add(study.keeps)
    assert False in seen


def test_tasks_in_the_best_order_already_are_left_so() -> None:
    tasks = tasks_of((4, 6, 3))
    best = result_of(compare(tasks, tuple("abc"), "")).suggested
    chosen = [tasks.tasks[place] for place in best]
    again = Tasks(chosen, [[tasks.kernels[a][b] for b in best] for a in best])
    study = result_of(compare(again, tuple("abc"), ""))
    assert study.keeps
    assert study.suggested_total == study.present_total
    assert study.sentence.startswith("Keep the present order")


def test_a_study_of_real_folders_before_training_and_through_a_run(tmp_path: Path) -> None:
    session, run = trained_session(tmp_path / "home", tmp_path / "pictures")
    with closing(session):
        third = make_class_folders(tmp_path / "gulls", {"white": 8, "black": 8}, seed=9)
        paths = [tmp_path / "pictures" / "finches", tmp_path / "pictures" / "Ö 空格", third]
        config = quick_config(paths)
        for source in ("", run):
            *_, study = session.order(config, source)
            assert isinstance(study, OrderStudy)
            assert study.names == ("finches", "Ö 空格", "gulls")
            assert sorted(study.suggested) == [0, 1, 2]
            assert study.suggested_total <= study.present_total
            cells = [study.disturbance[a][b] for a in range(3) for b in range(3) if a != b]
            assert all(cell is not None and cell >= 0 for cell in cells)
            assert ("the run left" in study.method) == bool(source)
        assert list(session.order(config, run))[-1] == study


def test_what_has_no_order_is_a_sentence(tmp_path: Path) -> None:
    paths = folders(tmp_path)
    with closing(Session(tmp_path / "home")) as session:
        one = quick_config(paths[:1])
        with pytest.raises(UsageError, match="at least two tasks"):
            list(session.order(one))
        single = make_class_folders(tmp_path / "single", {"white": 8})
        with pytest.raises(UsageError, match="of task 'single', with one class"):
            list(session.order(quick_config([*paths, single])))
        split = replace(one, data=replace(one.data, first_classes=1, increment=1))
        with pytest.raises(UsageError, match="with one class"):
            list(session.order(split))


def test_it_is_studied_with_what_the_method_sets(tmp_path: Path) -> None:
    """A method that trains nothing has no fusion layer, whatever the settings beside it say."""
    config = with_values(quick_config(folders(tmp_path / "p")), {"method.name": "simple-cil"})
    with (
        closing(Session(tmp_path / "home", entry_points=False)) as session,
        pytest.raises(UsageError, match="No order can be suggested: only one branch"),
    ):
        list(session.order(config))
