"""Files of numbers: adapters with their cards, and weights of backbones."""

import dataclasses
import hashlib
import io
import json
import pickle
import shutil
from typing import Any

from hypothesis import strategies as st

from tests.reliability import inputs
from tests.reliability.sandbox import Inputs, Sandbox
from workbench.config import RunConfig


def adapters(place: Sandbox) -> Inputs:
    """Adapter files with a damaged head, wrong tensors, wrong cards; the network is really rebuilt."""
    import torch
    from safetensors.torch import load, save

    from workbench.core.adapter_file import CARD_NAME, TENSORS_NAME
    from workbench.core.card import load_network

    folder = place.given / "adapter"
    original, card = an_adapter(place)
    tensors = load(original)
    names = sorted(tensors)

    @st.composite
    def wrong_tensors(draw: st.DrawFn) -> bytes:
        made = dict(tensors)
        name = draw(st.sampled_from(names))
        old = made[name]
        made[name] = draw(st.sampled_from([
            old.double(), old.half(), old[:0], old[None], torch.full_like(old, -7), old.float() * float("nan"),
            old.float().log(), torch.zeros(3), torch.zeros(()), old.bfloat16(), old.bool(),
        ]))  # fmt: skip
        if draw(st.booleans()):
            made[draw(st.text(max_size=8))] = torch.ones(2)
        return bytes(save(made))

    blobs = st.one_of(
        st.just(original), inputs.mutated([original]), wrong_tensors(),
        st.sampled_from([10**12, 2**63 - 1, 0, 7, 2**31]).map(lambda n: n.to_bytes(8, "little") + original[8:]),
        st.just(pickle.dumps({"a": 1})), st.binary(max_size=30),
        st.just(len(inputs.nested(50_000)).to_bytes(8, "little") + inputs.nested(50_000)),
    )  # fmt: skip
    cards = st.one_of(
        st.just(card), inputs.edited(card), inputs.JUNK, st.none(), st.just("deep")
    )  # none: no card beside it

    def target(example: tuple[bytes, Any, bool]) -> None:
        blob, tree, signed = example
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / TENSORS_NAME).write_bytes(blob)
        if signed and isinstance(tree, dict):
            tree = tree | {"tensors_sha256": hashlib.sha256(blob).hexdigest()}
        if tree is not None:
            text = inputs.nested(50_000) if tree == "deep" else json.dumps(tree).encode()
            (folder / CARD_NAME).write_bytes(text)
        for _ in load_network(folder, place.home, torch.device("cpu")):
            pass

    return st.tuples(blobs, cards, st.integers(0, 9).map(bool)), target


def an_adapter(place: Sandbox) -> tuple[bytes, dict[str, Any]]:
    """Return a real adapter's tensors and card."""
    import torch

    from tests.trained import BACKBONE
    from workbench.config import ModelConfig, effective_switches
    from workbench.core.adapter_file import AdapterCard, AdapterClass, Preprocessing, save_adapter
    from workbench.core.build import build_network
    from workbench.core.weights import load_weights

    loading = load_weights(BACKBONE, "", place.home)
    try:
        while True:
            next(loading)
    except StopIteration as end:
        weights = end.value
    model = ModelConfig(backbone=BACKBONE)
    switches = effective_switches(RunConfig(model=model))
    network = build_network(model, switches, weights, torch.device("cpu"))
    network.prototypes.grow(2)
    for class_id in range(2):
        network.prototypes.learn(class_id, torch.randn(3, network.width))
    network.prototypes.settle()
    card = AdapterCard(
        program="0.1.0", backbone=BACKBONE, weights_sha256=weights.sha256, timm_name=weights.model_name,
        create_kwargs=weights.create_kwargs, width=network.backbone.width,
        classes=(AdapterClass("a", 0), AdapterClass("b", 0)), tasks=("t",),
        preprocessing=Preprocessing(32, 36, "bicubic", (0.5,) * 3, (0.5,) * 3), profile="repaired",
        switches=switches, model=dataclasses.asdict(model), metrics={"a": 0.5}, licence="none",
        precision="strict",
    )  # fmt: skip
    files = save_adapter(place.given / "original", network.adapter_state(), card)
    return files[0].read_bytes(), json.loads(files[1].read_text(encoding="utf-8"))


def weight_files(place: Sandbox) -> Inputs:
    """Files of backbone weights, as safetensors and as torch writes them, with bytes changed."""
    import torch
    from safetensors.torch import save

    from workbench.core.backbone import create
    from workbench.core.weights import load_weights

    name = "vit_tiny_patch16_224.augreg_in21k?img_size=32&depth=1&embed_dim=24"
    state = create("vit_tiny_patch16_224", None, img_size=32, depth=1, embed_dim=24).state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    safe, whole = bytes(save(state)), buffer.getvalue()

    def target(example: tuple[str, bytes]) -> None:
        file = place.given / f"weights{example[0]}"
        file.write_bytes(example[1])
        for _ in load_weights(name, str(file), place.home):
            pass

    old = [pickle.dumps({"a": [1, 2]}, protocol) for protocol in (0, 2, 4)]
    return st.one_of(
        st.tuples(st.just(".safetensors"), inputs.mutated([safe])),
        st.tuples(st.sampled_from([".pt", ".bin"]), inputs.mutated([whole, *old])),
    ), target


def backbone_names(place: Sandbox) -> Inputs:
    """Names of backbones as a card or a configuration may hold them; what is taken is really built."""
    from workbench.core.weights import load_weights

    keys = st.sampled_from(
        ["img_size", "patch_size", "depth", "embed_dim", "num_heads", "mlp_ratio", "seed", "x"]
    )
    small = st.sampled_from([0, 1, 2, 3, 8, 16, 32])
    values = st.one_of(small, small, inputs.NUMBERS, inputs.TEXTS).map(str)
    pairs = st.lists(st.tuples(keys, values).map("=".join), max_size=4).map("&".join)
    known = st.sampled_from(
        ["vit_tiny_patch16_224", "vit_tiny_patch16_224.augreg", "deit_tiny_patch16_224", "resnet18"]
    )
    names = st.tuples(known, st.sampled_from(["?depth=1&", "?", ""]), pairs).map("".join)

    def target(name: str) -> None:
        for _ in load_weights(f"random:{name}", "", place.home):
            pass

    return st.one_of(names, inputs.TEXTS), target
