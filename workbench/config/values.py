"""Configurations checked, changed, and turned into plain values, TOML and back."""

import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import tomli_w

from workbench.config.fields import FROM_PROFILE, RunConfig
from workbench.errors import UsageError, nearest
from workbench.paths import resource

T = TypeVar("T")


@dataclass(frozen=True)
class Preset:
    """A named set of values: `values` maps section to key to value."""

    name: str
    title: str
    note: str
    values: Mapping[str, Mapping[str, Any]]


def effective_switches(config: RunConfig) -> dict[str, str]:
    """Return the full vector of switches, each with the value in force for this run."""
    vector = {}
    for item in fields(config.switches):
        chosen = getattr(config.switches, item.name)
        vector[item.name] = (
            item.metadata[config.method.profile] if chosen == FROM_PROFILE else chosen
        )
    return vector


def settings_of(config: RunConfig) -> Iterator[tuple[str, dataclasses.Field[Any], Any]]:
    """Yield (section.key, field, value) for every scalar setting; the run's name has no section."""
    for item in fields(config):
        value = getattr(config, item.name)
        if not dataclasses.is_dataclass(value):
            yield item.name, item, value
            continue
        for inner in fields(value):
            if inner.metadata:
                yield f"{item.name}.{inner.name}", inner, getattr(value, inner.name)


def problem_with(item: dataclasses.Field[Any], value: Any) -> str:
    """Return a sentence saying why `value` does not fit the field, or an empty string."""
    label = item.metadata.get("label") or item.name
    low, high, choices = (item.metadata.get(key) for key in ("low", "high", "choices"))
    if choices and value not in choices:
        return (
            f"{label}: {value!r} is not one of {', '.join(choices)}.{nearest(str(value), choices)}"
        )
    if low is None or high is None or not isinstance(value, (int, float)):
        return ""
    if not math.isfinite(value) or not low <= value <= high:
        kind = "a whole number" if item.type in (int, "int") else "a number"
        return f"{label}: {kind} from {low:g} to {high:g}, not {value!r}."
    return ""


def check(config: RunConfig) -> RunConfig:
    """Return `config` if every setting fits, else raise UsageError with the first reason."""
    for key, item, value in settings_of(config):
        problem = problem_with(item, value)
        if problem:
            raise UsageError(f"{key}: {problem}")
    return config


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Return the configuration as nested plain values, ready for TOML or JSON."""
    return typing.cast("dict[str, Any]", _plain(dataclasses.asdict(config)))


def from_dict(values: Mapping[str, Any]) -> RunConfig:
    """Build and check a configuration from nested plain values; missing keys keep their defaults."""
    return check(_build(RunConfig, values, ""))


def with_values(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return `config` with values replaced; `values` maps "section.key" or section to new values."""
    tree = to_dict(config)
    for key, value in values.items():
        section, _, name = key.partition(".")
        change = {name: value} if name else value
        before = tree.get(section, {})
        both = isinstance(before, Mapping) and isinstance(change, Mapping)
        tree[section] = {**before, **change} if both else change
    return from_dict(tree)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Parse "section.key=value" as given to `--set`; raises UsageError naming the nearest key."""
    key, equals, raw = text.partition("=")
    if key == "data.tasks" and equals:
        return key, _tasks_from(raw)
    known = {name: item for name, item, _ in settings_of(RunConfig())}
    if not equals or key not in known:
        raise UsageError(
            f"--set {text!r}: expected section.key=value with a known key.{nearest(key, known)}"
        )
    return key, _from_text(key, known[key].type, raw)


def _tasks_from(text: str) -> Any:
    """Return tasks given as TOML tables, [[tasks]] with name and path."""
    try:
        return tomllib.loads(text)["tasks"]
    except (tomllib.TOMLDecodeError, KeyError, RecursionError) as error:
        raise UsageError(
            "data.tasks: expected TOML tables, each [[tasks]] with a name and a path."
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of nested values; raises UsageError naming file and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Notepad adds a mark
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a TOML file: {error}.") from error


def to_toml(config: RunConfig) -> str:
    """Return the configuration as TOML text that `read_toml` and `from_dict` read back."""
    return tomli_w.dumps(to_dict(config))


def preset_names() -> list[str]:
    """Return the names of the shipped presets, in file order."""
    return sorted(path.stem for path in resource("presets").glob("*.toml"))


def preset(name: str) -> Preset:
    """Return a shipped preset; raises UsageError with the nearest name."""
    if name not in preset_names():
        raise UsageError(f"preset {name!r} is not known.{nearest(name, preset_names())}")
    tree = read_toml(resource(f"presets/{name}.toml"))
    title, note = tree.pop("title", name), tree.pop("note", "")
    return Preset(name, title, note, tree)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value


def _build(kind: type[T], values: Any, where: str) -> T:
    if not isinstance(values, Mapping):
        raise UsageError(
            f"{where or 'configuration'}: expected a table of settings, not {values!r}."
        )
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    arguments = {}
    for key, value in values.items():
        name = f"{where}.{key}" if where else str(key)
        if key not in known:
            raise UsageError(f"{name} is not a setting.{nearest(str(key), known)}")
        arguments[key] = _convert(name, known[key].type, value)
    for key, item in known.items():
        if item.default is dataclasses.MISSING and key not in arguments:
            raise UsageError(f"{where}.{key} is missing: a task needs its name and its path.")
    return kind(**arguments)


def _convert(name: str, kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return _build(typing.cast("type[Any]", kind), value, name)
    if isinstance(kind, types.GenericAlias):
        inner = typing.get_args(kind)[0]
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise UsageError(f"{name}: expected a list, not {value!r}.")
        return tuple(_convert(f"{name}[{i}]", inner, item) for i, item in enumerate(value))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{name}: expected {_KIND_NAMES[kind]}, not {value!r}.")
    return value


def _from_text(key: str, kind: Any, raw: str) -> Any:
    try:
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                raw.lower()
            ]
        return kind(raw)
    except (KeyError, ValueError) as error:
        raise UsageError(f"{key}: expected {_KIND_NAMES[kind]}, not {raw!r}.") from error


_KIND_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
