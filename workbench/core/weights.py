"""A backbone's name to its weights: the shipped sample, a local file, the hub, or a seeded chance.

Names: "sample"; "ARCHITECTURE.TAG" of timm, the tag required because a bare name means other
weights in other versions of timm; "random:ARCHITECTURE", for tests and speed benchmarks only.
Arguments that shape the model may follow: "vit_small_patch14_dinov2.lvd142m?img_size=224",
"random:vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8&seed=1".
"""

import hashlib
import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError  # what torch raises; nothing here unpickles
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import get_pretrained_cfg
from timm.models.vision_transformer import checkpoint_filter_fn
from torch import Tensor

from workbench.core import sample_backbone as sample
from workbench.core.backbone import check_plain, create
from workbench.core.backbone_name import RANDOM, Name, parse_name, which_tag
from workbench.core.device import GLOBAL_CHANCE
from workbench.core.hub import Weights, checked_sha256, fetch, hub_urls
from workbench.core.stored import SUFFIXES
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage

_WRAPPERS = ("state_dict", "model", "module", "teacher")  # keys under which others keep the weights
_PREFIXES = ("module.", "model.", "backbone.")
_MOST_PARAMETERS = 10_000_000_000  # a name may come from a stranger's card
# What others' files hold beside the encoder.
_BESIDE = ("head", "decoder_", "mask_token", "pre_logits")
# What the readers of safetensors and torch raise on damaged bytes.
_DAMAGED = (
    SafetensorError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
    AssertionError, ArithmeticError, MemoryError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LoadedWeights:
    """Weights in memory: `create(model_name, state, **create_kwargs)` gives the backbone."""

    model_name: str  # timm's architecture
    create_kwargs: dict[str, Any]
    state: dict[str, Tensor]  # float32, fits strictly
    sha256: str  # of the file; of the tensors where there is none
    mean: tuple[float, ...]  # of RGB pixels in 0 to 1
    std: tuple[float, ...]
    interpolation: str
    crop_pct: float
    licence: str


def load_weights(
    backbone: str, weights_file: str, home: Path
) -> Generator[Stage, None, LoadedWeights]:
    """Return the weights of `backbone`, from `weights_file` if given; downloads are kept below `home`.

    Raises:
        UsageError: the name is unknown or lacks its tag, or the file does not fit.
        WorkbenchError: the weights are not here and cannot be fetched.
    """
    if weights_file:
        return (yield from _from_file(backbone, Path(weights_file).expanduser()))
    if backbone == "sample":
        return (yield from _sample())
    if backbone.startswith(RANDOM):
        return _random(parse_name(backbone, backbone.removeprefix(RANDOM)))
    name = parse_name(backbone, backbone)
    if not name.tag:
        raise UsageError(which_tag(name))
    template = _template(name)
    cfg: Any = get_pretrained_cfg(name.tagged)
    path = yield from fetch(Weights(name.tagged, _urls(cfg)), home)
    return (yield from _read(name, path, template, cfg.license or "not stated"))


def width_of(backbone: str) -> int:
    """Return the length of the backbone's feature, without its weights; 0 if the name is not known."""
    try:
        if backbone == "sample":
            name = Name(backbone, sample.TIMM_NAME, "", dict(sample.CREATE_KWARGS))
        else:
            name = parse_name(backbone, backbone.removeprefix(RANDOM))
            name.kwargs.pop("seed", None)
        return int(cast(Any, _template(name)).num_features)
    except UsageError:
        return 0


def _sample() -> Generator[Stage, None, LoadedWeights]:
    path = sample.sample_file()
    if not path.is_file():
        raise WorkbenchError(
            f"The sample backbone is not there: '{path}'. Install the program again."
        )
    sha256 = yield from checked_sha256(path)
    return LoadedWeights(
        sample.TIMM_NAME, dict(sample.CREATE_KWARGS), sample.sample_state(path), sha256,
        sample.MEAN, sample.STD, "bicubic", sample.CROP_PCT, sample.LICENCE,
    )  # fmt: skip


def _random(name: Name) -> LoadedWeights:
    seed = name.kwargs.pop("seed", 0)
    if type(seed) is not int:
        raise UsageError(f"The backbone {name.whole!r}: seed is a whole number.")
    _template(name)  # refuses what would fill the memory
    with GLOBAL_CHANCE, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _built(name)
    state = {key: tensor.float() for key, tensor in model.state_dict().items()}
    digest = hashlib.sha256()
    for key, tensor in sorted(state.items()):
        digest.update(key.encode() + tensor.contiguous().numpy().tobytes())
    return _loaded(name, state, digest.hexdigest(), "none: random numbers")


def _from_file(backbone: str, path: Path) -> Generator[Stage, None, LoadedWeights]:
    if backbone == "sample" or backbone.startswith(RANDOM):
        raise UsageError(
            f"The backbone {backbone!r} brings its own weights, so '{path.name}' cannot be its weights "
            "file. Name the timm model that the file was made for, or take the file away."
        )
    if not path.is_file():
        raise UsageError(f"The weights file '{path}' is not there. Choose another file.")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"The weights file '{path.name}' is not one of {', '.join(SUFFIXES)}. Choose such a file."
        )
    name = parse_name(backbone, backbone)
    template = _template(name)
    return (yield from _read(name, path, template, f"not stated (file {path.name})"))


def _read(
    name: Name, path: Path, template: torch.nn.Module, licence: str
) -> Generator[Stage, None, LoadedWeights]:
    sha256 = yield from checked_sha256(path)
    yield Stage(f"Reading {path.name}")
    state = _fitted(_unwrapped(_tensors(path), path), template, name, path)
    return _loaded(name, state, sha256, licence)


def _loaded(name: Name, state: dict[str, Tensor], sha256: str, licence: str) -> LoadedWeights:
    cfg: Any = get_pretrained_cfg(name.tagged)
    return LoadedWeights(
        name.architecture, name.kwargs, state, sha256, tuple(cfg.mean), tuple(cfg.std),
        cfg.interpolation, cfg.crop_pct, licence,
    )  # fmt: skip


def _urls(cfg: Any) -> tuple[str, ...]:
    if cfg.hf_hub_id:
        return hub_urls(cfg.hf_hub_id, cfg.hf_hub_filename or "")
    return (cfg.url,) if cfg.url and cfg.url.endswith(SUFFIXES) else ()


def _template(name: Name) -> torch.nn.Module:
    """Return the model without memory for its weights, after checking that it is a plain ViT."""
    with torch.device("meta"):
        model = _built(name)
    size = sum(parameter.numel() for parameter in model.parameters())
    if size > _MOST_PARAMETERS:
        raise UsageError(f"The backbone {name.whole!r} would have {size:,} parameters, too many.")
    return model


def _built(name: Name) -> torch.nn.Module:
    try:
        model = create(name.architecture, None, **name.kwargs)
    except (TypeError, ValueError, AssertionError, ArithmeticError, RuntimeError) as error:
        if not name.kwargs:
            raise
        raise UsageError(f"The backbone {name.whole!r} cannot be built: {error}.") from error
    return cast(torch.nn.Module, check_plain(model))


def _tensors(path: Path) -> Any:
    try:
        if path.suffix.lower() == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UsageError(
            f"'{path.name}' is damaged or holds more than weights, so it is not opened: such a file can "
            "run programs. Save its state dict as .safetensors."
        ) from error
    except _DAMAGED as error:
        raise UsageError(f"'{path.name}' is not a readable weights file: {error}.") from error


def _unwrapped(stored: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors by name, out of the wrappers and prefixes that training code leaves."""
    while isinstance(stored, Mapping):
        inner = next(
            (stored[key] for key in _WRAPPERS if isinstance(stored.get(key), Mapping)), None
        )
        if inner is None:
            break
        stored = inner
    tensors = dict(stored) if isinstance(stored, Mapping) else {}
    tensors = {str(key): value for key, value in tensors.items() if isinstance(value, Tensor)}
    if not tensors:
        raise UsageError(f"'{path.name}' holds no weights by name. Save the model's state dict.")
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return {
        key: value.float() if value.is_floating_point() else value for key, value in tensors.items()
    }


def _fitted(tensors: dict[str, Tensor], template: Any, name: Name, path: Path) -> dict[str, Tensor]:
    """Return the encoder's tensors under timm's names, positions resized to the model's grid."""
    needed = {key: tuple(value.shape) for key, value in template.state_dict().items()}
    try:
        converted = checkpoint_filter_fn(tensors, template, adapt_layer_scale=True)
    except (RuntimeError, LookupError, ValueError, AssertionError) as error:
        raise UsageError(f"{_misfit(name, path)}: {error}.") from error
    state = {k: v for k, v in converted.items() if k in needed or not k.startswith(_BESIDE)}
    missing = sorted(set(needed) - set(state))
    unknown = sorted(set(state) - set(needed))
    if missing:
        raise UsageError(f"{_misfit(name, path)}: {missing[0]!r} is missing in it.")
    if unknown:
        raise UsageError(f"{_misfit(name, path)}: the model has no {unknown[0]!r}.")
    for key, shape in needed.items():
        if tuple(state[key].shape) != shape:
            raise UsageError(
                f"{_misfit(name, path)}: {key!r} has shape {tuple(state[key].shape)} there and {shape} here."
            )
    return state


def _misfit(name: Name, path: Path) -> str:
    return f"'{path.name}' does not fit the backbone {name.whole!r}"
