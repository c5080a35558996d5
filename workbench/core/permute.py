"""The order of tasks with the least total of costs between pairs: cost[a][b] where a comes before b.

Exact by dynamic programming over subsets (Held & Karp 1962) while there are few; beyond that, each
task in turn is moved to its best place until nothing improves, from several first orders.
"""

import numpy as np
from numpy.typing import NDArray

EXACT = 12  # tasks up to which all orders are covered: 2^12 subsets
_STARTS = 8  # first orders drawn by lot, beside the present one

Costs = NDArray[np.float64]


def least(cost: Costs) -> tuple[int, ...]:
    """Return the order of 0 … T − 1 with the least Σ cost[a, b] over pairs a before b; cost is (T, T)."""
    return by_subsets(cost) if len(cost) <= EXACT else by_insertion(cost)


def total(cost: Costs, order: tuple[int, ...]) -> float:
    """Return Σ cost[a, b] over all pairs with a before b in `order`."""
    return float(np.triu(cost[np.ix_(order, order)], 1).sum())


def by_subsets(cost: Costs) -> tuple[int, ...]:
    """Return the best order, found exactly; ties go to the lower number."""
    tasks = len(cost)
    best = np.zeros(1 << tasks)
    last = np.zeros(1 << tasks, dtype=np.int64)
    member = (np.arange(1 << tasks)[:, None] >> np.arange(tasks)) & 1  # (2^T, T)
    into = member @ cost  # [S, b]: what b costs after all of S
    for subset in range(1, 1 << tasks):
        ends = [task for task in range(tasks) if subset >> task & 1]
        values = [best[rest := subset ^ 1 << task] + into[rest, task] for task in ends]
        chosen = int(np.argmin(values))
        best[subset], last[subset] = values[chosen], ends[chosen]
    order: list[int] = []
    subset = (1 << tasks) - 1
    while subset:
        order.append(int(last[subset]))
        subset ^= 1 << order[-1]
    return tuple(reversed(order))


def by_insertion(cost: Costs) -> tuple[int, ...]:
    """Return a good order: the best that moving single tasks leads to, from several starts."""
    chance, tasks = np.random.default_rng(0), len(cost)
    starts = [np.arange(tasks), *(chance.permutation(tasks) for _ in range(_STARTS))]
    found = [_improved(cost, tuple(start.tolist())) for start in starts]
    return min(found, key=lambda order: total(cost, order))


def _improved(cost: Costs, order: tuple[int, ...]) -> tuple[int, ...]:
    while True:
        better = order
        for task in order:
            better = _placed(cost, better, task)
        if total(cost, better) >= total(cost, order) - 1e-12 * np.abs(cost).sum():
            return order
        order = better


def _placed(cost: Costs, order: tuple[int, ...], task: int) -> tuple[int, ...]:
    """Return the order with one task moved to where the total is least."""
    others = [other for other in order if other != task]
    after = np.concatenate([[0.0], np.cumsum(cost[others, task])])  # others before, then the task
    before = np.concatenate([np.cumsum(cost[task, others][::-1])[::-1], [0.0]])
    place = int(np.argmin(after + before))
    return (*others[:place], task, *others[place:])
