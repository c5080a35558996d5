"""The two trainable subnetworks of NTK-CL around a frozen ViT (Liu et al., arXiv 2407.17120).

S1: a bottleneck adapter beside each block's MLP. S2: prompt tokens generated from the tokens
themselves in each block. Both start so that little or nothing changes; B batch, N tokens,
d width, r bottleneck, q prompt tokens.
"""

import math

import torch
from torch import Tensor, nn

from workbench.core.backbone import Backbone, Stem


class Adapter(nn.Module):
    """a(x) = s · ( drop(ReLU(x W_d + b_d)) W_u + b_u ), with W_u = 0 at the start."""

    def __init__(self, width: int, bottleneck: int, scale: float, dropout: float) -> None:
        super().__init__()
        self.scale = scale
        self.down_proj = nn.Linear(width, bottleneck)
        self.up_proj = nn.Linear(bottleneck, width)
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_uniform_(self.down_proj.weight, a=math.sqrt(5))
        for start_at_zero in (self.down_proj.bias, self.up_proj.weight, self.up_proj.bias):
            nn.init.zeros_(start_at_zero)

    def forward(self, x: Tensor, tokens: int) -> Tensor:
        """(B, T, d) -> (B, T, d), the first T of `tokens` N; dropout draws for all N, so that T changes no draw."""
        u = torch.relu(self.down_proj(x))  # (B, T, r)
        if self.training and self.dropout.p and u.shape[1] < tokens:
            u = u * self.dropout(u.new_ones(len(u), tokens, u.shape[2]))[:, : u.shape[1]]
        else:
            u = self.dropout(u)
        adapted: Tensor = self.scale * self.up_proj(u)
        return adapted


class Prompt(nn.Module):
    """P = LN(Lin_{N→q}(xᵀ))ᵀ: q prompt tokens mixed from the N tokens.

    With `init` "zero", mixer and norm all start at 0: the official start, an exact saddle that
    mixer and norm weight never leave. With "kaiming" the mixer starts at random and only the
    norm at 0: the prompts are the same constant at first, but every tensor gets a gradient
    within two steps. The mixer then has no bias: it would shift a whole token by one number,
    which the norm takes out again.
    """

    def __init__(self, width: int, tokens: int, prompts: int, init: str) -> None:
        super().__init__()
        self.token_mix = nn.Linear(tokens, prompts, bias=init == "zero")
        self.norm = nn.LayerNorm(width, eps=1e-6)
        if init == "zero":
            nn.init.zeros_(self.token_mix.weight)
            nn.init.zeros_(self.token_mix.bias)
        else:
            nn.init.kaiming_uniform_(self.token_mix.weight, a=math.sqrt(5))
        nn.init.zeros_(self.norm.weight)
        nn.init.zeros_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, d) -> (B, q, d)."""
        mixed = self.token_mix(x.transpose(1, 2))  # (B, d, q)
        prompts: Tensor = self.norm(mixed.transpose(1, 2))
        return prompts


def adapted(backbone: Backbone, adapters: nn.ModuleList, stem: Stem) -> Tensor:
    """S1's feature: every block's MLP with an adapter beside it, (B, d)."""
    N = backbone.tokens
    x = stem.x + stem.mlp + adapters[0](stem.x, N)
    for i in range(1, backbone.depth):
        x = backbone.attend(i, x)
        x = x + backbone.mlp(i, x) + adapters[i](x, N)
    return backbone.pool(x)


def prompts_needed(depth: int, init: str) -> int:
    """Return how many blocks make prompts.

    The last block's are read by nobody, since no attention follows and they are not pooled. The
    official code has them all the same: parameters that never get a gradient.
    """
    return depth if init == "zero" else max(depth - 1, 1)


def prompted(backbone: Backbone, prompts: nn.ModuleList, stem: Stem, scale: float) -> Tensor:
    """S2's feature: prompt tokens made anew in each block, (B, d).

    The first block's prompts join the sequence after the prefix tokens and get no residual; from
    the second block on, new prompts plus `scale` times the old ones enter the MLP, while the
    residual is what came out of the attention. The last block makes none: see `prompts_needed`.
    """
    k, last = backbone.prefix_tokens, backbone.depth - 1
    new = prompts[0](stem.x)  # (B, q, d)
    q = new.shape[1]
    own = stem.x + stem.mlp
    x = torch.cat([own[:, :k], backbone.mlp(0, new), own[:, k:]], 1)  # (B, N + q, d)
    for i in range(1, last):
        x = backbone.attend(i, x)
        old = x[:, k : k + q]  # (B, q, d)
        own = torch.cat([x[:, :k], x[:, k + q :]], 1)  # (B, N, d)
        new = prompts[i](own) + scale * old
        x = x + backbone.mlp(i, torch.cat([own[:, :k], new, own[:, k:]], 1))
    if not last:
        return backbone.pool(own)
    x = backbone.attend(last, x)
    x = torch.cat([x[:, :k], x[:, k + q :]], 1)  # (B, N, d), or (B, 1, d) of the class token
    return backbone.pool(x + backbone.mlp(last, x))
