"""The adapter as files: `adapter.safetensors`, its card `adapter.json`, and a README that says how to load them.

The card is what makes the tensors usable elsewhere: backbone, classes in order, preprocessing,
switches. The same tensors and card give the same bytes; nothing is ever unpickled.
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_bytes, save as save_bytes
from torch import Tensor

from workbench.config import from_dict
from workbench.errors import UsageError, WorkbenchError
from workbench.events import finite, tupled
from workbench.fits import misfit

FORMAT = 1
TENSORS_NAME, CARD_NAME, README_NAME = "adapter.safetensors", "adapter.json", "README.md"
_BETWEEN = 0.2  # seconds: longer than it takes to replace the second of two files
_PICKLES = frozenset({".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt"})


@dataclass(frozen=True)
class AdapterClass:
    """A class the adapter answers with: its name, and the 0-based task it was first learnt in."""

    name: str
    task: int


@dataclass(frozen=True)
class Preprocessing:
    """What happens to a picture: RGB, shorter side to `resize`, centre crop `size`, (x / 255 − mean) / std."""

    size: int  # side of the square input in pixels
    resize: int
    interpolation: str
    mean: tuple[float, ...]  # zeros and ones of `std`: pixels enter as 0 to 1
    std: tuple[float, ...]


@dataclass(frozen=True)
class AdapterCard:
    """Everything needed to use an adapter besides its tensors; `classes[i]` is row i of the prototypes."""

    program: str  # version that wrote it
    backbone: str  # as the configuration names it: "sample", or a timm name with tag
    weights_sha256: str
    timm_name: str
    create_kwargs: Mapping[str, Any]  # arguments of timm.create_model besides the name
    width: int  # length d of the backbone's feature
    classes: tuple[AdapterClass, ...]
    tasks: tuple[str, ...]
    preprocessing: Preprocessing
    profile: str
    switches: Mapping[str, str]
    model: Mapping[str, Any]  # config.ModelConfig as plain values
    metrics: Mapping[str, float | None]
    licence: str  # of the backbone's weights, which are not in the file
    precision: str  # the tier it was trained in, see `core.precision`; it answers in strict
    temperature: float = 1.0  # what logits are divided by before they become probabilities


def save_adapter(folder: Path, tensors: Mapping[str, Tensor], card: AdapterCard) -> list[Path]:
    """Write the three files into `folder`, made if needed, and return their paths.

    Each file is written beside its place and moved there, so that none is ever half-written.

    Raises:
        WorkbenchError: the disk is full or the folder cannot be written.
    """
    blob = save_bytes(
        {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)},
        metadata={"format": "pt"},
    )
    tree = {"format": FORMAT, "tensors_sha256": hashlib.sha256(blob).hexdigest()}
    text = json.dumps(
        tree | finite(dataclasses.asdict(card)),
        sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False,
    )  # fmt: skip
    contents = {
        TENSORS_NAME: blob,
        CARD_NAME: (text + "\n").encode(),
        README_NAME: _readme(card).encode(),
    }
    parts = [folder / f"{name}.part" for name in contents]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, content in zip(parts, contents.values(), strict=True):
            part.write_bytes(content)
        return [_put(folder / name, part) for name, part in zip(contents, parts, strict=True)]
    except OSError as error:
        raise WorkbenchError(
            f"The adapter could not be written to {folder}: {error.strerror}. Choose another place."
        ) from error
    finally:
        _remove(parts)


def load_adapter(path: Path) -> tuple[dict[str, Tensor], AdapterCard]:
    """Read an adapter from its folder, or from the path of its .safetensors or .json file.

    Raises:
        UsageError: the path is no adapter, is damaged, or was made by a newer version.
    """
    tensors_path, card_path = _pair(path)
    blob, tree = _bytes_of(tensors_path), _card_tree(card_path)
    if tree.get("tensors_sha256") != hashlib.sha256(blob).hexdigest():
        time.sleep(_BETWEEN)  # a run that trains may be replacing both just now
        blob, tree = _bytes_of(tensors_path), _card_tree(card_path)
    card = _card(card_path, tree)
    try:
        tensors = load_bytes(blob)
    except SafetensorError as error:
        raise UsageError(f"'{tensors_path}' is damaged: {error}. Export it again.") from error
    if tree.get("tensors_sha256") != hashlib.sha256(blob).hexdigest():
        raise UsageError(
            f"'{tensors_path}' is not the file that '{card_path.name}' was written for. "
            "Export the adapter again, or bring both files from the same export."
        )
    return tensors, card


def check_shapes(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise UsageError unless `tensors` are the `expected` network's, by name, shape and type, and finite.

    Its head has grown to the classes on the card.
    """
    wrong = sorted(set(expected) ^ set(tensors))
    if wrong:
        kind = "lacks" if wrong[0] in expected else "has an unknown"
        raise UsageError(f"The adapter {kind} tensor '{wrong[0]}': it was not made for this model.")
    for name, tensor in sorted(tensors.items()):
        found, needed = tuple(tensor.shape), tuple(expected[name].shape)
        if found != needed:
            raise UsageError(
                f"The adapter's tensor '{name}' has shape {found}; backbone and card ask for {needed}."
            )
        if tensor.dtype != expected[name].dtype:
            raise UsageError(
                f"The adapter's tensor '{name}' holds {tensor.dtype}; {expected[name].dtype} is expected."
            )
        if not tensor.isfinite().all():
            raise UsageError(
                f"The adapter's tensor '{name}' holds numbers that are not finite: its training went astray, "
                "or the file was changed. Take the adapter of another run."
            )


def _put(place: Path, part: Path) -> Path:
    os.replace(part, place)
    return place


def _remove(parts: list[Path]) -> None:
    for part in parts:
        if part.is_file():  # no error where not even the folder is there
            part.unlink()


def _pair(path: Path) -> tuple[Path, Path]:
    if path.is_dir():
        pair = path / TENSORS_NAME, path / CARD_NAME
    elif path.suffix in (".safetensors", ".json"):
        pair = path.with_suffix(".safetensors"), path.with_suffix(".json")
    elif path.suffix.lower() in _PICKLES:
        raise UsageError(
            f"Only .safetensors files are opened: {path.suffix} files can run programs. "
            f"'{path.name}' was left alone."
        )
    else:
        raise UsageError(f"'{path}' is not an adapter: a folder with {TENSORS_NAME} is expected.")
    if not pair[0].is_file():
        raise UsageError(f"There is no adapter in '{path}': '{pair[0].name}' is not there.")
    if not pair[1].is_file():
        raise UsageError(
            f"This file has no workbench card. '{pair[1].name}' is not beside '{pair[0].name}': "
            "bring both from the same export."
        )
    return pair


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror}.") from error


def _card_tree(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(_bytes_of(path))
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested without end
        raise UsageError(f"The card '{path}' is damaged: {error}.") from error
    version = tree.get("format") if isinstance(tree, dict) else None
    if type(version) is not int:
        raise UsageError(f"'{path}' is not a workbench card: it names no format.")
    if version > FORMAT:
        raise UsageError(
            f"Made by a newer version (format {version}; this one reads up to {FORMAT}). "
            f"'{path.name}' was left alone; open it with that version."
        )
    return dict(tree)


def _card(path: Path, tree: Mapping[str, Any]) -> AdapterCard:
    try:
        values = {item.name: tree[item.name] for item in fields(AdapterCard)}
        values["classes"] = [AdapterClass(**entry) for entry in values["classes"]]
        values["preprocessing"] = tupled(Preprocessing, values["preprocessing"])
        return _checked(tupled(AdapterCard, values))
    except KeyError as error:
        raise UsageError(f"The card '{path}' is damaged: it has no {error}.") from error
    except (TypeError, ValueError, AttributeError, UsageError) as error:
        reason = str(error).removesuffix(".")
        raise UsageError(f"The card '{path}' is damaged: {reason}.") from error


def _checked(card: AdapterCard) -> AdapterCard:
    problem = misfit(card)
    if problem:
        raise ValueError(problem)
    if not all(0 <= entry.task < len(card.tasks) for entry in card.classes):
        raise ValueError("a class belongs to a task that is not listed")
    if not card.preprocessing.size <= card.preprocessing.resize <= 4 * card.preprocessing.size:
        raise ValueError(
            f"pictures of {card.preprocessing.size} from {card.preprocessing.resize} pixels"
        )
    if len(card.preprocessing.mean) != 3 or len(card.preprocessing.std) != 3:
        raise ValueError("mean and deviation are of three colours")
    if not (card.temperature or 0) > 0:
        raise ValueError("its temperature is not above 0")
    from_dict({"model": dict(card.model), "switches": dict(card.switches)})
    if str(card.model.get("weights", "")).startswith(("//", "\\\\")):
        raise ValueError(
            f"its weights lie on another computer ({card.model['weights']}). Copy that file here, and "
            "write its new place into the card"
        )
    return card


def _readme(card: AdapterCard) -> str:
    steps = card.preprocessing
    names = "\n".join(f"{i}. {entry.name} ({card.tasks[entry.task]})" for i, entry in enumerate(card.classes))  # fmt: skip
    return f"""# An NTK-CL adapter

Trained with NTK-CL workbench {card.program} (profile {card.profile}, precision {card.precision}) on top of the frozen backbone
`{card.backbone}`, whose weights (SHA-256 `{card.weights_sha256}`) are not in these files.
Licence of those weights: {card.licence}

Answer with it: `python main.py predict THIS_FOLDER PICTURE ...` in the workbench's folder.

Look inside, with nothing but `pip install torch safetensors`:

```python
import json
from pathlib import Path

from safetensors.torch import load_file

card = json.loads(Path("{CARD_NAME}").read_text(encoding="utf-8"))
tensors = load_file("{TENSORS_NAME}")
prototypes = tensors["prototypes.weight"]  # (classes, sections x {card.width})
assert len(prototypes) == len(card["classes"])
print([entry["name"] for entry in card["classes"]], tuple(prototypes.shape))
```

A picture enters as RGB, its shorter side resized to {steps.resize} pixels ({steps.interpolation}), the centre {steps.size} x {steps.size},
divided by 255, less mean {list(steps.mean)}, divided by {list(steps.std)}.

Classes in the order of the prototypes, with the task each was learnt in:

{names}
"""
