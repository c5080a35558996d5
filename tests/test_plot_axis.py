"""The numbers beside a plot are whole, also the last one."""

import pyqtgraph as pg
import pytest
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from workbench.face.plot_axis import RIGHT
from workbench.face.sheet import Sheet


def numbers(sheet: Sheet, axis: pg.AxisItem) -> dict[str, tuple[float, float]]:
    """Return the left and right edge of each number, from where the plot begins."""
    image = QImage(10, 10, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    try:
        _, _, texts = axis.generateDrawSpecs(painter)
    finally:
        painter.end()
    return {text: (rect.left(), rect.right()) for rect, _, text in texts}


def test_a_long_last_number_is_not_cut_at_the_right_edge(qtbot: QtBot) -> None:
    """Its tick is at the plot's edge, where half of it has no room; the others stand under their ticks, to 1.5 pixels."""
    around = QWidget()
    qtbot.addWidget(around)
    sheet = Sheet(around)
    sheet.resize(360, 200)
    around.show()
    qtbot.waitExposed(around)
    sheet.set_ranges((0.0, 15000.0), (0.0, 1.0))
    shown = numbers(sheet, sheet.getPlotItem().getAxis("bottom"))
    rect = sheet.getPlotItem().getAxis("bottom").rect()
    assert "15000" in shown
    for text, (left, right) in shown.items():
        assert right < rect.right() + RIGHT
        if text != "15000":
            assert (left + right) / 2 == pytest.approx(rect.width() * float(text) / 15000, abs=1.5)
