"""The runs of a study: those that choose settings, on validation parts alone, and those that are tested."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import UsageError
from workbench.session.plans import Planned, orders_plan
from workbench.session.study import VARIED, Study, StudyData, StudyMethod

CHOOSING, TESTING = "choosing", "testing"
Cell = tuple[Any, ...]  # what tells a run of a study from its others


def cell_of(member: Mapping[str, Any]) -> Cell:
    """Return what tells a run of a study from its others, from what the log keeps of it."""
    keys = ("stage", "data", "method", "order", "seed", "candidate", "fold")
    return tuple(member.get(key) for key in keys)


def trials(study: Study) -> list[Planned]:
    """Return the runs that choose: each candidate on each validation part of the first tasks; none reads a test picture.

    Raises:
        UsageError: data has fewer tasks than are to be chosen on.
    """
    found = []
    for data in study.data:
        if not any(method.tries for method in study.methods):
            continue
        first = _first_tasks(study, data)
        for method in study.methods:
            for number, values in enumerate(method.candidates if method.tries else ()):
                for fold in range(1, study.choosing.folds + 1):
                    config = _with(first, method, values, study.seeds[0])
                    folds = {"data.folds": study.choosing.folds, "data.fold": fold}
                    label = f"{data.name}, {method.label}, {_shown(values)}, part {fold}"
                    member = {
                        "stage": CHOOSING, "data": data.name, "method": method.label,
                        "candidate": number, "fold": fold, "label": label,
                    }  # fmt: skip
                    found.append(Planned(label, configs.with_values(config, folds), member))
    return found


def finals(study: Study, chosen: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[Planned]:
    """Return the runs that are tested, with the values that were chosen for (data, method); those of one seed together.

    A method of which nothing could be chosen on some data has no runs there.
    """
    found = []
    for data in study.data:
        orders = _orders(study, data)
        for number, seed in study.cells:
            for method in study.methods:
                values = chosen.get((data.name, method.label)) if method.tries else {}
                if values is None:
                    continue
                label = f"{data.name}, {method.label}, order {number}, seed {seed}"
                member = {
                    "stage": TESTING, "data": data.name, "method": method.label,
                    "order": number, "seed": seed, "label": label,
                }  # fmt: skip
                config = _with(orders[number - 1], method, values, seed)
                found.append(Planned(label, config, member))
    return found


def parts_must_be_filled(planned: Iterable[Planned]) -> None:
    """Raise UsageError if a class has fewer training pictures than there are validation parts."""
    from workbench.core.steps import result_of
    from workbench.core.tasks import outline

    looked = set()
    for each in planned:
        data = each.config.data
        for folder in data.tasks:
            if folder not in looked:
                looked.add(folder)
                result_of(outline(folder, data))


def _with(
    config: RunConfig, method: StudyMethod, values: Mapping[str, Any], seed: int
) -> RunConfig:
    shared = {f"seeds.{name}": seed for name in VARIED} | {"data.keep_features": True}
    settings = {"method.name": method.name, **method.set, **values, **shared}
    return replace(configs.with_values(config, settings), name="")


def _orders(study: Study, data: StudyData) -> list[RunConfig]:
    """Return the data in each order: of the classes where one folder is split by class, else of the tasks."""
    config = data.config
    if config.data.first_classes or config.data.increment:
        first = config.seeds.class_order
        numbers = range(first, first + study.orders)
        return [configs.with_values(config, {"seeds.class_order": number}) for number in numbers]
    if study.orders == 1:
        return [config]
    try:
        return [planned.config for planned in orders_plan(config, study.orders).runs]
    except UsageError as error:
        raise UsageError(f"data {data.name!r}: {error}") from error


def _first_tasks(study: Study, data: StudyData) -> RunConfig:
    from workbench.core.tasks import expand

    wanted = study.choosing.tasks
    config = data.config
    whole = expand(config.data, config.seeds)
    if len(whole.tasks) < wanted:
        raise UsageError(
            f"choose.tasks = {wanted}: data {data.name!r} has only {len(whole.tasks)}. Choose on fewer tasks."
        )
    return replace(config, data=replace(whole, tasks=whole.tasks[:wanted]))


def _shown(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in values.items())
