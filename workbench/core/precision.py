"""Tiers of precision: what a run is trained in, and torch's switch for TF32, which belongs to the whole process.

strict: every product in float32. tf32: the frozen backbone's products with TF32's ten bits behind the
point. bf16: the frozen backbone in bfloat16. Whatever is trained, losses, heads, prototypes and
kernels are in float32 or float64 in each of them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from workbench.config import RunConfig
from workbench.core.device import device_name

STRICT, TF32, BF16 = "strict", "tf32", "bf16"
_SIDE = 512  # of the matrices whose product is timed
# Held by whoever computes, since the switch is the process's. Never taken by one who holds `device.GLOBAL_CHANCE`.
_SWITCH = threading.RLock()


def resolve(config: RunConfig, device: torch.device) -> str:
    """Return the tier that a run with this configuration is trained in on this device.

    Profile `paper` repeats the official arithmetic, so "auto" is strict there wherever it runs.
    """
    wanted = config.train.precision
    if wanted == "auto":
        return BF16 if config.method.profile != "paper" and has_bf16(device) else STRICT
    return STRICT if wanted == TF32 and not has_tf32(device) else wanted


def has_bf16(device: torch.device) -> bool:
    """Return whether this is a GPU that multiplies in bfloat16 by itself."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def has_tf32(device: torch.device) -> bool:
    """Return whether this is a GPU that knows TF32: compute capability 8.0, Ampere, and later."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def oddity(wanted: str, device: torch.device) -> str:
    """Return what is odd about this `train.precision` on this device, as a sentence with a way out; "" if nothing is."""
    if wanted == TF32 and not has_tf32(device):
        return (
            f"tf32 needs an NVIDIA GPU of 2020 (Ampere) or later, and this run trains on {device_name(device)}: it is "
            "trained in strict, which is exact. With train.precision at auto the device's own tier is taken."
        )
    return lame_bf16(bf16_cost(device)) if wanted == BF16 else ""


@cache
def bf16_cost(device: torch.device) -> float:
    """Return how many times as long as in float32 a matrix product takes in bfloat16 here, measured once, in some ms."""
    return _product_seconds(device, torch.bfloat16) / _product_seconds(device, torch.float32)


def lame_bf16(cost: float) -> str:
    """Return what is to be said of a `bf16_cost` of 1 or more; "" where there is something to gain."""
    if cost < 1:
        return ""
    return (
        f"bf16 gains nothing here: its matrix products take {cost:.1f} times as long as those of strict on this device. "
        "With train.precision at strict the same run is faster, and exact."
    )


@contextmanager
def products_in(tier: str) -> Iterator[None]:
    """Let float32 matmuls and convolutions on a GPU use TF32 inside if `tier` is tf32; else they are true float32.

    Only one thread at a time is inside, so that nobody computes in what another one has switched on.
    """
    with _SWITCH, switched(tf32=tier == TF32):
        yield


@contextmanager
def switched(*, tf32: bool) -> Iterator[None]:
    """Set the switch inside `products_in`, on whatever thread; torch's backward pass on a GPU has one of its own.

    Products of matrices and cuDNN's convolutions have a switch each; torch leaves the second one on.
    """
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    _set("high" if tf32 else "highest", tf32)
    try:
        yield
    finally:
        _set(*before)


def _set(matmuls: str, convolutions: bool) -> None:
    torch.set_float32_matmul_precision(matmuls)
    torch.backends.cudnn.allow_tf32 = convolutions


def _product_seconds(device: torch.device, dtype: torch.dtype) -> float:
    a = torch.ones(_SIDE, _SIDE, device=device, dtype=dtype)
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        float((a @ a)[0, 0])  # a GPU is waited for
        taken.append(time.perf_counter() - began)
    return min(taken)
