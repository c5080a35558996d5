"""The order of least pair costs: against trying all orders, and where the answer is known."""

from itertools import permutations

import numpy as np
import pytest

from workbench.core import permute


def costs(seed: int, tasks: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(tasks, tasks))


@pytest.mark.parametrize("tasks", [2, 3, 6])
@pytest.mark.parametrize("seed", range(4))
def test_subsets_find_what_trying_all_orders_finds(tasks: int, seed: int) -> None:
    cost = costs(seed, tasks)
    least = min(permute.total(cost, order) for order in permutations(range(tasks)))
    found = permute.by_subsets(cost)
    assert sorted(found) == list(range(tasks))
    assert permute.total(cost, found) == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_moving_single_tasks_finds_the_best_order_of_few(seed: int) -> None:
    cost = costs(seed, 7)
    exact = permute.total(cost, permute.by_subsets(cost))
    assert permute.total(cost, permute.by_insertion(cost)) == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("tasks", [9, 25])
def test_a_hidden_order_is_found_whatever_the_number_of_tasks(tasks: int) -> None:
    hidden = tuple(np.random.default_rng(1).permutation(tasks).tolist())
    cost = np.zeros((tasks, tasks))
    for place, task in enumerate(hidden):
        cost[task, list(hidden[:place])] = (
            1.0  # it costs to learn it before one that belongs before
        )
    assert permute.least(cost) == hidden
    assert permute.total(cost, hidden) == 0.0


def test_one_task_has_one_order() -> None:
    assert permute.least(np.zeros((1, 1))) == (0,)


def test_the_total_counts_each_pair_in_its_order() -> None:
    cost = np.array([[0.0, 1.0, 2.0], [10.0, 0.0, 3.0], [20.0, 30.0, 0.0]])
    assert permute.total(cost, (0, 1, 2)) == 6.0
    assert permute.total(cost, (2, 1, 0)) == 60.0
