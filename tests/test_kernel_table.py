"""The kernel of the whole real module, every trained block of it, against computations that share nothing.

Float64 unless said otherwise; the reference is autograd's Jacobian of the network of `tests.tiny`. Which
test holds which row of the table of independent checks:

| what                                  | against                                    | tolerance       | where                                                    |
| ------------------------------------- | ------------------------------------------ | --------------- | -------------------------------------------------------- |
| K v                                   | central difference of f along Jᵀv          | 1e-7            | here: a kernel times a vector …, the closed form …       |
| one SGD step's Δf                     | −η K ∂L/∂f                                 | error ∝ η       | here: one step of the learner's own optimiser …          |
| Jacobian contraction, float32         | NTK-vector products                        | 1e-5            | here: contraction and vector products …                  |
| K_V, K_head in closed form            | autograd                                   | 1e-12 (1e-9)    | test_kernel; the real module in test_readings            |
| linear head's K                       | G ⊗ I_C                                    | 1e-12           | here: a linear head's kernel …                           |
| ridge forecast, finite steps          | retraining in parameter space              | 1e-10           | test_ridge; test_self_test                               |
| replay of the optimiser               | torch's SGD on a linear head               | 1e-10           | test_replay; test_readings on the real module            |
| sequential ridge, eq. (1), (2)        | parameter space                            | 1e-10           | test_ridge                                               |
| LOO, GCV = KARE                       | refits without each picture, smoother      | 1e-10           | here: leave-one-out …, KARE …; test_gaps                 |
| principal angles                      | SVD of J                                   | 1e-10           | here: principal angles …; test_overlap                   |
| overlap                               | cosine of JᵀJ matrices                     | 1e-10           | here: overlap …; test_overlap                            |
| eq. (7)                               | 300 Gaussian-feature draws                 | 3 std. errors   | test_theory                                              |
| linearity index                       | autograd; half the step, half the index    | 1e-6; 1e-3      | test_linearity                                           |
| sketch, adapters' blocks              | exact K                                    | ±20 %; 1e-9     | test_jacobian                                            |
"""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vjp
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.test_readings import IMAGES, NEW, OLD, jacobian, second_task
from tests.tiny import tiny_network
from workbench.core.gaps import kare, loo_error, loo_residuals
from workbench.core.kernel import Spectrum, proxy_kernel, spectrum
from workbench.core.learner import Learner
from workbench.core.overlap import angles, overlap, principal_cosines
from workbench.core.probe import Part
from workbench.core.replay import linear_head_kernel

LABELS = torch.tensor(NEW.labels) - 2
BRANCHES = ["both", "s1", "s2"]


def at_second_task(branches: str = "both", **training: float) -> Learner:
    learner = second_task(tiny_network(branches), **training)
    learner.network.eval()
    return learner


def trained(learner: Learner) -> list[nn.Parameter]:
    """Every parameter that training moves: S1, S2, fusion, proxy head."""
    return [*learner.network.live_parameters().values(), *learner.proxy.parameters()]


def stacked(learner: Learner, part: Part = NEW) -> Tensor:
    """Training outputs h: proxy logits of S1, S2 and the hybrid side by side, (n, 3 C)."""
    features = learner.network(IMAGES[list(part.indices)])
    return torch.cat([learner.proxy(z) for _, z in features.each()], 1)


def hybrid(learner: Learner, part: Part = NEW) -> Tensor:
    """Training outputs of the main representation alone, (n, C)."""
    return learner.proxy(learner.network(IMAGES[list(part.indices)]).main)


def inference(learner: Learner, part: Part = OLD) -> Tensor:
    """Inference outputs g: prototype logits of the old classes, prototypes held fixed, (n, C_old)."""
    return learner.network.prototypes(learner.network(IMAGES[list(part.indices)]).main)[:, :2]


def closed_form(learner: Learner) -> Tensor:
    """Return the workbench's own kernel of head and fusion on the new task's pictures, (18, 18)."""
    with torch.no_grad():
        features = learner.network(IMAGES[list(NEW.indices)])
        pair, proxy = (features.s1, features.main), learner.proxy
        return proxy_kernel(pair, pair, proxy.weight, float(proxy.sigma))


def noise(*size: int, seed: int = 3) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shift(parameters: list[nn.Parameter], step: Tensor) -> None:
    with torch.no_grad():
        for p, part in zip(parameters, step.split([p.numel() for p in parameters]), strict=True):
            p += part.view_as(p)


def difference(learner: Learner, look, parameters: list[nn.Parameter], along: Tensor) -> Tensor:
    """Return the central difference of outputs along a direction in parameter space.

    Of two steps, so that the error of the second order cancels (Richardson): what is left is rounding.
    """
    slopes = []
    for step in (5e-5, 1e-4):
        share, sides = step / float(along.norm()), []
        for sign in (1, -1):
            shift(parameters, sign * share * along)
            sides.append(look(learner).detach())
            shift(parameters, -sign * share * along)
        slopes.append((sides[0] - sides[1]) / (2 * share))
    return ((4 * slopes[0] - slopes[1]) / 3).reshape(-1)


@pytest.mark.parametrize("branches", BRANCHES)
def test_a_kernel_times_a_vector_is_the_outputs_change_along_its_gradient(branches: str) -> None:
    """K of the training outputs in every block, and K_AB between inference and training outputs.

    The head is absent from inference outputs: K_AB is the same without it, and the difference less
    rounded.
    """
    learner = at_second_task(branches)
    shared = list(learner.network.live_parameters().values())
    for look, parameters in ((stacked, trained(learner)), (inference, shared)):
        new, rows = (jacobian(f(learner), parameters) for f in (stacked, look))
        kernel = rows @ new.T
        v = kernel.T @ noise(len(rows))  # a direction that these outputs do move along
        pulled = torch.autograd.grad(stacked(learner).reshape(-1) @ v, parameters)
        along = torch.cat([gradient.reshape(-1) for gradient in pulled])
        got = difference(learner, look, parameters, along)
        assert float((got - kernel @ v).norm() / (kernel @ v).norm()) < 1e-7


def test_the_closed_form_times_a_vector_is_the_outputs_change_along_its_gradient() -> None:
    learner = at_second_task()
    blocks = [*learner.network.fusion.value.parameters(), *learner.proxy.parameters()]
    outputs = hybrid(learner)
    v = noise(outputs.numel())
    pulled = torch.autograd.grad(outputs.reshape(-1) @ v, blocks)
    got = difference(learner, hybrid, blocks, torch.cat([g.reshape(-1) for g in pulled]))
    expected = closed_form(learner) @ v
    assert float((got - expected).norm() / expected.norm()) < 1e-7


@pytest.mark.parametrize("branches", BRANCHES)
def test_one_step_of_the_learners_own_optimiser_moves_the_outputs_by_the_kernel(
    branches: str,
) -> None:
    """Three cross-entropies on one batch, every block: the error falls tenfold with the step."""
    errors = []
    for eta in (1e-3, 1e-4, 1e-5):
        learner = at_second_task(branches, learning_rate=eta, momentum=0.0, weight_decay=0.0)
        learner.begin_epoch(0)
        before = stacked(learner)
        rows = jacobian(before, trained(learner))
        terms = learner.losses(learner.forward(IMAGES[list(NEW.indices)], LABELS))
        loss = sum(term for name, term in terms.items() if name.startswith("cross_entropy"))
        outputs = before.detach().requires_grad_()
        parts = outputs.split(3, 1)
        pull = torch.autograd.grad(
            sum(nn.functional.cross_entropy(part, LABELS) for part in parts), outputs
        )[0]
        predicted = -eta * (rows @ rows.T) @ pull.reshape(-1)
        learner.backward({"total": loss})
        learner.step()
        moved = (stacked(learner) - before).detach().reshape(-1)
        errors.append(float((moved - predicted).norm() / moved.norm()))
    assert errors[0] < 0.2
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)


@pytest.mark.filterwarnings(
    "ignore:.torch.jit.script. is deprecated:FutureWarning"
)  # by torch itself
def test_contraction_and_vector_products_give_the_same_kernel_in_single_precision() -> None:
    """Σ J Jᵀ over stored gradients, and J (Jᵀ e) by a backward and a forward pass for each row."""
    learner = at_second_task()
    learner.network.float()
    learner.proxy.float()
    start = dict(learner.network.named_parameters())
    live = {name: start[name].detach() for name in learner.network.live_parameters()}
    tokens = IMAGES[list(NEW.indices)].float()

    def outputs(parameters: dict[str, Tensor]) -> Tensor:
        features = functional_call(learner.network, parameters, (tokens,))
        return learner.proxy(features.main).reshape(-1)

    with sdpa_kernel(SDPBackend.MATH):  # the one attention with a forward derivative
        contracted = jacobian(outputs(start), [start[name] for name in live])
        values, backward = vjp(outputs, live)
        assert values.dtype == torch.float32
        columns = [
            jvp(outputs, (live,), backward(row))[1].detach() for row in torch.eye(len(values))
        ]
    kernel, products = contracted @ contracted.T, torch.stack(columns, 1)
    assert float((kernel - products).norm() / kernel.norm()) < 1e-5


def test_a_linear_heads_kernel_is_its_features_gram_for_every_class() -> None:
    """On the network's own features, from autograd's Jacobian of a linear layer."""
    learner = at_second_task()
    features = learner.network(IMAGES[list(NEW.indices)]).main.detach()
    head = nn.Linear(features.shape[1], 3).double()
    rows = jacobian(head(features), list(head.parameters()))
    expected = torch.kron(features @ features.T + 1.0, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(rows @ rows.T, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(linear_head_kernel(features, features, 3), expected, rtol=1e-12, atol=0)  # fmt: skip


def coordinates(*jacobians: Tensor) -> list[Tensor]:
    """Return the Jacobians' rows in an orthonormal basis of all their rows: far fewer columns."""
    triangle = torch.linalg.qr(torch.cat(jacobians).T)[1]
    return list(triangle.T.split([len(rows) for rows in jacobians]))


def surrogate() -> tuple[Tensor, Spectrum, Tensor, float]:
    """Return rows of J (18, 18), the closed form's spectrum, targets (6, 3) and a ridge."""
    learner = at_second_task()
    blocks = [*learner.network.fusion.value.parameters(), *learner.proxy.parameters()]
    outputs = hybrid(learner)
    (rows,) = coordinates(jacobian(outputs, blocks))
    parts = spectrum(closed_form(learner))
    targets = torch.eye(3, dtype=torch.float64)[LABELS] - outputs.detach()
    return rows, parts, targets, 1e-2 * parts.mean


def least_squares(rows: Tensor, targets: Tensor, ridge: float) -> Tensor:
    """Return the parameters of least ‖J θ − Ỹ‖² + λ‖θ‖²."""
    width = rows.shape[1]
    design = torch.cat([rows, math.sqrt(ridge) * torch.eye(width, dtype=torch.float64)])
    aims = torch.cat([targets.reshape(-1), torch.zeros(width, dtype=torch.float64)])
    return torch.linalg.lstsq(design, aims[:, None]).solution[:, 0]


def test_leave_one_out_is_what_parameters_fitted_without_each_picture_miss() -> None:
    rows, parts, targets, ridge = surrogate()
    blocks, misses = rows.reshape(6, 3, -1), []
    for left in range(6):
        keep = [i for i in range(6) if i != left]
        fitted = least_squares(blocks[keep].flatten(0, 1), targets[keep], ridge)
        misses.append(targets[left] - blocks[left] @ fitted)
    expected = torch.stack(misses)
    torch.testing.assert_close(loo_residuals(parts, targets, ridge), expected, rtol=0, atol=1e-10)
    mean_square = float(expected.square().mean())
    assert loo_error(parts, targets, ridge).value == pytest.approx(mean_square, abs=1e-10)


def test_kare_is_generalised_cross_validation_of_parameters_fitted_in_turn() -> None:
    """The smoother's columns are fits to unit targets; GCV = mean (y − Ay)² / (1 − tr A / N)²."""
    rows, parts, targets, ridge = surrogate()
    unit = torch.eye(18, dtype=torch.float64)
    smoother = torch.stack([rows @ least_squares(rows, row, ridge) for row in unit], 1)
    y = targets.reshape(-1)
    expected = float((y - smoother @ y).square().mean() / (1 - smoother.trace() / 18) ** 2)
    assert kare(parts, targets, ridge).value == pytest.approx(expected, abs=1e-10)


def both_sides(branches: str) -> tuple[Tensor, Tensor]:
    """Return J_A of the old task's inference outputs, (10, P), and J_B of the new one's training outputs, (18, P)."""
    learner = at_second_task(branches)
    parameters = trained(learner)
    return jacobian(inference(learner), parameters), jacobian(hybrid(learner), parameters)


@pytest.mark.parametrize("branches", BRANCHES)
def test_principal_angles_are_those_of_the_jacobians_row_spaces(branches: str) -> None:
    a, b = both_sides(branches)
    rows = [torch.linalg.svd(side, full_matrices=False)[2] for side in (a, b)]
    expected = torch.linalg.svdvals(rows[0] @ rows[1].T)
    parts = spectrum(a @ a.T), spectrum(b @ b.T)
    got = principal_cosines(a @ b.T, *parts)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
    largest, mean = angles(a @ b.T, *parts)
    assert largest.value == pytest.approx(float(expected[0]), abs=1e-10)
    assert mean.value == pytest.approx(float(expected.mean()), abs=1e-10)


@pytest.mark.parametrize("branches", BRANCHES)
def test_overlap_is_the_cosine_of_the_matrices_of_parameters(branches: str) -> None:
    a, b = both_sides(branches)
    # J_AᵀJ_A of all blocks has 10,000² numbers; an orthonormal basis of both row spaces keeps its cosine
    left, right = (j.T @ j for j in (coordinates(a, b) if branches == "both" else (a, b)))
    expected = float((left * right).sum() / (left.norm() * right.norm()))
    got = overlap(a @ b.T, a @ a.T, b @ b.T).value
    assert 0.0 < got < 1.0
    assert got == pytest.approx(expected, abs=1e-10)
