"""The one door to the engine: folders in, runs out. Qt-free; torch is imported only when work needs it.

`Run.work` is called by whoever owns the thread: the window's QThread, or the command line itself.
"""

from workbench.session.apart import SessionApart
from workbench.session.forecasts import learnt_as
from workbench.session.groups import RunGroup
from workbench.session.queue import QueuedRun
from workbench.session.resume import CutOff, Doubt
from workbench.session.run import Run
from workbench.session.session import Session
from workbench.session.versions import versions
from workbench.session.work import ThreadEngine

__all__ = [
    "CutOff",
    "Doubt",
    "QueuedRun",
    "Run",
    "RunGroup",
    "Session",
    "SessionApart",
    "ThreadEngine",
    "learnt_as",
    "versions",
]
