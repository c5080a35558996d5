"""How a step is measured: interleaved rounds by a clock, operations, peak memory, the device's best at a matmul."""

import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import (
    FlopCounterMode,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from workbench.core.precision import products_in

MATMUL_SIDE = {"cpu": 1024, "cuda": 8192}
aten = torch.ops.aten


def clock_of(device: torch.device) -> Callable[[], float]:
    """Return the clock that fits: on one thread of a processor, its own seconds, which neighbours do not lengthen."""
    if device.type == "cpu":
        return time.process_time if torch.get_num_threads() == 1 else time.perf_counter

    def after_everything() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return after_everything


def interleaved(
    works: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Do the works in turn, A B A B …; return each one's seconds by round. Each was done before, to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            began = clock()
            work()
            seconds[name].append(clock() - began)
    return seconds


def operations(work: Callable[[], object]) -> int:
    """Return the floating-point operations of matmuls, convolutions and attention, 2 for a multiply-add.

    PyTorch's counter knows the fused attention of a GPU only; the processor's is told to it here. What
    fused attention computes again in its backward pass is counted: a fifth matmul beside four. A
    singular value decomposition, norms and sums are not.
    """
    mapping: dict[Any, Any] = {
        aten._scaled_dot_product_flash_attention_for_cpu: _attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    }
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return counter.get_total_flops()


def _attention(q: Any, k: Any, v: Any, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(q, k, v)


def _attention_backward(gradient: Any, q: Any, k: Any, v: Any, *_: Any, **__: Any) -> int:
    return sdpa_backward_flop_count(gradient, q, k, v)


def peak_bytes(work: Callable[[], object], device: torch.device) -> int:
    """Return how far memory rises during the work above what lay there before it.

    On a GPU as the allocator counts it; on the processor the tensors that operators return, without
    what they need inside.
    """
    if device.type == "cpu":
        with _Alive() as alive:
            work()
        return alive.peak
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) - before


class _Alive(TorchDispatchMode):
    """Counts the bytes of storages that operators return, until each one dies."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        mine = {
            id(each.untyped_storage())
            for each in tree_leaves((args, kwargs))
            if isinstance(each, Tensor)
        }
        found = func(*args, **(kwargs or {}))
        for each in tree_leaves(found):
            if isinstance(each, Tensor) and id(each.untyped_storage()) not in mine:
                self._born(each.untyped_storage())
        return found

    def _born(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key in self._sizes:
            return
        self._sizes[key] = storage.nbytes()
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._died, key)

    def _died(self, key: int) -> None:
        self.now -= self._sizes.pop(key)


def matmul_peak(device: torch.device, precision: str, times: int = 5) -> float:
    """Return the most operations a second that a large square matmul reaches, of some tries."""
    side = MATMUL_SIDE[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a = torch.randn(side, side, device=device, dtype=dtype)
    clock = clock_of(device)
    with products_in(precision):
        spent = interleaved({"matmul": lambda: torch.mm(a, a)}, times, clock)["matmul"]
    return 2 * side**3 / min(spent)
