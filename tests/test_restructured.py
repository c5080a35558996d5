"""The passes as they are computed against the formulation they abbreviate: the same values and gradients."""

import pytest
import torch
from torch import Tensor, nn

from tests import small
from workbench.config import ModelConfig
from workbench.core.adapters import Adapter
from workbench.core.backbone import Backbone
from workbench.core.network import Network

KINDS = {
    "class token": {},
    "mean of patches": {"global_pool": "avg"},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "registers": {"reg_tokens": 4},
    "layer scale, as DINOv2": {"init_values": 0.3},
    "query and key normed": {"qk_norm": True},
    "no bias": {"qkv_bias": False},
    "one block": {"depth": 1},
    "two blocks": {"depth": 2},
}
STARTS = {"official start": "zero", "repaired start": "kaiming"}


def plain(network: Network, images: Tensor) -> dict[str, Tensor]:
    """Every section of each branch by a whole pass of its own: all blocks, all tokens, nothing shared."""
    backbone, vit = network.backbone, network.backbone.vit
    k = backbone.prefix_tokens

    def s1(adapters: nn.ModuleList) -> Tensor:
        x = backbone.embed(images)
        for block, adapter in zip(vit.blocks, adapters, strict=True):
            x = x + block.ls1(block.attn(block.norm1(x)))
            x = x + block.ls2(block.mlp(block.norm2(x))) + adapter(x, x.shape[1])
        return backbone.pool(x)

    def s2(prompts: nn.ModuleList) -> Tensor:
        x, q = backbone.embed(images), 0
        for i, block in enumerate(vit.blocks):
            x = x + block.ls1(block.attn(block.norm1(x)))
            own, old = torch.cat([x[:, :k], x[:, k + q :]], 1), x[:, k : k + q]
            if i < len(prompts):
                new = prompts[i](own)
                base = torch.cat([own[:, :k], torch.zeros_like(new), own[:, k:]], 1) if not q else x
                new = new + network.prompt_scale * old if q else new
                q = new.shape[1]
            else:
                base, new, q = own, own[:, :0], 0
            entering = torch.cat([own[:, :k], new, own[:, k:]], 1)
            x = base + block.ls2(block.mlp(block.norm2(entering)))
        return backbone.pool(torch.cat([x[:, :k], x[:, k + q :]], 1))

    x = backbone.embed(images)
    for block in vit.blocks:
        x = block(x)
    first = [backbone.pool(x)] if network.use_pretrained else []
    passes = {"s1": s1, "s2": s2}
    return {
        name: torch.cat([*first, *(passes[name](getattr(network, name)[copy]) for copy in ("ema", "current"))], 1)
        for name in network.branches
    }  # fmt: skip


def network(kind: str, start: str, **model: object) -> Network:
    values = {"bottleneck": 4, "prompt_tokens": 3, "dropout": 0.0, **model}
    made = Network(Backbone(small.vit(**KINDS[kind])), ModelConfig(**values), small.switches(s2_init=STARTS[start]))  # type: ignore[arg-type]  # fmt: skip
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if not name.startswith("backbone."):
                parameter.normal_(0.0, 0.3)
    return made.double()


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kind", KINDS)
def test_features_and_gradients_are_those_of_whole_passes(kind: str, start: str) -> None:
    made = network(kind, start, use_pretrained_section=True)
    images = torch.rand(3, 3, made.backbone.image_size, made.backbone.image_size).double()
    pull = torch.randn(3, made.width, generator=torch.Generator().manual_seed(1)).double()
    found, wanted = made(images), plain(made, images)
    live = made.live_parameters()
    for name in ("s1", "s2"):
        ours = getattr(found, name)
        torch.testing.assert_close(ours, wanted[name], rtol=1e-10, atol=1e-12)
        if kind == "one block" and name == "s2":  # no attention follows the only prompts
            assert not ours.requires_grad
            continue
        gradients = [
            torch.autograd.grad((z * pull).sum(), list(live.values()), retain_graph=True, allow_unused=True)
            for z in (ours, wanted[name])
        ]  # fmt: skip
        for key, mine, theirs in zip(live, *gradients, strict=True):
            zero = torch.zeros_like(live[key])
            a, b = (zero if g is None else g for g in (mine, theirs))
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12, msg=lambda m, key=key: f"{key}: {m}")  # fmt: skip


@pytest.mark.parametrize("kind", ["class token", "mean of patches"])
def test_dropout_draws_as_in_whole_passes(kind: str) -> None:
    made = network(kind, "repaired start", dropout=0.5).train()
    images = torch.rand(3, 3, made.backbone.image_size, made.backbone.image_size).double()
    found = []
    for passes in (lambda: plain(made, images)["s1"], lambda: made(images).s1):
        torch.manual_seed(5)
        found.append(passes())
    torch.testing.assert_close(found[0], found[1], rtol=1e-10, atol=1e-12)


def test_an_adapter_of_the_first_tokens_drops_what_that_of_all_drops_there() -> None:
    adapter = Adapter(8, 6, 0.5, 0.5).double().train()
    nn.init.normal_(adapter.up_proj.weight)
    x = torch.randn(4, 10, 8).double()
    torch.manual_seed(3)
    whole = adapter(x, 10)
    torch.manual_seed(3)
    first = adapter(x[:, :2], 10)
    torch.testing.assert_close(first, whole[:, :2], rtol=1e-14, atol=1e-14)
