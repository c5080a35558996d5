"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.choosing import Choosing
from workbench.face.configuring import Configuring
from workbench.face.draft_keeper import DraftKeeper
from workbench.face.feature import Feature

FEATURES: tuple[type[Feature], ...] = (Choosing, Configuring, DraftKeeper)
