import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders
from tests.trained import BACKBONE, trained_once
from workbench.errors import WorkbenchError
from workbench.face.drop import Given
from workbench.face.guess_list import Answer, AnswerModel, thumbnail_of
from workbench.face.try_it import TryItPanel
from workbench.report import Guess
from workbench.session import Session


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with trained_once(tmp_path_factory.mktemp("try")) as (session, _):
        yield session


@pytest.fixture
def panel(trained: Session, qtbot: QtBot) -> Iterator[TryItPanel]:
    made = TryItPanel(trained)
    qtbot.addWidget(made)
    made.resize(500, 600)
    made.show()
    yield made
    made.shut_down()


def said_by(panel: TryItPanel) -> list[str]:
    sentences: list[str] = []
    panel.said.connect(sentences.append)
    return sentences


def test_dropped_pictures_get_their_best_classes(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    make_class_folders(tmp_path / "neu 空格", {"red": 2, "grey": 1})
    (tmp_path / "neu 空格" / "broken.png").write_bytes(b"\x89PNG, but no more")
    panel.show_runs(trained.runs())
    panel.take(Given(folders=(str(tmp_path / "neu 空格"),)))
    assert panel.cancel_button.isVisible()
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible(), timeout=60_000)
    answers = panel.model.answers
    assert len(answers) == 4
    broken = next(a for a in answers if a.guess.path.endswith("broken.png"))
    assert "broken.png" in broken.note()
    good = [a for a in answers if a is not broken]
    assert all(not a.thumbnail.isNull() for a in good)
    known = {"red", "green", "grey", "blue"}
    assert all(set(a.guess.classes) <= known for a in good)
    assert panel.list.isVisible()
    panel.grab()
    panel.clear()
    assert panel.zone.isVisible()


def test_without_an_adapter_the_next_step_is_said(panel: TryItPanel, tmp_path: Path) -> None:
    said = said_by(panel)
    assert "Once a run has learnt its first task" in panel.hint.text()
    panel.take(Given(folders=(str(tmp_path),)))
    assert said == ["Train a run first, or open an adapter file."]


def test_a_web_link_is_refused(panel: TryItPanel) -> None:
    said = said_by(panel)
    panel.take(Given(foreign=("https://example.org/a.png",)))
    assert said == ["Only pictures on this computer can be tried."]


def press(panel: TryItPanel, subject: str, button: str) -> None:
    shown = panel.strips.strip
    shown(subject).buttons[button].click()


def exported(trained: Session, place: Path) -> Path:
    """Return the file of an adapter exported from the trained run."""
    trained.export(trained.runs()[0].id, place, numbers=False)
    return place / "adapter" / "adapter.safetensors"


def edit_card(file: Path, **values: object) -> None:
    card = file.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | values), "utf-8")


def of_other_weights(trained: Session, place: Path) -> Path:
    file = exported(trained, place)
    edit_card(file, weights_sha256="0" * 64)
    return file


def opened(panel: TryItPanel, qtbot: QtBot, path: Path) -> None:
    panel.add_adapter(str(path))
    qtbot.waitUntil(lambda: not panel.opener.busy, timeout=60_000)


def answered(panel: TryItPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible(), timeout=60_000)


def recognised(panel: TryItPanel, qtbot: QtBot, *folders: Path) -> None:
    panel.take(Given(folders=tuple(map(str, folders))))
    answered(panel, qtbot)


REFUSALS = {
    "damaged": "The card '",
    "no card": "This file has no workbench card.",
    "newer": "Made by a newer version (format 3; this one reads up to 1).",
    "pickle": "Only .safetensors files are opened: .pt files can run programs.",
}


@pytest.mark.parametrize("why", REFUSALS)
def test_an_adapter_file_that_cannot_be_used_is_refused_with_the_reason(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path, why: str
) -> None:
    file = exported(trained, tmp_path)
    if why == "damaged":
        file.with_suffix(".json").write_text("{", "utf-8")
    elif why == "no card":
        file.with_suffix(".json").unlink()
    elif why == "newer":
        edit_card(file, format=3)
    else:
        file = file.rename(file.with_suffix(".pt"))
    panel.take(Given(files=(str(file),)))  # dropped on the tab
    qtbot.waitUntil(lambda: not panel.opener.busy, timeout=60_000)
    assert panel.strips.texts()["adapter"].startswith(REFUSALS[why])
    assert panel.adapters.count() == 0


def test_an_adapter_from_a_file_answers_and_stays_when_the_table_is_read_again(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(panel, qtbot, exported(trained, tmp_path / "out"))
    assert panel.adapters.currentText() == "adapter/adapter.safetensors"
    make_class_folders(tmp_path / "new", {"red": 2})
    recognised(panel, qtbot, tmp_path / "new")
    assert len(panel.model.answers) == 2
    panel.show_runs(trained.runs())
    assert panel.adapters.currentText() == "adapter/adapter.safetensors"
    assert panel.adapters.count() == 2


def test_an_adapter_of_another_backbone_offers_to_switch(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.opener.chosen_backbone = lambda: "sample"
    opened(panel, qtbot, exported(trained, tmp_path))
    assert panel.strips.texts()["adapter"] == (
        f"This adapter belongs to {BACKBONE} (192 wide); chosen is sample (384)."
    )
    with qtbot.waitSignal(panel.opener.switch_requested) as caught:
        press(panel, "adapter", "Switch backbone")
    assert caught.args == [BACKBONE]
    assert "adapter" not in panel.strips.texts()
    panel.opener.chosen_backbone = lambda: BACKBONE
    opened(panel, qtbot, exported(trained, tmp_path / "again"))
    assert panel.strips.texts() == {}


def test_weights_that_differ_are_used_only_anyway(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(panel, qtbot, of_other_weights(trained, tmp_path))
    make_class_folders(tmp_path / "new", {"red": 2})
    recognised(panel, qtbot, tmp_path / "new")
    assert panel.model.answers == []
    assert panel.strips.texts()["answers"].startswith(
        "The backbone's weights are not those the adapter was trained on. Answers may be wrong."
    )
    press(panel, "answers", "Use anyway")
    answered(panel, qtbot)
    assert len(panel.model.answers) == 2
    assert panel.strips.texts() == {}


def test_a_second_adapter_used_anyway_completes_the_answers_of_those_refused(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(panel, qtbot, of_other_weights(trained, tmp_path))
    panel.show_runs(trained.runs())
    panel.choose_run(trained.runs()[0].id)
    make_class_folders(tmp_path / "new", {"blue": 2})
    panel.beside.setCurrentIndex(panel.beside.count() - 1)
    recognised(panel, qtbot, tmp_path / "new")
    assert [answer.other for answer in panel.model.answers] == [None, None]
    panel.beside.setCurrentIndex(0)  # something else is chosen before the answer is given
    press(panel, "answers", "Use anyway")
    answered(panel, qtbot)
    assert panel.model.names == ("run-0001", "adapter/adapter.safetensors")
    answers = panel.model.answers
    assert len(answers) == 2
    assert all(answer.other == answer.guess for answer in answers)  # the same adapter, twice
    assert panel.strips.texts() == {}


def test_weights_that_are_not_here_are_fetched_only_after_a_click(
    panel: TryItPanel,
    trained: Session,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def offline(weights: object, folder: object) -> Iterator[object]:
        asked.append("asked")
        raise WorkbenchError("The weights cannot be fetched: no network.")
        yield

    monkeypatch.setattr("workbench.core.hub._download", offline)
    file = exported(trained, tmp_path)
    edit_card(file, backbone="vit_tiny_patch16_224.augreg_in21k_ft_in1k")
    opened(panel, qtbot, file)
    make_class_folders(tmp_path / "new", {"red": 1})
    recognised(panel, qtbot, tmp_path / "new")
    assert panel.strips.texts()["answers"] == (
        "The weights of vit_tiny_patch16_224.augreg_in21k_ft_in1k are not on this computer."
    )
    assert asked == []
    press(panel, "answers", "Download")
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible(), timeout=60_000)
    assert asked == ["asked"]
    assert panel.strips.texts()["answers"] == "The weights cannot be fetched: no network."


def test_a_heic_picture_is_named_with_the_formats_that_are_read(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.show_runs(trained.runs())
    picture = tmp_path / "IMG_1.HEIC"
    picture.write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    panel.take(Given(files=(str(picture),)))
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible(), timeout=60_000)
    assert panel.model.answers[0].note() == (
        "This format cannot be read: IMG_1.HEIC. JPEG, PNG, WebP, TIFF can."
    )


def test_a_folder_without_pictures_is_named(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    panel.show_runs(trained.runs())
    recognised(panel, qtbot, tmp_path)
    assert panel.strips.texts()["answers"].startswith(f"No pictures in {tmp_path}.")


def test_two_adapters_answer_side_by_side_and_the_table_has_both(
    panel: TryItPanel,
    trained: Session,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(panel, qtbot, exported(trained, tmp_path / "out"))
    panel.show_runs(trained.runs())
    panel.choose_run(trained.runs()[0].id)
    panel.beside.setCurrentIndex(panel.beside.count() - 1)
    make_class_folders(tmp_path / "new", {"red": 2, "blue": 1})
    (tmp_path / "new" / "broken.png").write_bytes(b"no")
    recognised(panel, qtbot, tmp_path / "new")
    assert panel.model.names == ("run-0001", "adapter/adapter.safetensors")
    found = panel.model.answers
    assert [a.other.path for a in found if a.other] == [a.guess.path for a in found]
    assert [a.other for a in found] == [a.guess for a in found]  # the same adapter, twice
    assert "beside" in found[-1].spoken()
    panel.grab()
    target = tmp_path / "answers.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    panel.save_button.click()
    with target.open(encoding="utf-8", newline="") as text:
        lines = list(csv.DictReader(text))
    assert len(lines) == 2 * len(found)
    for line, answer in zip(lines[::2], found, strict=True):
        assert line["picture"] == answer.guess.path
        assert line["adapter"] == "run-0001"
        assert line["problem"] == answer.guess.problem
        if not answer.guess.problem:
            assert line["class_1"] == answer.guess.classes[0]
            assert float(line["probability_4"]) == answer.guess.probabilities[3]
    panel.beside.setCurrentIndex(0)
    panel.beside.activated.emit(0)  # as a user who chooses
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible(), timeout=60_000)
    assert len(panel.model.answers) == len(found)
    assert panel.model.names == ("run-0001", "")


def test_while_a_run_trains_its_checkpoint_answers_on_the_processor(
    panel: TryItPanel, trained: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    runs = trained.runs()
    panel.show_runs(runs)
    assert panel.place.isHidden()
    panel.show_runs([replace(runs[0], state="running", tasks_done=2, tasks_total=4)])
    assert panel.place.text() == "Uses the checkpoint of task 2, on the processor."
    make_class_folders(tmp_path / "new", {"red": 1})
    recognised(panel, qtbot, tmp_path / "new")
    assert panel._request is not None
    assert panel._request.device == "cpu"
    assert len(panel.model.answers) == 1
    other = replace(runs[0], id="other", state="starting", tasks_done=0)
    panel.show_runs([other, runs[0]])
    assert panel.place.text() == "Answers on the processor while a run trains."


def test_a_table_that_cannot_be_written_is_kept_for_another_try(
    panel: TryItPanel, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = said_by(panel)
    (tmp_path / "a file").write_text("")
    places = iter([str(tmp_path / "a file" / "answers.csv"), str(tmp_path / "good")])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (next(places), ""))
    panel.saver.ask([["picture"], ["a.png"]], "answers.csv")
    strip = panel.strips.strip("csv")
    assert strip.accessibleName().startswith(f"Could not write to {tmp_path / 'a file'}")
    press(panel, "csv", "Try again")
    assert "csv" in panel.strips.texts()
    press(panel, "csv", "Save as…")
    assert (tmp_path / "good.csv").read_text() == "picture\na.png\n"
    assert said == ["Saved good.csv."]
    assert panel.strips.texts() == {}


def test_a_table_open_elsewhere_is_said_so(
    panel: TryItPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "answers.csv"
    target.write_text("old")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))

    def held(*_: object) -> None:  # as Windows answers while another program has the file open
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", held)
    panel.saver.ask([["picture"]], "answers.csv")
    assert panel.strips.texts() == {"csv": "answers.csv is open in another program."}
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]
    assert target.read_text() == "old"


def test_answers_are_told_in_words(
    qtmodeltester: ModelTester, qapp: object, tmp_path: Path
) -> None:
    unsure = Guess("/p/a.png", ("owl", "gull"), ("t", "t"), (0.31, 0.3))
    sure = Guess("/p/b.png", ("owl", "gull"), ("t", "t"), (0.9, 0.1))
    assert Answer(unsure, QImage()).note() == "Low confidence (31 %)"
    assert Answer(sure, QImage()).note() == ""
    model = AnswerModel()
    model.add(Answer(unsure, QImage()))
    spoken = model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "a.png, owl 31 %, gull 30 %, Low confidence (31 %)"
    qtmodeltester.check(model)


def test_a_thumbnail_keeps_the_shape_and_a_damaged_file_has_none(tmp_path: Path) -> None:
    picture = QImage(400, 100, QImage.Format.Format_RGB32)
    picture.fill(0x336699)
    picture.save(str(tmp_path / "wide.png"))
    small = thumbnail_of(str(tmp_path / "wide.png"))
    assert (small.width(), small.height()) == (144, 36)
    (tmp_path / "bad.png").write_bytes(b"no")
    assert thumbnail_of(str(tmp_path / "bad.png")).isNull()
