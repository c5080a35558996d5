"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.about import About
from workbench.face.activity_list import StatusLists
from workbench.face.attention import Attention
from workbench.face.awake import StayAwake
from workbench.face.control import Control
from workbench.face.desktop_entry import DesktopEntry
from workbench.face.failure import Failure
from workbench.face.feature import Feature
from workbench.face.gpu_in_use import GpuInUse
from workbench.face.help_pages import Help
from workbench.face.lifesign import LifeSign
from workbench.face.meter import Meter
from workbench.face.palette import CommandPalette

FEATURES: tuple[type[Feature], ...] = (
    Control,
    LifeSign,
    Failure,
    StayAwake,
    Attention,
    Meter,
    GpuInUse,
    StatusLists,
    Help,
    CommandPalette,
    DesktopEntry,
    About,
)
