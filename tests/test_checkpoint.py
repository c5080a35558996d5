"""Checkpoint files: written whole or not at all, refused in a sentence where they are damaged."""

import errno
import gc
import json
import os
import pickle
import struct
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.resumed import copied, recorded, small_config
from workbench.core import checkpoint
from workbench.core.backbone import create
from workbench.core.checkpoint import DamagedCheckpoint
from workbench.core.method import Method
from workbench.core.stacks import stacked, unstacked
from workbench.core.state import CannotKeep, Packer, Unpacker
from workbench.core.train import Training
from workbench.errors import DiskFull, UsageError
from workbench.events import Checkpointed, EpochEnded, Finished, Note, Step


def there_and_back(value, anchors=None):
    packer = Packer(anchors or {})
    node = json.loads(json.dumps(packer.pack(value), allow_nan=False))
    return Unpacker(packer.tensors, anchors or {}, torch.device("cpu")).unpack(node)


def test_plain_values_come_back_as_they_were():
    value = {
        1: (None, True, 2, 0.1, "ü"),
        (2, "x"): [float("-inf")],
        "set": {3, 4},
        None: b"".hex(),
    }
    assert there_and_back(value) == value
    assert np.isnan(there_and_back(float("nan")))


def test_tensors_keep_type_layout_and_sharing():
    base = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    column, whole = base.T[:, :2], torch.ones(2, dtype=torch.bfloat16)
    again = there_and_back({"a": column, "b": [whole, whole], "c": np.arange(3, dtype=np.int32)})
    assert torch.equal(again["a"], column)
    assert again["a"].stride() == column.stride()
    assert again["b"][0] is again["b"][1]
    assert again["b"][0].dtype == torch.bfloat16
    assert again["c"].dtype == np.int32


def test_many_numbers_come_back_exactly_and_are_not_in_the_json():
    numbers = [0.1 * k for k in range(16)] + [float("nan"), float("-inf"), -0.0]
    for value in (numbers, tuple(numbers), list(range(16)), tuple(range(-16, 0)), [2**70] * 16):
        again = there_and_back(value)
        assert repr(again) == repr(value)
        assert {type(item) for item in again} == {type(value[0])}
    mixed = [True] * 16 + [0.5, None]
    assert repr(there_and_back(mixed)) == repr(mixed)
    assert len(json.dumps(Packer({}).pack([0.1 * k for k in range(1000)]))) < 60


def test_tensors_of_one_kind_lie_in_one_and_come_apart_again():
    tensors = {f"{k}": torch.full((3,), float(k)) for k in range(500)}
    tensors |= {"wide": torch.ones(3, dtype=torch.float64), "large": torch.rand(200, 200)}
    tensors |= {"none": torch.zeros(0, 3), "one": torch.tensor(1.0), "two": torch.tensor(2.0)}
    fewer, rows = stacked(tensors)
    assert len(fewer) == 5
    again = unstacked(fewer, json.loads(json.dumps(rows)))
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())
    assert stacked({}) == ({}, {})
    with pytest.raises(ValueError, match="zip"):
        unstacked(fewer, {stack: names[:-1] for stack, names in rows.items()})


def test_an_anchor_is_the_same_object_and_is_not_stored():
    thing = object()
    assert there_and_back([thing, (thing,)], {"it": thing}) == [thing, (thing,)]


@pytest.mark.parametrize(
    "value", [object(), print, {"a": lambda: 0}, torch.ones(1, requires_grad=True) * 2]
)
def test_what_cannot_be_saved_is_refused(value):
    with pytest.raises(CannotKeep):
        Packer({}).pack(value)


def test_an_unknown_class_is_never_made():
    for name in ("os.system", "torch.nn.functional", "builtins.eval", "subprocess.Popen"):
        with pytest.raises((AttributeError, TypeError)):
            Unpacker({}, {}, torch.device("cpu")).unpack(["object", name, {}, 0])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("run")
    config = small_config(root / "pictures", **{"monitor.probe_per_task": 0, "train.epochs": 1})
    return config, root, recorded(config, root)


def _cut(blob):
    return blob[: len(blob) // 2]


def _flipped(blob):
    return blob[:-3] + bytes([blob[-3] ^ 1]) + blob[-2:]


DAMAGES = {
    "cut": (".safetensors", _cut),
    "flipped": (".safetensors", _flipped),
    "endless": (".safetensors", lambda blob: struct.pack("<Q", 10**12) + blob[8:]),
    "pickle": (".safetensors", lambda _: pickle.dumps({"a": 1})),
    "empty": (".safetensors", lambda _: b""),
    "cut json": (".json", _cut),
    "flipped json": (".json", lambda blob: blob.replace(b'"step": ', b'"step": 1', 1)),
    "list": (".json", lambda _: b"[1, 2]"),
    "binary": (".json", lambda _: b"\xff\xfe\x00"),
    "wrong types": (".json", lambda _: b'{"format": "1", "state": 3}'),
    "deep": (".json", lambda _: b"[" * 200_000),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_said_and_the_older_one_is_whole(run, tmp_path, damage):
    config, root, whole = run
    newest, older = whole.checkpoints[3][1], whole.checkpoints[2][1]
    path = copied(newest, tmp_path)
    suffix, harm = DAMAGES[damage]
    place = path.with_suffix(suffix)
    place.write_bytes(harm(place.read_bytes()))
    with pytest.raises(DamagedCheckpoint, match=r"is damaged|cannot be read"):
        checkpoint.usable(tmp_path, f"checkpoint/{path.name}")
    with pytest.raises(DamagedCheckpoint, match="Go on from an older one"):
        list(Training(config, root, tmp_path, resume=path).events())
    checkpoint.usable(older.parent.parent, f"checkpoint/{older.name}")


@pytest.mark.parametrize("change", ["shape", "missing", "types"])
def test_a_checkpoint_of_something_else_is_refused_even_where_its_hash_is_right(
    run, tmp_path, change
):
    config, root, whole = run
    path = whole.checkpoints[1][1]
    head, blob = checkpoint.read_head(path), path.read_bytes()
    if change == "types":
        head["state"]["learner"] = {"task": ["list", 3, 1]}
    elif change == "missing":
        head["state"]["network"][1].pop()
    else:
        pairs = dict(head["state"]["network"][1])
        (a, b) = [n for n in pairs if n.endswith(("down_proj.weight", "up_proj.weight"))][:2]
        for pair in head["state"]["network"][1]:
            pair[1] = pairs[{a: b, b: a}.get(pair[0], pair[0])]
    checkpoint.write(tmp_path, 1, head, blob)
    with pytest.raises(DamagedCheckpoint, match="does not hold this run"):
        list(Training(config, root, tmp_path, resume=tmp_path / checkpoint.place_of(1)).events())


HEADS = {
    "no tasks": {"tasks": []},
    "no position": {"position": None},
    "a place before the start": {"position": {"task": 0, "begun": False, "epoch": -1, "step": 0}},
    "settings in a list": {"config": []},
    "a task without its classes": {"tasks": [{"name": "a", "fingerprint": ""}]},
    "no state": {"state": None},
}


@pytest.mark.parametrize("change", HEADS)
def test_a_description_of_no_run_is_damaged_even_where_its_hash_is_right(run, tmp_path, change):
    path = run[2].checkpoints[1][1]
    head = checkpoint.read_head(path) | HEADS[change]
    checkpoint.write(tmp_path, 1, head, path.read_bytes())
    with pytest.raises(DamagedCheckpoint, match="its description lacks"):
        checkpoint.usable(tmp_path, checkpoint.place_of(1))


@pytest.mark.parametrize("number", [1, 9])
def test_another_format_names_the_version(run, tmp_path, number):
    path = copied(run[2].checkpoints[0][1], tmp_path)
    place = path.with_suffix(".json")
    place.write_text(json.dumps({**json.loads(place.read_text()), "format": number}))
    with pytest.raises(
        DamagedCheckpoint, match=f"another version .format {number}; this one reads 2"
    ):
        checkpoint.usable(tmp_path, f"checkpoint/{path.name}")


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    checkpoint.write(tmp_path, 1, {"position": {}}, b"first")

    def full(_handle):  # the outside world: what the system says
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match=r"No space left on .* \(needs 2.0 MB\)\. Free some space; nothing is lost"):  # fmt: skip
        checkpoint.write(tmp_path, 2, {"position": {}}, bytes(2_000_000))
    assert sorted(p.name for p in (tmp_path / "checkpoint").iterdir()) == [
        "000001.json",
        "000001.safetensors",
    ]


def test_the_last_two_are_kept(run):
    left = sorted(path.stem for path in (run[1] / "whole" / "checkpoint").glob("*.safetensors"))
    last = [e for e in run[2].events if isinstance(e, Checkpointed)][-2:]
    assert left == [e.path[-18:-12] for e in last]


def test_batch_and_learning_rate_may_change_and_nothing_else(run, tmp_path):
    config, root, whole = run
    path = copied(whole.checkpoints[2][1], tmp_path)
    changed = replace(config, train=replace(config.train, batch_size=2, learning_rate=0.005))
    other = replace(config, train=replace(config.train, momentum=0.5))
    longer = replace(config, train=replace(config.train, epochs=2))
    *_, last = Training(changed, root, tmp_path, resume=path).events()
    assert isinstance(last, Finished)
    path = whole.checkpoints[2][1]  # the copy has been pruned
    with pytest.raises(UsageError, match=r"train.momentum: this run was begun with 0.9, not 0.5"):
        list(Training(other, root, tmp_path, resume=path).events())
    with pytest.raises(UsageError, match=r"train.epochs: this run was begun with 1, not 2"):
        list(Training(longer, root, tmp_path, resume=path).events())


def test_half_the_learning_rate_holds_from_the_next_step_on(run, tmp_path):
    config, root, _ = run
    training = Training(config, root, tmp_path)
    said = training.events()  # held: a run whose events nobody holds is let go
    first = next(e for e in said if isinstance(e, Step))
    kept = training.keep()
    half = replace(
        config, train=replace(config.train, learning_rate=config.train.learning_rate / 2)
    )
    events = Training(half, root, tmp_path, resume=tmp_path / kept.path).events()
    assert next(e for e in events if isinstance(e, Step)).lr == pytest.approx(first.lr / 2)


def test_a_method_that_cannot_be_saved_is_named_once(run, tmp_path):
    class Stubborn(Method):
        def begin_task(self, class_ids, epochs):
            super().begin_task(class_ids, epochs)
            self.callback = print

    config, root, _ = run
    events = list(Training(config, root, tmp_path, method=Stubborn).events())
    notes = [e.text for e in events if isinstance(e, Note) and "cannot be saved" in e.text]
    assert len(notes) == 1
    assert "attribute 'callback'" in notes[0]
    assert not [e for e in events if isinstance(e, Checkpointed)]
    assert sum(isinstance(e, EpochEnded) for e in events) == 3


def test_a_run_that_is_left_lets_go_of_its_network(tmp_path):
    training = Training(small_config(tmp_path / "pictures"), tmp_path, tmp_path / "run")
    events = training.events()
    next(event for event in events if isinstance(event, Step))
    network = weakref.ref(training._run.network)
    events.close()
    gc.collect()
    assert network() is None
    assert training.keep() is None


def test_equal_tensors_are_stored_once_and_come_back_apart():
    weight = torch.rand(50, 40)
    value = {"a": weight, "b": weight.clone(), "c": weight.double(), "d": weight.double() + 1e-12}
    packer = Packer({})
    node = packer.pack(value)
    assert [t.dtype for t in packer.tensors.values()] == [torch.float32, torch.float64]
    again = Unpacker(packer.tensors, {}, torch.device("cpu")).unpack(node)
    for name, tensor in value.items():
        assert again[name].dtype == tensor.dtype
        assert torch.equal(again[name], tensor)
    again["a"] += 1
    assert torch.equal(again["b"], weight)


def test_a_frozen_backbone_is_not_in_a_checkpoint(tmp_path):
    config = small_config(tmp_path / "pictures", **{"train.epochs": 1})
    (*_, last) = recorded(config, tmp_path / "run").checkpoints
    names = dict(checkpoint.read_head(last[1])["state"]["network"][1])
    assert names
    assert not [name for name in names if name.startswith("backbone.")]
    stored = load_file(last[1])
    weights = create("vit_tiny_patch16_224", None, img_size=32, depth=2, patch_size=8).state_dict()
    large = {tensor.shape for tensor in weights.values() if tensor.numel() > 30_000}
    assert large
    assert not large & {tensor.shape for tensor in stored.values()}
