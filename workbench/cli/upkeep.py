"""A log that cannot be opened: rescued by a command, or asked about before the window opens."""

import argparse
from pathlib import Path

from workbench import paths
from workbench.cli import commands
from workbench.errors import LogFault, UsageError, WorkbenchError
from workbench.session.upkeep import put_in_place, rescue_log


def rescue(options: argparse.Namespace) -> int:
    """Save what can be read of the log into a new one, which takes its place; the old file is kept."""
    home = paths.home_folder(vars(options).get("home"))
    if not (home / paths.LOG_NAME).exists():
        raise UsageError(f"There is no log in {home}. Name its folder with --home DIR.")
    found = rescue_log(home, only_damaged=True)
    kept = put_in_place(home, found.new)
    commands.print_out(None, False, f"{found.sentence}\nThe old file: {kept}")
    return 0


def settled(error: WorkbenchError) -> bool:
    """Ask about a log that is damaged or held by another program; return whether to open it again."""
    if not isinstance(error, LogFault) or error.kind not in ("damaged", "locked"):
        return False
    from workbench.face import app

    try:
        if error.kind == "locked":
            return app.ask_to_try_again(str(error))
        return _rescued(Path(error.path).parent)
    except UsageError:  # no display: the sentence is printed instead
        return False


def _rescued(home: Path) -> bool:
    from workbench.face import app

    found = rescue_log(home)
    if not app.ask_about_rescue(found.sentence, home):
        return False
    put_in_place(home, found.new)
    return True
