"""Any plain timm ViT is taken as it is; anything else is refused with a sentence."""

import pytest
import timm
import torch

from tests import small
from workbench.config import ModelConfig
from workbench.core.backbone import Backbone
from workbench.core.network import Network
from workbench.errors import UsageError

KINDS = {
    "class token": {},
    "mean of patches": {"global_pool": "avg"},
    "mean, norm before pooling": {"global_pool": "avg", "fc_norm": False},
    "no class token": {"class_token": False, "global_pool": "avg"},
    "registers": {"reg_tokens": 4},
    "registers outside the position embedding": {"reg_tokens": 4, "no_embed_class": True},
    "layer scale, as DINOv2": {"init_values": 1e-5},
    "norm before the blocks, as CLIP": {"pre_norm": True},
    "other size": {"img_size": 42, "patch_size": 14, "embed_dim": 48, "depth": 3, "num_heads": 3},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_feature_is_the_backbones_own(kind):
    model = small.vit(**KINDS[kind]).double()
    backbone = Backbone(model)
    images = torch.rand(2, 3, backbone.image_size, backbone.image_size, dtype=torch.float64)
    with torch.no_grad():
        theirs = model.forward_head(model.forward_features(images), pre_logits=True)
        assert torch.allclose(backbone(backbone.stem(images)), theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_both_branches_and_stays_frozen(kind):
    backbone = Backbone(small.vit(**KINDS[kind]))
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    network = Network(backbone, ModelConfig(bottleneck=4, prompt_tokens=3), small.switches())
    images = torch.rand(2, 3, backbone.image_size, backbone.image_size)
    assert network(images).main.shape == (2, 3 * backbone.width)
    network(images).main.square().sum().backward()
    torch.optim.SGD(network.live_parameters().values(), lr=0.1).step()
    assert all(torch.equal(before[k], v) for k, v in backbone.state_dict().items())
    assert not any(p.requires_grad for p in backbone.parameters())


def test_adapters_start_as_the_pretrained_model():
    network = small.network()
    images = small.pictures(3)
    with torch.no_grad():
        tokens = network.backbone.stem(images)
        assert torch.equal(network.branch("s1", "current", tokens), network.backbone(tokens))


def test_pixels_are_normalised_by_the_given_mean_and_deviation():
    model = small.vit().double()
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    images = small.pictures(2)
    by_hand = (images - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
    with torch.no_grad():
        plain, scaled = Backbone(model), Backbone(model, mean=mean, std=std)
        assert torch.allclose(scaled.embed(images), plain.embed(by_hand), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet10t", "ResNet"),
        ("swin_tiny_patch4_window7_224", "SwinTransformer"),
        ("vit_relpos_small_patch16_224", "RelPos"),
        ("eva02_tiny_patch14_224", "Eva"),
    ],
)
def test_other_models_are_refused_with_what_fits(name, words):
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0)
    with pytest.raises(UsageError, match=words) as refusal:
        Backbone(model)
    assert "plain timm Vision Transformer fits" in str(refusal.value)


@pytest.mark.parametrize(
    "changes", [{"global_pool": "map"}, {"pos_embed": "none"}, {"dynamic_img_size": True}]
)
def test_vits_that_pool_or_embed_otherwise_are_refused(changes):
    with pytest.raises(UsageError, match="plain timm Vision Transformer fits"):
        Backbone(small.vit(**changes))
