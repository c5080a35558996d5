"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.bundles import Bundles
from workbench.face.comparing import Comparing
from workbench.face.feature import Feature
from workbench.face.run_verbs import RunVerbs

FEATURES: tuple[type[Feature], ...] = (RunVerbs, Comparing, Bundles)
