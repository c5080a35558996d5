"""Loads plug-ins one by one. What fails, is new, or is switched off becomes a row with its reason; the rest go on.

Order: built-ins, then files and packages of the program's folder and of the home's, by name, then
installed packages with an entry point of group "workbench".
"""

import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from workbench import measures, paths
from workbench.errors import UsageError, nearest
from workbench.plugins.blame import remember_package, sentence_of
from workbench.plugins.built_in import BuiltIns
from workbench.plugins.choices import (
    DatasetChoice,
    ExporterChoice,
    ExtraMeasure,
    MethodChoice,
    PanelChoice,
)
from workbench.plugins.hooks import KINDS, PROJECT, Hooks
from workbench.plugins.memory import Memory
from workbench.plugins.sources import Source, files_in, installed
from workbench.registry import Registry
from workbench.report import BackboneChoice

LOADED, FAILED, NEW, OFF, LEFT_OUT = "loaded", "failed", "new", "off", "left out"


@dataclass
class Entry:
    """One plug-in and how it fares: loaded, failed, new (not trusted yet), off, or left out of this start."""

    source: Source
    state: str = LEFT_OUT
    problem: str = ""  # a sentence
    detail: str = ""  # the traceback
    brings: tuple[tuple[str, str], ...] = ()  # kind and name of each thing
    version: str = ""

    @property
    def name(self) -> str:
        """Its file's name, or its entry point's."""
        return self.source.name


class Plugins:
    """What there is after loading, by kind, and one entry for each plug-in found."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.memory = memory
        self.entries: list[Entry] = []
        self.owners: dict[tuple[str, str], str] = {}
        self._registries: dict[str, Registry[Any]] = {
            kind: Registry(kind, of) for kind, of in KINDS.items()
        }
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._take("built-ins", BuiltIns())

    @property
    def backbones(self) -> Registry[BackboneChoice]:
        """Backbones for the settings."""
        return self._registries["backbone"]

    @property
    def methods(self) -> Registry[MethodChoice]:
        """Ways to learn."""
        return self._registries["method"]

    @property
    def datasets(self) -> Registry[DatasetChoice]:
        """Folders that can be taken as tasks."""
        return self._registries["dataset"]

    @property
    def measures(self) -> Registry[ExtraMeasure]:
        """Numbers made after each task, beside our own."""
        return self._registries["measure"]

    @property
    def exporters(self) -> Registry[ExporterChoice]:
        """Ways to take a run along."""
        return self._registries["exporter"]

    @property
    def panels(self) -> Registry[PanelChoice]:
        """Tabs beside our own."""
        return self._registries["panel"]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the plug-ins in use, without the built-ins."""
        return tuple(entry.name for entry in self.entries if entry.state == LOADED)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each plug-in that failed."""
        return tuple(entry.problem for entry in self.entries if entry.state == FAILED)

    def owner(self, kind: str, name: str) -> str:
        """Return the plug-in that brought a thing; empty if it is the program's own."""
        return self.owners.get((kind, name), "")

    def entry(self, name: str) -> Entry:
        """Return the entry of this name."""
        return next(entry for entry in self.entries if entry.name == name)

    def admit(self, entry: Entry) -> None:
        """Load a plug-in if it is trusted and not switched off, and say so in its entry."""
        memory = self.memory
        entry.source = entry.source.now()
        if memory is not None and memory.is_off(entry.name):
            entry.state = OFF
        elif memory is not None and not memory.trusts(entry.source.digest):
            entry.state = NEW
        else:
            with memory.loading(entry.name) if memory is not None else nullcontext():
                self._load(entry)

    def _load(self, entry: Entry) -> None:
        entry.problem = entry.detail = ""
        try:
            plugin = entry.source.bring()
            if not entry.source.digest:
                remember_package(entry.source.module, entry.name)
            entry.version = str(getattr(plugin, "__version__", "") or entry.source.version)
            entry.brings = self._take(entry.name, plugin)
            entry.state = LOADED
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a stranger's code may raise anything)
            if self._manager.has_plugin(entry.name):
                self._manager.unregister(name=entry.name)
            entry.state, entry.problem = FAILED, sentence_of(entry.name, error)
            entry.detail = "".join(traceback.format_exception(error))

    def _take(self, name: str, plugin: Any) -> tuple[tuple[str, str], ...]:
        """Call the plug-in's hooks on copies, so that what half fails leaves nothing behind."""
        _check_names(plugin)
        others = set(self._manager.get_plugins())
        self._manager.register(plugin, name)
        copies = {kind: registry.copy() for kind, registry in self._registries.items()}
        for kind, copy in copies.items():
            self._manager.subset_hook_caller(f"register_{kind}s", others)(registry=copy)
        new = tuple(
            (kind, key)
            for kind, copy in copies.items()
            for key in copy.names()
            if key not in self._registries[kind].names()
        )
        for kind, key in new:
            if kind == "measure":
                measures.add(copies[kind].get(key).measure)
        self._registries = copies
        if name != "built-ins":
            self.owners.update(dict.fromkeys(new, name))
        return new


def _check_names(plugin: Any) -> None:
    """Raise UsageError where something is marked as a hook that there is not."""
    known = [name for name in dir(Hooks) if name.startswith("register_")]
    for name in dir(plugin):
        marked = hasattr(getattr(plugin, name, None), f"{PROJECT}_impl")
        if marked and name not in known:
            raise UsageError(f"there is no hook {name!r}.{nearest(name, known)}")


def load(
    folders: Sequence[Path] | None = None, *, entry_points: bool = True,
    memory: Memory | None = None, safe_mode: bool = False,
) -> Plugins:  # fmt: skip
    """Load the built-ins, the plug-ins of `folders` (else the program's), and of installed packages if asked.

    Without a `memory` everything found is run. In safe mode nothing is, but it is listed.
    """
    plugins = Plugins(memory)
    chosen = [paths.plugin_folder()] if folders is None else folders
    sources = [*files_in(chosen), *(installed() if entry_points else ())]
    plugins.entries = [Entry(source) for source in sources]
    for entry in plugins.entries:
        if not safe_mode:
            plugins.admit(entry)
    return plugins
