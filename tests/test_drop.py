from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.face.drop import DropTarget, Given, given_by
from workbench.face.welcome import DropZone


def urls(*texts: str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(text) if "://" in text else QUrl.fromLocalFile(text) for text in texts])
    return mime


def hover(widget: QWidget, mime: QMimeData) -> QDragEnterEvent:
    event = QDragEnterEvent(
        QPoint(9, 9), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QCoreApplication.sendEvent(widget, event)
    return event


def drop(widget: QWidget, mime: QMimeData) -> QDropEvent:
    """Drop as a file manager does: Qt delivers a drop only where something hovered before."""
    hover(widget, mime)
    event = QDropEvent(
        QPointF(9, 9), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QCoreApplication.sendEvent(widget, event)
    return event


@pytest.fixture
def zone(qtbot: QtBot) -> DropZone:
    made = DropZone()
    qtbot.addWidget(made)
    return made


def test_a_dropped_folder_is_handed_on_after_the_drop_has_returned(
    zone: DropZone, qtbot: QtBot, tmp_path: Path
) -> None:
    folder = tmp_path / "Ö 空格 finches"
    folder.mkdir()
    target = DropTarget(zone, zone)
    given: list[Given] = []
    target.given.connect(given.append)
    assert drop(zone, urls(str(folder))).isAccepted()
    assert given == []
    qtbot.waitUntil(lambda: bool(given))
    assert given == [Given(folders=(str(folder),))]


def test_hovering_lights_the_frame_and_leaving_puts_it_out(zone: DropZone, tmp_path: Path) -> None:
    target = DropTarget(zone, zone)
    mime = urls(str(tmp_path))  # the event does not keep it
    enter = hover(zone, mime)
    assert enter.isAccepted()
    assert zone.property("drop") == "hover"
    QCoreApplication.sendEvent(zone, QDragLeaveEvent())
    assert zone.property("drop") == "true"
    assert target.parent() is zone


def test_a_web_link_is_refused_with_a_sentence() -> None:
    given = given_by(urls("https://example.org/birds"))
    assert given.folders == ()
    assert given.refusal() == (
        "Only folders on this computer can be added. 'https://example.org/birds' is not one."
    )


def test_a_single_picture_is_pointed_to_try_it(tmp_path: Path) -> None:
    (tmp_path / "photo.JPG").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    only = "Only folders on this computer can be added."
    picture = given_by(urls(str(tmp_path / "photo.JPG")))
    assert picture.refusal() == f"{only} 'photo.JPG' is a single picture: drop it on Try it."
    assert given_by(urls(str(tmp_path / "notes.txt"))).refusal() == f"{only} 'notes.txt' is a file."


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    given = given_by(urls(gone, str(tmp_path)))
    assert given.folders == (str(tmp_path),)
    assert "gone' is not one" in given.refusal()


def test_pasted_lines_are_taken_as_paths(tmp_path: Path) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()
    mime = QMimeData()
    mime.setText(f'"{folder}"\n\n  {tmp_path}\nhello\n')
    given = given_by(mime)
    assert given.folders == (str(folder), str(tmp_path))
    assert given.foreign == ("hello",)
    assert given_by(QMimeData()) == Given()


def test_the_zone_offers_both_first_steps(zone: DropZone, qtbot: QtBot) -> None:
    with qtbot.waitSignal(zone.add_requested):
        zone.add_button.click()
    with qtbot.waitSignal(zone.sample_requested):
        zone.sample_button.click()
