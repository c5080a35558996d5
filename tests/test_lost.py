"""Forgetting taken apart: brute force over a made-up passage, and exact sums on a real run."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.test_monitor import EVERYTHING, TASKS, feeder, measured, run_of, train_one
from tests.tiny import tiny_learner, tiny_network
from workbench.core.discriminant import DiscriminantHead
from workbench.core.gaps import Value
from workbench.core.heads import PrototypeHead
from workbench.core.lost import CAUSES, Answers, Losses, Passage, mean_of
from workbench.core.monitor import Monitor
from workbench.core.pace import Pacer
from workbench.core.probe import draw_task
from workbench.events import Measured

VOTES = (0.3, 0.1)


def head(rows: Tensor) -> PrototypeHead:
    made = PrototypeHead(rows.shape[1], VOTES)
    made.weight, made.counts = rows, (rows.abs().sum(1) > 0).long()
    return made


def passage(seed: int = 0, tasks: int = 2) -> tuple[Passage, Answers, Answers]:
    chance = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=chance, dtype=torch.float64)

    labels = [torch.randint(4, (12,), generator=chance) for _ in range(tasks)]
    before = noise(4, 8)
    after = torch.cat([before + 0.3 * noise(4, 8), noise(2, 8)])
    base = [before[y] + 1.5 * noise(12, 8) for y in labels]
    steps = [base]
    for size in (0.6, 0.4, 0.2):
        steps.append([z + size * noise(12, 8) for z in steps[-1]])
    return Passage(*steps, labels), Answers.of(head(before)), Answers.of(head(after))


def by_hand(rows: Tensor, features: Tensor, labels: Tensor) -> float:
    """Nearest prototype by the vote of cosines, one picture and one class at a time."""
    right = 0
    for z, y in zip(features, labels, strict=True):
        votes = [
            sum(v * torch.cosine_similarity(a, b, dim=0) for v, a, b in zip(VOTES, z.chunk(2), w.chunk(2), strict=True))
            for w in rows
        ]  # fmt: skip
        right += int(max(range(len(votes)), key=lambda c: float(votes[c])) == int(y))
    return right / len(labels)


def test_each_cause_is_the_fall_that_brute_force_finds_and_they_add_up_exactly() -> None:
    way, before, now = passage()
    losses = Losses()
    losses.learn()
    losses.learn()
    told = losses.add(way, before, now)
    old, new = before.head.weight, now.head.weight
    mixed = torch.cat([old, new[4:]])
    for task, labels in enumerate(way.labels):
        scores = [
            by_hand(old, way.before[task], labels), by_hand(mixed, way.before[task], labels),
            by_hand(mixed, way.trained[task], labels), by_hand(mixed, way.averaged[task], labels),
            by_hand(new, way.settled[task], labels),
        ]  # fmt: skip
        for cause, high, low in zip(CAUSES, scores, scores[1:], strict=False):
            assert abs(told[task][cause].value - (high - low)) < 1e-15
        assert abs(told[task]["total"].value - (scores[0] - scores[-1])) < 1e-15


def test_what_a_discriminant_loses_to_competition_is_what_new_classes_take_in_the_metric_of_before() -> (
    None
):
    """Against distances by hand: the new classes' means beside the old ones, and nothing else as it is later."""
    chance = torch.Generator().manual_seed(3)
    x = torch.randn(60, 8, generator=chance, dtype=torch.float64)
    x[:, 0] *= 5
    labels = torch.arange(6).repeat(10)
    x += torch.randn(6, 8, generator=chance, dtype=torch.float64)[labels]
    heads = []
    made = DiscriminantHead(8, VOTES).double()
    for classes in ((0, 1, 2, 3), (4, 5)):
        made.grow(max(classes) + 1)
        for label in classes:
            made.learn(label, x[labels == label])
        made.settle()
        heads.append(Answers.of(made))
    before, now = heads
    old = labels < 4
    metric = (before.head.scatter + before.head.ridge * torch.eye(8).double()).inverse()

    def right(classes: int) -> float:
        apart = x[old][:, None] - now.head.weight[:classes]
        nearest = torch.einsum("ncd,de,nce->nc", apart, metric, apart).argmin(1)
        return float((nearest == labels[old]).double().mean())

    losses = Losses()
    losses.learn()
    still = [x[old]]
    told = losses.add(Passage(still, still, still, still, [labels[old]]), before, now)[0]
    assert told["competition"].value == pytest.approx(right(4) - right(6), abs=1e-12)
    assert told["competition"].value > 0
    assert told["training"].value == told["ema"].value == 0
    kept = float((now.head(x[old]).argmax(1) == labels[old]).double().mean())
    assert told["total"].value == pytest.approx(right(4) - kept, abs=1e-12)


def test_passages_add_up_and_their_mean_is_over_tasks() -> None:
    losses = Losses()
    losses.learn()
    losses.learn()
    first = losses.add(*passage(0))
    second = losses.add(*passage(1))
    alone = Losses()
    alone.learn()
    alone.learn()
    only = alone.add(*passage(1))
    for task in range(2):
        for name in (*CAUSES, "total"):
            expected = first[task][name].value + only[task][name].value
            assert abs(second[task][name].value - expected) < 1e-15
    mean = mean_of(second)
    assert mean["total"].value == (second[0]["total"].value + second[1]["total"].value) / 2


def test_what_cannot_be_said_stays_absent_with_its_reason() -> None:
    way, before, now = passage()
    broken = [way.trained[0] * torch.nan, way.trained[1]]
    empty = [way.labels[0], way.labels[1][:0]]
    for changed, reason in (
        (Passage(way.before, broken, way.averaged, way.settled, way.labels), "not finite"),
        (Passage(*([z[0], z[1][:0]] for z in (way.before, way.trained, way.averaged, way.settled)), empty), "no test pictures"),
    ):  # fmt: skip
        losses = Losses()
        losses.learn()
        losses.learn()
        told = losses.add(changed, before, now)
        absent = [each for each in told if each["total"].value is None]
        assert len(absent) == 1
        assert reason in absent[0]["total"].reason
        assert reason in mean_of(told)["total"].reason
        later = losses.add(way, before, now)  # an account with a hole stays without a sum
        assert sum(each["total"].value is None for each in later) == 1
    assert mean_of([]) == dict.fromkeys(
        (*CAUSES, "total"), Value(None, "there is no earlier task yet")
    )


def test_on_a_real_run_the_parts_add_up_to_the_accuracy_lost_on_the_probe() -> None:
    network = tiny_network()
    events, _ = run_of(network, EVERYTHING)
    for total in measured(events, "lost.total"):
        same = [
            e for e in events
            if isinstance(e, Measured) and e.name.startswith("lost.") and e.name != "lost.total"
            and (e.task, e.other) == (total.task, total.other)
        ]  # fmt: skip
        assert len(same) == 4
        if total.task:
            assert abs(sum(e.value for e in same) - total.value) < 1e-12
        else:
            assert total.reason == "there is no earlier task yet"
    assert {(e.task, e.other) for e in measured(events, "lost.total")} == {
        (0, None), (1, None), (1, 0), (2, None), (2, 0), (2, 1),
    }  # fmt: skip


@pytest.mark.parametrize("answers", ["cosines", "discriminant", "random_projection", "ensemble"])
def test_the_last_total_is_the_fall_of_the_probes_accuracy_since_each_task_was_learnt(
    answers: str,
) -> None:
    """The accuracy right after a task, and at the end, asked of the network itself."""
    network, seen, size = tiny_network(answers=answers), feeder(), EVERYTHING.probe_per_task
    learner, monitor = tiny_learner(network), Monitor(EVERYTHING, 0, Pacer(1, 1000))
    probes = [draw_task(item, number, size, 0).test for number, item in enumerate(TASKS)]

    def accuracy(task: int) -> float:
        network.eval()
        with torch.no_grad():
            logits = network.prototypes(network(seen.plain(np.array(probes[task].indices))).main)
        logits[:, network.prototypes.counts == 0] = -torch.inf
        return float((logits.argmax(1) == torch.tensor(probes[task].labels)).double().mean())

    events, learnt = list(monitor.plan(learner, TASKS)), []
    for number, item in enumerate(TASKS):
        events += train_one(network, learner, seen, monitor, item, number)
        learnt.append(accuracy(number))
    last = [e for e in measured(events, "lost.total") if e.task == 2 and e.other is not None]
    assert len(last) == 2
    for total in last:
        assert abs(total.value - (learnt[total.other] - accuracy(total.other))) < 1e-12
