"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.about import About
from workbench.face.activity_list import StatusLists
from workbench.face.attention import Attention
from workbench.face.awake import StayAwake
from workbench.face.bin import Bin
from workbench.face.bundles import Bundles
from workbench.face.changes_check import ChangesCheck
from workbench.face.choosing import Choosing
from workbench.face.comparing import Comparing
from workbench.face.configuring import Configuring
from workbench.face.control import Control
from workbench.face.desktop_entry import DesktopEntry
from workbench.face.draft_keeper import DraftKeeper
from workbench.face.estimating import Estimating
from workbench.face.extending import Extending
from workbench.face.failure import Failure
from workbench.face.feature import Feature
from workbench.face.gpu_in_use import GpuInUse
from workbench.face.groups import GroupFeature
from workbench.face.help_pages import Help
from workbench.face.lifesign import LifeSign
from workbench.face.log_care import LogCare
from workbench.face.meter import Meter
from workbench.face.palette import CommandPalette
from workbench.face.plug_ins import PlugInFeature
from workbench.face.queue import QueueFeature
from workbench.face.reports import Reports
from workbench.face.results import ResultsFeature
from workbench.face.resuming import Resuming
from workbench.face.run_details import DetailsOfRun
from workbench.face.run_verbs import RunVerbs
from workbench.face.settling import Settling
from workbench.face.studying import Studying
from workbench.face.task_work import TaskWork
from workbench.face.trying import TryItFeature

FEATURES: tuple[type[Feature], ...] = (
    Control,
    LifeSign,
    LogCare,
    Settling,
    Failure,
    StayAwake,
    Attention,
    Meter,
    GpuInUse,
    StatusLists,
    TaskWork,
    ChangesCheck,
    Choosing,
    Configuring,
    DraftKeeper,
    Estimating,
    ResultsFeature,
    Comparing,
    RunVerbs,
    DetailsOfRun,
    Bin,
    Resuming,
    Extending,
    Reports,
    Bundles,
    TryItFeature,
    QueueFeature,
    GroupFeature,
    Studying,
    PlugInFeature,
    Help,
    CommandPalette,
    DesktopEntry,
    About,
)
