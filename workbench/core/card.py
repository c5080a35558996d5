"""A run's adapter: saved after each task with the answers it gave, exported only if they come back.

Beside the adapter lies `check.safetensors`: real test pictures as the network saw them and its
logits on them. An export is read back, rebuilt and must give the same logits. `spread.safetensors` has what a
head needs to answer for more classes, and not to answer; it is not exported.
"""

import shutil
from collections.abc import Generator
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from workbench import __version__
from workbench.config import ModelConfig, RunConfig, SwitchConfig, effective_switches
from workbench.core.adapter_file import (
    AdapterCard,
    AdapterClass,
    Preprocessing,
    check_shapes,
    load_adapter,
    save_adapter,
)
from workbench.core.answering import fit_temperature
from workbench.core.build import build_network, pixel_scale
from workbench.core.evaluate import Examiner
from workbench.core.network import Network
from workbench.core.probe import undisturbed
from workbench.core.tasks import TaskData
from workbench.core.transforms import CROP_SHARE
from workbench.core.weights import LoadedWeights, load_weights
from workbench.errors import CannotWrite, UsageError, WeightsDiffer, WorkbenchError, because
from workbench.events import Stage

SPREAD = "spread.safetensors"
CHECKED_PICTURES = 8
# Of a logit, or of a picture's largest where that is beyond 1; another device's float32 stays below it.
TOLERANCE = 5e-3


def save_run_adapter(
    folder: Path, config: RunConfig, weights: LoadedWeights, network: Network, examiner: Examiner
) -> None:
    """Save the network's adapter in `folder`/adapter, and pictures with its answers beside it."""
    tasks = [task for task, _ in examiner.tests]
    card = _card(
        config, weights, network, tasks, examiner.summary(), fit_temperature(*examiner.newest)
    )
    save_adapter(folder / "adapter", network.adapter_state(), card)
    pixels = examiner.feeder.plain(_sample(tasks))
    with torch.no_grad(), undisturbed(network):
        logits = network.prototypes(network(pixels).main)
    save_file({"pixels": pixels.cpu(), "logits": logits.cpu()}, folder / "check.safetensors")
    if spread := network.prototypes.spread():
        save_file({name: tensor.cpu() for name, tensor in spread.items()}, folder / SPREAD)


def load_network(
    source: Path, home: Path, device: torch.device, *, any_weights: bool = False
) -> Generator[Stage, None, tuple[Network, AdapterCard]]:
    """Rebuild the network of an adapter (a folder or its file), ready to answer.

    Raises:
        WeightsDiffer: the backbone here is another one, and `any_weights` does not allow it.
    """
    tensors, card = load_adapter(source)
    yield Stage("Loading the backbone's weights")
    model = ModelConfig(**card.model)
    weights = yield from load_weights(card.backbone, model.weights, home)
    if weights.sha256 != card.weights_sha256 and not any_weights:
        raise WeightsDiffer(
            "The backbone's weights are not those the adapter was trained on. Answers may be wrong. "
            f"({card.backbone}: SHA-256 {weights.sha256[:12]}… here, {card.weights_sha256[:12]}… then.)"
        )
    missing = sorted({item.name for item in fields(SwitchConfig)} - set(card.switches))
    if missing:
        raise UsageError(f"The card of '{source}' is damaged: it has no switch '{missing[0]}'.")
    network = build_network(model, card.switches, weights, device)
    if (card.width, card.preprocessing.size) != (
        network.backbone.width,
        network.backbone.image_size,
    ):
        raise UsageError(
            f"The card of '{source}' does not fit its backbone {card.backbone!r}: it says {card.width} numbers "
            f"from {card.preprocessing.size} pixels, and the backbone gives {network.backbone.width} from "
            f"{network.backbone.image_size}."
        )
    network.expand(len(card.tasks))
    network.prototypes.grow(len(card.classes))
    check_shapes(tensors, network.adapter_state())
    network.load_state_dict(tensors, strict=False)
    return network.eval(), card


def load_learnt(source: Path, home: Path, device: torch.device) -> Generator[Stage, None, Network]:
    """Rebuild the network of a run's adapter, a folder, ready to answer for more classes.

    Raises:
        UsageError: what that needs is not beside the adapter.
    """
    network, _ = yield from load_network(source, home, device)
    if network.prototypes.spread():
        place = source.parent / SPREAD
        try:
            network.prototypes.load_state_dict(load_file(place), strict=False)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise UsageError(
                f"'{place}' is missing or damaged: it holds how the pictures of a class spread, which an exported or "
                "imported run lacks. Take a run that was trained here."
            ) from error
    return network


def export_adapter(
    run_folder: Path, target: Path, home: Path
) -> Generator[Stage, None, list[Path]]:
    """Copy a run's adapter to `target`, read it back and compare its answers; return the files.

    Raises:
        WorkbenchError: there is no adapter yet, the place cannot be written, or the answers differ.
    """
    source = run_folder / "adapter"
    if not source.exists():
        raise WorkbenchError("The run has no adapter yet: it is saved after the first task.")
    yield Stage("Copying the adapter")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.iterdir()):
            shutil.copy2(path, target)
    except OSError as error:
        reason = because(error)
        raise CannotWrite(
            f"Could not write to {target}: {reason}. Choose another place."
        ) from error
    difference = yield from _difference(target, load_file(run_folder / "check.safetensors"), home)
    if not difference <= TOLERANCE:
        for path in source.iterdir():
            (target / path.name).unlink()
        refusal = WorkbenchError(
            f"The exported file was read back and gave other answers (difference {difference:.2g}). "
            "It was not kept."
        )
        refusal.add_note(
            f"Compared: the logits on {CHECKED_PICTURES} test pictures kept in {run_folder / 'check.safetensors'}, "
            f"with those of the file read back on the processor.\nLargest difference: {difference:g}; "
            f"allowed: {TOLERANCE:g}.\nThe run's own adapter is still in {source}."
        )
        raise refusal
    return [target / path.name for path in sorted(source.iterdir())]


def _difference(
    folder: Path, check: dict[str, Tensor], home: Path
) -> Generator[Stage, None, float]:
    """Answer picture by picture, so that it can be given up between two."""
    network, _ = yield from load_network(folder, home, torch.device("cpu"))
    pixels, found = check["pixels"], []
    for number in range(len(pixels)):
        yield Stage("Comparing its answers", number, len(pixels))
        with torch.no_grad():
            logits = network.prototypes(network(pixels[number : number + 1]).main)
        given = check["logits"][number]
        found.append((logits - given).abs().max() / given.abs().max().clamp_min(1))
    return float(torch.stack(found).max())  # NaN if one is


def _sample(tasks: list[TaskData]) -> np.ndarray:
    tests = np.concatenate([task.test for task in tasks])
    chosen = np.linspace(0, len(tests) - 1, min(CHECKED_PICTURES, len(tests))).astype(int)
    return np.asarray(tests[chosen])


def _card(
    config: RunConfig,
    weights: LoadedWeights,
    network: Network,
    tasks: list[TaskData],
    metrics: dict[str, float | None],
    temperature: float,
) -> AdapterCard:
    switches, backbone = effective_switches(config), network.backbone
    scale = pixel_scale(switches, weights) or {"mean": (0.0,) * 3, "std": (1.0,) * 3}
    classes: dict[int, AdapterClass] = {}
    for number, task in enumerate(tasks):
        for class_id, name in zip(task.info.class_ids, task.info.class_names, strict=True):
            classes.setdefault(class_id, AdapterClass(name, number))
    size = backbone.image_size
    return AdapterCard(
        program=__version__, backbone=config.model.backbone, weights_sha256=weights.sha256,
        timm_name=weights.model_name, create_kwargs=weights.create_kwargs, width=backbone.width,
        classes=tuple(classes[i] for i in range(len(classes))), tasks=tuple(t.info.name for t in tasks),
        preprocessing=Preprocessing(size=size, resize=max(size, round(size / CROP_SHARE)), interpolation="bicubic", **scale),
        profile=config.method.profile, switches=switches, model=asdict(config.model), metrics=metrics,
        licence=weights.licence, precision=backbone.tier, temperature=temperature,
    )  # fmt: skip
