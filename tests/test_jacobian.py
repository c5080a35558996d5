"""Rows of the Jacobian on the real module, against autograd, finite differences and NTK-vector products."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.small import learner, network as small_network, pictures, switches, vit
from tests.tiny import tiny_network
from workbench.config import ModelConfig
from workbench.core.backbone import Backbone, Stem
from workbench.core.jacobian import Rows, columns_of, gradients, gram, joined
from workbench.core.network import Network
from workbench.core.probe import undisturbed
from workbench.core.sketch import Sketch

PICTURES = 5
KINDS = {
    "both, linear fusion": {},
    "both, attention over sections": {"fusion": "section_attention"},
    "adapters alone": {"branches": "s1", "fusion": "linear"},
    "prompts alone": {"branches": "s2", "fusion": "linear"},
    "official fusion": {"fusion": "paper"},
}


def made(kind: str) -> tuple[Network, torch.nn.Module]:
    network = tiny_network(**KINDS[kind]).eval()  # type: ignore[arg-type]
    torch.manual_seed(9)
    return network, torch.nn.Linear(network.width, 3).double()


@torch.no_grad()
def seen(network: Network, images: Tensor) -> tuple[Stem, dict[str, Tensor]]:
    stem = network.backbone.stem(images)
    features = network(images)
    return stem, {name: getattr(features, name) for name in network.branches}


def rows_of(network: Network, head: torch.nn.Module, n: int = PICTURES, **how: object) -> Rows:
    stem, sections = seen(network, pictures(n))
    return gradients(network, stem, sections, head, **how)  # type: ignore[arg-type]


def jacobian(network: Network, head: torch.nn.Module, block: str) -> Tensor:
    """Autograd's own, row by row, through the whole network: (n O, P)."""
    part = network.fusion if block == "fusion" else getattr(network, block)["current"]
    unread = {p for module in network.unread for p in module.parameters()}
    read = [p for p in part.parameters() if p not in unread]
    outputs = head(network(pictures(PICTURES)).main)
    rows = []
    for value in outputs.reshape(-1):
        found = torch.autograd.grad(value, read, retain_graph=True, allow_unused=True)
        flat = [torch.zeros_like(p) if g is None else g for g, p in zip(found, read, strict=True)]
        rows.append(torch.cat([g.reshape(-1) for g in flat]))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_autograds_for_every_kind_of_network(kind: str) -> None:
    network, head = made(kind)
    rows = rows_of(network, head)
    assert rows.outputs == 3
    assert set(rows.blocks) == set(columns_of(network))
    for block, found in rows.blocks.items():
        wanted = jacobian(network, head, block)
        assert found.shape == wanted.shape == (PICTURES * 3, columns_of(network)[block])
        torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-11)
        assert wanted.norm() > 1e-3


@pytest.mark.parametrize("profile", ["paper", "repaired"])
def test_rows_hold_for_both_profiles_at_their_own_start(profile: str) -> None:
    network = small_network(profile).eval()
    head = torch.nn.Linear(network.width, 2).double()
    for block, found in rows_of(network, head).blocks.items():
        wanted = jacobian(network, head, block)
        torch.testing.assert_close(found, wanted, rtol=1e-11, atol=1e-12)


def test_the_pretrained_section_and_masks_change_nothing_of_it() -> None:
    model = ModelConfig(bottleneck=4, prompt_tokens=3, dropout=0.5, use_pretrained_section=True)
    network = small_network(model=model).train()
    head = torch.nn.Linear(network.width, 2).double()
    with undisturbed(network):
        rows = rows_of(network, head)
        wanted = jacobian(network, head, "s1")
    torch.testing.assert_close(rows.blocks["s1"], wanted, rtol=1e-11, atol=1e-12)


def test_pieces_joined_are_the_whole_and_a_slice_takes_whole_pictures() -> None:
    network, head = made("both, linear fusion")
    whole = rows_of(network, head)
    stem, sections = seen(network, pictures(PICTURES))
    parts = [
        gradients(network, stem[at], {n: z[at] for n, z in sections.items()}, head)
        for at in (slice(0, 2), slice(2, None))
    ]
    for name, rows in joined(parts).blocks.items():
        torch.testing.assert_close(rows, whole.blocks[name], rtol=1e-10, atol=1e-12)
        assert torch.equal(whole[1:3].blocks[name], whole.blocks[name][3:9])


def test_looking_at_gradients_leaves_parameters_gradients_and_hooks_alone() -> None:
    network, head = made("both, linear fusion")
    before = {name: p.clone() for name, p in network.named_parameters()}
    rows_of(network, head)
    assert all(torch.equal(before[name], p) for name, p in network.named_parameters())
    assert all(p.grad is None for p in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


def test_the_kernel_times_a_vector_is_a_finite_difference_along_its_gradient() -> None:
    """K v = d/dε f(θ + ε Jᵀv); central difference over a step of length 2e-5, relative error 1e-7."""
    network, head = made("both, linear fusion")
    rows = rows_of(network, head)
    v = torch.randn(PICTURES * 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for block, J in rows.blocks.items():
        part, length = getattr(network, block)["current"], float((J.T @ v).norm())
        step = (J.T @ v) * (1e-5 / length)
        sides = []
        for sign in (1, -1):
            _shift(part, sign * step)
            with torch.no_grad():
                sides.append(head(network(pictures(PICTURES)).main).reshape(-1))
            _shift(part, -sign * step)
        difference = (sides[0] - sides[1]) * (length / 2e-5)
        product = gram(rows, rows)[block] @ v
        assert (difference - product).norm() <= 1e-7 * product.norm()


def _shift(part: torch.nn.Module, step: Tensor) -> None:
    with torch.no_grad():
        for p, piece in zip(part.parameters(), step.split([p.numel() for p in part.parameters()]), strict=True):  # fmt: skip
            p.add_(piece.view_as(p))


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")  # torch's own, in jvp
def test_contraction_in_float32_is_the_vector_products_of_forward_and_backward_mode() -> None:
    """J (Jᵀ v) by a vjp and a jvp through the whole module: relative error 1e-5 in float32."""
    network, head = made("adapters alone")
    network, head = network.float(), head.float()
    part = dict(network.s1["current"].named_parameters())
    images = pictures(PICTURES).float()

    def f(values: dict[str, Tensor]) -> Tensor:
        named = {f"s1.current.{name}": value for name, value in values.items()}
        return head(torch.func.functional_call(network, named, (images,)).main).reshape(-1)  # type: ignore[no-any-return]

    values = {name: p.detach() for name, p in part.items()}
    v = torch.randn(PICTURES * 3, generator=torch.Generator().manual_seed(1))
    _, back = torch.func.vjp(f, values)
    with sdpa_kernel(SDPBackend.MATH):  # the fast one has no forward mode
        product = torch.func.jvp(f, (values,), back(v))[1]
    stem, sections = seen(network, images)
    rows = gradients(network, stem, sections, head)
    found = gram(rows, rows)["s1"] @ v.double()
    assert (found - product).norm() <= 1e-5 * product.norm()


def test_random_output_vectors_have_the_trace_kernel_as_their_mean() -> None:
    """Over all sign vectors of three outputs the mean is exact; 1e-10."""
    network, head = made("both, linear fusion")
    exact = gram(*[rows_of(network, head)] * 2)
    signs = torch.tensor([[a, b, c] for a in (1, -1) for b in (1, -1) for c in (1, -1)]).T
    rows = rows_of(network, head, vectors=signs.double())
    for block, product in gram(rows, rows).items():
        mean = product.reshape(PICTURES, 8, PICTURES, 8).diagonal(dim1=1, dim2=3).mean(-1)
        trace = exact[block].reshape(PICTURES, 3, PICTURES, 3).diagonal(dim1=1, dim2=3).sum(-1)
        torch.testing.assert_close(mean, trace, rtol=1e-10, atol=1e-12)


def test_the_sketchs_error_falls_with_the_root_of_its_columns() -> None:
    """Slope of log error over log k: −½ within 20 %; the mean over seeds is the exact kernel's within 5 %."""
    chance = torch.Generator().manual_seed(0)
    J = torch.randn(40, 60_000, generator=chance, dtype=torch.float64)
    J += 2 * torch.randn(1, 60_000, generator=chance, dtype=torch.float64)
    exact = J @ J.T
    sizes, errors, seeds = (256, 1024, 4096), [], range(6)
    for k in sizes:
        folded = [Sketch(k, seed).fold("w", J) for seed in seeds]
        products = torch.stack([S @ S.T for S in folded])
        errors.append(float(((products - exact).flatten(1).norm(dim=1) / exact.norm()).mean()))
        assert (products.mean(0) - exact).norm() / exact.norm() < errors[-1]
    slope = math.log(errors[-1] / errors[0]) / math.log(sizes[-1] / sizes[0])
    assert slope == pytest.approx(-0.5, rel=0.2)


def test_the_same_sketch_serves_all_tasks_and_times() -> None:
    network, head = made("both, linear fusion")
    once = rows_of(network, head, sketch=Sketch(64))
    again = rows_of(network, head, sketch=Sketch(64))
    other = rows_of(network, head, sketch=Sketch(64, seed=1))
    for name, rows in once.blocks.items():
        assert rows.shape == (PICTURES * 3, 64)
        assert torch.equal(rows, again.blocks[name])
        assert not torch.equal(rows, other.blocks[name])


def test_a_sketch_of_tensors_is_the_sketch_of_their_concatenation() -> None:
    """Wide enough, the columns do not collide within a tensor, and norms come back exactly."""
    sketch, rows = Sketch(1000), torch.randn(3, 7, dtype=torch.float64)
    folded = sketch.fold("a", rows)
    torch.testing.assert_close(folded @ folded.T, rows @ rows.T)
    assert torch.equal(sketch.fold("a", 2 * rows), 2 * folded)
    assert not torch.equal(sketch.fold("b", rows), folded)


def test_one_small_step_of_training_moves_outputs_as_kernel_times_residual_says() -> None:
    """Δf = −η K ∂L/∂f over every block, the head in closed form included: the error is of order η."""
    from workbench.core.kernel import proxy_kernel

    errors = []
    for rate in (1e-2, 1e-3, 1e-4):
        made_network = tiny_network()
        torch.manual_seed(4)
        teacher = learner(made=made_network)
        teacher.begin_task((0, 1, 2), 1)
        made_network.eval()
        images, labels = pictures(PICTURES), torch.tensor([0, 1, 2, 0, 1])
        stem, sections = seen(made_network, images)
        proxy = teacher.proxy
        m = made_network.fuse(sections["s1"], sections["s2"]).main
        before = proxy(m).detach()
        side = (sections["s1"], m.detach())
        weight, sigma = proxy.weight.detach(), float(proxy.sigma.detach())
        rows = gradients(made_network, stem, sections, proxy)
        kernel = proxy_kernel(side, side, weight, sigma) + sum(gram(rows, rows).values())
        residual = (before.softmax(1) - torch.nn.functional.one_hot(labels)) / PICTURES
        loss = torch.nn.functional.cross_entropy(proxy(made_network(images).main), labels)
        loss.backward()
        with torch.no_grad():
            for p in [*made_network.live_parameters().values(), *proxy.parameters()]:
                if p.grad is not None:
                    p -= rate * p.grad
            after = proxy(made_network(images).main)
        said = -rate * (kernel @ residual.reshape(-1))
        truth = (after - before).reshape(-1)
        errors.append(float((said - truth).norm() / truth.norm()))
    assert errors[0] < 0.05
    for coarse, fine in pairwise(errors):
        assert coarse / fine == pytest.approx(10, rel=0.2)


BACKBONES = {
    "mean pooling, no class token": {"global_pool": "avg", "class_token": False},
    "register tokens": {"reg_tokens": 2, "no_embed_class": True},
    "scaled branches, as DINOv2 has them": {"init_values": 0.1},
    "one block": {"depth": 1},
}


@pytest.mark.parametrize("kind", BACKBONES)
def test_rows_hold_for_every_kind_of_plain_backbone(kind: str) -> None:
    model = ModelConfig(bottleneck=4, prompt_tokens=3, dropout=0.0)
    network = Network(Backbone(vit(**BACKBONES[kind])), model, switches()).double().eval()
    with torch.no_grad():
        for p in network.live_parameters().values():
            p.normal_(0.0, 0.2)
    head = torch.nn.Linear(network.width, 2).double()
    for block, found in rows_of(network, head).blocks.items():
        wanted = jacobian(network, head, block)
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_rows_on_a_gpu_are_those_of_the_processor() -> None:
    network, head = made("both, linear fusion")
    here = rows_of(network, head, sketch=Sketch(64))
    stem, sections = seen(network, pictures(PICTURES))
    there = gradients(
        network.cuda(), Stem(stem.x.cuda(), stem.mlp.cuda()), {n: z.cuda() for n, z in sections.items()}, head.cuda(),
        sketch=Sketch(64),
    )  # fmt: skip
    for name, rows in there.blocks.items():
        torch.testing.assert_close(rows.cpu(), here.blocks[name], rtol=1e-9, atol=1e-11)
