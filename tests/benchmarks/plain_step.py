"""A plain formulation of the official NTK-CL training step, the baseline that our step is timed against.

Written for this benchmark after the official code's arithmetic and order of operations (Liu et al.,
arXiv 2407.17120), wastes included: one pass after another, q, k and v as three maps, softmax attention
by hand, every token through the last block, a singular value decomposition in each forward pass,
fusion over a sequence of one, six tests on the host and two reads a step. Weights come from our own
`Learner`, and parameters have the names of our `Network`, so that losses and gradients can be compared.
For ViTs with a class token and no layer scale. B batch, T tokens, d width, h heads, D = S · d, C classes.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from workbench.core.fusion import Fusion
from workbench.core.learner import Learner
from workbench.core.network import Network


class ChannelPrompt(nn.Module):
    """S1's adapter, with the weights of ours."""

    def __init__(self, adapter: nn.Module) -> None:
        super().__init__()
        self.down_proj = copy.deepcopy(adapter.down_proj)
        self.up_proj = copy.deepcopy(adapter.up_proj)
        self.scale, self.dropout = adapter.scale, adapter.dropout.p

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d) -> (B, T, d)."""
        down = torch.relu(self.down_proj(x))  # (B, T, r)
        down = F.dropout(down, p=self.dropout, training=self.training)
        return self.up_proj(down) * self.scale


class PatchPrompt(nn.Module):
    """S2's prompt tokens, with the weights of ours."""

    def __init__(self, prompt: nn.Module, scale: float) -> None:
        super().__init__()
        self.token_mix = copy.deepcopy(prompt.token_mix)
        self.norm = copy.deepcopy(prompt.norm)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, d) or (B, N + q, d) -> (B, N + q, d), new prompts behind the class token."""
        old, q = None, self.token_mix.out_features
        if x.shape[1] == self.token_mix.in_features + q:
            old = x[:, 1 : 1 + q]  # (B, q, d)
            x = torch.cat([x[:, :1], x[:, 1 + q :]], 1)  # (B, N, d)
        mixed = self.token_mix(x.transpose(2, 1)).transpose(2, 1)  # (B, q, d)
        prompts = self.norm(mixed)
        if old is not None:
            prompts = prompts + self.scale * old
        return torch.cat([x[:, :1], prompts, x[:, 1:]], 1)


class PlainBlock(nn.Module):
    """A frozen transformer block with q, k and v apart."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.heads = block.attn.num_heads
        weights, biases = block.attn.qkv.weight.chunk(3), block.attn.qkv.bias.chunk(3)
        self.q, self.k, self.v = map(_linear, weights, biases)
        self.proj = copy.deepcopy(block.attn.proj)
        self.norm1, self.norm2 = copy.deepcopy(block.norm1), copy.deepcopy(block.norm2)
        self.fc1, self.fc2 = copy.deepcopy(block.mlp.fc1), copy.deepcopy(block.mlp.fc2)

    def channel(self, x: Tensor, prompt: nn.Module | None) -> Tensor:
        """One block of S1, or of the backbone alone: (B, N, d) -> (B, N, d)."""
        x = x + self.attention(self.norm1(x))
        beside = None if prompt is None else prompt(x)
        out = self.mlp(x) + x
        return out if beside is None else out + beside

    def patch(self, x: Tensor, prompt: nn.Module) -> Tensor:
        """One block of S2: (B, N, d) or (B, N + q, d) -> (B, N + q, d)."""
        residual = x + self.attention(self.norm1(x))
        out = self.mlp(prompt(residual))
        if out.shape == residual.shape:
            return out + residual
        out[:, 0] += residual[:, 0]  # the first block's prompts get no residual
        out[:, out.shape[1] - residual.shape[1] + 1 :] += residual[:, 1:]
        return out

    def attention(self, x: Tensor) -> Tensor:
        """Softmax attention by hand, (B, T, d) -> (B, T, d)."""
        B, T, d = x.shape
        k, v, q = (self._split(linear(x)) for linear in (self.k, self.v, self.q))
        weights = torch.bmm(q, k.transpose(1, 2)) * (d // self.heads) ** -0.5  # (B h, T, T)
        mixed = torch.bmm(F.softmax(weights, dim=-1), v)  # (B h, T, d / h)
        mixed = mixed.view(B, self.heads, T, -1).transpose(1, 2).reshape(B, T, d)
        return self.proj(mixed)

    def mlp(self, x: Tensor) -> Tensor:
        """The MLP without its residual, (B, T, d) -> (B, T, d)."""
        return self.fc2(F.gelu(self.fc1(self.norm2(x))))

    def _split(self, x: Tensor) -> Tensor:
        B, T, d = x.shape
        by_head = x.view(B, T, self.heads, d // self.heads).transpose(1, 2).contiguous()
        return by_head.view(B * self.heads, T, d // self.heads)


class PlainFusion(nn.Module):
    """Attention over a sequence of one, query and key computed."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.query, self.key = copy.deepcopy(fusion.query), copy.deepcopy(fusion.key)
        self.value, self.dropout = copy.deepcopy(fusion.value), nn.Dropout(fusion.dropout.p)
        self.heads = fusion.heads

    def forward(self, c: Tensor, p: Tensor) -> Tensor:
        """(B, D), (B, D) -> (B, D)."""
        q, k, v = self._split(self.query(p)), self._split(self.key(c)), self._split(self.value(c))
        weights = torch.softmax((q @ k.transpose(-2, -1)) / q.shape[-1] ** 0.5, dim=-1)
        fused = self.dropout(weights) @ v  # (B, h, 1, D / h)
        fused = fused.transpose(1, 2).contiguous().view(c.shape)
        return 0.5 * fused + 1.0 * c + 0.1 * p

    def _split(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1, self.heads, x.shape[1] // self.heads).transpose(1, 2)


class PlainNetwork(nn.Module):
    """The passes one after another, with a copy of our network's weights."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        vit = network.backbone.vit
        self.use_pretrained = network.use_pretrained
        self.patch_embed, self.norm = copy.deepcopy(vit.patch_embed), copy.deepcopy(vit.norm)
        self.blocks = nn.ModuleList([PlainBlock(block) for block in vit.blocks])
        self.cls_token = nn.Parameter(vit.cls_token.detach().clone())
        self.pos_embed = nn.Parameter(vit.pos_embed.detach().clone())
        self.requires_grad_(False)
        self.s1, self.s2 = (
            nn.ModuleDict({
                name: nn.ModuleList([make(each) for each in pair[name]]) for name in ("current", "ema")
            })
            for pair, make in (
                (network.s1, ChannelPrompt),
                (network.s2, lambda prompt: PatchPrompt(prompt, network.prompt_scale)),
            )
        )  # fmt: skip
        self.fusion = PlainFusion(network.fusion)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (B, 3, H, W) in [0, 1] -> features (B, D) of S1, S2 and the hybrid."""
        x = self.patch_embed(images)  # (B, N - 1, d)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        first = [self._channel(x, [None] * len(self.blocks))] if self.use_pretrained else []
        channel = [self._channel(x, self.s1[name]) for name in ("ema", "current")]
        patch = [self._patch(x, self.s2[name]) for name in ("ema", "current")]
        c = torch.cat([*first, *channel], 1)
        p = torch.cat([*first, *patch], 1)
        return c, p, self.fusion(c, p)

    def _channel(self, x: Tensor, prompts: nn.ModuleList | list[None]) -> Tensor:
        for block, prompt in zip(self.blocks, prompts, strict=True):
            x = block.channel(x, prompt)
        return self.norm(x)[:, 0]  # (B, d)

    def _patch(self, x: Tensor, prompts: nn.ModuleList) -> Tensor:
        for block, prompt in zip(self.blocks, prompts, strict=True):
            x = block.patch(x, prompt)
        return self.norm(x)[:, 0]  # (B, d)


class PlainStep:
    """The official training step with a copy of everything that a learner in a task has.

    Args:
        learner: ours, of profile `paper`, after `begin_task`; it is not changed.
    """

    def __init__(self, learner: Learner) -> None:
        method, training = learner.method, learner.training
        self.network = PlainNetwork(learner.network).train()
        self.proxy = copy.deepcopy(learner.proxy.weight)  # (C_t, D)
        self.sigma = copy.deepcopy(learner.proxy.sigma)
        self.prototypes = learner.network.prototypes.weight.clone()  # (C, D)
        self.known = len(self.prototypes) - len(self.proxy)
        self.anchors = {name: anchor.clone() for name, anchor in learner.anchors.items()}
        self.batch_size, self.rank = training.batch_size, method.orthogonality_rank
        self.temperature = method.mi_temperature
        self.weights = learner.weights()
        live = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.SGD(
            [*live, self.proxy, self.sigma],
            lr=training.learning_rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
        )
        self.loss_sum, self.correct = 0.0, torch.zeros((), dtype=torch.int64)

    def step(self, images: Tensor, targets: Tensor) -> None:
        """Train on pixels (B, 3, H, W) with global class ids (B,)."""
        terms, logits = self.losses(images, targets)
        self.optimiser.zero_grad()
        terms["total"].backward()
        self.optimiser.step()
        self.loss_sum += terms["total"].item()
        guesses = torch.max(logits, dim=1)[1]
        self.correct += guesses.eq(targets - self.known).cpu().sum()

    def losses(
        self, images: Tensor, targets: Tensor, old: Tensor | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms, unweighted but for `total`, and the hybrid's logits (B, C_t).

        `old` are the old prototypes' class ids (R,); without them they are drawn.
        """
        c, p, m = self.network(images)
        found = {"orthogonality": self._orthogonality(c, p, m)}
        logits = {name: self._logits(z) for name, z in (("s1", c), ("s2", p), ("hybrid", m))}
        local = targets - self.known
        crossed = {f"cross_entropy_{n}": F.cross_entropy(z, local) for n, z in logits.items()}
        if old is None:
            old = torch.randperm(self.known)[: self.batch_size].to(images.device)
        rows = torch.cat([m, self.prototypes[: self.known][old]])  # (B + R, D)
        found["mutual_information"] = -self._nce(rows, torch.cat([targets, old]))
        found["regularisation"] = self._distance()
        for name, term in found.items():
            if torch.isnan(term).any() or torch.isinf(term).any():  # waits for the device
                found[name] = torch.nan_to_num(term, nan=0.0, posinf=0.0, neginf=0.0)
        weighted = sum(self.weights[name] * term for name, term in found.items())
        total = sum(crossed.values()) + weighted
        return {**crossed, **found, "total": total}, logits["hybrid"]

    def directions(self) -> Tensor:
        """The leading left singular vectors (D, k) of the prototypes, made in each step."""
        rows = F.normalize(self.prototypes.transpose(0, 1), p=2, dim=0)  # (D, C)
        return torch.linalg.svd(rows, full_matrices=True)[0][:, : self.rank]

    def _logits(self, z: Tensor) -> Tensor:
        return self.sigma * F.linear(F.normalize(z, dim=1), F.normalize(self.proxy, dim=1))

    def _orthogonality(self, *features: Tensor) -> Tensor:
        basis = self.directions()
        unit = [F.normalize(z, p=2, dim=-1) for z in features]
        left = [z - z @ basis @ basis.T for z in unit]  # the hybrid's is made and not used
        return left[0].sum() + left[1].sum()

    def _nce(self, rows: Tensor, labels: Tensor) -> Tensor:
        n = len(rows)
        rows = F.normalize(rows, p=2, dim=1)
        similarity = torch.matmul(rows, rows.T) / self.temperature  # (n, n)
        itself = torch.eye(n, dtype=torch.bool, device=rows.device)
        same = labels.unsqueeze(1) == labels.unsqueeze(0)
        same[itself] = False
        others = similarity[~itself].view(n, n - 1)
        positive = -torch.log(torch.exp(similarity[same]).sum())
        return positive + torch.logsumexp(others, dim=1).mean()

    def _distance(self) -> Tensor:
        live = dict(self.network.named_parameters())
        total = torch.zeros((), dtype=self.proxy.dtype).to(self.proxy.device)
        for name, anchor in self.anchors.items():
            total += (live[name] - anchor).pow(2).sum()
        return total


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    made.weight, made.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    return made
