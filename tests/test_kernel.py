"""Closed-form kernel blocks against autograd Jacobians and Kronecker products, in float64."""

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, jacrev

from workbench.core import kernel as kernels
from workbench.core.kernel import (
    head_kernel,
    prototype_vectors,
    proxy_vectors,
    spectrum,
    spectrum_within,
    trace_kernel,
    value_kernel,
)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def proxy_logits(m: Tensor, weight: Tensor, sigma: Tensor | float) -> Tensor:
    unit = torch.nn.functional.normalize
    return sigma * unit(m, dim=-1) @ unit(weight, dim=-1).T


def vote(m: Tensor, prototypes: Tensor, votes: Tensor) -> Tensor:
    sections = zip(votes, m.chunk(len(votes), -1), prototypes.chunk(len(votes), -1), strict=True)
    return sum((proxy_logits(part, rows, mu) for mu, part, rows in sections), torch.zeros(()))


def gram(left: dict[str, Tensor], right: dict[str, Tensor]) -> Tensor:
    flat = [torch.cat([j.flatten(2).flatten(0, 1) for j in side.values()], 1) for side in (left, right)]  # fmt: skip
    return flat[0] @ flat[1].T


def test_proxy_vectors_are_the_gradient_of_each_logit() -> None:
    m, weight = draw(1, 5, 9), draw(2, 4, 9)
    jacobian = torch.func.vmap(jacrev(lambda x: proxy_logits(x, weight, 1.7)))(m)
    torch.testing.assert_close(proxy_vectors(m, weight, 1.7), jacobian, rtol=0, atol=1e-12)


def test_prototype_vectors_are_the_gradient_of_the_vote() -> None:
    m, prototypes, votes = draw(1, 5, 9), draw(2, 4, 9), torch.tensor([1.0, 0.3, 0.1]).double()
    jacobian = torch.func.vmap(jacrev(lambda x: vote(x, prototypes, votes)))(m)
    got = prototype_vectors(m, prototypes, votes)
    torch.testing.assert_close(got, jacobian, rtol=0, atol=1e-12)


def test_an_empty_section_gives_no_gradient() -> None:
    m, prototypes, votes = draw(1, 2, 6), draw(2, 3, 6), torch.tensor([0.3, 0.1]).double()
    prototypes[1, 3:] = 0.0
    m[0, :3] = 0.0
    q = prototype_vectors(m, prototypes, votes)
    assert q[:, 1, 3:].eq(0).all()
    assert q[0, :, :3].eq(0).all()
    assert q.isfinite().all()
    rows = m[1:]
    jacobian = torch.func.vmap(jacrev(lambda x: vote(x, prototypes, votes)))(rows)
    torch.testing.assert_close(q[1:], jacobian, rtol=0, atol=1e-12)


def test_the_head_block_is_the_jacobian_in_weights_and_scale() -> None:
    m_a, m_b, weight, sigma = (
        draw(1, 4, 7),
        draw(2, 6, 7),
        draw(3, 3, 7),
        torch.tensor(1.3).double(),
    )

    def jacobian(m: Tensor) -> dict[str, Tensor]:
        parts = jacrev(lambda w, s: proxy_logits(m, w, s), argnums=(0, 1))(weight, sigma)
        return {"weight": parts[0], "sigma": parts[1][..., None]}

    got = head_kernel(m_a, m_b, weight, float(sigma))
    torch.testing.assert_close(got, gram(jacobian(m_a), jacobian(m_b)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 10_000_000])
def test_the_value_block_is_the_jacobian_in_the_fusion_layer(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "CHUNK_ELEMENTS", chunk)
    layer = torch.nn.Linear(8, 8).double()
    weight, prototypes, votes = draw(3, 3, 8), draw(4, 5, 8), torch.tensor([0.3, 0.1]).double()
    c_a, p_a, c_b, p_b = draw(5, 4, 8), draw(6, 4, 8), draw(7, 6, 8), draw(8, 6, 8)

    def fused(parameters: dict[str, Tensor], c: Tensor, p: Tensor) -> Tensor:
        return 0.5 * functional_call(layer, parameters, (c,)) + c + 0.1 * p

    parameters = {name: p.detach() for name, p in layer.named_parameters()}
    old = jacrev(lambda theta: vote(fused(theta, c_a, p_a), prototypes, votes))(parameters)
    new = jacrev(lambda theta: proxy_logits(fused(theta, c_b, p_b), weight, 1.3))(parameters)
    q_a = prototype_vectors(fused(parameters, c_a, p_a), prototypes, votes)
    q_b = proxy_vectors(fused(parameters, c_b, p_b), weight, 1.3)
    got = value_kernel(c_a, q_a, c_b, q_b)
    torch.testing.assert_close(got, gram(old, new), rtol=0, atol=1e-12)


def test_one_small_sgd_step_moves_the_logits_by_the_kernel() -> None:
    """Δf = −η K ∂L/∂f up to O(η²): the relative error falls tenfold with the step."""
    m, labels = draw(1, 8, 6), torch.arange(8) % 3
    errors = []
    for eta in (1e-2, 1e-3, 1e-4):
        weight = draw(2, 3, 6).requires_grad_()
        sigma = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
        before = proxy_logits(m, weight, sigma)
        pull = torch.autograd.grad(torch.nn.functional.cross_entropy(before, labels), before, retain_graph=True)[0]  # fmt: skip
        predicted = -eta * head_kernel(m, m, weight.detach(), 1.5) @ pull.reshape(-1)
        torch.nn.functional.cross_entropy(before, labels).backward()
        torch.optim.SGD([weight, sigma], lr=eta).step()
        moved = (proxy_logits(m, weight, sigma) - before).detach().reshape(-1)
        errors.append(float((moved - predicted).norm() / moved.norm()))
    assert errors[0] < 1e-2
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)


def test_the_trace_kernel_sums_over_outputs() -> None:
    left, right = draw(1, 4, 3, 11), draw(2, 5, 3, 11)
    full = left.reshape(12, 11) @ right.reshape(15, 11).T
    expected = torch.einsum("iap,jap->ij", left, right)
    torch.testing.assert_close(trace_kernel(full, 3), expected, rtol=0, atol=1e-12)


def test_the_spectrum_clips_rounding_noise_and_counts_it() -> None:
    factor = draw(1, 6, 2)
    parts = spectrum(factor @ factor.T)
    assert parts.clipped == int((parts.values == 0).sum())
    assert parts.values.ge(0).all()
    rebuilt = (parts.vectors * parts.values) @ parts.vectors.T
    torch.testing.assert_close(rebuilt, factor @ factor.T, rtol=0, atol=1e-11)
    assert parts.mean == pytest.approx(float((factor @ factor.T).trace()) / 6)


def test_the_spectrum_of_the_zero_kernel_is_zero() -> None:
    parts = spectrum(torch.zeros(3, 3, dtype=torch.float64))
    assert parts.values.eq(0).all()
    assert parts.mean == 0.0


@pytest.mark.parametrize("rank", [5, 12])
def test_a_kernel_of_few_directions_is_decomposed_within_them_as_it_is_whole(
    rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    factor = draw(3, 90, rank) * torch.logspace(0, -4, rank, dtype=torch.float64)
    kernel = factor @ factor.T
    whole = spectrum(kernel)
    monkeypatch.setattr(kernels, "spectrum", pytest.fail)
    parts = spectrum_within(kernel, rank)
    assert parts.vectors.shape[1] < 30
    again = parts.vectors @ (parts.values[:, None] * parts.vectors.T)
    torch.testing.assert_close(again, kernel, rtol=0, atol=1e-13 * float(whole.values[-1]))
    found = parts.values[parts.values > 0]
    torch.testing.assert_close(found, whole.values[-rank:], rtol=1e-6, atol=0)
    assert len(found) == rank


def test_a_kernel_with_more_directions_than_was_said_is_decomposed_whole() -> None:
    factor = draw(3, 90, 40)
    kernel = factor @ factor.T
    parts, whole = spectrum_within(kernel, 5), spectrum(kernel)
    assert parts.values.equal(whole.values)
    assert spectrum_within(kernel, 60).values.equal(whole.values)
    assert spectrum_within(torch.full((90, 90), torch.nan).double(), 5).values.isnan().all()
    assert spectrum_within(torch.zeros(90, 90).double(), 5).values.eq(0).all()
