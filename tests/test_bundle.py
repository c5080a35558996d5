"""A run as one file and back: everything equal; damaged, foreign and malicious files refused with nothing kept."""

import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.opened import feature
from tests.recorded import recorded_run
from tests.test_compare import log_run
from tests.test_run_verbs import end
from workbench import paths
from workbench.cli import main
from workbench.errors import CannotWrite, WorkbenchError
from workbench.face.bundles import Bundles
from workbench.face.drop import Given
from workbench.face.window import Window
from workbench.session import Session

NAME = "run-0001"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "one", entry_points=False)
    with made.log() as log:
        log_run(log, 1, recorded_run(3, kernel=True), train__epochs=7)
        folder = paths.run_folder(made.home, "id1") / "adapter"
        folder.mkdir()
        (folder / "adapter.safetensors").write_bytes(bytes(range(256)) * 9)
        (folder.parent / "check.safetensors").write_bytes(b"check")
        log.note_file("id1", "adapter", folder / "adapter.safetensors")
        log.keep_forecast("id1", "owls", {"a": 1.5})
    made.table.tag("id1", ["paper", "Ö"])
    made.table.note("id1", "a note")
    yield made
    made.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "two", entry_points=False)
    with made.log() as log:  # numbers and keys of its own
        log_run(log, 9, recorded_run(1, seed=5))
    yield made
    made.close()


@pytest.fixture
def file(session: Session, tmp_path: Path) -> Path:
    return session.bundle(NAME, tmp_path / "run 1.zip")


def test_a_run_comes_back_equal_on_another_computer(
    session: Session, other: Session, file: Path
) -> None:
    assert other.open_bundle(file) == "id1"
    assert other.events("id1") == session.events("id1")
    one, two = session.details("id1"), other.details("id1")
    assert (two.config, two.tasks, two.metrics, two.files) == (
        one.config,
        one.tasks,
        one.metrics,
        one.files,
    )
    assert two.accuracy_matrix == one.accuracy_matrix
    assert two.summary.imported is not None
    assert (two.summary.tags, two.summary.note) == (("paper", "Ö"), "a note")
    assert [f["created"] for f in two.forecasts] == [f["created"] for f in one.forecasts]
    for name in ("adapter/adapter.safetensors", "check.safetensors"):
        there = paths.run_folder(other.home, "id1") / name
        assert there.read_bytes() == (paths.run_folder(session.home, "id1") / name).read_bytes()
    assert other.events("id9") == recorded_run(1, seed=5)
    with other.log() as log:
        assert log.sweep() == []


def test_what_would_be_refused_is_left_out_whatever_its_letters(
    session: Session, other: Session, tmp_path: Path
) -> None:
    for name in ("model.pt", "MODEL.PTH"):
        (paths.run_folder(session.home, "id1") / name).write_bytes(b"a pickle")
    other.open_bundle(session.bundle(NAME, tmp_path / "run.zip"))
    there = {path.name for path in paths.run_folder(other.home, "id1").iterdir()}
    assert there == {"adapter", "check.safetensors"}


def test_the_same_run_is_not_taken_twice(session: Session, other: Session, file: Path) -> None:
    other.open_bundle(file)
    with pytest.raises(WorkbenchError, match=r"^This run is in the log already, as run-0001\.$"):
        other.open_bundle(file)
    other.table.bin("id1")
    with pytest.raises(WorkbenchError, match="in the bin"):
        other.open_bundle(file)


def test_a_run_under_way_is_not_bundled(session: Session, tmp_path: Path) -> None:
    with session.log() as log:
        log_run(log, 2, [])
    with pytest.raises(WorkbenchError, match="run-0002 is still training"):
        session.bundle("id2", tmp_path / "x.zip")
    assert not list(tmp_path.glob("x.zip*"))


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return a copy of a bundle with its members changed."""
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file


def _slip(members: dict[str, bytes]) -> None:
    card = json.loads(members["bundle.json"])
    card["files"]["files/../../../evil.txt"] = "0" * 64
    members["bundle.json"] = json.dumps(card).encode()
    members["files/../../../evil.txt"] = b"evil"


def _pickled(members: dict[str, bytes]) -> None:
    card = json.loads(members["bundle.json"])
    card["files"]["files/model.pt"] = "0" * 64
    members["bundle.json"] = json.dumps(card).encode()
    members["files/model.pt"] = pickle.dumps([1])


def _id(members: dict[str, bytes]) -> None:
    card = json.loads(members["bundle.json"])
    members["bundle.json"] = json.dumps(card | {"run": "../other"}).encode()


def _newer(members: dict[str, bytes]) -> None:
    card = json.loads(members["bundle.json"])
    members["bundle.json"] = json.dumps(card | {"format": 2}).encode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.pop("curves.csv"), r"^The bundle is incomplete \(curves\.csv missing\)\.$"),
        (lambda m: m.pop("files/adapter/adapter.safetensors"), r"incomplete \(adapter/adapter\.safetensors missing\)"),
        (lambda m: m.update({"steps.csv": b"other"}), r"damaged \(steps\.csv is not as it was written\)"),
        (lambda m: m.update({"rows.jsonl": b"[]"}), r"damaged \(rows\.jsonl"),
        (lambda m: m.pop("bundle.json"), "is not a bundle of a run"),
        (_slip, "would lie outside the run's folder"),
        (_pickled, r"model\.pt, which can run programs"),
        (_id, "is no run's id"),
        (_newer, r"made by a newer version \(format 2; this one reads up to 1\)"),
    ],
)  # fmt: skip
def test_a_bad_bundle_is_refused_and_leaves_nothing(
    other: Session, file: Path, change: Callable[[dict[str, bytes]], None], sentence: str
) -> None:
    with pytest.raises(WorkbenchError, match=sentence):
        other.open_bundle(rewritten(file, change))
    assert [run.id for run in other.runs()] == ["id9"]
    assert list(other.home.glob("runs/*")) == []
    assert not (other.home.parent / "evil.txt").exists()


def test_what_is_no_zip_is_a_sentence(other: Session, tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_text("Dear diary")
    with pytest.raises(WorkbenchError, match=r"^notes\.zip is not a bundle of a run"):
        other.open_bundle(tmp_path / "notes.zip")
    with pytest.raises(WorkbenchError, match="cannot be read: No such file"):
        other.open_bundle(tmp_path / "nothing.zip")


@pytest.mark.parametrize(
    ("at", "value", "sentence"),
    [(8, 1, "password required"), (10, 99, "compression method is not supported")],
)
def test_a_bundle_packed_in_another_way_is_refused(
    other: Session, file: Path, at: int, value: int, sentence: str
) -> None:
    """Offsets 8 and 10 of an entry of the central directory: flags (1: encrypted), method."""
    whole = bytearray(file.read_bytes())
    entry = -1
    while (entry := whole.find(b"PK\x01\x02", entry + 1)) >= 0:
        whole[entry + at] = value
    file.write_bytes(whole)
    with pytest.raises(WorkbenchError, match=sentence):
        other.open_bundle(file)
    assert [run.id for run in other.runs()] == ["id9"]


def test_a_home_that_cannot_be_written_is_not_the_bundles_fault(tmp_path: Path, file: Path) -> None:
    with closing(Session(tmp_path / "three", entry_points=False)) as third:
        (third.home / "runs").write_text("in the way")
        with pytest.raises(
            CannotWrite, match=r"^run 1\.zip could not be unpacked in .*three.runs: "
        ):
            third.open_bundle(file)
        assert third.runs() == []


def test_a_cut_bundle_is_refused(other: Session, file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkbenchError, match="not a bundle of a run, or it is damaged"):
        other.open_bundle(file)


@pytest.mark.parametrize(
    "row",
    [b'["event", {"n": 1}]', b'["step", {"n": %d}]' % 10**20, b'["step", {"n": [1]}]', b"[1]"],
)
def test_rows_that_do_not_fit_are_a_sentence(other: Session, file: Path, row: bytes) -> None:
    import hashlib

    def change(members: dict[str, bytes]) -> None:
        first, *rest = members["rows.jsonl"].split(b"\n")
        members["rows.jsonl"] = b"\n".join([first, row, *rest])
        card = json.loads(members["bundle.json"])
        card["files"]["rows.jsonl"] = hashlib.sha256(members["rows.jsonl"]).hexdigest()
        members["bundle.json"] = json.dumps(card).encode()

    with pytest.raises(WorkbenchError, match="its rows do not fit"):
        other.open_bundle(rewritten(file, change))
    assert [run.id for run in other.runs()] == ["id9"]


def test_a_bundle_dropped_on_the_window_is_taken_into_the_log(
    other: Session, file: Path, qtbot: QtBot
) -> None:
    window = Window(other)
    qtbot.addWidget(window, before_close_func=end)
    window.show()
    window.commands.take(Given(files=(str(file),)))
    shown = window.desk.history.model
    qtbot.waitUntil(lambda: {run.id for run in shown.runs()} == {"id9", "id1"}, timeout=20_000)
    assert window.desk.toast.label.text() == "run-0001 was taken into the log."
    qtbot.waitUntil(lambda: not feature(window, Bundles)._work.busy)
    window.commands.take(Given(files=(str(file),)))
    qtbot.waitUntil(lambda: "bundle" in window.desk.strips.texts(), timeout=20_000)
    assert window.desk.strips.texts()["bundle"] == "This run is in the log already, as run-0001."


def test_the_command_line_bundles_and_opens(session: Session, tmp_path: Path) -> None:
    file = str(tmp_path / "carried.zip")
    assert main(["--home", str(session.home), "bundle", NAME, file]) == 0
    assert main(["--home", str(tmp_path / "three"), "open", file]) == 0
    assert main(["--home", str(tmp_path / "three"), "open", file]) == 2
    with closing(Session(tmp_path / "three")) as third:
        assert third.events("id1") == session.events("id1")
