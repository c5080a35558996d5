"""A run's configuration as a file, and as the command that makes the same run."""

import os
import re
import shlex
from dataclasses import replace
from pathlib import Path

import tomli_w

from workbench.config.fields import RunConfig
from workbench.config.values import read_toml, settings_of, to_dict, to_toml, with_values
from workbench.errors import UsageError, WorkbenchError
from workbench.paths import ROOT


def load_config(path: Path, base: RunConfig | None = None) -> RunConfig:
    """Return `base`, else the defaults, with a file's values; paths in it are relative to where it lies.

    Raises:
        UsageError: it cannot be read, or a value in it does not fit; names file, line, key and rule.
    """
    tree = read_toml(path)
    try:
        config = with_values(base or RunConfig(), tree)
    except UsageError as error:
        raise UsageError(f"{path}{_line_of(path, str(error))}: {error}") from error

    def found(name: str) -> str:
        return os.path.abspath(path.parent / os.path.expanduser(name))

    if "tasks" in tree.get("data", {}):
        tasks = tuple(
            replace(
                task,
                path=found(task.path),
                also=tuple(replace(extra, path=found(extra.path)) for extra in task.also),
            )
            for task in config.data.tasks
        )
        config = replace(config, data=replace(config.data, tasks=tasks))
    if tree.get("model", {}).get("weights"):
        model = replace(config.model, weights=found(config.model.weights))
        config = replace(config, model=model)
    return config


def save_config(config: RunConfig, path: Path) -> None:
    """Write a configuration as TOML, whole or not at all; raises WorkbenchError if it cannot be."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_text(to_toml(config), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise WorkbenchError(
            f"The configuration could not be written to {path}: {error.strerror}. Choose another place."
        ) from error


def command_words(config: RunConfig) -> list[str]:
    """Return the words after `main.py` that make the same run; only what differs from the defaults."""
    defaults = {key: value for key, _, value in settings_of(RunConfig())}
    words = ["run"]
    for key, _, value in settings_of(config):
        if value != defaults[key]:
            words += ["--set", f"{key}={value}"]
    if config.data.tasks:
        tasks = tomli_w.dumps({"tasks": to_dict(config)["data"]["tasks"]}, multiline_strings=False)
        words += ["--set", f"data.tasks={tasks}"]
    return words


def as_command(config: RunConfig) -> str:
    """Return the command line that makes the same run, quoted for a shell."""
    return shlex.join(["python", str(ROOT / "main.py"), *command_words(config)])


def _line_of(path: Path, sentence: str) -> str:
    """Return ", line 7" for the setting that a sentence begins with, or an empty string."""
    key = re.match(r"[A-Za-z_.]+", sentence)
    if key is None:
        return ""
    wanted, section = key[0].rstrip("."), ""
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        heading = re.match(r"\s*\[([^\[\]]+)\]", line)
        if heading:
            section = f"{heading[1].strip()}."
        name = re.match(r"\s*([A-Za-z_]+)\s*=", line)
        if (name and section + name[1] == wanted) or section == f"{wanted}.":
            return f", line {number}"
    return ""
