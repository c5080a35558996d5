"""Makes `vision_transformers.csv`, the table of every timm backbone that the program can train on.

    python -m resources.vision_transformers          # write the table anew
    python -m resources.vision_transformers --check  # say what differs from it

Nothing is downloaded: names, licences and addresses are those of timm's registry, everything else is
read from each model, built without memory for its weights.
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg, list_modules
from timm.models.vision_transformer import VisionTransformer
from torch.utils.flop_counter import FlopCounterMode

from workbench.core.backbone import Backbone, create
from workbench.errors import UsageError
from workbench.paths import resource

TABLE = "vision_transformers.csv"
COLUMNS = (
    "name", "parameters", "image_size", "patch_size", "width", "depth", "operations", "megabytes",
    "licence", "hub",
)  # fmt: skip
BYTES = 4  # of a stored number; the hub's files are in single precision


def architectures() -> list[str]:
    """Return timm's models whose module knows the Vision Transformer's class."""
    modules = [
        name
        for name in list_modules()
        if VisionTransformer in _things_of(sys.modules[f"timm.models.{name}"])
    ]
    return sorted(model for name in modules for model in timm.list_models(module=name))


def rows_of(architecture: str) -> list[dict[str, str]]:
    """Return a row for each set of weights of one architecture, none if it is not a plain one.

    An architecture without published weights has one row under its bare name: it can be used with a
    weights file.
    """
    try:
        with torch.device("meta"):
            backbone = Backbone(create(architecture, None))
    except UsageError:
        return []
    names = timm.list_pretrained(f"{architecture}.*") or [architecture]
    return [_row(backbone, name) for name in names]


def rows() -> Iterator[dict[str, str]]:
    """Yield every row of the table, by name."""
    for architecture in architectures():
        yield from rows_of(architecture)


def written(found: Sequence[dict[str, str]]) -> str:
    """Return the table as text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def main(arguments: Sequence[str]) -> int:
    """Write the table, or say how it differs."""
    place, text = resource(TABLE), written(list(rows()))
    if "--check" not in arguments:
        place.write_text(text, encoding="utf-8")
        return 0
    before = place.read_text(encoding="utf-8").splitlines()
    differing = sorted(set(before) ^ set(text.splitlines()))
    sys.stdout.write("".join(f"{line}\n" for line in differing))
    return 1 if differing else 0


def _things_of(module: ModuleType) -> list[Any]:
    return [thing for thing in vars(module).values() if isinstance(thing, type)]


def _operations_before(backbone: Backbone) -> int:
    """Return what one picture takes before the first block: a few per cent, more in hybrids with convolutions."""
    side = backbone.image_size
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone.vit.patch_embed(torch.empty(1, 3, side, side, device="meta"))
    return int(counter.get_total_flops())


def _row(backbone: Backbone, name: str) -> dict[str, str]:
    cfg: Any = get_pretrained_cfg(name)
    parameters = sum(p.numel() for p in backbone.parameters())
    stored = parameters + (backbone.width + 1) * cfg.num_classes  # with the classifier it came with
    embed: Any = backbone.vit.patch_embed
    return {
        "name": name,
        "parameters": str(parameters),
        "image_size": str(backbone.image_size),
        "patch_size": str(backbone.image_size // int(embed.grid_size[0])),
        "width": str(backbone.width),
        "depth": str(backbone.depth),
        "operations": f"{backbone.operations + _operations_before(backbone):.3g}",
        "megabytes": str(round(stored * BYTES / 1e6)),
        "licence": cfg.license or "",
        "hub": cfg.hf_hub_id or "",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
