"""The hooks through which methods, data sets, backbones, measures, exporters and panels come in, ours and others'.

A hook takes descriptions with factories that are called only where they are needed, so that making
the lists imports neither torch nor Qt. How to write a plug-in: plugins/README.md.
"""

from workbench.plugins.blame import Culprit, culprit
from workbench.plugins.choices import (
    DatasetChoice,
    ExporterChoice,
    ExtraMeasure,
    MethodChoice,
    PanelChoice,
    resolve,
)
from workbench.plugins.hooks import hookimpl
from workbench.plugins.loader import Entry, Plugins, load
from workbench.plugins.memory import Memory

__all__ = [
    "Culprit",
    "DatasetChoice",
    "Entry",
    "ExporterChoice",
    "ExtraMeasure",
    "Memory",
    "MethodChoice",
    "PanelChoice",
    "Plugins",
    "culprit",
    "hookimpl",
    "load",
    "resolve",
]
