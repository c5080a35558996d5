"""How long a forecast of the sample's last task takes, and how it compares with what training it does.

Trains the sample's quick length twice, with and without the last task of the order: the first run is
forecast from, the second one's training of the last task is what happened (before the averaging
step). Cosine over all old logits, Spearman's rank correlation over old tasks and classes.

    python -m tests.benchmarks.bench_forecast [--seed S] [--order 1 2 3 4 5]
"""

import argparse
import dataclasses
import sys
import time
from tempfile import TemporaryDirectory

import torch

from workbench.config import RunConfig, SeedConfig
from workbench.core import gaps, scores
from workbench.core.adapter_file import load_adapter
from workbench.core.card import load_network
from workbench.core.forecast import Learnt
from workbench.core.glimpse import PICTURES, Glimpse, look_at
from workbench.core.network import Network
from workbench.core.newcomer import movement, new_task, planned
from workbench.core.steps import result_of
from workbench.paths import run_folder
from workbench.report import Forecast, OrderStudy
from workbench.session import Session


def main() -> None:
    """Print the times and the scores."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--order", type=int, nargs=5, default=[1, 2, 3, 4, 5])
    chosen = options.parse_args()
    with TemporaryDirectory() as home:
        session = Session(home)
        config = session.sample_config()
        tasks = tuple(config.data.tasks[place - 1] for place in chosen.order)
        seeds = SeedConfig(*[chosen.seed] * len(dataclasses.fields(SeedConfig)))
        config = dataclasses.replace(config, seeds=seeds)
        before = _trained(session, config, tasks[:4])
        _time(session, before, config, tasks)
        after = _trained(session, config, tasks)
        _compare(session, config, tasks, before, after)
        session.close()


def _trained(session: Session, config: RunConfig, tasks: tuple) -> str:
    data = dataclasses.replace(config.data, tasks=tasks)
    run = session.start(dataclasses.replace(config, data=data))
    assert run.work() == "finished"
    return run.id


def _time(session: Session, run: str, config: RunConfig, tasks: tuple) -> None:
    for text, items, kind in (
        ("forecast", session.forecast(run, tasks[4]), Forecast),
        ("order", session.order(config), OrderStudy),
    ):
        began = time.perf_counter()
        found = [item for item in items if isinstance(item, kind)]
        say(f"{text}: {time.perf_counter() - began:.1f} s  {found[0].sentence}")


def _compare(session: Session, config: RunConfig, tasks: tuple, before: str, after: str) -> None:
    network, moved_network = (_network(session, before) for _ in range(2))
    tensors, _ = load_adapter(run_folder(session.home, after) / "adapter")
    live = {k: v for k, v in tensors.items() if ".current." in k or k.startswith("fusion.")}
    moved_network.load_state_dict(live, strict=False)
    rule = network.prototypes.rule().double()
    known = session.details(before).tasks
    old = [Learnt(t, tuple(k["classes"]), tuple(k["class_ids"])) for t, k in zip(tasks, known, strict=False)]  # fmt: skip
    seen, now = (
        [_glimpse(each, config, task.folder, number) for number, task in enumerate(old)]
        for each in (network, moved_network)
    )
    new = _glimpse(network, config, tasks[4], 4)
    candidate = new_task(new, *planned(config, len(new.train_labels)))
    labels = [[t.class_ids[i] for i in g.train_labels.tolist()] for t, g in zip(old, seen, strict=True)]  # fmt: skip
    measured = [rule(b.train.main) - rule(a.train.main) for a, b in zip(seen, now, strict=True)]
    logits = [rule(g.train.main) for g in seen]
    for kind in ("planned", "ridge"):
        guess = [getattr(movement(g.train, rule, candidate), kind) for g in seen]
        sizes = [
            [gaps.interplay([d], [g]).value or 0.0 for d, g in zip(side, logits, strict=True)]
            for side in (guess, measured)
        ]
        classes = [list(scores.class_movement(side, labels).values()) for side in (guess, measured)]
        say(
            f"{kind}: cosine {gaps.drift_cosine(guess, measured).value:.3f}, rank over tasks "
            f"{scores.rank_correlation(*sizes).value:.2f}, over classes {scores.rank_correlation(*classes).value:.2f}; "
            f"mean disturbance {sum(sizes[0]) / 4:.4f}, measured {sum(sizes[1]) / 4:.4f}"
        )


def _network(session: Session, run: str) -> Network:
    return result_of(load_network(run_folder(session.home, run) / "adapter", session.home, torch.device("cpu")))[0]  # fmt: skip


def _glimpse(network: Network, config: RunConfig, folder: object, number: int) -> Glimpse:
    return result_of(look_at(network, folder, config, PICTURES, number))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
