"""What each switch of the method does, on a tiny real network in float64."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from tests import small
from workbench.config import ModelConfig
from workbench.core.heads import drift_of
from workbench.core.learner import Learner
from workbench.core.numbers import Watch, numbers
from workbench.errors import WorkbenchError

CLASSES = (0, 1, 2)
Y = torch.arange(6) % 3


def train(learner: Learner, steps: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Take some steps on one batch; returns the last losses. Gradients stay for inspection."""
    terms = {}
    for _ in range(steps):
        terms = learner.losses(learner.forward(small.pictures(6, seed), Y))
        learner.backward(terms)
        learner.step()
    return terms


def learn_task(learner: Learner, class_ids: tuple[int, ...], seed: int, steps: int = 3) -> None:
    learner.begin_task(class_ids, 1)
    learner.begin_epoch(0)
    train(learner, steps, seed)
    learner.average(is_last=False)
    learner.network.eval()
    with torch.no_grad():
        features = learner.network(small.pictures(6, seed)).main
    for i, class_id in enumerate(class_ids):
        learner.network.prototypes.learn(class_id, features[i == Y])


def s2_gradients(learner: Learner) -> dict[str, float]:
    named = learner.network.s2["current"].named_parameters()
    return {name: 0.0 if p.grad is None else float(p.grad.abs().max()) for name, p in named}


def test_repaired_prompts_all_get_gradients_by_the_second_step_and_vary_over_pictures():
    learner = small.learner(weight_regularisation=0.0)
    learner.begin_task(CLASSES, 1)
    train(learner, 2)
    assert all(size > 0 for size in s2_gradients(learner).values()), s2_gradients(learner)
    tokens = learner.network.backbone.stem(small.pictures(4))
    prompts = learner.network.s2["current"][0](tokens.x)
    assert float(prompts.detach().std(0).max()) > 0


def test_official_prompts_never_leave_their_saddle():
    learner = small.learner("paper", weight_regularisation=0.0)
    learner.begin_task(CLASSES, 1)
    train(learner, 3)
    sizes = s2_gradients(learner)
    assert all(sizes[n] == 0 for n in sizes if "token_mix" in n or n.endswith("norm.weight"))
    assert any(sizes[n] > 0 for n in sizes if n.endswith("norm.bias"))


def test_the_linear_fusion_is_the_official_one_without_its_dead_weights():
    paper, linear = small.network("paper"), small.network("paper", fusion="linear")
    shared = {
        k: v
        for k, v in paper.state_dict().items()
        if not k.startswith(("fusion.query", "fusion.key"))
    }
    linear.load_state_dict(shared, strict=True)
    images = small.pictures(4)
    with torch.no_grad():
        assert torch.allclose(paper(images).main, linear(images).main, rtol=0, atol=1e-14)


@pytest.mark.parametrize("fusion", ["linear", "section_attention"])
def test_every_trainable_weight_gets_a_gradient_when_repaired(fusion):
    learner = small.learner(fusion=fusion)
    learner.begin_task(CLASSES, 1)
    train(learner, 3)
    live = learner.network.live_parameters()
    dead = [name for name, p in live.items() if p.grad is None or not p.grad.abs().max() > 0]
    assert not dead


def test_prompts_of_the_last_block_change_nothing_so_the_repaired_ones_leave_them_out():
    official, repaired = small.network("paper"), small.network()
    assert len(official.s2["current"]) == official.backbone.depth
    assert len(repaired.s2["current"]) == repaired.backbone.depth - 1
    images = small.pictures(3)
    with torch.no_grad():
        before = official(images).s2
        for p in official.s2["current"][-1].parameters():
            p.add_(1.0)
        assert torch.equal(official(images).s2, before)


def test_official_query_and_key_get_no_gradient():
    learner = small.learner("paper", weight_regularisation=0.0)
    learner.begin_task(CLASSES, 1)
    train(learner, 2)
    assert float(learner.network.fusion.query.weight.grad.abs().max()) == 0
    assert float(learner.network.fusion.key.weight.grad.abs().max()) == 0


def test_the_live_regulariser_holds_every_live_parameter_and_waits_for_a_previous_task():
    learner = small.learner()
    learn_task(learner, CLASSES, 0)
    assert learner.anchors == {}
    learner.begin_task((3, 4, 5), 1)
    assert learner.anchors.keys() == learner.network.live_parameters().keys()
    official = small.learner("paper")
    official.begin_task(CLASSES, 1)
    assert official.anchors
    assert all(name.endswith("weight") for name in official.anchors)


def test_the_regulariser_is_the_squared_distance_to_the_previous_task():
    learner = small.learner()
    learn_task(learner, CLASSES, 0)
    before = {n: p.detach().clone() for n, p in learner.network.live_parameters().items()}
    learner.begin_task((3, 4, 5), 1)
    train(learner, 2, seed=1)
    terms = learner.losses(learner.forward(small.pictures(6, 1), Y))
    by_hand = sum(
        float(((p.detach() - before[n]) ** 2).sum())
        for n, p in learner.network.live_parameters().items()
    )
    assert float(terms["regularisation"].detach()) == pytest.approx(by_hand, rel=1e-12)


def test_an_undefined_term_is_left_out_and_counted_and_a_non_finite_one_stops_the_run():
    learner = small.learner()
    learner.begin_task(CLASSES, 1)
    terms = learner.losses(learner.forward(small.pictures(3), torch.arange(3)))
    assert "mutual_information" not in terms
    assert "orthogonality" not in terms
    assert learner.skipped == 3  # and no previous task to regularise towards
    with torch.no_grad():
        learner.network.fusion.value.bias.fill_(torch.nan)
    terms = learner.losses(learner.forward(small.pictures(6), Y))
    with pytest.raises(WorkbenchError, match="'cross_entropy_hybrid' became nan in task 1"):
        Watch().see(0, numbers(terms))


def test_the_official_code_counts_an_undefined_term_as_zero():
    learner = small.learner("paper")
    learner.begin_task(CLASSES, 1)
    terms = learner.losses(learner.forward(small.pictures(3), torch.arange(3)))
    assert float(terms["mutual_information"]) == 0


def test_the_total_is_the_weighted_sum():
    learner = small.learner(
        weight_mutual_information=0.3, weight_orthogonality=0.2, weight_regularisation=0.1
    )
    learn_task(learner, CLASSES, 0)
    learner.begin_task((3, 4, 5), 1)
    terms = {n: float(t.detach()) for n, t in train(learner, 2, seed=1).items()}
    by_hand = sum(terms[f"cross_entropy_{name}"] for name in ("s1", "s2", "hybrid"))
    by_hand += (
        0.3 * terms["mutual_information"]
        + 0.2 * terms["orthogonality"]
        + 0.1 * terms["regularisation"]
    )
    assert terms["total"] == pytest.approx(by_hand, rel=1e-12)


def test_refitting_the_fusion_lowers_its_loss_on_the_averaged_section_and_touches_nothing_else():
    learner = small.learner(refit_epochs=30)
    learner.begin_task(CLASSES, 1)
    learner.begin_epoch(0)
    train(learner, 10)
    learner.average(is_last=False)
    network = learner.network.eval()
    with torch.no_grad():
        features = network(small.pictures(6))
    others = {k: v.clone() for k, v in network.state_dict().items() if not k.startswith("fusion")}

    def loss():
        with torch.no_grad():
            return float(
                F.cross_entropy(learner.proxy(network.fusion(features.s1, features.s2)), Y)
            )

    before = loss()
    learner.refit_fusion(
        features.s1.detach(), features.s2.detach(), Y, torch.Generator().manual_seed(0)
    )
    assert loss() < before
    assert all(torch.equal(v, network.state_dict()[k]) for k, v in others.items())


def test_the_slow_copy_is_the_mean_over_tasks_and_the_last_step_is_a_switch():
    learner = small.learner("paper")
    history = []
    for task in range(3):
        learn_task(learner, (3 * task, 3 * task + 1, 3 * task + 2), task)
        history.append([p.detach().clone() for p in learner.network.s1["current"].parameters()])
    for i, slow in enumerate(learner.network.s1["ema"].parameters()):
        assert torch.allclose(slow, sum(now[i] for now in history) / 3, rtol=0, atol=1e-14)
    assert learner.average(is_last=True) is False
    assert small.learner("repaired", made=learner.network).switches["ema_last_task"] == "include"


def test_drift_compensation_recovers_a_common_movement_exactly():
    generator = torch.Generator().manual_seed(0)
    before = torch.randn(20, 8, generator=generator, dtype=torch.float64)
    shift = torch.randn(8, generator=generator, dtype=torch.float64)
    moved = drift_of(
        torch.randn(3, 8, generator=generator, dtype=torch.float64), before, before + shift
    )
    assert torch.allclose(moved, shift.expand(3, 8), atol=1e-12)


def test_the_official_increment_takes_empty_rows_for_old_prototypes():
    official = small.learner("paper", old_prototypes="fixed_increment", fixed_increment=5)
    official.begin_task(tuple(range(7)), 1)
    assert official.old_ids.tolist() == [0, 1]
    sound = small.learner("paper")
    sound.begin_task(tuple(range(7)), 1)
    assert sound.old_ids.tolist() == []


def test_a_class_met_again_is_not_old_and_its_prototype_is_the_mean_of_all_its_pictures():
    learner = small.learner()
    learn_task(learner, CLASSES, 0)
    first = learner.network.prototypes.weight[1].clone()
    learner.begin_task((1, 3, 4), 1)
    assert learner.old_ids.tolist() == [0, 2]
    features = torch.randn(4, learner.network.width, dtype=torch.float64)
    learner.network.prototypes.learn(1, features)
    expected = (2 * first + features.sum(0)) / 6
    assert torch.allclose(learner.network.prototypes.weight[1], expected, atol=1e-12)


def test_the_frozen_copy_drops_units_only_under_the_official_switch():
    model = ModelConfig(bottleneck=4, prompt_tokens=3, dropout=0.5)
    for profile, same in (("repaired", True), ("paper", False)):
        network = small.network(profile, model)
        with torch.no_grad():
            for p in network.s1["ema"].parameters():
                p.add_(0.1)
        network.train()
        tokens = network.backbone.stem(small.pictures(4))
        twice = [network.frozen_sections(tokens)["s1"][-1] for _ in range(2)]
        assert torch.equal(*twice) is same


@pytest.mark.parametrize("branch", ["s1", "s2"])
def test_one_branch_alone_learns_with_its_cross_entropy(branch):
    made = small.network(model=ModelConfig(bottleneck=4, prompt_tokens=3, branches=branch))
    learner = small.learner(made=made)
    learner.begin_task(CLASSES, 1)
    terms = train(learner, 2)
    assert terms.keys() == {f"cross_entropy_{branch}", "total"}
    assert made(small.pictures(2)).main.shape == (2, 3 * small.WIDTH)


@pytest.mark.parametrize("profile", ["repaired", "paper"])
def test_a_step_asks_the_device_for_nothing(profile: str) -> None:
    learner = small.learner(profile)
    learn_task(learner, CLASSES, 0)
    learner.begin_task((3, 4, 5), 1)
    asked: list[str] = []

    class Asking(TorchDispatchMode):
        """Hears what a GPU would be waited for: a number of it, or a shape that depends on its numbers."""

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            name = func.name()
            number = "_local_scalar_dense" in name
            shape = any(part in name for part in ("nonzero", "masked_select", "equal"))
            of_floats = any(torch.is_tensor(each) and each.is_floating_point() for each in args)
            masked = name.startswith("aten::index.") and any(
                each is not None and each.dtype == torch.bool for each in args[1]
            )
            if number or (shape and of_floats) or masked:
                asked.append(name)
            return func(*args, **(kwargs or {}))

    with Asking():
        terms = learner.losses(learner.forward(small.pictures(6), Y))
        learner.backward(terms)
        learner.step()
    assert {"mutual_information", "orthogonality", "regularisation"} <= terms.keys()
    assert not asked


def test_under_the_official_switch_a_term_that_overflows_counts_as_zero_and_pulls_at_nothing() -> (
    None
):
    def pulled(far: float) -> dict[str, torch.Tensor]:
        learner = small.learner("paper")
        learn_task(learner, CLASSES, 0)
        learner.begin_task((3, 4, 5), 1)
        learner.anchors = {name: a + far for name, a in learner.anchors.items()}
        terms = learner.losses(learner.forward(small.pictures(6), Y))
        assert float(terms["regularisation"].detach()) == 0
        learner.backward(terms)
        learner.step()
        return {n: p.grad for n, p in learner.network.live_parameters().items()}

    overflowing, left_out = pulled(1e200), pulled(0.0)
    assert overflowing.keys() == left_out.keys()
    for name, gradient in left_out.items():
        assert torch.equal(gradient, overflowing[name]), name


def test_numbers_of_any_precision_are_read_as_they_are():
    terms = {"a": torch.tensor(0.1), "b": torch.tensor([2.5], dtype=torch.float64)}
    assert numbers(terms) == {"a": torch.tensor(0.1).item(), "b": 2.5}
