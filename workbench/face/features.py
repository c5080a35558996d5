"""Every feature of the window, in the order in which they are made; a later one may rely on an earlier."""

from workbench.face.changes_check import ChangesCheck
from workbench.face.feature import Feature
from workbench.face.task_work import TaskWork

FEATURES: tuple[type[Feature], ...] = (TaskWork, ChangesCheck)
