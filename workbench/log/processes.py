"""The process that a run lives in: which one that is, and whether it is still there."""

import time

import psutil  # type: ignore[import-untyped]  # ships no types

BEAT_SECONDS = 30.0  # a run's sign of life is at most this old, and 10 s while it is paused
SAME_START_SECONDS = 5.0  # a process's start time, read twice, may differ by the clock's adjustment


def own_process() -> tuple[int, float]:
    """Return this process's number and the unix time at which it began."""
    process = psutil.Process()
    return process.pid, process.create_time()


def process_lives(pid: int, started: float, heard: float = 0.0) -> bool:
    """Return whether process `pid` is still the one that began at unix time `started`.

    A clock that is put back or forward moves the start of every process. So it is also the one if it
    was `heard` of just now, by the present clock.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        same = abs(process.create_time() - started) < SAME_START_SECONDS
        return bool(same or abs(time.time() - heard) < BEAT_SECONDS)
    except psutil.Error:  # gone, or the number now belongs to somebody else
        return False
