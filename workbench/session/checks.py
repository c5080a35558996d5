"""What must hold before a run can be entered into the log or the queue."""

import os

from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import UsageError


def must_be_startable(config: RunConfig) -> None:
    """Raise UsageError if a run with this configuration could not start now."""
    configs.check(config)
    if not config.data.tasks:
        raise UsageError("There is no task to learn. Add a folder whose sub-folders are classes.")
    for task in config.data.tasks:
        gone = next((path for path in task.paths if not os.path.isdir(path)), "")
        if gone:
            raise UsageError(
                f"The folder of task {task.name!r} is not there ({gone}). "
                "Connect the drive, or remove the task."
            )
