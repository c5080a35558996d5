"""Where things lie: shipped resources, the home folder with the log, runs and weights, the GPU's driver."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

import platformdirs

from workbench.errors import UsageError, WorkbenchError

ROOT = Path(__file__).resolve().parent.parent
LOG_NAME = "workbench.db"
_DRIVER = Path("/proc/driver/nvidia/version")
_DEVICE = Path("/dev/nvidiactl")
PRIVATE = 0o700  # what is made for the log is for its user alone (POSIX)


def resource(name: str) -> Path:
    """Return the path of a shipped file, named relative to `resources/` with forward slashes."""
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(f"resource name {name!r} must be relative and without '..'")
    return ROOT / "resources" / relative


def has_gpu_driver() -> bool:
    """Return whether an NVIDIA driver is installed here; whether torch can use it shows at the start."""
    if sys.platform == "darwin":
        return False
    return _DRIVER.exists() or _DEVICE.exists() or shutil.which("nvidia-smi") is not None


def plugin_folder() -> Path:
    """Return the program's folder whose Python files are loaded as plug-ins."""
    return ROOT / "plugins"


def plugin_folders(home: Path) -> list[Path]:
    """Return the program's folder of plug-ins and the user's own, which is made if needed."""
    own = home / "plugins"
    with suppress(OSError):  # without it there are no plug-ins of the user's; that is all
        own.mkdir(exist_ok=True)
    return [plugin_folder(), own]


def home_folder(chosen: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of the log, made if needed, and then for its user alone.

    It is `chosen`, else WORKBENCH_HOME, else the one that was remembered, else the platform's.
    """
    folder = Path(
        chosen
        or os.environ.get("WORKBENCH_HOME")
        or _remembered_home()
        or platformdirs.user_data_dir("ntkcl-workbench", False)
    )
    try:
        folder = folder.expanduser()
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: "~name" of nobody
        reason = error.strerror if isinstance(error, OSError) else error
        sentence = f"The log cannot be kept in {folder}: {reason}."
        raise UsageError(sentence).or_elsewhere() from error
    if not os.access(folder, os.W_OK):
        sentence = f"The log cannot be kept in {folder}: the folder is read-only."
        raise UsageError(sentence).or_elsewhere()
    return folder.resolve()


def remember_home(folder: str | os.PathLike[str]) -> None:
    """Use `folder` for the log from now on, where neither --home nor WORKBENCH_HOME says otherwise."""
    note = _home_note()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(str(Path(folder).absolute()), encoding="utf-8")
    except OSError:
        return  # the next start asks again


def _remembered_home() -> str:
    try:
        return _home_note().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _home_note() -> Path:
    return Path(platformdirs.user_config_dir("ntkcl-workbench", False)) / "home.txt"


def run_folder(home: Path, run_id: str) -> Path:
    """Return the folder of one run's heavy files (adapter, checkpoints), made if needed."""
    if not run_id or any(letter in run_id for letter in "/\\."):
        raise WorkbenchError(f"run id {run_id!r} is not a run of this log.")
    folder = home / "runs" / run_id
    folder.parent.mkdir(mode=PRIVATE, exist_ok=True)
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    return folder


def weights_folder(home: Path) -> Path:
    """Return the folder that downloaded backbone weights are kept in."""
    return home / "weights"


def features_folder(home: Path) -> Path:
    """Return the folder that kept features of frozen backbones are in."""
    return home / "features"
