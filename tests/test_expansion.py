"""A network and a head that grow with each task, in float64 against what numpy and plain steps make of the same."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests import small
from workbench.config import MethodConfig, ModelConfig, TrainConfig
from workbench.core.adapters import adapted
from workbench.core.backbone import Backbone
from workbench.core.expanding import ExpandingNetwork
from workbench.core.expansion import ExpandingHead, synthesised
from workbench.core.heads import ProxyHead
from workbench.core.method import Method
from workbench.core.rules import OwnCosines
from workbench.errors import UsageError

D, ALPHA = 5, 0.3
# the classes of four tasks; class 1 is met again in the third
TASKS = ((0, 1), (2, 3, 4), (5, 1), (6, 7))
SETTINGS = {"branches": "expanding", "use_pretrained_section": False}


def pictures_of(task: int) -> Iterator[tuple[int, Tensor]]:
    """Each class's features (n, (task + 1) D) after a 0-based task."""
    generator = torch.Generator().manual_seed(task)
    for label in TASKS[task]:
        shape = 3 + label, (task + 1) * D
        yield label, torch.randn(*shape, generator=generator, dtype=torch.float64) + label


def head_after(tasks: int) -> ExpandingHead:
    head = ExpandingHead(D, ALPHA).double()
    for task in range(tasks):
        head.widen(task + 1)
        head.grow(max(TASKS[task]) + 1)
        for label, features in pictures_of(task):
            head.learn(label, features)
        head.settle()
    return head


def means_by_hand(tasks: int) -> dict[tuple[int, int], np.ndarray]:
    """The mean of class a in block k, by (a, k): of the pictures seen through that task's adapters, else synthesised."""
    seen: dict[tuple[int, int], list[np.ndarray]] = {}
    home: dict[int, int] = {}
    for task in range(tasks):
        for label, features in pictures_of(task):
            home.setdefault(label, task)
            for block, part in enumerate(np.split(features.numpy(), task + 1, axis=1)):
                seen.setdefault((label, block), []).append(part)
    real = {key: np.concatenate(parts).mean(0) for key, parts in seen.items()}
    found = dict(real)
    for label, o in home.items():
        for n in range(tasks):
            if (label, n) in real:
                continue
            others = [j for j in home if (j, n) in real and (j, o) in real]
            alike = [
                real[label, o] @ real[j, o] / np.linalg.norm(real[label, o]) / np.linalg.norm(real[j, o])
                for j in others
            ]  # fmt: skip
            shares = np.exp(alike) / np.exp(alike).sum()
            found[label, n] = sum(s * real[j, n] for s, j in zip(shares, others, strict=True))
    return found


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
def test_means_are_those_of_the_pictures_or_synthesised_by_how_alike_classes_are(
    tasks: int,
) -> None:
    head, wanted = head_after(tasks), means_by_hand(tasks)
    blocks = head.weight.view(len(head.counts), tasks, D).numpy()
    assert set(wanted) == {(a, k) for a in range(len(blocks)) for k in range(tasks)}
    for (label, block), mean in wanted.items():
        np.testing.assert_allclose(blocks[label, block], mean, rtol=1e-12, atol=1e-12)


def test_synthesis_by_one_sentence_of_the_paper_with_round_numbers() -> None:
    """Class 0 is like class 1 in block 0 and at right angles to class 2: shares e to 1."""
    nan = torch.nan
    means = torch.tensor([[[2.0, 0], [nan, nan]], [[5, 0], [10, 0]], [[0, 1], [0, 20]]])
    seen, home = torch.tensor([[4, 0], [9, 9], [1, 1]]), torch.tensor([0, 1, 1])
    made = synthesised(means, seen, home)[0, 1]
    share = np.e / (np.e + 1)
    np.testing.assert_allclose(made, [10 * share, 20 * (1 - share)], rtol=1e-6)


@pytest.mark.parametrize("tasks", [1, 2, 4])
def test_the_own_block_counts_fully_and_the_others_together_alpha(tasks: int) -> None:
    head, means = head_after(tasks), means_by_hand(tasks)
    m = torch.randn(6, tasks * D, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    found = head(m).numpy()
    first = {label: t for t in reversed(range(tasks)) for label in TASKS[t]}
    for i, parts in enumerate(m.view(6, tasks, D).numpy()):
        for label in range(len(head.counts)):
            logit = 0.0
            for block, part in enumerate(parts):
                w = means[label, block]
                cosine = part @ w / np.linalg.norm(part) / np.linalg.norm(w)
                logit += cosine if block == first[label] else ALPHA / (tasks - 1) * cosine
            assert found[i, label] == pytest.approx(logit, rel=1e-12, abs=1e-12)


def test_slopes_are_the_gradient_of_the_logits_and_copies_stay() -> None:
    head = head_after(3)
    rule = head.rule()
    m = torch.randn(3, 3 * D, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    some, copied = rule.of([4, 1]), rule.double()
    assert isinstance(some, OwnCosines)
    assert (len(some), some.width) == (2, 3 * D)
    found, wanted = some.slopes(m), torch.autograd.functional.jacobian(some, m)
    for i in range(3):
        torch.testing.assert_close(found[i], wanted[i, :, i], rtol=1e-12, atol=1e-12)
    before = copied(m)
    head.weight.zero_()
    torch.testing.assert_close(copied(m), before, rtol=0, atol=0)


def network(**model: object) -> ExpandingNetwork:
    torch.manual_seed(2)
    chosen = ModelConfig(**{**SETTINGS, "bottleneck": 4, "dropout": 0.0, **model})
    made = ExpandingNetwork(Backbone(small.vit()), chosen, small.switches(answers="cosines"))
    return made.double()


def learner(made: ExpandingNetwork, **training: float) -> Method:
    values = {"learning_rate": 0.5, "momentum": 0.9, "weight_decay": 1e-2, **training}
    switches = small.switches(answers="cosines", ema="off")
    chance = torch.Generator().manual_seed(0)
    return Method(made, MethodConfig(), switches, TrainConfig(**values), chance)


def steps(of: Method, seed: int, count: int = 3) -> None:
    for number in range(count):
        images, labels = small.pictures(6, seed + number), torch.arange(6) % len(of.class_ids)
        of.backward(of.losses(of.forward(images, labels)))
        of.step()


@pytest.mark.parametrize("at_once", [0, 2])
def test_a_task_is_trained_as_plain_adapters_are_by_cross_entropy_alone(at_once: int) -> None:
    made = network()
    of = learner(made, at_once=at_once)
    of.begin_task((0, 1), 1)
    steps(of, 0)
    of.begin_task((2, 3, 4), 1)
    other, head = network(), ProxyHead(small.WIDTH, 3).double()
    adapters = other.adapters[0]
    adapters.load_state_dict(made.adapters[1].state_dict())
    head.load_state_dict(of.proxy.state_dict())
    plain = torch.optim.SGD(
        [*adapters.parameters(), *head.parameters()], lr=0.5, momentum=0.9, weight_decay=1e-2
    )
    for number in range(3):
        stem = other.backbone.stem(small.pictures(6, 10 + number))
        z = F.normalize(adapted(other.backbone, adapters, stem), dim=1)
        loss = F.cross_entropy(head.sigma * z @ F.normalize(head.weight, dim=1).T, torch.arange(6) % 3)  # fmt: skip
        plain.zero_grad()
        loss.backward()
        plain.step()
    steps(of, 10)
    start = {name: p.detach().clone() for name, p in network().adapters[0].named_parameters()}
    for (name, found), wanted in zip(made.adapters[1].named_parameters(), adapters.parameters(), strict=True):  # fmt: skip
        torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-13)
        assert not torch.equal(found, start[name])


def test_what_a_task_has_learnt_stays_to_the_bit_while_later_ones_train() -> None:
    made, images = network(dropout=0.3), small.pictures(4, 99)
    of = learner(made)
    kept: list[dict[str, Tensor]] = []
    features = torch.zeros(4, 0).double()
    for task, class_ids in enumerate(((0, 1), (2, 3, 4), (5, 6))):
        of.begin_task(class_ids, 1)
        assert {name.split(".")[1] for name in made.live_parameters()} == {str(task)}
        steps(of, 10 * task)
        with torch.no_grad():
            now = made.eval()(images).main
        assert now.shape == (4, (task + 1) * small.WIDTH) == (4, made.width)
        assert torch.equal(now[:, : features.shape[1]], features)
        features = now
        kept.append({n: p.detach().clone() for n, p in made.adapters[task].named_parameters()})
        for before, adapters in zip(kept, made.adapters, strict=True):
            assert all(torch.equal(before[n], p) for n, p in adapters.named_parameters())


def test_a_block_is_what_plain_adapters_make_and_untrained_it_is_the_frozen_feature() -> None:
    made, images = network(), small.pictures(4)
    made.expand(2)
    stem = made.backbone.stem(images)
    frozen = made.backbone(stem)
    with torch.no_grad():
        torch.testing.assert_close(made.eval()(images).main, torch.cat([frozen, frozen], 1))
        for parameter in made.adapters[1].parameters():
            parameter.normal_(0.0, 0.3)
        block = adapted(made.backbone, made.adapters[1], stem)
        assert not torch.allclose(block, frozen, rtol=1e-3)
        found = made(images).main
        torch.testing.assert_close(found, torch.cat([frozen, block], 1), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(made.train()(images).main, block, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("switch", "model", "said"),
    [
        ({"answers": "discriminant"}, {}, "switches.answers is 'discriminant', and"),
        ({"answers": "cosines", "prototype_drift": "compensated"}, {}, "can only be 'stale'"),
        ({"answers": "cosines"}, {"use_pretrained_section": True}, "model.use_pretrained_section is True"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_it_is_refused_with_a_way_out(
    switch: dict[str, str], model: dict[str, bool], said: str
) -> None:
    config = ModelConfig(**{**SETTINGS, **model})
    with pytest.raises(UsageError, match=said) as refusal:
        ExpandingNetwork(Backbone(small.vit()), config, small.switches(**switch))
    assert "Set method.name=ease" in str(refusal.value)
