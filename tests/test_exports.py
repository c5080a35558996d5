"""Taking a run away: what is asked first, what is said when the place or the check fails, what remains."""

import errno
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from tests.trained import trained_once
from workbench.errors import because
from workbench.events import Stage
from workbench.face.activities import Activities
from workbench.face.exports import ADAPTER, EVERYTHING, NUMBERS, PLOTS, Exporter
from workbench.face.messages import DetailBox
from workbench.paths import run_folder
from workbench.report import RunSummary
from workbench.session import Session

ADAPTER_FILES = {"adapter.safetensors", "adapter.json", "README.md"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with trained_once(tmp_path_factory.mktemp("exports")) as (session, _):
        yield session


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def activities(window: QWidget) -> Activities:
    return Activities(window)


@pytest.fixture
def exporter(trained: Session, window: QWidget, activities: Activities) -> Iterator[Exporter]:
    made = Exporter(trained, window, activities)
    yield made
    made.shut_down()


@pytest.fixture
def run(trained: Session) -> RunSummary:
    return trained.runs()[0]


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_finished_run_into_a_new_folder_asks_nothing(
    exporter: Exporter, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(exporter.done, timeout=60_000) as done:
        exporter.ask(run, tmp_path, EVERYTHING)
    assert exporter.question is None
    found = below(tmp_path / "run-0001")
    assert {f"adapter/{name}" for name in ADAPTER_FILES} <= found
    assert {"answers.csv", "confusion.csv", "classes.csv", "run.json"} <= found
    assert done.args is not None
    assert done.args[1] == str(tmp_path / "run-0001")


def test_an_unfinished_run_says_which_state_it_exports(
    exporter: Exporter, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    unfinished = replace(run, tasks_done=2, tasks_total=4)
    exporter.ask(unfinished, tmp_path, (ADAPTER,))
    assert exporter.question is not None
    assert exporter.question.text() == "Exports the state after task 2 of 4."
    assert list(tmp_path.iterdir()) == []
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        exporter.question.answers["Export"].click()
    assert below(tmp_path / "run-0001") == {f"adapter/{name}" for name in ADAPTER_FILES}
    exporter.question = None
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        exporter.ask(unfinished, tmp_path / "numbers", (NUMBERS,))
    assert exporter.question is None  # numbers are of any state


def test_an_export_that_is_cancelled_leaves_nothing(
    exporter: Exporter, activities: Activities, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(exporter.said, timeout=60_000) as said:
        exporter.ask(run, tmp_path, EVERYTHING)
        (activity,) = activities.under_way()
        assert activity.can_cancel
        activity.cancel()
    assert said.args == ["The export of run-0001 was given up."]
    assert list(tmp_path.iterdir()) == []
    qtbot.waitUntil(lambda: activities.under_way() == [])
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        exporter.ask(run, tmp_path, (NUMBERS,))


def test_a_cancelled_export_is_whole_or_absent_at_every_stage(
    trained: Session, run: RunSummary, tmp_path: Path
) -> None:
    stages = 0
    while True:
        target = tmp_path / str(stages)
        steps = cast("Generator[Stage | list[Path]]", trained.exporting(run.id, target))
        items = list(islice(steps, stages + 1))
        steps.close()
        if isinstance(items[-1], list):
            break
        assert not list(tmp_path.rglob("check-*"))
        if below(target):  # the adapter is read back before it is put there
            assert {f"adapter/{name}" for name in ADAPTER_FILES} <= below(target)
        stages += 1
    compared = [item for item in items if getattr(item, "text", "") == "Comparing its answers"]
    assert [item.done for item in compared] == list(range(len(compared)))  # asked at each picture
    assert len(compared) == compared[0].total > 1


@pytest.mark.parametrize("answer", ["Replace", "Keep both"])
def test_a_folder_that_is_there_is_replaced_only_if_that_is_wished(
    exporter: Exporter, run: RunSummary, qtbot: QtBot, tmp_path: Path, answer: str
) -> None:
    old = tmp_path / "run-0001" / "adapter" / "adapter.json"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    exporter.ask(run, tmp_path, (ADAPTER,))
    assert exporter.question is not None
    assert exporter.question.text() == f"'run-0001' is already in {tmp_path}. Replace its files?"
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        exporter.question.answers[answer].click()
    assert (old.read_text("utf-8") == "old") == (answer == "Keep both")
    assert (tmp_path / "run-0001-2").exists() == (answer == "Keep both")
    assert not list(tmp_path.rglob("*.part"))


def test_a_second_export_does_not_take_over_the_first(
    exporter: Exporter, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    said: list[str] = []
    exporter.said.connect(said.append)
    unfinished = replace(run, tasks_done=2, tasks_total=4)
    exporter.ask(unfinished, tmp_path / "later", (ADAPTER,))
    later = exporter.question
    assert later is not None
    with qtbot.waitSignal(exporter.done, timeout=60_000) as done:
        exporter.ask(run, tmp_path / "first", (NUMBERS,))
        exporter.ask(run, tmp_path / "second", (ADAPTER,))
        later.answers["Export"].click()
    assert said == ["An export is under way already."] * 2
    assert done.args is not None
    assert done.args[1] == str(tmp_path / "first" / "run-0001")
    assert {path.name for path in tmp_path.iterdir()} == {"first"}
    assert "run.json" in below(tmp_path / "first" / "run-0001")
    assert not (tmp_path / "first" / "run-0001" / "adapter").exists()


def test_a_write_protected_place_is_told_and_another_one_can_be_chosen(
    exporter: Exporter,
    run: RunSummary,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, stick = Path.mkdir, tmp_path / "stick"
    stick.mkdir()

    def protected(path: Path, *args: object, **options: object) -> None:
        if path.is_relative_to(stick):  # as a write-protected disk answers
            raise OSError(errno.EROFS, "Read-only file system")
        make(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", protected)
    with qtbot.waitSignal(exporter.refused, timeout=60_000) as refused:
        exporter.ask(run, stick, (ADAPTER,))
    assert refused.args is not None
    sentence, answers = refused.args
    target = stick / "run-0001" / "adapter"
    assert (
        sentence
        == f"Could not write to {target}: the disk is write-protected. Choose another place."
    )
    assert [text for text, _ in answers] == ["Choose another place", "Try again"]
    assert list(stick.iterdir()) == []
    qtbot.waitUntil(lambda: not exporter.busy, timeout=20_000)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "disk"))
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        dict(answers)["Choose another place"]()
    assert below(tmp_path / "disk" / "run-0001") == {f"adapter/{name}" for name in ADAPTER_FILES}


def test_a_copy_that_answers_otherwise_is_not_kept_and_details_say_how_far_it_was_off(
    exporter: Exporter,
    run: RunSummary,
    trained: Session,
    window: QWidget,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    check = run_folder(trained.home, run.id) / "check.safetensors"
    good = check.read_bytes()
    try:
        check.write_bytes(good[:-4000] + bytes(4000))  # other pixels than those that were answered
        with qtbot.waitSignal(exporter.refused, timeout=60_000) as refused:
            exporter.ask(run, tmp_path, (ADAPTER,))
    finally:
        check.write_bytes(good)
    assert refused.args is not None
    sentence, answers = refused.args
    assert sentence.startswith(
        "The exported file was read back and gave other answers (difference "
    )
    assert sentence.endswith("It was not kept.")
    assert [text for text, _ in answers] == ["Details"]
    assert below(tmp_path) == set()
    answers[0][1]()
    box = window.findChild(DetailBox)
    assert "allowed: 0.005" in box.details.toPlainText()
    box.close()


def test_a_table_open_in_another_program_is_named(
    exporter: Exporter,
    run: RunSummary,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "run-0001").mkdir()
    (tmp_path / "run-0001" / "curves.csv").write_text("old")

    def held(*_: object) -> None:  # as Windows answers while another program has the file open
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("workbench.log.numbers.os.replace", held)
    exporter.ask(run, tmp_path, (NUMBERS,))
    assert exporter.question is not None
    with qtbot.waitSignal(exporter.refused, timeout=60_000) as refused:
        exporter.question.answers["Replace"].click()
    assert refused.args is not None
    assert refused.args[0].startswith("curves.csv is open in another program.")
    assert below(tmp_path) == {"run-0001/curves.csv"}
    monkeypatch.undo()
    qtbot.waitUntil(lambda: not exporter.busy, timeout=20_000)
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        dict(refused.args[1])["Try again"]()
    assert (tmp_path / "run-0001" / "curves.csv").read_text() != "old"


def test_reasons_are_words() -> None:
    assert because(OSError(errno.ENOSPC, "No space left on device")) == "the disk is full"
    assert because(OSError(errno.EROFS, "x")) == "the disk is write-protected"
    assert because(OSError(errno.ENOTDIR, "Not a directory")) == "Not a directory"
    protected = OSError(errno.EACCES, "The media is write protected")
    protected.winerror = 19  # type: ignore[attr-defined,unused-ignore]
    assert because(protected) == "the disk is write-protected"
    assert because(OSError("odd")) == "the system gave no reason"


def test_the_old_folder_of_a_failed_replacement_stays_as_it_was(
    exporter: Exporter, run: RunSummary, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    trained.export(run.id, tmp_path / "run-0001", numbers=False)
    before = {name: (tmp_path / name).read_bytes() for name in below(tmp_path)}
    kept = run_folder(trained.home, run.id) / "adapter"
    shutil.copytree(kept, tmp_path / "backup")
    try:
        (kept / "adapter.json").write_text("{")
        exporter.ask(run, tmp_path, (ADAPTER,))
        assert exporter.question is not None
        with qtbot.waitSignal(exporter.refused, timeout=60_000) as refused:
            exporter.question.answers["Replace"].click()
    finally:
        shutil.copytree(tmp_path / "backup", kept, dirs_exist_ok=True)
        shutil.rmtree(tmp_path / "backup")
    assert refused.args is not None
    assert refused.args[0].startswith("The run's adapter was not exported.")
    assert {name: (tmp_path / name).read_bytes() for name in below(tmp_path)} == before


def test_an_export_that_is_cancelled_while_it_draws_keeps_whole_files_only(
    exporter: Exporter, activities: Activities, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    activities.progressed.connect(
        lambda activity: activity.cancel() if activity.detail == "forgetting.png" else None
    )
    with qtbot.waitSignal(exporter.said, timeout=60_000) as said:
        exporter.ask(run, tmp_path, (PLOTS,))
    folder = tmp_path / "run-0001"
    text = f"The export of run-0001 was given up. What was written is in {folder}."
    assert said.args == [text]
    assert below(folder) == {"accuracy.png", "accuracy.svg", "accuracy.pdf", "forgetting.png"}
    assert (folder / "forgetting.png").read_bytes().endswith(b"IEND\xaeB`\x82")
    assert not exporter.busy


def test_a_plot_that_cannot_be_written_is_told_and_can_be_tried_again(
    exporter: Exporter, run: RunSummary, qtbot: QtBot, tmp_path: Path
) -> None:
    taken = tmp_path / "run-0001" / "accuracy.svg"
    taken.mkdir(parents=True)  # a folder where the file is to be
    exporter.ask(run, tmp_path, (PLOTS,))
    assert exporter.question is not None
    with qtbot.waitSignal(exporter.refused, timeout=60_000) as refused:
        exporter.question.answers["Replace"].click()
    assert refused.args is not None
    sentence, answers = refused.args
    assert sentence == f"Could not write to {taken}: Is a directory. Choose another place."
    assert [text for text, _ in answers] == ["Choose another place", "Try again"]
    assert below(tmp_path) == {"run-0001/accuracy.png"}
    qtbot.waitUntil(lambda: not exporter.busy, timeout=20_000)
    taken.rmdir()
    with qtbot.waitSignal(exporter.done, timeout=60_000):
        dict(answers)["Try again"]()
    assert taken.is_file()
