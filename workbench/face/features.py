"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.feature import Feature
from workbench.face.results import ResultsFeature
from workbench.face.trying import TryItFeature

FEATURES: tuple[type[Feature], ...] = (ResultsFeature, TryItFeature)
