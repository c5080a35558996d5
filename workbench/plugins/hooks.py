"""What a plug-in may implement, as functions of these names marked with `hookimpl`."""

import pluggy

from workbench.plugins.choices import (
    DatasetChoice,
    ExporterChoice,
    ExtraMeasure,
    MethodChoice,
    PanelChoice,
)
from workbench.registry import Registry
from workbench.report import BackboneChoice

PROJECT = "workbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

KINDS: dict[str, type] = {
    "backbone": BackboneChoice,
    "method": MethodChoice,
    "dataset": DatasetChoice,
    "measure": ExtraMeasure,
    "exporter": ExporterChoice,
    "panel": PanelChoice,
}


class Hooks:
    """Each hook is given the registry of its kind and calls `registry.add(name, choice)`."""

    @hookspec
    def register_backbones(self, registry: Registry[BackboneChoice]) -> None:
        """Add backbones to the list of the settings."""

    @hookspec
    def register_methods(self, registry: Registry[MethodChoice]) -> None:
        """Add methods, chosen by the setting `method.name`."""

    @hookspec
    def register_datasets(self, registry: Registry[DatasetChoice]) -> None:
        """Add data sets to File ▸ Data sets."""

    @hookspec
    def register_measures(self, registry: Registry[ExtraMeasure]) -> None:
        """Add numbers that are made after each task, logged, drawn and exported."""

    @hookspec
    def register_exporters(self, registry: Registry[ExporterChoice]) -> None:
        """Add ways to take a run along to File ▸ Export."""

    @hookspec
    def register_panels(self, registry: Registry[PanelChoice]) -> None:
        """Add tabs to the window."""
