"""Features of the frozen backbone, kept in the home folder: the same to the bit, asked for once, and never a reason to fail."""

import hashlib
import multiprocessing
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pictures import make_task_folders
from tests.resumed import gone_on, recorded, small_config
from tests.said import decided
from tests.trained import QUICK
from workbench.config import RunConfig, TaskFolder, effective_switches, with_values
from workbench.core import kept_features
from workbench.core.backbone import Backbone
from workbench.core.build import build_network
from workbench.core.kept_features import KeptFeatures, identity_of, make_room
from workbench.core.steps import result_of
from workbench.core.tasks import load_tasks
from workbench.core.train import Training
from workbench.core.weights import load_weights
from workbench.events import Evaluated, Event, Note
from workbench.paths import features_folder

TASKS = {"first": {"red": 5, "green": 7}, "second": {"one": 6, "two": 5}}
NONE_TRAINED = {"model.branches": "none", "monitor.probe_per_task": 0, "data.keep_features": True}
HASHES = [hashlib.sha256(bytes([n])).hexdigest() for n in range(40)]
ROUNDS = 5  # of two processes that meet at one new file
SPAWN = multiprocessing.get_context("spawn")


def untrained(pictures: Path, **values: object) -> RunConfig:
    """Return a configuration that trains nothing, so that the backbone sees pictures to admit them and for nothing else."""
    folders = make_task_folders(pictures, TASKS)
    base = RunConfig()
    tasks = tuple(TaskFolder(folder.name, str(folder)) for folder in folders)
    base = replace(base, data=replace(base.data, tasks=tasks))
    return with_values(base, QUICK | NONE_TRAINED | values)


class Counted:
    """Counts the pictures that any backbone sees, as its own forward pass is called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures = 0
        own = Backbone.__init__

        def watched(backbone: Backbone, *args: object, **more: object) -> None:
            own(backbone, *args, **more)
            backbone.register_forward_hook(self._seen)

        monkeypatch.setattr(Backbone, "__init__", watched)

    def _seen(self, _module: object, _given: object, features: torch.Tensor) -> None:
        self.pictures += len(features)


def run(config: RunConfig, home: Path) -> list[Event]:
    return list(Training(config, home).events())


def rows(events: list[Event]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated)]


def notes(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Note)]


def the_file(home: Path) -> Path:
    (found,) = features_folder(home).glob("*.db")
    return found


def test_a_second_run_asks_the_backbone_for_no_picture_and_ends_the_same(tmp_path, monkeypatch):
    config = untrained(tmp_path / "pictures")
    counted = Counted(monkeypatch)
    without = run(with_values(config, {"data.keep_features": False}), tmp_path)
    assert counted.pictures == 23
    assert not features_folder(tmp_path).exists()
    first = run(config, tmp_path)
    assert counted.pictures == 46
    second = run(config, tmp_path)
    assert counted.pictures == 46
    assert decided(first) == decided(second) == decided(without)
    assert len(rows(second)) == 2
    joint = rows(run(with_values(config, {"data.joint": True}), tmp_path))
    assert counted.pictures == 46
    assert joint[0].sizes == (sum(rows(second)[-1].sizes),)


def test_pictures_that_moved_are_known_by_their_content(tmp_path, monkeypatch):
    config = untrained(tmp_path / "pictures")
    run(config, tmp_path)
    counted = Counted(monkeypatch)
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    tasks = tuple(
        replace(task, path=str(tmp_path / "elsewhere" / task.name)) for task in config.data.tasks
    )
    assert len(rows(run(replace(config, data=replace(config.data, tasks=tasks)), tmp_path))) == 2
    assert counted.pictures == 0


OTHER = {
    "weights": {"model.backbone": QUICK["model.backbone"].replace("seed=1", "seed=2")},
    "input size": {"model.backbone": QUICK["model.backbone"].replace("img_size=32", "img_size=40")},
    "longest side": {"data.max_side": 16},
    "precision": {"train.precision": "bf16"},
}  # fmt: skip


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_features_of_another_backbone_or_processing_are_never_taken(tmp_path, monkeypatch, other):
    config = untrained(tmp_path / "pictures")
    run(config, tmp_path)
    counted = Counted(monkeypatch)
    changed = with_values(config, other)
    alone = run(with_values(changed, {"data.keep_features": False}), tmp_path)
    assert counted.pictures == 23
    assert decided(run(changed, tmp_path)) == decided(alone)
    assert counted.pictures == 46
    assert len(list(features_folder(tmp_path).glob("*.db"))) == 2


def test_pixel_scale_and_device_are_part_of_what_a_feature_is_known_by():
    config = with_values(RunConfig(), {"model.backbone": QUICK["model.backbone"]})
    weights = result_of(load_weights(config.model.backbone, "", Path()))
    weights = replace(weights, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))

    def backbone(scale: str) -> Backbone:
        switches = effective_switches(with_values(config, {"switches.pixel_scale": scale}))
        return build_network(config.model, switches, weights, torch.device("cpu")).backbone

    unit = identity_of(weights, backbone("unit"), 512)
    assert unit == identity_of(weights, backbone("unit"), 512)
    assert unit != identity_of(weights, backbone("model"), 512)

    class OnGpu(torch.Tensor):
        """Numbers that say they lie on a GPU, which there is none of here."""

        device = torch.device("cuda", 0)

    elsewhere = backbone("unit")
    elsewhere.mean = elsewhere.mean.as_subclass(OnGpu)
    assert unit != identity_of(weights, elsewhere, 512)


def test_every_picture_of_a_cache_has_the_hash_of_its_file(tmp_path):
    config = untrained(tmp_path / "pictures")
    tasks = result_of(load_tasks(config.data, config.seeds))
    with closing(tasks.cache):
        assert len(tasks.hashes) == len(tasks.cache) == 23
        for folder, task in zip(config.data.tasks, tasks.tasks, strict=True):
            for index, path in zip(task.test, task.test_paths, strict=True):
                content = (Path(folder.path) / path).read_bytes()
                assert tasks.hashes[index] == hashlib.sha256(content).hexdigest()


def features(n: int, width: int = 7) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(n)) * 1e-3


def read(kept: KeptFeatures, indices: list[int]) -> tuple[torch.Tensor, list[bool]]:
    found, known = result_of(kept.read(np.array(indices), ""))
    return found, known.tolist()


def test_what_is_kept_comes_back_to_the_bit_and_what_is_not_is_told_apart(tmp_path):
    given = features(3)
    given[0, 0], given[1, 1] = float("nan"), -0.0
    for own in (True, False):
        with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
            if own:
                kept.add(np.array([4, 2, 9]), given)
            found, known = read(kept, [2, 3, 4, 9])
            assert known == [True, False, True, True]
            assert found.dtype == torch.float32
            wanted = given[[1, 0, 2]].numpy().tobytes()
            assert found[[0, 2, 3]].numpy().tobytes() == wanted
            assert kept.notes() == []
    with closing(KeptFeatures(tmp_path, "b", 7, HASHES)) as other:
        assert read(other, [2, 4])[1] == [False, False]


def no_file_of_sqlite(path: Path) -> None:
    path.write_bytes(b"nothing of the kind" * 1000)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def pages_overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[16384:] = b"\x5a" * (len(content) - 16384)
    path.write_bytes(content)


def one_bit_of_a_feature(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for picture, feature in db.execute("SELECT picture, feature FROM feature").fetchall():
            changed = bytes([feature[0] ^ 1]) + feature[1:]
            db.execute("UPDATE feature SET feature = ? WHERE picture = ?", [changed, picture])


def too_short(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE feature SET feature = x'00'")


def text_for_a_feature(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE feature SET feature = CAST(x'ff00' AS TEXT)")


def another_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE feature")
        db.execute("CREATE TABLE feature (picture BLOB PRIMARY KEY)")


def of_another_backbone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE about SET identity = 'other'")


DAMAGES = (
    no_file_of_sqlite, cut_in_half, pages_overwritten, one_bit_of_a_feature, too_short, text_for_a_feature,
    another_table, of_another_backbone,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew_with_a_note(tmp_path, monkeypatch, damage):
    config = untrained(tmp_path / "pictures")
    first = run(config, tmp_path)
    damage(the_file(tmp_path))
    counted = Counted(monkeypatch)
    second = run(config, tmp_path)
    assert counted.pictures == 23
    assert rows(second) == rows(first)
    (note,) = [text for text in notes(second) if "damaged" in text]
    assert note.endswith("They are made anew.")
    third = run(config, tmp_path)
    assert counted.pictures == 23
    assert decided(third) == decided(first)


def write_some(root: str, first: int, together: object) -> None:
    """Keep twenty features one by one, in one file after another; half of them are the other process's too."""
    for number in range(ROUNDS):
        with closing(KeptFeatures(Path(root) / str(number), "a", 7, HASHES)) as kept:
            together.wait(120)
            for n in range(first, first + 20):
                kept.add(np.array([n]), features(20)[[n % 20]])
            if told := kept.notes():
                raise RuntimeError(told[0].text)


def test_two_processes_that_open_and_keep_at_once_lose_nothing(tmp_path):
    together = SPAWN.Barrier(2)
    writers = [SPAWN.Process(target=write_some, args=(str(tmp_path), n, together)) for n in (0, 10)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(300)
    assert [writer.exitcode for writer in writers] == [0, 0]
    for number in range(ROUNDS):
        with closing(KeptFeatures(tmp_path / str(number), "a", 7, HASHES)) as kept:
            found, known = read(kept, list(range(30)))
        assert all(known)
        assert torch.equal(found, features(20)[[n % 20 for n in range(30)]])


def write_and_die(folder: str) -> None:
    """Keep one feature, and die within the transaction that keeps the next."""
    kept = KeptFeatures(Path(folder), "a", 7, HASHES)
    kept.add(np.array([0]), features(1))
    db = kept._opened()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO feature VALUES (?, ?, ?)", [bytes.fromhex(HASHES[1]), b"half", 0])
    os._exit(9)


def test_of_a_process_killed_while_it_writes_nothing_half_is_believed(tmp_path):
    writer = SPAWN.Process(target=write_and_die, args=(str(tmp_path),))
    writer.start()
    writer.join(120)
    assert writer.exitcode == 9
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
        found, known = read(kept, [0, 1])
        assert known == [True, False]
        assert torch.equal(found[0], features(1)[0])
        kept.add(np.array([1]), features(1))
        assert read(kept, [1])[1] == [True]
        assert kept.notes() == []


def test_where_nothing_can_be_kept_that_is_said_once_and_the_run_goes_on(tmp_path):
    config = untrained(tmp_path / "pictures")
    features_folder(tmp_path).write_text("a file where the folder should be", "utf-8")
    events = run(config, tmp_path)
    (note,) = [text for text in notes(events) if "Frozen features" in text]
    assert "This run goes on without" in note
    assert len(rows(events)) == 2


def test_a_disk_that_is_full_leaves_what_was_kept_and_is_said_once(tmp_path):
    given = features(2, 6000)  # more than a page each
    with closing(KeptFeatures(tmp_path, "a", 6000, HASHES)) as kept:
        kept.add(np.array([0]), given[:1])
        db = kept._opened()
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        # beyond this SQLite says what it says of a full disk
        db.execute(f"PRAGMA max_page_count = {pages}")
        kept.add(np.array([1]), given[1:])
        (note,) = kept.notes()
        assert "full" in note.text
        kept.add(np.array([1]), given[1:])
        assert kept.notes() == []
    with closing(KeptFeatures(tmp_path, "a", 6000, HASHES)) as again:
        found, known = read(again, [0, 1])
    assert known == [True, False]
    assert torch.equal(found[0], given[0])


def test_a_file_that_another_run_is_just_making_is_waited_for(tmp_path):
    """SQLite itself does not wait where the journal is to become another."""
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
        with closing(sqlite3.connect(kept.path, check_same_thread=False)) as other:
            other.execute("CREATE TABLE about (identity TEXT PRIMARY KEY)")
            other.execute("BEGIN IMMEDIATE")
            done = threading.Timer(0.7, other.rollback)
            done.start()
            kept.add(np.array([0]), features(1))
            done.join()
        assert kept.notes() == []
        assert read(kept, [0])[1] == [True]


def test_a_lock_that_lasts_is_no_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_features, "WAIT_SECONDS", 0.1)
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
        kept.add(np.array([0]), features(1))
        with closing(sqlite3.connect(kept.path)) as other:
            other.execute("BEGIN EXCLUSIVE")
            kept.add(np.array([1]), features(1))
            (note,) = kept.notes()
            assert "locked" in note.text
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as again:
        assert read(again, [0, 1])[1] == [True, False]


def test_a_file_at_the_limit_is_read_and_does_not_grow(tmp_path, monkeypatch):
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
        kept.add(np.array([0]), features(1))
    monkeypatch.setattr(kept_features, "LIMIT", 1)
    with closing(KeptFeatures(tmp_path, "a", 7, HASHES)) as kept:
        assert read(kept, [0])[1] == [True]
        kept.add(np.array([1]), features(1))
        assert read(kept, [0, 1])[1] == [True, False]


def test_what_was_not_used_for_longest_goes_first_and_never_the_own_file(tmp_path, monkeypatch):
    for age, name in enumerate("cba"):
        (tmp_path / f"{name}.db").write_bytes(b"0" * 100)
        os.utime(tmp_path / f"{name}.db", (1000 - age, 1000 - age))
    (tmp_path / "a.db-wal").write_bytes(b"0")
    monkeypatch.setattr(kept_features, "LIMIT", 300)
    make_room(tmp_path, tmp_path / "a.db")
    assert len(list(tmp_path.iterdir())) == 4
    monkeypatch.setattr(kept_features, "LIMIT", 250)
    make_room(tmp_path, tmp_path / "a.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "a.db-wal", "c.db"]
    make_room(tmp_path, tmp_path / "c.db")
    assert len(list(tmp_path.iterdir())) == 3
    monkeypatch.setattr(kept_features, "LIMIT", 150)
    make_room(tmp_path, tmp_path / "c.db")
    assert [path.name for path in tmp_path.iterdir()] == ["c.db"]


def test_a_run_that_keeps_features_goes_on_from_any_checkpoint_exactly(tmp_path):
    config = small_config(
        tmp_path / "pictures", **{"data.keep_features": True, "monitor.probe_per_task": 0}
    )
    whole = recorded(config, tmp_path, keep_at=(3,))
    plain = recorded(
        with_values(config, {"data.keep_features": False}), tmp_path / "plain", keep_at=(3,)
    )
    assert whole.told == plain.told
    assert whole.adapter == plain.adapter
    for said, path in whole.checkpoints[1::4]:
        events, adapter = gone_on(config, tmp_path, path)
        assert events == whole.told[said:], f"from {path}"
        assert adapter == whole.adapter
    said, path = whole.checkpoints[2]
    off = with_values(config, {"data.keep_features": False})
    assert gone_on(off, tmp_path, path)[0] == whole.told[said:]
