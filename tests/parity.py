"""Replay a recorded trajectory of the official NTK-CL arithmetic and compare every quantity.

    python -m tests.parity PATH_WITHOUT_SUFFIX [...]

A fixture is NAME.json (settings, batches, losses) and NAME.safetensors (float64 tensors). Prints
the largest relative error of each kind of quantity; exits with 0 only if all hold the tolerance.

The official code removes its hard-coded 40 directions, most of them arbitrary null-space vectors,
while a fixture may hold only the first few of them: then the recorded losses do not follow from the
recorded basis. The basis is therefore taken from whichever of these explains a task's first recorded
orthogonality loss: the fixture; NAME.basis.safetensors, the completion kept beside it so that the
result does not hang on this machine's solver; the singular vectors computed here.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from workbench.config import MethodConfig, ModelConfig, RunConfig, TrainConfig, effective_switches
from workbench.core.backbone import Backbone, create
from workbench.core.learner import Batch, Learner
from workbench.core.losses import leading_directions, signed_residual
from workbench.core.network import Features, Network

TOLERANCE = 1e-8
OFFICIAL_RANK = 40


def compare(path: str | Path) -> dict[str, float]:
    """Return the largest relative error for each kind of quantity of the fixture at `path`."""
    recorded = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    tensors = load_file(f"{path}.safetensors")
    completion = Path(f"{path}.basis.safetensors")
    if completion.exists():
        tensors |= {f"completed.{name}": value for name, value in load_file(completion).items()}
    learner = _learner(recorded, tensors)
    errors: dict[str, float] = defaultdict(float)
    seen: list[Tensor] = []
    for t, task in enumerate(recorded["tasks"]):
        seen.append(tensors[f"task{t}.test.images"])
        _train(learner, task, t, recorded, tensors, errors)
        is_last = t == len(recorded["tasks"]) - 1
        _end(learner, task, t, is_last, tensors, errors)
        _evaluate(learner.network, t, torch.cat(seen), tensors, errors)
    return dict(errors)


def _learner(recorded: dict, tensors: dict[str, Tensor]) -> Learner:
    size, heads, width = recorded["image_size"], recorded["heads"], recorded["width"]
    vit = create(
        "vit_tiny_patch16_224", None, img_size=size, patch_size=recorded["patch_size"],
        embed_dim=width, depth=recorded["depth"], num_heads=heads,
    )  # fmt: skip
    vit.double().load_state_dict(_named(tensors, "backbone."), strict=True)
    model = ModelConfig(
        use_pretrained_section=recorded["use_pretrained_section"], bottleneck=recorded["bottleneck"],
        prompt_tokens=recorded["prompt_tokens"], adapter_scale=recorded["adapter_scale"],
        dropout=recorded["dropout"], alpha=recorded["alpha"], beta=recorded["beta"], gamma=recorded["gamma"],
    )  # fmt: skip
    method = MethodConfig(
        profile="paper",
        weight_mutual_information=recorded["weight_mutual_information"],
        weight_orthogonality=recorded["weight_orthogonality"],
        weight_regularisation=recorded["weight_regularisation"],
        mi_temperature=recorded["mi_temperature"], orthogonality_rank=recorded["orthogonality_rank"],
    )  # fmt: skip
    training = TrainConfig(
        batch_size=recorded["batch_size"], learning_rate=recorded["learning_rate"],
        momentum=recorded["momentum"], weight_decay=recorded["weight_decay"],
    )  # fmt: skip
    switches = effective_switches(RunConfig(method=method))
    network = Network(Backbone(vit), model, switches).double()
    own = network.state_dict()
    missing = (
        own.keys() - network.load_state_dict(_named(tensors, "init."), strict=False).missing_keys
    )
    assert missing == _named(tensors, "init.").keys(), (
        "the fixture and the network name different tensors"
    )
    return Learner(network, method, switches, training, torch.Generator())


def _train(
    learner: Learner,
    task: dict,
    t: int,
    recorded: dict,
    tensors: dict[str, Tensor],
    errors: dict[str, float],
) -> None:
    learner.begin_task(tuple(task["classes"]), recorded["epochs"])
    with torch.no_grad():
        learner.proxy.weight.copy_(tensors[f"task{t}.proxy.weight"])
    images, labels = tensors[f"task{t}.train.images"], tensors[f"task{t}.train.labels"]
    local = {class_id: i for i, class_id in enumerate(task["classes"])}
    for number, step in enumerate(task["steps"]):
        lr = learner.begin_epoch(step["epoch"])
        _track(errors, "learning rate", torch.tensor(lr), torch.tensor(step["lr"]))
        y = torch.tensor([local[int(label)] for label in labels[step["indices"]]])
        old = torch.tensor(step["old_prototypes"], dtype=torch.int64)
        batch = learner.forward(images[step["indices"]], y, old)
        if number == 0:
            learner.basis = _basis(learner, batch, step["orthogonality"], t, tensors)
        terms = learner.losses(batch)
        for name, value in terms.items():
            _track(
                errors,
                f"loss {name}",
                value.detach(),
                torch.tensor(step[name], dtype=torch.float64),
            )
        learner.backward(terms)
        learner.step()
    _track(errors, "proxy", learner.proxy.weight, tensors[f"task{t}.proxy.weight_after"])
    _track(errors, "proxy", learner.proxy.sigma, tensors[f"task{t}.proxy.sigma_after"])


def _basis(
    learner: Learner, batch: Batch, loss: float, t: int, tensors: dict[str, Tensor]
) -> Tensor:
    recorded = tensors[f"task{t}.orthogonality_basis"]
    rows = learner.network.prototypes.weight
    candidates = [recorded, leading_directions(rows, OFFICIAL_RANK, all_rows=True)]
    candidates[1:1] = [
        b for n, b in tensors.items() if n == f"completed.task{t}.orthogonality_basis"
    ]

    def miss(basis: Tensor) -> float:
        branches = [z.detach() for name, z in batch.features.each() if name != "hybrid"]
        return abs(float(signed_residual(branches, basis)) - loss)

    best = min(candidates, key=miss)
    # whatever explains the loss must contain the recorded directions, up to their signs
    assert torch.allclose(best @ (best.T @ recorded), recorded, atol=1e-8)
    return best


def _end(
    learner: Learner,
    task: dict,
    t: int,
    is_last: bool,
    tensors: dict[str, Tensor],
    errors: dict[str, float],
) -> None:
    network = learner.network
    learner.average(is_last=is_last)
    network.eval()
    state = network.state_dict()
    for name, value in _named(tensors, f"task{t}.after.").items():
        kind = "fusion" if name.startswith("fusion") else " ".join(name.split(".")[:2])
        _track(errors, kind, state[name], value)
    with torch.no_grad():
        features = network(tensors[f"task{t}.train.images"]).main
    for class_id in task["classes"]:
        network.prototypes.learn(class_id, features[tensors[f"task{t}.train.labels"] == class_id])
    _track(errors, "prototypes", network.prototypes.weight, tensors[f"task{t}.prototypes"])


def _evaluate(
    network: Network, t: int, images: Tensor, tensors: dict[str, Tensor], errors: dict[str, float]
) -> None:
    with torch.no_grad():
        features: Features = network(images)
        for name, z in features.each():
            _track(errors, f"test features {name}", z, tensors[f"task{t}.test_features.{name}"])
            _track(
                errors,
                f"test logits {name}",
                network.prototypes(z),
                tensors[f"task{t}.test_logits.{name}"],
            )


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _track(errors: dict[str, float], kind: str, ours: Tensor, theirs: Tensor) -> None:
    scale = max(float(theirs.abs().max()), 1e-12)
    error = float((ours.detach() - theirs).abs().max()) / scale if ours.numel() else 0.0
    errors[kind] = max(errors[kind], error) if error == error else float("inf")


def main(paths: list[str]) -> int:
    if not paths:
        sys.stderr.write((__doc__ or "").split("\n\n")[1] + "\n")
        return 2
    worst = 0.0
    for path in paths:
        sys.stdout.write(f"{path}\n")
        for kind, error in sorted(compare(path).items()):
            worst = max(worst, error)
            sys.stdout.write(
                f"  {kind:28} {error:9.1e} {'ok' if error <= TOLERANCE else 'FAILS'}\n"
            )
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
