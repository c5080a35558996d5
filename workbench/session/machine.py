"""What the computer has and how much of it is used: processor, memory, NVIDIA GPUs. No torch.

GPUs are asked for through `nvidia-ml-py` where it is installed, else by reading what `nvidia-smi` prints.
"""

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no types

GIB, MIB = 2**30, 2**20
SMI_GPUS = "--query-gpu=uuid,name,memory.used,memory.total,utilization.gpu,temperature.gpu"
SMI_PROGRAMS = "--query-compute-apps=gpu_uuid,pid,process_name,used_memory"
SMI_FORMAT = "--format=csv,noheader,nounits"


@dataclass(frozen=True)
class Program:
    """A program that holds memory of a GPU; `used` in bytes, None where the driver does not say."""

    pid: int
    name: str
    used: int | None


@dataclass(frozen=True)
class Gpu:
    """One GPU; memory in bytes, use in per cent, temperature in °C, None where it is not told."""

    name: str
    used: int | None
    total: int | None
    use: int | None = None
    temperature: int | None = None
    programs: tuple[Program, ...] = ()
    uuid: str = ""

    @property
    def used_by_others(self) -> int:
        """Return the bytes that are not this program's, as far as the driver tells whose they are."""
        own = sum(p.used or 0 for p in self.programs if p.pid == os.getpid())
        return max((self.used or 0) - own, 0)

    @property
    def knows_own(self) -> bool:
        """Whether the driver says what this program holds (in containers and on Windows it often does not)."""
        return any(p.pid == os.getpid() and p.used is not None for p in self.programs)

    @property
    def largest_other(self) -> Program | None:
        """Return the other program that holds most, if the driver names any."""
        others = [p for p in self.programs if p.pid != os.getpid() and p.used]
        return max(others, key=lambda p: p.used or 0, default=None)


@dataclass(frozen=True)
class Load:
    """Processor in per cent of all cores since the last call, memory in bytes."""

    processor: float
    memory_used: int
    memory_total: int


def load() -> Load:
    """Return how busy processor and memory are; cheap."""
    memory = psutil.virtual_memory()
    used = memory.total - memory.available
    return Load(psutil.cpu_percent(None), int(used), int(memory.total))


def parse_gpus(gpus: str, programs: str = "") -> tuple[Gpu, ...]:
    """Return what `nvidia-smi` printed for SMI_GPUS and SMI_PROGRAMS; lines that do not fit are passed over."""
    found = []
    for row in _rows(gpus, 6):
        used, total, use, temperature = (_number(cell) for cell in row[2:])
        found.append(Gpu(row[1], _bytes(used), _bytes(total), use, temperature, uuid=row[0]))
    holders: dict[str, list[Program]] = {}
    for uuid, pid, name, held in _rows(programs, 4):
        number, bytes_held = _number(pid), _number(held)
        if number is not None:
            program = Program(number, PurePath(name).name, _bytes(bytes_held))
            holders.setdefault(uuid, []).append(program)
    return tuple(replace(gpu, programs=tuple(holders.get(gpu.uuid, ()))) for gpu in found)


def library_gpus() -> tuple[Gpu, ...] | None:
    """Return the GPUs that `nvidia-ml-py` sees, or None where it is not installed or finds no driver."""
    try:
        import pynvml  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    try:
        with _nvml(pynvml):
            handles = [
                pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())
            ]
            return tuple(_seen(pynvml, handle) for handle in handles)
    except pynvml.NVMLError:
        return None


@contextmanager
def _nvml(library: Any) -> Iterator[None]:
    library.nvmlInit()
    try:
        yield
    finally:
        library.nvmlShutdown()


def _seen(library: Any, handle: Any) -> Gpu:
    memory = library.nvmlDeviceGetMemoryInfo(handle)
    use = _asked(library, lambda: library.nvmlDeviceGetUtilizationRates(handle).gpu)
    heat = _asked(
        library, lambda: library.nvmlDeviceGetTemperature(handle, library.NVML_TEMPERATURE_GPU)
    )
    running = _asked(library, lambda: library.nvmlDeviceGetComputeRunningProcesses(handle)) or []
    programs = tuple(Program(p.pid, _name_of(p.pid), p.usedGpuMemory) for p in running)
    name = library.nvmlDeviceGetName(handle)
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Gpu(text, int(memory.used), int(memory.total), use, heat, programs)


def _asked(library: Any, ask: Any) -> Any:
    """Return the answer, or None where this GPU does not tell."""
    try:
        return ask()
    except library.NVMLError:
        return None


def _name_of(pid: int) -> str:
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return str(pid)


def _rows(text: str, width: int) -> Iterator[Sequence[str]]:
    for row in csv.reader(io.StringIO(text), skipinitialspace=True):
        if len(row) == width:
            yield [cell.strip() for cell in row]


def _bytes(mebibytes: int | None) -> int | None:
    return None if mebibytes is None else mebibytes * MIB


def _number(cell: str) -> int | None:
    """Return a whole number, or None for "[N/A]" and the like."""
    try:
        return round(float(cell))
    except ValueError:
        return None
