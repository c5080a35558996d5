"""What the kernel's numbers owe to scale, order and copies of pictures, and when they must be absent.

Property tests over every function of `gaps`, `complexity`, `overlap`, `vulnerable`, `scores` and `theory`
that returns a number: it changes as its formula says, or is absent with a reason; never 0 for want of
an answer, and never an exception. Float64.
"""

import math
from dataclasses import dataclass, fields

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from workbench.core import complexity, gaps, overlap, scores, theory, vulnerable
from workbench.core.gaps import Value
from workbench.core.kernel import spectrum

quick = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**31)
factors = st.floats(1e-6, 1e6)


@dataclass(frozen=True)
class Case:
    """Jacobians (n, C, P) of an old task A, of a new one B and of B's test pictures, with what goes with them."""

    a: Tensor
    b: Tensor
    test: Tensor
    targets: Tensor  # of B, (n_B, C)
    test_targets: Tensor
    labels: Tensor  # of B, (n_B,)
    movement: Tensor  # of A's outputs, (n_A, C)
    logits: Tensor  # of A, (n_A, C)
    ridge: float


def case(seed: int, pictures: int = 5, classes: int = 2, width: int = 30) -> Case:
    chance = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=chance, dtype=torch.float64)

    n, c = pictures, classes
    labels = torch.arange(n) % c
    return Case(
        draw(n, c, width), draw(n, c, width), draw(3, c, width), draw(n, c), draw(3, c),
        labels, draw(n, c), draw(n, c), 0.3 * width,
    )  # fmt: skip


def rows(jacobian: Tensor) -> Tensor:
    return jacobian.flatten(0, 1)


def numbers(x: Case, scale: float = 1.0) -> dict[str, Value]:
    """Every number of one pair of tasks, the kernels times `scale` and λ with them."""
    a, b, test = (math.sqrt(scale) * rows(j) for j in (x.a, x.b, x.test))
    k_ab, k_aa, k_bb, ridge = a @ b.T, a @ a.T, b @ b.T, scale * x.ridge
    parts, classes, n = spectrum(k_bb), x.targets.shape[1], len(x.targets)
    # a second kernel of B's pictures, so that stability has two sides
    other = scale * rows(x.b)[:, ::2] @ rows(x.b)[:, ::2].T
    surrogate = gaps.ridge_gap(parts, x.targets, ridge, test @ b.T, x.test_targets)
    shape = complexity.shape(spectrum(gaps.trace_kernel(k_bb, classes)).values)
    largest, mean = overlap.angles(k_ab, spectrum(k_aa), parts)
    own = scores.network_gap(x.targets, x.labels, x.test_targets, x.labels[:3])
    moved = scores.class_movement([x.movement], [x.labels.tolist()])
    return {
        "drift": gaps.kernel_drift(k_bb, other),
        "alignment": gaps.kernel_alignment(k_bb, other),
        "cka": gaps.kernel_cka(k_bb, other, classes),
        "scale": gaps.kernel_scale(k_bb, other),
        "interplay": gaps.interplay([x.movement], [x.logits]),
        "cosine": gaps.drift_cosine([x.movement], [x.logits]),
        "error": gaps.drift_error([x.movement], [x.logits]),
        "choose": gaps.choose_ridge(parts, x.targets),
        "loo": gaps.loo_error(parts, x.targets, ridge),
        "kare alone": gaps.kare(parts, x.targets, ridge),
        **{f"ridge {f.name}": getattr(surrogate, f.name) for f in fields(surrogate)},
        "complexity": complexity.complexity(parts, x.targets, ridge),
        "share": complexity.complexity_share(parts, x.labels, x.targets, classes, ridge),
        **{f"shape {f.name}": getattr(shape, f.name) for f in fields(shape)},
        "overlap": overlap.overlap(k_ab, k_aa, k_bb),
        "vectors": overlap.overlap_of_vectors(k_ab, k_aa, k_bb, classes),
        "angle max": largest,
        "angle mean": mean,
        "vulnerable": vulnerable.vulnerable_rank(spectrum(k_aa), x.movement),
        "expected": vulnerable.expected_rank(math.sqrt(scale) * x.a[:, 0], classes),
        "extrapolated": theory.extrapolated_error(parts, x.targets, ridge, n, 20 * n),
        **{f"own {f.name}": getattr(own, f.name) for f in fields(own)},
        "rank": scores.rank_correlation(list(moved.values()), list(moved)),
    }


def differing(found: dict[str, Value], expected: dict[str, Value], **changed: float) -> list[str]:
    """Return the numbers that are not the other's, times their factor in `changed`, nor absent as it is."""
    return [
        name
        for name, value in found.items()
        if not _agrees(value, expected[name].value, changed.get(name.replace(" ", "_"), 1.0))
    ]


def _agrees(value: Value, other: float | None, factor: float) -> bool:
    if value.value is None or other is None:
        return value.value is other and bool(value.reason)
    return bool(value.value == pytest.approx(other * factor, rel=1e-6, abs=1e-9))


def picked(x: Case, order: Tensor) -> Case:
    """The same tasks with their pictures in this order, or with some of them twice."""
    return Case(
        x.a[order], x.b[order], x.test, x.targets[order], x.test_targets,
        x.labels[order], x.movement[order], x.logits[order], x.ridge,
    )  # fmt: skip


@quick
@given(seeds, factors)
def test_scaled_kernels_with_a_scaled_ridge_say_the_same(seed: int, factor: float) -> None:
    x = case(seed)
    assert not differing(numbers(x, factor), numbers(x), shape_largest=factor)


@quick
@given(seeds)
def test_the_order_of_the_pictures_changes_nothing(seed: int) -> None:
    """But for the complexity share, whose permutations are drawn for places, not for pictures."""
    x = case(seed)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    plain, mixed = numbers(x), numbers(picked(x, order))
    for values in (plain, mixed):
        share = values.pop("share").value
        assert share is not None
        assert share > 0
        # the test labels that go with B's own are the first three places'
        for name in ("own nats", "own brier", "own accuracy"):
            values.pop(name)
    assert not differing(mixed, plain)


@quick
@given(seeds)
def test_every_picture_twice_changes_what_counts_pictures_alone(seed: int) -> None:
    """With twice the ridge the fit is the same function: training and test errors stay.

    The norm spreads over twice the rows, S / √2; eigenvalues are twice as large; what counts the
    degrees of freedom left, or leaves a picture out that is there twice, has no rule.
    """
    x = case(seed)
    once = numbers(x)
    twice = numbers(Case(*[getattr(picked(x, torch.arange(10) // 2), f.name) for f in fields(x)][:-1], 2 * x.ridge))  # fmt: skip
    for name in ("choose", "loo", "kare alone", "ridge kare", "ridge predicted", "share", "vectors", "extrapolated"):  # fmt: skip
        value = twice.pop(name).value
        assert value is not None
        assert math.isfinite(value)
        assert value != 0.0
    for name in ("own nats", "own brier", "own accuracy"):
        twice.pop(name)
    assert not differing(twice, once, complexity=math.sqrt(0.5), shape_largest=2.0)


@quick
@given(seeds)
def test_the_networks_own_gap_counts_each_picture_once_in_any_order(seed: int) -> None:
    x = case(seed)
    order = torch.cat([torch.randperm(5, generator=torch.Generator().manual_seed(seed))] * 2)
    test = torch.tensor([2, 0, 1])
    labels = x.labels[:3]
    plain = scores.network_gap(x.targets, x.labels, x.test_targets, labels)
    mixed = scores.network_gap(
        x.targets[order], x.labels[order], x.test_targets[test], labels[test]
    )
    shifted = scores.network_gap(x.targets + 3.0, x.labels, x.test_targets - 7.0, labels)
    for f in fields(plain):
        expected = getattr(plain, f.name).value
        assert getattr(mixed, f.name).value == pytest.approx(expected, abs=1e-12)
        assert getattr(shifted, f.name).value == pytest.approx(expected, abs=1e-12)


@quick
@given(seeds, st.integers(1, 4))
def test_rank_deficient_kernels_give_finite_numbers_in_their_range(seed: int, rank: int) -> None:
    x = case(seed, width=rank)
    found = numbers(x)
    for name, value in found.items():
        assert (value.value is None) == bool(value.reason), name
        assert value.value is None or math.isfinite(value.value), name
    for name in ("overlap", "angle max", "angle mean"):
        assert 0.0 <= found[name].value <= 1.0 + 1e-9
    assert found["shape effective_rank"].value <= rank * 2 + 1e-6
    assert found["ridge effective_dimension"].value <= rank + 1e-9
    assert found["angle max"].value == pytest.approx(1.0, abs=1e-6)  # both span all directions
    held = found["vulnerable"]
    assert held.value is None or held.value <= rank


def said(values: dict[str, Value], reason: str = "") -> dict[str, Value]:
    """Return the numbers that are not absent with such a reason."""
    return {
        name: value
        for name, value in values.items()
        if value.value is not None or not value.reason or reason not in value.reason
    }


def only(values: dict[str, Value], *names: str) -> dict[str, Value]:
    found = {name: value for name, value in values.items() if name.startswith(names)}
    assert found
    return found


OF_KERNELS = ("drift", "alignment", "cka", "scale", "choose", "loo", "kare", "ridge", "complexity",
              "share", "shape", "overlap", "vectors", "angle", "vulnerable", "expected", "extrapolated")  # fmt: skip


@quick
@given(seeds)
def test_a_zero_kernel_leaves_every_number_of_it_absent(seed: int) -> None:
    x = case(seed)
    zero = torch.zeros_like(x.a)
    assert not said(only(numbers(Case(zero, zero, *list(vars(x).values())[2:])), *OF_KERNELS))


@quick
@given(seeds, st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 4))
def test_a_kernel_that_is_not_finite_leaves_every_number_of_it_absent(
    seed: int, poison: float, place: int
) -> None:
    x = case(seed)
    a, b = x.a.clone(), x.b.clone()
    a[place, 0, 0], b[place, 1, 4] = poison, poison
    assert not said(only(numbers(Case(a, b, *list(vars(x).values())[2:])), *OF_KERNELS))


@quick
@given(seeds, st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 4))
def test_logits_that_are_not_finite_leave_every_number_of_them_absent(
    seed: int, poison: float, place: int
) -> None:
    x = case(seed)
    for tensor in (x.targets, x.movement, x.logits):
        tensor[place, 1] = poison
    names = ("interplay", "cosine", "error", "choose", "loo", "kare", "ridge train", "ridge kare",
             "ridge predicted", "ridge held_out", "complexity", "share", "vulnerable", "extrapolated", "own")  # fmt: skip
    assert not said(only(numbers(x), *names))


@quick
@given(seeds, st.sampled_from(["movement", "logits"]))
def test_one_side_that_is_not_finite_is_enough(seed: int, side: str) -> None:
    x = case(seed)
    getattr(x, side)[2, 0] = math.inf
    assert not said(only(numbers(x), "interplay", "cosine", "error"))


@quick
@given(seeds)
def test_one_class_has_kernels_and_no_share_nor_gap_of_its_own(seed: int) -> None:
    found = numbers(case(seed, classes=1))
    assert not said(only(found, "share", "own"), "one class")
    assert not said(only(found, "vectors"), "at least two")
    assert not said(only(found, "rank"), "three")
    for name, value in found.items():
        if name not in ("share", "vectors", "rank", "own nats", "own brier", "own accuracy"):
            assert value.value is not None, name
            assert math.isfinite(value.value), name


@quick
@given(seeds)
def test_one_picture_leaves_absent_what_compares_pictures(seed: int) -> None:
    x = case(seed, pictures=1)
    found = numbers(Case(*[v[:1] if n.startswith("test") else v for n, v in vars(x).items()]))
    assert not said(only(found, "cka", "interplay", "choose", "loo", "complexity", "share", "rank"))
    for name, value in only(found, "drift", "overlap", "ridge", "shape", "angle", "extra").items():
        assert value.value is not None, name
        assert math.isfinite(value.value), name


@quick
@given(seeds)
def test_pictures_that_are_all_alike_have_no_similarity_structure(seed: int) -> None:
    """What centring leaves of them is rounding, and rounding is no answer."""
    x = picked(case(seed), torch.zeros(5, dtype=torch.int64))
    found = numbers(x)
    assert not said(only(found, "cka"), "alike")
    assert not said(only(found, "interplay"), "do not vary")
    assert not said(only(found, "share"), "one class")
    for name, value in found.items():
        assert (value.value is None) == bool(value.reason), name
        assert value.value is None or math.isfinite(value.value), name


def empty_case() -> Case:
    x = case(0)
    return Case(*[v[:0] if isinstance(v, Tensor) else v for v in vars(x).values()])


def test_without_pictures_everything_is_absent() -> None:
    assert not said(numbers(empty_case()))


@quick
@given(seeds, factors)
def test_a_learning_curve_scales_with_energy_and_not_with_the_kernel(
    seed: int, factor: float
) -> None:
    chance = torch.Generator().manual_seed(seed)
    eigenvalues = torch.rand(8, generator=chance, dtype=torch.float64)
    energies = torch.rand(8, generator=chance, dtype=torch.float64)
    order = torch.randperm(8, generator=chance)
    plain = theory.learning_curve(eigenvalues, energies, 5, 0.2, 0.1)
    scaled = theory.learning_curve(factor * eigenvalues, energies, 5, factor * 0.2, 0.1)
    louder = theory.learning_curve(eigenvalues, factor * energies, 5, 0.2, factor * 0.1)
    mixed = theory.learning_curve(eigenvalues[order], energies[order], 5, 0.2, 0.1)
    # what has no eigenvalue and no energy is not there
    padded = [torch.cat([v, torch.zeros(3, dtype=torch.float64)]) for v in (eigenvalues, energies)]
    assert scaled == pytest.approx(plain, rel=1e-9)
    assert louder == pytest.approx(factor * plain, rel=1e-9)
    assert mixed == pytest.approx(plain, rel=1e-12)
    assert theory.learning_curve(*padded, 5, 0.2, 0.1) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("poisoned", [0, 1])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_learning_curve_of_numbers_that_are_not_finite_is_not_a_number(
    poisoned: int, poison: float
) -> None:
    modes = [torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)]
    modes[poisoned][1] = poison
    assert math.isnan(theory.learning_curve(modes[0], modes[1], 5, 0.1))
    assert math.isnan(theory.learning_curve(torch.ones(3), torch.ones(3), 5, poison))


@quick
@given(st.lists(st.integers(-5, 5), min_size=3, max_size=8), seeds)
def test_a_rank_correlation_knows_the_order_alone(values: list[int], seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    other = torch.randint(-3, 4, (len(values),), generator=chance).tolist()
    plain = scores.rank_correlation(values, other)
    stretched = scores.rank_correlation([math.exp(3 * v) for v in values], other)
    order = torch.randperm(len(values), generator=chance).tolist()
    mixed = scores.rank_correlation([values[i] for i in order], [other[i] for i in order])
    reverse = scores.rank_correlation([-v for v in values], other)
    if plain.value is None:
        assert not said(
            {"plain": plain, "stretched": stretched, "mixed": mixed, "reverse": reverse}
        )
        return
    assert -1 - 1e-12 <= plain.value <= 1 + 1e-12
    assert stretched.value == pytest.approx(plain.value, abs=1e-12)
    assert mixed.value == pytest.approx(plain.value, abs=1e-12)
    assert reverse.value == pytest.approx(-plain.value, abs=1e-12)


@quick
@given(seeds, factors)
def test_the_movement_of_classes_scales_and_does_not_depend_on_order_or_copies(
    seed: int, factor: float
) -> None:
    x = case(seed)
    labels = x.labels.tolist()
    plain = scores.class_movement([x.movement], [labels])
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed)).tolist() * 2
    copies = scores.class_movement([factor * x.movement[order]], [[labels[i] for i in order]])
    assert set(copies) == set(plain)
    for label, moved in plain.items():
        assert copies[label] == pytest.approx(factor * moved, rel=1e-12)
