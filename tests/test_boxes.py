"""Boxes and sheets are as well made as the window: nothing nameless, nothing cut, none larger than its window."""

from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication, QHeaderView, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.boxes import each_box, filled
from tests.looking import cut, in_longer_language, nameless
from workbench.face.theme import apply_theme
from workbench.face.window import Window

SMALLEST = (960, 600)


def problems(window: Window) -> dict[str, list[str]]:
    """What is wrong with each box, by its name."""
    found = {}
    for name, box in each_box(window):
        QCoreApplication.processEvents()
        wrong = [*nameless(box), *cut(box), *cut_headings(box)]
        if box.width() > window.width() or box.height() > window.height():
            wrong.append(f"{box.width()} x {box.height()} is larger than the window")
        found[name] = wrong
    return {name: wrong for name, wrong in found.items() if wrong}


def test_every_box_is_named_whole_and_fits_also_in_a_longer_language_and_with_larger_letters(
    tmp_path: Path, qtbot: QtBot, qapp: QApplication
) -> None:
    apply_theme(qapp, "light")
    window = filled(tmp_path)
    qtbot.addWidget(window, before_close_func=end)
    window.resize(*SMALLEST)
    window.show()
    before = qapp.font()
    assert problems(window) == {}
    language = in_longer_language(qapp)
    try:
        assert problems(window) == {}
    finally:
        QCoreApplication.removeTranslator(language)
    larger = qapp.font()
    larger.setPointSizeF(1.5 * before.pointSizeF())
    qapp.setFont(larger)
    try:
        assert QPushButton(window).fontMetrics().height() > 1.3 * window.fontMetrics().height()
        assert problems(window) == {}
    finally:
        qapp.setFont(before)


def cut_headings(box: QWidget) -> list[str]:
    """The headings of tables that are narrower than their text."""
    found = []
    for header in box.findChildren(QHeaderView):
        model, metrics = header.model(), header.fontMetrics()
        if not header.isVisible() or header.orientation() != Qt.Orientation.Horizontal:
            continue
        for place in range(header.count()):
            title = str(model.headerData(place, Qt.Orientation.Horizontal) or "")
            narrow = metrics.horizontalAdvance(title) > header.sectionSize(place)
            if narrow and not header.isSectionHidden(place):
                found.append(f"heading {title!r} in {header.sectionSize(place)}")
    return found


def end(window: Window) -> None:
    window.shut_down()
    window.desk.session.close()
