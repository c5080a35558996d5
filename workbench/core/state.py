"""Objects of a run as a tree of plain values and named tensors, and back: nothing is pickled.

Only classes listed here are made again, and those of `torch.nn`; what two places share is shared
again. Things that a run has anyway (network, pictures, settings) are anchors: stored by name only.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench import answers
from workbench.core import (
    budget,
    gaps,
    heads,
    lost,
    old_kernels,
    plan,
    probe,
    probe_rows,
    readings,
    rules,
)
from workbench.core.discriminant import DiscriminantHead
from workbench.core.ensemble import EnsembleHead
from workbench.core.projection import ProjectedRidgeHead
from workbench.core.sketch import Sketch
from workbench.errors import WorkbenchError
from workbench.events import Evaluated

_CLASSES: dict[str, type] = {
    f"{cls.__module__}.{cls.__qualname__}": cls
    for cls in (
        answers.Answers, budget.Budget, gaps.Value, heads.ProxyHead, heads.PrototypeHead, DiscriminantHead, ProjectedRidgeHead,
        EnsembleHead, rules.Cosines, rules.Linear, rules.Projected, rules.Summed,
        lost.Answers, lost.Losses, old_kernels.OldKernel, plan.KernelPlan, probe.Eye, probe.Part,
        probe.Probed, probe.View, probe_rows.ProbeRows, readings.Moment, readings.Reference,
        readings.Scene, Sketch, Evaluated,
    )
}  # fmt: skip
_CACHES: dict[type, dict[str, type]] = {Sketch: {"_lots": dict}}  # made again when they are needed
_MODULES = "torch.nn.modules."
_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_MAPPINGS = {"dict": dict, "ordered": OrderedDict}
_WIDE = ":float64"  # behind the name of a tensor that is stored as float32, being exactly that
_PLAIN = (type(None), bool, int, str)
_MANY = 16  # numbers in a list or tuple that are kept as a tensor: JSON of them takes longer
_NUMBERS = {float: torch.float64, int: torch.int64}
_MOST = 2**62  # an integer that a tensor can hold


class CannotKeep(WorkbenchError):  # noqa: N818  (a fact about a value)
    """A value of a kind that cannot be saved; the text names the kind."""


class Packer:
    """Turns values into nodes of JSON; tensors go to `tensors` by name. Plain values stand for themselves."""

    def __init__(self, anchors: Mapping[str, Any]) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._anchors = anchors  # alive as long as their ids are used
        self._names = {
            id(value): name for name, value in anchors.items() if type(value) not in _PLAIN
        }
        self._methods = [
            (name, value) for name, value in anchors.items() if isinstance(value, MethodType)
        ]
        self._stored: dict[tuple[torch.dtype, torch.Size, bytes], str] = {}
        self._known: dict[int, int] = {}
        self._alive: list[Any] = []  # so that no id is used twice

    def pack(self, value: Any) -> Any:
        """Return the node of a value.

        Raises:
            CannotKeep: it, or something in it, is of a kind that cannot be saved.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is float:
            return value if np.isfinite(value) else ["float", repr(value)]
        if id(value) in self._names:
            return ["anchor", self._names[id(value)]]
        if isinstance(value, MethodType):
            return ["anchor", self._method(value)]
        if id(value) in self._known:
            return ["again", self._known[id(value)]]
        number = self._known[id(value)] = len(self._alive)
        self._alive.append(value)
        return [*self._node(value), number]

    def _node(self, value: Any) -> list[Any]:
        kind = type(value)
        if kind in (Tensor, nn.Parameter):
            return self._tensor(value)
        if kind is np.ndarray:
            return ["array", self._put(_as_tensor(value))]
        if isinstance(value, np.generic):
            return ["number", self._put(_as_tensor(np.asarray(value)))]
        for name, container in _CONTAINERS.items():
            if kind is container:
                return self._items(
                    name, value if kind in (list, tuple) else sorted(value, key=repr)
                )
        for name, mapping in _MAPPINGS.items():
            if kind is mapping:
                return [name, [[self.pack(k), self.pack(v)] for k, v in value.items()]]
        if kind is torch.Generator and value.device.type == "cpu":
            return ["generator", self._put(value.get_state())]
        if isinstance(value, torch.optim.Optimizer) and kind.__module__.startswith("torch.optim."):
            groups = [self.pack(list(group["params"])) for group in value.param_groups]
            return ["optimiser", kind.__name__, groups, self.pack(value.state_dict())]
        return ["object", _name_of(kind), self.pack(_inside(value))]

    def _items(self, name: str, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        dtype = _dtype_of(items) if len(items) >= _MANY else None
        if dtype is not None:
            return ["numbers", name, self._put(torch.tensor(items, dtype=dtype))]
        return [name, [self.pack(item) for item in items]]

    def _tensor(self, value: Tensor) -> list[Any]:
        if value.grad_fn is not None or value.layout != torch.strided or value.is_complex():
            raise CannotKeep(
                f"a tensor of {value.dtype} that is part of a computation or not dense"
            )
        held = 0 not in value.stride() and not value.is_contiguous()
        strides = list(value.stride()) if held else None  # rounding may depend on the layout
        on_device = value.device.type != "cpu"
        kind = "parameter" if isinstance(value, nn.Parameter) else "tensor"
        return [kind, self._put(value), on_device, strides, value.requires_grad]

    def _put(self, value: Tensor) -> str:
        """Store the content, once however many tensors have it; the name says if it was wider than it is stored."""
        content = value.detach().cpu().contiguous()
        narrow = content.float() if content.dtype == torch.float64 else content
        wide = narrow is not content and torch.equal(narrow.double(), content)
        content = narrow if wide else content
        key = content.dtype, content.shape, _digest(content)
        if key not in self._stored:
            self._stored[key] = f"{len(self.tensors):06d}"
            self.tensors[self._stored[key]] = content.clone()
        return self._stored[key] + (_WIDE if wide else "")

    def _method(self, value: MethodType) -> str:
        name = next((name for name, known in self._methods if known == value), None)
        if name is None:
            raise CannotKeep("a method of an object")
        return name


class Unpacker:
    """Makes values from nodes; tensors that were on a GPU are put on `device`.

    A damaged tree raises KeyError, TypeError, ValueError, IndexError, AttributeError or RuntimeError.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], anchors: Mapping[str, Any], device: torch.device
    ) -> None:
        self._tensors, self._anchors, self._device = tensors, anchors, device
        self._known: dict[int, Any] = {}

    def unpack(self, node: Any) -> Any:
        """Return the value of a node."""
        if type(node) in (*_PLAIN, float):
            return node
        kind, *rest = node
        if kind == "float":
            return float(rest[0])
        if kind == "anchor":
            return self._anchors[rest[0]]
        if kind == "again":
            return self._known[rest[0]]
        if kind == "object":
            return self._object(*rest)
        *content, number = rest
        made = self._made(kind, content, number)
        self._known[number] = made
        return made

    def _made(self, kind: str, content: list[Any], number: int) -> Any:
        if kind in ("tensor", "parameter"):
            return self._tensor(kind, *content)
        if kind in ("array", "number"):
            array = self._content(content[0]).numpy()
            return array if kind == "array" else array[()]
        if kind == "numbers":
            return _CONTAINERS[content[0]](self._content(content[1]).tolist())
        if kind == "generator":
            generator = torch.Generator()
            generator.set_state(self._content(content[0]))
            return generator
        if kind == "optimiser":
            return self._optimiser(*content)
        if kind in ("list", *_MAPPINGS):
            return self._grown(kind, content[0], number)
        return _CONTAINERS[kind](self.unpack(item) for item in content[0])

    def _grown(self, kind: str, items: list[Any], number: int) -> Any:
        """Return a container that may hold itself: it is known before it is filled."""
        if kind == "list":
            filled = self._known[number] = []
            filled.extend(self.unpack(item) for item in items)
            return filled
        mapping = self._known[number] = _MAPPINGS[kind]()
        for key, value in items:
            name = self.unpack(key)
            mapping[name] = self.unpack(value)
        return mapping

    def _object(self, name: str, inside: Any, number: int) -> Any:
        cls: Any = _CLASSES.get(name) or _torch_module(name)
        made = self._known[number] = cls.__new__(cls)
        made.__dict__.update(self.unpack(inside))
        made.__dict__.update({key: make() for key, make in _CACHES.get(cls, {}).items()})
        return made

    def _tensor(
        self, kind: str, name: str, on_device: bool, strides: list[int] | None, learns: bool
    ) -> Tensor:
        value = self._content(name)
        if strides is not None:
            laid = torch.empty_strided(tuple(value.shape), tuple(strides), dtype=value.dtype)
            value = laid.copy_(value)
        value = value.to(self._device) if on_device else value
        if kind == "parameter":
            return nn.Parameter(value, requires_grad=learns)
        return value.requires_grad_(learns)

    def _content(self, name: str) -> Tensor:
        """Return a tensor of its own with what is stored under a name."""
        stored = self._tensors[name.removesuffix(_WIDE)]
        return stored.double() if name.endswith(_WIDE) else stored.clone()

    def _optimiser(self, name: str, groups: list[Any], state: Any) -> torch.optim.Optimizer:
        cls = getattr(torch.optim, name)
        if not issubclass(cls, torch.optim.Optimizer):
            raise TypeError(f"{name} is no optimiser")
        made: torch.optim.Optimizer = cls([{"params": self.unpack(g)} for g in groups], lr=0.0)
        made.load_state_dict(self.unpack(state))
        return made


def _inside(value: Any) -> dict[str, Any]:
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    left_out = _CACHES.get(type(value), {})
    return {key: inner for key, inner in vars(value).items() if key not in left_out}


def _dtype_of(values: list[Any] | tuple[Any, ...]) -> torch.dtype | None:
    """Return the type of a tensor that holds these numbers exactly; None where they are not all of one kind."""
    kinds = set(map(type, values))
    kind = kinds.pop()
    if kinds or (kind is int and max(map(abs, values)) > _MOST):
        return None
    return _NUMBERS.get(kind)


def _name_of(kind: type) -> str:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name in _CLASSES:
        return name
    if kind.__module__.startswith(_MODULES) and getattr(nn, kind.__name__, None) is kind:
        return f"torch.nn.{kind.__name__}"
    raise CannotKeep(f"a {kind.__qualname__}")


def _torch_module(name: str) -> type[nn.Module]:
    found: Any = getattr(nn, name.removeprefix("torch.nn."))
    if not issubclass(found, nn.Module):
        raise TypeError(f"{name} is no module")
    return found  # type: ignore[no-any-return]


def _digest(content: Tensor) -> bytes:
    # a view costs more than the hash of a small tensor, and numpy only lacks bfloat16
    plain = content.view(torch.int16) if content.dtype == torch.bfloat16 else content
    return hashlib.sha256(plain.numpy().data).digest()


def _as_tensor(array: np.ndarray) -> Tensor:
    try:
        return torch.from_numpy(np.array(array, order="C"))
    except (TypeError, ValueError) as error:
        raise CannotKeep(f"an array of {array.dtype}") from error
