import re
from pathlib import Path

import pytest
from PySide6.QtGui import QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication

from workbench.face.style import style_sheet
from workbench.face.theme import DARK, LIGHT, apply_theme, contrast, current_theme, readable_on

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@THEMES
def test_every_line_colour_reaches_3_to_1(theme):
    for colour in (*theme.lines, *theme.runs, *theme.task_colours(20), *theme.task_colours(1)):
        assert contrast(colour, theme.base) >= 3, colour


@THEMES
def test_text_reaches_4_5_to_1(theme):
    for colour in (theme.text, theme.muted, theme.good, theme.warning, theme.bad):
        for background in (theme.window, theme.base, theme.raised):
            assert contrast(colour, background) >= 4.5, (colour, background)
    assert contrast(theme.on_accent, theme.accent) >= 4.5


@THEMES
def test_borders_of_controls_reach_3_to_1(theme):
    for background in (theme.window, theme.base, theme.raised):
        assert contrast(theme.control, background) >= 3, background
    sheet = style_sheet(theme)
    for control in ("QLineEdit", "QComboBox", "QCheckBox::indicator", "QRadioButton::indicator"):
        rule = next(r for r in sheet.split("}") if control in r.split("{")[0] and "border:" in r)
        assert f"1px solid {theme.control}" in rule, rule


@THEMES
def test_every_icon_of_the_style_sheet_exists(theme):
    icons = re.findall(r'url\("([^"]+)"\)', style_sheet(theme))
    assert len(icons) >= 6
    assert all(Path(icon).is_file() for icon in icons)


@THEMES
def test_runs_differ_in_colour_or_dash_from_each_other_and_from_the_current_run(theme):
    styles = [theme.run_style(index) for index in range(12)]
    assert len(set(styles)) == 12
    assert all(colour not in theme.lines for colour, _ in styles)


def test_task_colours_are_ordered_and_distinct():
    assert len(set(LIGHT.task_colours(10))) == 10
    assert LIGHT.task_colours(0) == []


def test_text_on_any_colour_is_readable():
    assert readable_on("#fde725") == "#000000"
    assert readable_on("#440154") == "#ffffff"


def test_the_scheme_can_change_while_running(qtbot):
    app = QApplication.instance()
    apply_theme(app, "dark")
    assert current_theme() is DARK
    apply_theme(app, "light")
    assert current_theme() is LIGHT
    assert app.palette().window().color().name() == LIGHT.window


def test_the_font_exists(qtbot):
    apply_theme(QApplication.instance(), "light")
    assert QFontInfo(QApplication.font()).family() in QFontDatabase.families()
