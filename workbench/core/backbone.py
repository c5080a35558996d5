"""A plain timm Vision Transformer, frozen: its own submodules, called one block at a time.

The only module that imports timm's model classes. Widths, depth and token counts are read from
the model, so every size works; what is not a plain ViT is refused with a sentence.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import timm
import torch
from timm.models import vision_transformer
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.core.frozen_layers import LayerInTF32, in_tier, linear_in_tf32
from workbench.core.precision import BF16, STRICT, TF32, switched
from workbench.errors import UsageError

FITS = (
    "A plain timm Vision Transformer fits: absolute position embedding, class token or mean pooling "
    "(ViT, DeiT, DINO, DINOv2, MAE, AugReg, CLIP image towers)."
)


@dataclass(frozen=True)
class Stem:
    """What every pass over a batch begins with, so that it is computed once.

    Attributes:
        x: the tokens after block 0's attention, (B, N, d).
        mlp: what block 0's MLP adds to them, (B, N, d).
    """

    x: Tensor
    mlp: Tensor

    def __getitem__(self, rows: slice | list[int]) -> "Stem":
        return Stem(self.x[rows], self.mlp[rows])


class Backbone(nn.Module):
    """A frozen ViT seen as stem, further blocks and pooling.

    Args:
        model: the timm model, already loaded; it is frozen and kept in evaluation mode.
        mean, std: what the pixels are normalised by, three numbers each, for pixels in [0, 1].
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        mean: tuple[float, ...] = (0.0, 0.0, 0.0),
        std: tuple[float, ...] = (1.0, 1.0, 1.0),
    ) -> None:
        super().__init__()
        self.vit = check_plain(model).requires_grad_(False).eval()
        self._tier = STRICT
        # Attention and MLP of each block by tier. No submodules: nobody is to save or train them.
        self._copies: dict[str, list[tuple[nn.Module, nn.Module]]] = {}
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def width(self) -> int:
        """Length d of a feature."""
        return int(self.vit.embed_dim)

    @property
    def depth(self) -> int:
        """Number of blocks L."""
        return len(self.vit.blocks)

    @property
    def prefix_tokens(self) -> int:
        """Class token and registers before the patches."""
        return int(self.vit.num_prefix_tokens)

    @property
    def tokens(self) -> int:
        """Tokens N that enter a block, prefix and patches."""
        return int(self.vit.patch_embed.num_patches) + self.prefix_tokens

    @cached_property
    def operations(self) -> int:
        """Floating-point operations of one picture's pass through the blocks, 2 for a multiply-add.

        Every weight of a block's linear maps meets each of the N tokens once; the scores Q Kᵀ and the sum
        over V take N² d multiply-adds each (Vaswani et al., arXiv 1706.03762, table 1). With four times
        the width inside, as in ViT (Dosovitskiy et al., arXiv 2010.11929), L N (24 d² + 4 N d) in all.
        """
        N, d = self.tokens, self.width
        linear = [each for each in self.vit.blocks.modules() if isinstance(each, nn.Linear)]
        weights = sum(each.weight.numel() for each in linear)
        return 2 * N * weights + self.depth * 4 * N**2 * d

    @property
    def bytes_of_look(self) -> int:
        """Bytes that a picture takes in a pass without gradients, in float32, at most.

        Its pixels, without the mean and over the deviation; and of each of the N tokens, while an MLP works, its
        widest layer before and after the nonlinearity, and tokens, norms and residuals of width d. No block needs what another one had.
        """
        linear = (each for each in self.vit.blocks.modules() if isinstance(each, nn.Linear))
        widest = max(each.out_features for each in linear)
        return 4 * (3 * 3 * self.image_size**2 + self.tokens * (2 * widest + 8 * self.width))

    @property
    def image_size(self) -> int:
        """Side of the square input in pixels."""
        return int(self.vit.patch_embed.img_size[0])

    @property
    def tier(self) -> str:
        """What attention and MLPs multiply in, of `precision`; norms and what blocks add up stay in float32."""
        return self._tier

    @tier.setter
    def tier(self, wanted: str) -> None:
        if wanted != STRICT and wanted not in self._copies:
            blocks = self.vit.blocks
            self._copies[wanted] = [
                (in_tier(block.attn, wanted), in_tier(block.mlp, wanted)) for block in blocks
            ]
        self._tier = wanted

    def train(self, mode: bool = True) -> "Backbone":
        """Stay in evaluation mode: a frozen backbone drops nothing."""
        return super().train(False)

    def embed(self, images: Tensor) -> Tensor:
        """Turn pixels in [0, 1] of shape (B, 3, H, W) into tokens of shape (B, N, d)."""
        pixels = (images - cast(Tensor, self.mean)) / cast(Tensor, self.std)
        # a convolution, whose input and weights get no gradient
        with switched(tf32=True) if self._tier == TF32 else nullcontext():
            patches = self.vit.patch_embed(pixels)
        return cast(Tensor, self.vit.norm_pre(self.vit._pos_embed(patches)))

    def stem(self, images: Tensor) -> Stem:
        """Pixels in [0, 1] of shape (B, 3, H, W) up to block 0's MLP, which no adapter or prompt precedes."""
        x = self._attend(0, self.embed(images), None)
        return Stem(x, self.mlp(0, x))

    def attend(self, i: int, x: Tensor) -> Tensor:
        """Block i ≥ 1 up to and with its attention residual, (B, T, d) -> (B, T, d).

        Of the last block only the tokens that the pooling reads, (B, 1, d) where that is the class token.
        """
        alone = i == self.depth - 1 and self.vit.global_pool == "token"
        return self._attend(i, x, 1 if alone else None)

    def _attend(self, i: int, x: Tensor, first: int | None) -> Tensor:
        block = self.vit.blocks[i]
        attention, normed = self._in_tier(i, 0, block.attn, block.norm1(x))
        if first is None:
            attended = attention(normed)
        else:
            attended = _first_attending(attention, normed, first)
        return cast(Tensor, x[:, :first] + block.ls1(attended.to(x.dtype)))

    def mlp(self, i: int, x: Tensor) -> Tensor:
        """Block i's MLP path without its residual, (B, T, d) -> (B, T, d)."""
        block = self.vit.blocks[i]
        mlp, normed = self._in_tier(i, 1, block.mlp, block.norm2(x))
        return cast(Tensor, block.ls2(mlp(normed).to(x.dtype)))

    def _in_tier(self, i: int, part: int, own: nn.Module, x: Tensor) -> tuple[nn.Module, Tensor]:
        """Return block i's part as the tier has it, with its input in the type that it takes."""
        if self._tier == STRICT:
            return own, x
        return self._copies[self._tier][i][part], x.bfloat16() if self._tier == BF16 else x

    def pool(self, x: Tensor) -> Tensor:
        """Final norm and the model's own pooling, (B, N, d) or (B, 1, d) as `attend` left it -> (B, d)."""
        return cast(Tensor, self.vit.forward_head(self.vit.norm(x), pre_logits=True))

    def forward(self, stem: Stem) -> Tensor:
        """The backbone's own feature, (B, d)."""
        x = stem.x + stem.mlp
        for i in range(1, self.depth):
            x = self.attend(i, x)
            x = x + self.mlp(i, x)
        return self.pool(x)


def _first_attending(attention: Any, x: Tensor, first: int) -> Tensor:
    """Return what timm's attention makes of the first tokens of x (B, T, d): they ask all, nobody else asks."""
    # Where timm keeps the class depends on its version; all bring it here.
    plain = vars(vision_transformer)["Attention"]
    if type(attention) is not plain or getattr(attention, "gate", None) is not None:
        return cast(Tensor, attention(x)[:, :first])
    B, heads = len(x), attention.num_heads
    weight, bias = attention.qkv.weight, attention.qkv.bias
    width = len(weight) // 3
    start, rest = (None, None) if bias is None else (bias[:width], bias[width:])
    times = linear_in_tf32 if isinstance(attention.qkv, LayerInTF32) else F.linear
    asking = times(x[:, :first], weight[:width], start)  # (B, first, width)
    asked = times(x, weight[width:], rest)  # (B, T, 2 width)
    q = asking.view(B, first, heads, -1).transpose(1, 2)  # (B, heads, first, width / heads)
    k, v = asked.view(B, -1, 2, heads, width // heads).permute(2, 0, 3, 1, 4)
    q, k = attention.q_norm(q), attention.k_norm(k)
    if attention.fused_attn:
        mixed = F.scaled_dot_product_attention(q, k, v)
    else:
        mixed = torch.softmax(q * attention.scale @ k.transpose(-2, -1), -1) @ v
    mixed = mixed.transpose(1, 2).reshape(B, first, width)
    return cast(Tensor, attention.proj(getattr(attention, "norm", nn.Identity())(mixed)))


def check_plain(model: nn.Module) -> Any:
    """Return the model if it is a plain ViT, else raise UsageError with what was found and what fits."""
    if not isinstance(model, VisionTransformer):
        raise UsageError(
            f"The backbone is a {type(model).__name__}, which is not a plain Vision Transformer. {FITS}"
        )
    vit: Any = model  # its attributes are wider than timm's own annotations say
    odd = next((type(block).__name__ for block in vit.blocks if type(block) is not Block), "")
    if odd:
        raise UsageError(f"The backbone's blocks are {odd}, not the plain pre-norm block. {FITS}")
    if (
        vit.pos_embed is None
        or vit.attn_pool is not None
        or vit.global_pool not in ("token", "avg")
    ):
        raise UsageError(
            f"The backbone pools by {vit.global_pool or 'nothing'!r} with "
            f"{'no' if vit.pos_embed is None else 'an'} absolute position embedding. {FITS}"
        )
    height, width = vit.patch_embed.img_size or (0, 1)
    if height != width or vit.dynamic_img_size:
        raise UsageError(
            f"The backbone takes pictures of {height} x {width}; a fixed square is needed. {FITS}"
        )
    return vit


def create(model_name: str, state: dict[str, Tensor] | None, **kwargs: Any) -> nn.Module:
    """Build a timm model by name without its classifier and load `state` into it, strictly."""
    model = timm.create_model(model_name, pretrained=False, num_classes=0, **kwargs)
    if state is not None:
        model.load_state_dict(state, strict=True)
    return model
