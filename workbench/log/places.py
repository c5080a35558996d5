"""Where a log's file lies: on which kind of file system, and whether others may read it."""

import os
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types

# Types of file systems whose files several computers may open: they share no memory.
REMOTE = (
    "nfs", "cifs", "smb", "afp", "webdav", "davfs", "9p", "ncpfs", "afs", "ceph", "lustre", "gluster",
    "beegfs", "gpfs", "ocfs2", "gfs2", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gvfs",
    "fuse.ceph", "fuse.gluster", "fuse.davfs", "fuse.smb",
)  # fmt: skip


def file_system_of(path: Path) -> str:
    """Return the type of the file system that `path` lies on, or an empty string if it is not known."""
    place = path.resolve()
    if place.drive.startswith("\\\\"):  # \\server\share
        return "smb"
    mounts = {Path(item.mountpoint): item for item in psutil.disk_partitions(all=True)}
    mount = next((mounts[parent] for parent in place.parents if parent in mounts), None)
    if mount is None:
        return ""
    return "smb" if "remote" in mount.opts.split(",") and os.name == "nt" else str(mount.fstype)


def is_remote(file_system: str) -> bool:
    """Return whether files of this type of file system lie on another computer."""
    return file_system.lower().startswith(REMOTE)


def make_private(path: Path) -> None:
    """Make an empty file that only its user can read, unless there is one; SQLite's other files follow it."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def settle(path: Path) -> None:
    """Wait until a file, and its name in its folder, are on the disk; whoever replaces a file calls this first."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
