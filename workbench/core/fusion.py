"""The hybrid feature of NTK-CL: S1 and S2 fused, m = 0.5 · A + c + 0.1 · p.

c and p are the S1 and S2 features (B, D), D = S · d for S sections. The official attention runs
over a sequence of one, where softmax is 1 and A = V(c) whatever query and key say.
"""

import math

import torch
from torch import Tensor, nn

ATTENTION_SHARE, S1_SHARE, S2_SHARE = 0.5, 1.0, 0.1  # the official code's constants
HEADS = 8


class Fusion(nn.Module):
    """`kind` "paper": query, key and value of D x D, the first two dead; "linear": the value alone."""

    def __init__(self, width: int, kind: str, dropout: float) -> None:
        super().__init__()
        self.heads = math.gcd(HEADS, width)
        self.value = nn.Linear(width, width)
        self.query = nn.Linear(width, width) if kind == "paper" else None
        self.key = nn.Linear(width, width) if kind == "paper" else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, c: Tensor, p: Tensor) -> Tensor:
        """(B, D), (B, D) -> (B, D)."""
        return ATTENTION_SHARE * self.attend(c, p) + S1_SHARE * c + S2_SHARE * p

    def attend(self, c: Tensor, p: Tensor) -> Tensor:
        """A (B, D): in training, dropout takes out whole heads of V(c)."""
        B, D = c.shape
        v = self.value(c).view(B, self.heads, D // self.heads)  # (B, heads, D / heads)
        attention = self.dropout(self._weights(c, p, v))  # (B, heads, 1)
        mixed: Tensor = (attention * v).reshape(B, D)
        return mixed

    def _weights(self, c: Tensor, p: Tensor, v: Tensor) -> Tensor:
        if self.query is None or self.key is None:
            return torch.ones_like(v[..., :1])
        q, k = self.query(p).view_as(v), self.key(c).view_as(v)
        scores = (q * k).sum(-1, keepdim=True) / math.sqrt(v.shape[-1])  # (B, heads, 1)
        return torch.softmax(scores, -1)  # over one key: exactly 1


class SectionAttention(nn.Module):
    """Attention over tokens that exist: the S sections of c as keys and values, those of p as queries."""

    def __init__(self, width: int, sections: int, dropout: float) -> None:
        super().__init__()
        self.sections = sections
        self.heads = math.gcd(HEADS, width // sections)
        d = width // sections
        self.query, self.value = nn.Linear(d, d), nn.Linear(d, d)
        self.key = nn.Linear(
            d, d, bias=False
        )  # a key's bias shifts all scores alike: softmax ignores it
        self.dropout = nn.Dropout(dropout)

    def forward(self, c: Tensor, p: Tensor) -> Tensor:
        """(B, D), (B, D) -> (B, D)."""
        return ATTENTION_SHARE * self.attend(c, p) + S1_SHARE * c + S2_SHARE * p

    def attend(self, c: Tensor, p: Tensor) -> Tensor:
        """A (B, D): each section of p gathers from the sections of c."""
        q, k, v = self._split(self.query, p), self._split(self.key, c), self._split(self.value, c)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, heads, S, S)
        attention = self.dropout(torch.softmax(scores, -1))
        mixed: Tensor = (attention @ v).transpose(1, 2).reshape(c.shape)
        return mixed

    def _split(self, linear: nn.Module, x: Tensor) -> Tensor:
        tokens = linear(x.view(len(x), self.sections, -1))  # (B, S, d)
        B, S, d = tokens.shape
        split: Tensor = tokens.view(B, S, self.heads, d // self.heads).transpose(1, 2)
        return split  # (B, heads, S, d / heads)
