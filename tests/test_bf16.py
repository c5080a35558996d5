"""The frozen backbone in bfloat16: near what it is in float32, and only where it is asked for."""

import pytest
import torch
from torch.nn import functional as F

from tests import small
from tests.trained import folders, quick_config
from workbench.config import ModelConfig
from workbench.core.backbone import Backbone
from workbench.core.network import Network
from workbench.core.precision import bf16_cost, lame_bf16
from workbench.core.train import train
from workbench.events import Evaluated, Note, Step

KINDS = {
    "class token": {},
    "mean of patches": {"global_pool": "avg"},
    "layer scale": {"init_values": 0.3},
    "query and key normed": {"qk_norm": True},
    "no bias": {"qkv_bias": False},
}
ROUNDING = 2.0**-8  # of bfloat16, relative


def network(kind: str) -> Network:
    model = ModelConfig(bottleneck=4, prompt_tokens=3, dropout=0.0, use_pretrained_section=True)
    made = Network(Backbone(small.vit(**KINDS[kind])), model, small.switches())
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if not name.startswith("backbone."):
                parameter.normal_(0.0, 0.2)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_features_and_gradients_are_those_of_float32_but_for_rounding(kind: str) -> None:
    made = network(kind)
    images = small.pictures(8).float()
    found = {}
    for tier in ("strict", "bf16"):
        made.backbone.tier = tier
        main = made(images).main
        assert main.dtype == torch.float32
        grads = torch.autograd.grad(main.square().sum(), [*made.live_parameters().values()])
        found[tier] = main.detach(), torch.cat([g.flatten() for g in grads])
    for whole, rounded in zip(*found.values(), strict=True):
        assert not torch.equal(whole, rounded)
        assert float((whole - rounded).norm() / whole.norm()) < 8 * ROUNDING
        assert float(F.cosine_similarity(whole.flatten(), rounded.flatten(), dim=0)) > 0.999


def test_switched_off_again_nothing_is_left_of_it() -> None:
    made = network("class token")
    images, names = small.pictures(4).float(), list(made.state_dict())
    with torch.no_grad():
        before = made(images).main
        made.backbone.tier = "bf16"
        made(images)
        assert list(made.state_dict()) == names
        assert all(p.dtype == torch.float32 for p in made.parameters())
        made.backbone.tier = "strict"
        assert torch.equal(made(images).main, before)


def test_a_run_in_bf16_is_trained_in_it_on_the_processor_too(tmp_path) -> None:
    pictures = folders(tmp_path / "pictures")
    told = {}
    for precision in ("strict", "bf16"):
        config = quick_config(pictures, precision=precision)
        told[precision] = list(train(config, tmp_path / "home"))
    losses = {k: [e.terms["total"] for e in events if isinstance(e, Step)] for k, events in told.items()}  # fmt: skip
    assert losses["bf16"] != losses["strict"]
    assert losses["bf16"] == pytest.approx(losses["strict"], rel=0.1)
    assert all(any(isinstance(e, Evaluated) for e in events) for events in told.values())


def test_where_bf16_gains_nothing_the_run_says_so(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lame_bf16(0.5) == ""
    assert "take 3.2 times as long as those of strict" in lame_bf16(3.2)
    assert 0 < bf16_cost(torch.device("cpu")) < 1000
    config = quick_config(folders(tmp_path / "pictures"), precision="bf16")
    monkeypatch.setattr("workbench.core.precision.bf16_cost", lambda _: 2.0)  # another processor
    events = train(config, tmp_path / "home")
    said = next(e.text for e in events if isinstance(e, Note))
    events.close()
    assert said.startswith("bf16 gains nothing here: its matrix products take 2.0 times as long")
