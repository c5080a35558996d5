"""The hooks through which backbones enter the list, ours and others', and the loader of plug-ins.

Order: built-ins, then Python files of the plug-in folder by name, then installed packages with an
entry point of group "workbench". What fails becomes a sentence and the rest go on.
"""

import importlib.metadata
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pluggy

from workbench.config import read_toml
from workbench.paths import plugin_folder, resource
from workbench.registry import Registry
from workbench.report import BackboneChoice

PROJECT = "workbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """What a plug-in may implement, as functions of these names marked with `hookimpl`."""

    @hookspec
    def register_backbones(self, registry: Registry[BackboneChoice]) -> None:
        """Add backbones to the list: `registry.add(choice.name, choice)`."""


class BuiltIns:
    """Our own backbones, brought in through the same hook as everyone's."""

    @hookimpl
    def register_backbones(self, registry: Registry[BackboneChoice]) -> None:
        """Add the sample backbone and the table in resources/backbones.toml."""
        sample = BackboneChoice(
            name="sample", title="Sample: DINOv2-small for saliency, first 8 blocks",
            parameters_millions=14.44, image_size=70, licence="Apache-2.0, MIT", present=True,
            note="Ships with the program; small enough for a processor.",
        )  # fmt: skip
        registry.add(sample.name, sample)
        for entry in read_toml(resource("backbones.toml"))["backbone"]:
            registry.add(entry["name"], BackboneChoice(present=False, **entry))


@dataclass(frozen=True)
class Plugins:
    """What is there after loading; `problems` has a sentence for each plug-in that failed."""

    backbones: Registry[BackboneChoice]
    names: tuple[str, ...]  # of the plug-ins in use, without the built-ins
    problems: tuple[str, ...]


def load(folder: Path | None = None, *, entry_points: bool = True) -> Plugins:
    """Load the built-ins and the plug-ins of `folder` (else plugins/), and of installed packages if asked."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    backbones: Registry[BackboneChoice] = Registry("backbone")
    manager.register(BuiltIns(), "built-ins")
    manager.hook.register_backbones(registry=backbones)
    names, problems = [], []
    for name, bring in _sources(folder or plugin_folder(), entry_points):
        problem = _add(manager, name, bring, backbones)
        if problem:
            problems.append(problem)
        else:
            names.append(name)
    return Plugins(backbones, tuple(names), tuple(problems))


def _sources(folder: Path, entry_points: bool) -> Iterator[tuple[str, Callable[[], Any]]]:
    for path in sorted(folder.glob("*.py")):
        yield path.name, partial(_import_file, path)
    if entry_points:
        for point in importlib.metadata.entry_points(group=PROJECT):
            yield point.name, point.load


def _add(
    manager: pluggy.PluginManager,
    name: str,
    bring: Callable[[], Any],
    backbones: Registry[BackboneChoice],
) -> str:
    """Import, register and call one plug-in; return a sentence if that fails."""
    others = set(manager.get_plugins())
    try:
        plugin = bring()
        manager.register(plugin, name)
        manager.subset_hook_caller("register_backbones", others)(registry=backbones)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
        if manager.has_plugin(name):
            manager.unregister(name=name)
        return _sentence(name, error)
    return ""


def _import_file(path: Path) -> Any:
    module_name = f"{PROJECT}_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _sentence(name: str, error: BaseException) -> str:
    """Say what went wrong where: "owls.py: No module named 'foo' (line 3)."."""
    if isinstance(error, SyntaxError):
        return f"{name}: {error.msg} (line {error.lineno})."
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).name == name
    ]
    said = str(error).rstrip(".") or type(error).__name__
    return f"{name}: {said} (line {lines[-1]})." if lines else f"{name}: {said}."
