"""A plug-in of one hook: offers one more backbone of timm in the list."""

from workbench.plugins import hookimpl
from workbench.registry import Registry
from workbench.report import BackboneChoice


@hookimpl
def register_backbones(registry: Registry[BackboneChoice]) -> None:
    """Add ViT-B/8, which sees four times as many patches as ViT-B/16."""
    name = "vit_base_patch8_224.augreg_in21k"
    choice = BackboneChoice(
        name=name, title="ViT-B/8, ImageNet-21k", parameters_millions=85.81, image_size=224,
        licence="Apache-2.0", present=False, note="Brought by plugins/example_backbone.py.",
    )  # fmt: skip
    registry.add(name, choice)
