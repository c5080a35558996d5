"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.feature import Feature
from workbench.face.plug_ins import PlugInFeature

FEATURES: tuple[type[Feature], ...] = (PlugInFeature,)
