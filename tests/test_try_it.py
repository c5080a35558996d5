from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders
from tests.trained import trained_session
from workbench.face.drop import Given
from workbench.face.guess_list import Answer, AnswerModel, thumbnail_of
from workbench.face.try_it import TryItPanel, pictures_in
from workbench.report import Guess
from workbench.session import Session


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    place = tmp_path_factory.mktemp("try")
    session, _ = trained_session(place / "home", place / "pictures")
    yield session
    session.close()


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


def test_an_adapter_file_that_is_none_is_refused_with_a_sentence(
    panel: TryItPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    fake = tmp_path / "adapter.safetensors"
    fake.write_bytes(b"not one")
    panel.add_adapter(str(fake))
    make_class_folders(tmp_path / "new", {"red": 1})
    with qtbot.waitSignal(panel.said, timeout=60_000):
        panel.take(Given(folders=(str(tmp_path / "new"),)))
    qtbot.waitUntil(lambda: not panel.cancel_button.isVisible())
    assert panel.model.answers == []


def test_the_choice_of_adapter_stays_when_the_table_is_read_again(
    panel: TryItPanel, trained: Session, tmp_path: Path
) -> None:
    panel.show_runs(trained.runs())
    panel.add_adapter(str(tmp_path / "exported" / "adapter.safetensors"))
    panel.show_runs(trained.runs())
    assert panel.adapters.currentText() == "exported/adapter.safetensors"
    assert panel.adapters.count() == 2


def test_pictures_of_a_folder_are_found_below_it_in_order(tmp_path: Path) -> None:
    make_class_folders(tmp_path / "b", {"red": 2})
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    given = tmp_path / "IMG_1.HEIC"
    found = pictures_in([str(given), str(tmp_path / "b")])
    assert [Path(path).name for path in found] == ["IMG_1.HEIC", "0000.png", "0001.png"]


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
