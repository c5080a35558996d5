"""A study as a file says it: methods × data × class orders × seeds, and how settings are chosen. TOML in and out.

    name = "Methods on the sample"
    seeds = 3                     # or a list
    orders = 3                    # of tasks; of classes, where one folder is split by class
    crossed = true                # every seed in every order; false: each seed in one order, the orders in turn
    baseline = "SimpleCIL"        # what the others are compared with; else the first method

    [choose]                      # how one of several values is chosen; the test part is not read for it
    tasks = 2                     # on the first tasks
    folds = 3                     # parts of their training pictures, each tested on in turn

    [[data]]
    name = "emoji"
    sample = true                 # or folders = ["birds"], config = "run.toml", or [data.run] with a run's own tables
    set = {"data.train_per_class" = 0}

    [[method]]
    label = "NTK-CL"
    name = "ntk-cl"
    set = {"train.epochs" = 3}
    try = {"train.learning_rate" = [0.01, 0.02]}

Paths are relative to where the file lies.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from workbench import config as configs
from workbench.config import DataConfig, RunConfig, TaskFolder
from workbench.errors import UsageError, nearest
from workbench.session import sample
from workbench.session.study import RULES, Choosing, Study, StudyData, StudyMethod, study_tree

MOST_SEEDS, MOST_ORDERS, MOST_RUNS = 100, 100, 10_000
_OWN = ("seeds.", "data.fold", "data.keep_features")  # what a study sets itself
MEASURES = ("average_accuracy", "final_accuracy")


def read_study(path: Path) -> Study:
    """Return the study in a file; raises UsageError naming the file, the key and the rule."""
    tree = configs.read_toml(path)
    try:
        return study_from(tree, path.parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def is_study(path: Path) -> bool:
    """Whether a file says a study rather than a run: it has tables [[method]]."""
    try:
        return isinstance(configs.read_toml(path).get("method"), list)
    except UsageError:  # who reads it next says why it cannot be read
        return False


def study_text(study: Study) -> str:
    """Return the study as TOML that says everything itself, with absolute paths."""
    return tomli_w.dumps(study_tree(study))


def study_from(tree: Any, near: Path = Path()) -> Study:
    """Return the study that plain values describe; raises UsageError with the first thing that does not fit."""
    if not isinstance(tree, Mapping):  # of a damaged log; a file is always a table
        raise UsageError(f"A study is a table of settings, not {tree!r}.")
    _known(
        tree,
        ("name", "seeds", "orders", "crossed", "baseline", "choose", "data", "method"),
        "a study",
    )
    name = _text(tree, "name", "a study")
    data = tuple(_data(each, near) for each in _tables(tree, "data"))
    methods = tuple(_method(each) for each in _tables(tree, "method"))
    _no_double("data", [each.name for each in data])
    _no_double("method", [each.label for each in methods])
    labels = [each.label for each in methods]
    baseline = tree.get("baseline", labels[0])
    if baseline not in labels:
        raise UsageError(
            f"baseline = {baseline!r} is the label of no method.{nearest(str(baseline), labels)}"
        )
    crossed, seeds = tree.get("crossed", True), _seeds(tree.get("seeds", 1))
    orders = _number(tree, "orders", 1, 1, MOST_ORDERS)
    if not isinstance(crossed, bool):
        raise UsageError(f"crossed = {crossed!r}: true or false is expected.")
    if not crossed and orders > len(seeds):
        raise UsageError(
            f"orders = {orders}: with crossed = false each seed has one order, and there are {len(seeds)} seeds. Take more seeds."
        )
    study = Study(
        name, data, methods, seeds, orders, _choosing(tree.get("choose", {})), baseline, crossed,
    )  # fmt: skip
    if study.runs + study.trials > MOST_RUNS:
        raise UsageError(
            f"{study.name!r} asks for {study.runs + study.trials:,} runs; at most {MOST_RUNS:,} make a study. "
            "Take fewer seeds, orders or values to choose among."
        )
    _values_fit(study)
    return study


def _data(table: Mapping[str, Any], near: Path) -> StudyData:
    name = _text(table, "name", "[[data]]")
    _known(table, ("name", "sample", "folders", "config", "run", "set"), f"data {name!r}")
    ways: dict[str, Callable[[Any], RunConfig]] = {
        "sample": lambda how: sample.configuration(full=how == "full"),
        "folders": lambda paths: _over(name, paths, near),
        "config": lambda path: configs.load_config(Path(_place(path, near))),
        "run": configs.from_dict,
    }
    given = [way for way in ways if table.get(way)]
    if len(given) != 1:
        raise UsageError(
            f"Data {name!r} needs exactly one of sample, folders, config and run, and has {', '.join(given) or 'none'}."
        )
    config = ways[given[0]](table[given[0]])
    try:
        config = configs.with_values(config, _flat(table.get("set", {}), f"data {name!r}"))
    except UsageError as error:
        raise UsageError(f"data {name!r}: {error}") from error
    return StudyData(name, config)


def _over(name: str, paths: Any, near: Path) -> RunConfig:
    """Return the defaults over folders, each a task."""
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise UsageError(f"Data {name!r}: folders = {paths!r}: a list of paths is expected.")
    places = [_place(path, near) for path in paths]
    tasks = tuple(TaskFolder(os.path.basename(place), place) for place in places)
    return RunConfig(data=DataConfig(tasks=tasks))


def _place(path: Any, near: Path) -> str:
    if not isinstance(path, str) or "\0" in path:
        raise UsageError(f"{path!r} is not the path of a file or folder.")
    return os.path.abspath(near / os.path.expanduser(path))


def _method(table: Mapping[str, Any]) -> StudyMethod:
    name = _text(table, "name", "[[method]]")
    label = str(table.get("label", name))
    _known(table, ("name", "label", "set", "try"), f"method {label!r}")
    tries = _flat(table.get("try", {}), f"method {label!r}")
    for key, values in tries.items():
        if not isinstance(values, list) or len(values) < 2:
            raise UsageError(
                f"method {label!r}: {key} = {values!r} is nothing to choose among: 'try' needs a list of two values or more. "
                "One value belongs into 'set'."
            )
    found = {key: tuple(values) for key, values in tries.items()}
    return StudyMethod(label, name, _flat(table.get("set", {}), f"method {label!r}"), found)


def _choosing(table: Any) -> Choosing:
    if not isinstance(table, Mapping):
        raise UsageError(f"choose = {table!r}: a table [choose] is expected.")
    _known(table, ("tasks", "folds", "measure", "rule"), "[choose]")
    plain = Choosing()
    measure, rule = table.get("measure", plain.measure), table.get("rule", plain.rule)
    for key, value, allowed in (("measure", measure, MEASURES), ("rule", rule, tuple(RULES))):
        if value not in allowed:
            raise UsageError(f"choose.{key} = {value!r} is not one of {', '.join(allowed)}.")
    return Choosing(
        _number(table, "tasks", plain.tasks, 1, 10_000, "choose."),
        _number(table, "folds", plain.folds, 2, 100, "choose."), measure, rule,
    )  # fmt: skip


def _seeds(given: Any) -> tuple[int, ...]:
    seeds = list(range(given)) if _whole(given) else given
    if not isinstance(seeds, list) or not all(_whole(seed) and 0 <= seed < 2**31 for seed in seeds):
        raise UsageError(
            f"seeds = {given!r}: how many (3), or the seeds themselves ([1, 5, 9]), are expected."
        )
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise UsageError(
            f"seeds = {given!r}: a study needs 1 to {MOST_SEEDS} seeds. With none, nothing is trained."
        )
    _no_double("seed", [str(seed) for seed in seeds])
    return tuple(seeds)


def _values_fit(study: Study) -> None:
    """Raise UsageError if a method's values do not fit a run of this program."""
    for method in study.methods:
        for candidate in method.candidates:
            try:
                configs.with_values(RunConfig(), {**method.set, **candidate})
            except UsageError as error:
                raise UsageError(f"method {method.label!r}: {error}") from error


def _flat(table: Any, where: str) -> dict[str, Any]:
    """Return settings as "section.key" -> value, whether they were written so or as nested tables."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: {table!r} is no table of settings.")
    found = dict(_leaves(table, ""))
    known = {key for key, _, _ in configs.settings_of(RunConfig())} - {"name"}
    odd = next((key for key in found if key not in known), None)
    if odd is not None:
        raise UsageError(f"{where}: {odd!r} is not a setting.{nearest(odd, known)}")
    reserved = next((key for key in found if key.startswith(_OWN)), None)
    if reserved is not None:
        raise UsageError(f"{where}: {reserved!r} is the study's own to set.")
    return found


def _leaves(table: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _tables(tree: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = tree.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise UsageError(f"{key} = {found!r}: tables [[{key}]] are expected.")
    if not found:
        raise UsageError(f"A study needs at least one [[{key}]].")
    return found


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where} needs a {key}, a text; it has {value!r}.")
    return value.strip()


def _number(
    table: Mapping[str, Any], key: str, default: int, low: int, high: int, before: str = ""
) -> int:
    value = table.get(key, default)
    if not _whole(value) or not low <= value <= high:
        raise UsageError(
            f"{before}{key} = {value!r}: a whole number from {low} to {high:,} is expected."
        )
    return int(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _known(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    odd = next((key for key in table if key not in keys), None)
    if odd is not None:
        raise UsageError(
            f"{where} has no {odd!r}; it has {', '.join(keys)}.{nearest(str(odd), keys)}"
        )


def _no_double(what: str, names: Sequence[str]) -> None:
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise UsageError(f"There are two of {what} {double!r}. Each needs a name of its own.")
