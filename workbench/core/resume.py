"""A run's whole state into a checkpoint and back; what may differ between the two configurations."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save as save_bytes
from torch import Tensor

from workbench import __version__
from workbench.config import RunConfig, to_dict
from workbench.core import checkpoint
from workbench.core.network import Network
from workbench.core.precision import oddity
from workbench.core.running import Place, Running
from workbench.core.stacks import stacked, unstacked
from workbench.core.state import CannotKeep, Packer, Unpacker
from workbench.errors import PicturesDiffer, UsageError
from workbench.events import TaskInfo
from workbench.plugins import culprit

_FREE = ("name", "data.tasks", "data.cache_megabytes", "data.keep_features", "train.batch_size", "train.learning_rate",
         "train.device", "train.precision", "train.epochs", "train.at_once")  # fmt: skip
_SAME = ("class_ids", "class_names", "train_counts", "test_counts")
_FAULTS = (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, SafetensorError)  # fmt: skip


class ChangedPictures(PicturesDiffer):
    """The pictures are not those that the run began with; may be overruled."""


def packed(run: Running) -> tuple[dict[str, Any], bytes]:
    """Return plain values and a safetensors file's bytes that hold the run as it stands.

    Raises:
        CannotKeep: the method's learner holds something that cannot be saved; the text names it.
    """
    packer, place = Packer(_anchors(run)), run.place
    state = {
        "network": packer.pack(_own(run.network)),
        "live": sorted(run.network.live_parameters()),
        "training": run.network.training,
        **_learner(run, packer),
        "examiner": packer.pack(vars(run.examiner)),
        "monitor": packer.pack(vars(run.monitor)),
        "place": packer.pack(vars(place)),
        "streams": [packer.pack(stream.states) for stream in _streams(run)],
        "order": packer.pack(run.order.get_state()),
        "pacer": run.pacer.state(),
        "device": run.feeder.device.type,
        "precision": run.network.backbone.tier,
    }
    tensors, state["stacks"] = stacked(packer.tensors)
    head = {
        "position": {
            "task": place.task, "begun": place.begun, "epoch": place.epoch, "step": run.step, "trained": place.is_trained,
        },
        "versions": {"workbench": __version__, "torch": torch.__version__},
        "config": to_dict(run.config),
        "tasks": [_facts(task.info) for task in run.tasks.tasks],
        "state": state,
    }  # fmt: skip
    return head, save_bytes(tensors)


def restore(run: Running, path: Path, head: Mapping[str, Any]) -> list[str]:
    """Bring a newly assembled run to where the checkpoint at `path` stands; `head` is its description.

    Returns what is to be said if it goes on in another tier of precision.

    Raises:
        DamagedCheckpoint: it does not hold such a run.
        UsageError: it was made on a processor, and this run is on a GPU.
    """
    checkpoint.usable(path.parent, path.name)
    try:
        state = head["state"]
        if state["device"] == "cpu" and run.feeder.device.type != "cpu":
            raise UsageError(
                "train.device: this run was trained on the processor and can only go on there. Choose 'cpu'."
            )
        tensors, at = unstacked(load_file(path), state["stacks"]), head["position"]
        with run.initialisation:  # whose state is restored afterwards
            run.network.expand(at["task"] + at["begun"])
        own = _restored(run, state, tensors)
        run.step = int(at["step"])
        if run.place.begun:
            _adapt(run, head["config"]["train"])
        asked = head["config"]["train"]["precision"]
        said = [each for each in _other_tier(run, state["precision"], asked) if each]
    except _FAULTS as error:
        raise checkpoint.damaged(path, f"it does not hold this run ({error})") from error
    if own:  # outside: what a plug-in raises here is not the file's fault
        run.learner.load_state_dict(own)
    return said


def _other_tier(run: Running, before: str, asked: str) -> Iterator[str]:
    """Yield what is odd about the tier if it is not that of `before`, or another one was `asked` for then."""
    now, wanted = run.network.backbone.tier, run.config.train.precision
    if now != before:
        yield f"From step {run.step:,} on this run is trained in {now}, before that in {before}."
    if now != before or wanted != asked:
        yield oddity(wanted, run.feeder.device)


def _restored(
    run: Running, state: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Bring back all but what the learner says it does itself, which is returned."""
    device = run.feeder.device
    found = Unpacker(tensors, {}, device).unpack(state["network"])
    _put(run.network, found)
    for name, parameter in run.network.named_parameters():
        parameter.requires_grad_(name in state["live"])
    run.network.train(state["training"])
    unpacker = Unpacker(tensors, _anchors(run), device)
    learner = {name: unpacker.unpack(node) for name, node in state["learner"].items()}
    own = {name: unpacker.unpack(node) for name, node in state.get("own", {}).items()}
    made = vars(run.learner)
    learner |= {name: made[name] for name in own if name in made}
    for target, values in (
        (run.learner, learner),
        (run.examiner, unpacker.unpack(state["examiner"])),
        (run.monitor, unpacker.unpack(state["monitor"])),
    ):
        vars(target).clear()
        vars(target).update(values)
    run.place = Place(**unpacker.unpack(state["place"]))
    for stream, states in zip(_streams(run), state["streams"], strict=True):
        stream.states = unpacker.unpack(states)
    run.order.set_state(unpacker.unpack(state["order"]))
    run.pacer.restore(state["pacer"])
    return own


def _adapt(run: Running, training: Mapping[str, Any]) -> None:
    """Go on within a task with this configuration's epochs and learning rate, and not with those of before."""
    counts = run.tasks.tasks[run.place.task].info.train_counts
    run.learner.epochs = max(run.learner.length(run.place.task, counts).epochs, 1)
    if run.config.train.epochs > training["epochs"]:
        # Those that are added are trained also where the task had ended before its last one.
        run.place.epoch, run.place.over = training["epochs"], False
    before, now = training["learning_rate"], run.config.train.learning_rate
    if now == before:
        return
    share = now / before if before else 1.0
    run.place.lr *= share
    for group in run.learner.optimiser.param_groups:
        group["lr"] *= share


def check_config(config: RunConfig, head: Mapping[str, Any]) -> None:
    """Raise unless a run with this configuration may go on from the checkpoint.

    Raises:
        UsageError: it differs in more than batch, learning rate, device, precision, more tasks, or more epochs at the end.
    """
    now, before = to_dict(config), head["config"]
    for key, value in _flat(before).items():
        if key not in _FREE and _flat(now).get(key) != value:
            raise UsageError(
                f"{key}: this run was begun with {value!r}, not {_flat(now).get(key)!r}. "
                "Go on with the run's own settings, or start a new run."
            )
    epochs = before["train"]["epochs"]
    more = config.train.epochs != epochs
    if more and (config.train.epochs < epochs or not _behind_last_epoch(head)):
        raise UsageError(
            f"train.epochs: this run was begun with {epochs}, not {config.train.epochs}. More epochs can be added "
            "when the last task has been trained; go on with the run's own number until then."
        )


def check_tasks(
    now: Sequence[TaskInfo], head: Mapping[str, Any], *, accept_changed: bool
) -> tuple[int, ...]:
    """Return which tasks' pictures are not those of the checkpoint; tasks not begun may be quite others.

    Between two tasks others may follow than were meant to: a task of another name is not compared.

    Raises:
        ChangedPictures: pictures differ, and that is not accepted.
        PicturesDiffer: classes or numbers of pictures differ in a task that was begun.
        UsageError: what was learnt is not among the tasks, or others are to follow while one is learnt.
    """
    before, at = head["tasks"], head["position"]
    begun = at["task"] + at["begun"]
    between = not at["begun"] or _behind_last_epoch(head)
    if len(now) < begun or (len(now) != len(before) and not between):
        raise UsageError(
            f"The run was begun with {len(before)} tasks, not {len(now)}. Others can follow once the task under way "
            "has been learnt."
        )
    facts = [_facts(info) for info in now]
    pairs = list(zip(before, facts, strict=False))
    for old, new in pairs[:begun]:
        if any(old[key] != new[key] for key in _SAME):
            raise PicturesDiffer(
                f"The classes or the number of pictures of {old['name']!r} have changed since this run began to learn "
                "it, so it cannot go on. Put the pictures back, or start a new run with the same settings."
            )
    keys = ("fingerprint", *_SAME)
    meant = [n for n, (old, new) in enumerate(pairs) if n < begun or old["name"] == new["name"]]
    changed = [n for n in meant if any(pairs[n][0][key] != pairs[n][1][key] for key in keys)]
    if changed and not accept_changed:
        names = ", ".join(repr(before[n]["name"]) for n in changed)
        raise ChangedPictures(
            f"The pictures of {names} have changed since this run began. Put them back, or go on with them as they are."
        )
    return tuple(changed)


def _behind_last_epoch(head: Mapping[str, Any]) -> bool:
    """Whether all is trained, and the last task's end is still to come."""
    at = head["position"]
    return bool(at["trained"]) and at["task"] == len(head["tasks"]) - 1


def _facts(info: TaskInfo) -> dict[str, Any]:
    names = ("name", "fingerprint", "class_ids", "class_names", "train_counts", "test_counts")
    found = {name: getattr(info, name) for name in names}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for section, values in tree.items():
        inner = values if isinstance(values, Mapping) else None
        found.update({section: values} if inner is None else {f"{section}.{k}": v for k, v in inner.items()})  # fmt: skip
    return found


def _streams(run: Running) -> tuple[Any, ...]:
    return run.initialisation, run.dropout, run.feeder.augmentation


def _learner(run: Running, packer: Packer) -> dict[str, Any]:
    """Return the learner's attributes as they are, and what it says itself of the others."""
    try:
        own = dict(run.learner.state_dict())
    except (Exception, SystemExit) as error:  # a stranger's code may raise anything
        blamed = culprit(error)
        why = f"{blamed.name}: {blamed.reason.rstrip('.')}" if blamed else str(error)
        raise CannotKeep(f"its state_dict failed, {why}") from error
    attributes = {name: value for name, value in vars(run.learner).items() if name not in own}
    return {"learner": _packed(attributes, packer), "own": _packed(own, packer)}


def _packed(values: Mapping[str, Any], packer: Packer) -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        try:
            found[name] = packer.pack(value)
        except CannotKeep as error:
            raise CannotKeep(f"attribute '{name}': {error}") from error
    return found


def _own(network: Network) -> dict[str, Tensor]:
    """Return every tensor that may change."""
    live = network.live_parameters()
    return {k: v for k, v in network.state_dict().items() if k in live or not k.startswith("backbone.")}  # fmt: skip


@torch.no_grad()
def _put(network: Network, found: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    missing = {name for name in own if not name.startswith("backbone.")} - found.keys()
    if missing:
        raise ValueError(f"there is no {min(missing)}")
    for name, tensor in found.items():
        section, _, last = name.rpartition(".")
        if section.partition(".")[0] == "prototypes":  # which grow, and so do a head's members
            setattr(network.get_submodule(section), last, tensor.to(own[name].device))
        elif tensor.shape != own[name].shape or tensor.dtype != own[name].dtype:
            raise ValueError(f"{name} is {tuple(tensor.shape)}, not {tuple(own[name].shape)}")
        else:
            own[name].copy_(tensor)


def _anchors(run: Running) -> dict[str, Any]:
    """Return what a run has anyway, by name."""
    network, config = run.network, run.config
    anchors: dict[str, Any] = {
        "config": config, "switches": run.switches, "network": network, "learner": run.learner,
        "feeder": run.feeder, "pixels": run.feeder.plain, "pacer": run.pacer, "monitor": run.monitor,
        "folder": run.folder, "method": config.method, "train": config.train, "monitoring": config.monitor,
        "model": config.model,
    }  # fmt: skip
    anchors |= {f"task {n}": task for n, task in enumerate(run.tasks.tasks)}
    anchors |= {f"module {name}": module for name, module in network.named_modules() if name}
    anchors |= {f"tensor {name}": tensor for name, tensor in network.named_parameters()}
    return anchors | {f"tensor {name}": tensor for name, tensor in network.named_buffers()}
