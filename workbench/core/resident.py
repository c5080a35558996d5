"""How much memory work takes at its peak: the GPU's as its allocator counts, else the program's resident part."""

import ctypes
import gc
import sys
import threading
from pathlib import Path
from types import TracebackType

import psutil  # type: ignore[import-untyped]  # ships no types
import torch

_PAUSE = 0.002  # seconds between two looks


def held(device: torch.device) -> int:
    """Return the bytes that the program holds now, after giving back what it only keeps in reserve."""
    if gc.isenabled():  # else it is for somebody else's thread: `face.garbage`
        gc.collect()
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    _give_back()
    return _resident()


def room(device: torch.device) -> tuple[int, int]:
    """Return the bytes that are free now, and all that there are."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)
    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)


def peak_so_far(device: torch.device) -> int | None:
    """Return the most bytes that this process has held since it began; None where the system does not say.

    On a GPU what torch had allocated there, else the resident part. Linux hands `ru_maxrss` on from the
    process that started this one, so that there the kernel's own mark is read.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS alone
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return None
    marks = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(marks[0].split()[1]) * 1024 if marks else None


class Peak:
    """`with Peak(device) as peak: …`; afterwards `peak.bytes` is the most that was held meanwhile."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._done = threading.Event()
        self._watcher: threading.Thread | None = None
        self.bytes = 0

    def __enter__(self) -> "Peak":
        self.bytes = held(self._device)
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            return self
        self._watcher = threading.Thread(target=self._watch, name="memory")
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watcher is None:
            self.bytes = torch.cuda.max_memory_allocated(self._device)
            return
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(_PAUSE):
            self.bytes = max(self.bytes, _resident())
        self.bytes = max(self.bytes, _resident())


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _give_back() -> None:
    """Let glibc return freed memory, which would hide growth; other libraries do so by themselves."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
