"""Where tensors live, and streams of chance that do not disturb each other."""

import hashlib
import threading
from types import TracebackType

import torch
from torch import Tensor

from workbench.errors import UsageError
from workbench.paths import has_gpu_driver

GLOBAL_CHANCE = threading.RLock()  # held by whoever sets torch's global generators


def choose_device(name: str) -> torch.device:
    """Return the device called 'auto', 'cpu' or 'cuda'.

    Raises:
        UsageError: CUDA is asked for and not there.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UsageError(
            "train.device: 'cuda' needs an NVIDIA GPU and PyTorch finds none. Choose 'auto' or 'cpu'."
        )
    return torch.device("cuda", torch.cuda.current_device())


def device_name(device: torch.device) -> str:
    """Return the device as a person calls it: "cpu", or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def unused_gpu(name: str, device: torch.device) -> str:
    """Return why 'auto' has become the processor although an NVIDIA driver is here; "" where nothing is odd."""
    if name != "auto" or device.type != "cpu" or not has_gpu_driver():
        return ""
    version = torch.version.cuda
    why = (
        f"The driver may be too old for CUDA {version}, or the GPU is hidden from this program."
        if version
        else f"The installed PyTorch ({torch.__version__}) is built without CUDA."
    )
    return (
        "An NVIDIA driver is here, but PyTorch finds no GPU to use, so this run trains on the "
        f"processor, which takes far longer. {why}"
    )


class Stream:
    """A source of chance of its own, in force inside `with stream:` and resumed at the next.

    Layers and transforms that draw from torch's global generators draw from this stream instead;
    outside, those generators go on as if nothing had happened. The generators are the process's, so
    only one thread at a time is inside a stream: dry steps beside a run change none of its numbers.

    Args:
        seed: of the stream.
        purpose: tells apart streams of the same seed, such as "dropout" and "augmentation".
        device: where numbers are drawn besides the CPU.
    """

    def __init__(
        self, seed: int, purpose: str = "", device: torch.device | str | None = None
    ) -> None:
        self._device = torch.device(device or "cpu")
        digest = hashlib.sha256(f"{purpose}|{seed}".encode()).digest()
        mixed = int.from_bytes(digest[:8]) >> 1
        self._states = [
            torch.Generator(place).manual_seed(mixed).get_state() for place in self._places()
        ]
        self._outer: list[Tensor] = []
        self._thread = 0  # that is inside

    @property
    def states(self) -> list[Tensor]:
        """Where the stream stands, outside of it: the CPU's generator and, if it has one, the GPU's."""
        return self._states

    @states.setter
    def states(self, states: list[Tensor]) -> None:
        self._states = [*states, *self._states[len(states) :]][: len(self._states)]

    def __enter__(self) -> None:
        if self._outer and self._thread == threading.get_ident():
            raise RuntimeError("the stream is already in force")
        GLOBAL_CHANCE.acquire()
        self._thread = threading.get_ident()
        self._outer = self._exchange(self._states)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._states = self._exchange(self._outer)
        self._outer = []
        GLOBAL_CHANCE.release()

    def _places(self) -> list[torch.device]:
        cpu = torch.device("cpu")
        return [cpu, self._device] if self._device.type == "cuda" else [cpu]

    def _exchange(self, states: list[Tensor]) -> list[Tensor]:
        before = [torch.get_rng_state()]
        torch.set_rng_state(states[0])
        if self._device.type == "cuda":
            before.append(torch.cuda.get_rng_state(self._device))
            torch.cuda.set_rng_state(states[1], self._device)
        return before
