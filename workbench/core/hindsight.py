"""How good a forecast was: the order and direction it gave, against the movement that was measured."""

import math
from collections.abc import Mapping, Sequence

import torch

from workbench.core.gaps import Value, ratio
from workbench.core.scores import rank_correlation
from workbench.report import Forecast, ForecastScore

Pairs = Sequence[tuple[float | None, float]]  # forecast, measured


def score(
    forecast: Forecast, by_task: Mapping[int, float], by_class: Mapping[int, float]
) -> ForecastScore:
    """Compare with the measured disturbance of old tasks, by position, and movement of classes, by id."""
    tasks = [(item, by_task[item.position]) for item in forecast.tasks if item.position in by_task]
    classes = [(item, by_class[item.class_id]) for item in forecast.classes if item.class_id in by_class]  # fmt: skip
    of_tasks = {k: [(getattr(t, k), m) for t, m in tasks] for k in ("planned", "ridge")}
    of_classes = {k: [(getattr(c, k), m) for c, m in classes] for k in ("planned", "ridge")}
    found = {
        "task_rank": rank(of_tasks["planned"]),
        "task_cosine": cosine(of_tasks["planned"]),
        "class_rank": rank(of_classes["planned"]),
        "class_cosine": cosine(of_classes["planned"]),
        "task_rank_ridge": rank(of_tasks["ridge"]),
        "class_rank_ridge": rank(of_classes["ridge"]),
    }
    absent = (f"{name}: {value.reason}" for name, value in found.items() if value.value is None)
    worst = max(tasks, key=lambda pair: pair[1])[0].name if tasks else ""
    return ForecastScore(
        run="", run_name="", worst=worst, reasons=tuple(absent),
        **{name: value.value for name, value in found.items()},
    )  # fmt: skip


def rank(pairs: Pairs) -> Value:
    """Return Spearman's ρ between what was forecast and what was measured."""
    known = _known(pairs)
    return rank_correlation([a for a, _ in known], [b for _, b in known])


def cosine(pairs: Pairs) -> Value:
    """Return the cosine between what was forecast and what was measured, −1 to 1."""
    known = torch.tensor(_known(pairs), dtype=torch.float64).reshape(-1, 2)
    guess, truth = known.T
    return ratio(guess @ truth, guess.norm() * truth.norm(), "nothing was forecast and measured")


def _known(pairs: Pairs) -> list[tuple[float, float]]:
    return [(a, b) for a, b in pairs if a is not None and math.isfinite(b)]
