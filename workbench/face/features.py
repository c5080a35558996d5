"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.about import About
from workbench.face.desktop_entry import DesktopEntry
from workbench.face.feature import Feature
from workbench.face.help_pages import Help
from workbench.face.palette import CommandPalette

FEATURES: tuple[type[Feature], ...] = (
    Help,
    CommandPalette,
    DesktopEntry,
    About,
)
