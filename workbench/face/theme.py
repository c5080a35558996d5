"""Light and dark: an explicit palette, one accent, and line colours that keep 3:1 contrast.

Hues are those of Okabe & Ito, "Color universal design" (2008), as far as each background lets
them be told apart; ordered things (tasks) take viridis, its unreadable end trimmed.
"""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from workbench.face.style import style_sheet

_VIRIDIS = ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c",
            "#28ae80", "#5ec962", "#addc30", "#fde725")  # fmt: skip
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Theme:
    """Every colour of the window, as "#rrggbb"."""

    name: str  # "light" or "dark"
    window: str
    base: str  # cards, fields and plots
    raised: str  # buttons, table headings
    text: str
    muted: str  # captions
    border: str  # between areas
    control: str  # around fields, boxes and buttons: at least 3:1
    handle: str  # of scroll bars
    hover: str
    grid: str
    accent: str
    on_accent: str
    good: str
    warning: str
    bad: str
    lines: tuple[str, ...]  # categories: at least 3:1 on `base`
    runs: tuple[str, ...]  # categories for what is drawn beside: unlike `lines`, as well legible
    ramp: tuple[float, float]  # the part of viridis that reaches 3:1 on `base`

    def task_colours(self, count: int) -> list[str]:
        """Return `count` colours in order, first task first."""
        low, high = self.ramp
        if count == 1:
            return [viridis((low + high) / 2)]
        return [viridis(low + (high - low) * i / (count - 1)) for i in range(count)]

    def run_style(self, index: int) -> tuple[str, str]:
        """Return colour and dash of the `index`-th run shown beside: 16 differ, solid comes last."""
        colours = len(self.runs)
        turn = index // colours % len(_DASHES)
        return self.runs[index % colours], _DASHES[
            (1 + (index % colours + turn) % 3) if turn < 3 else 0
        ]


LIGHT = Theme(
    name="light", window="#f4f5f7", base="#ffffff", raised="#fbfcfd", text="#1c2126",
    muted="#5b6570", border="#dde1e6", control="#838c96", handle="#bfc6cd", hover="#e9edf2",
    grid="#e4e8ec", accent="#0072b2", on_accent="#ffffff",
    good="#007a58", warning="#8a5a00", bad="#b23c00",
    lines=("#0072b2", "#d55e00", "#009e73", "#1c2126"),
    runs=("#b8578f", "#7a6a00", "#5b5bd6", "#7b4b2a"), ramp=(0.0, 0.56),
)  # fmt: skip
DARK = Theme(
    name="dark", window="#16181b", base="#1e1e1e", raised="#2a2d31", text="#e8eaed",
    muted="#a3abb4", border="#34383d", control="#757d86", handle="#50565d", hover="#33373c",
    grid="#31353a", accent="#56b4e9", on_accent="#0b1a24",
    good="#2fc79a", warning="#e69f00", bad="#ff8a5c",
    lines=("#56b4e9", "#e69f00", "#00b887", "#e8eaed"),
    runs=("#cc79a7", "#f0e442", "#a5a5ff", "#d2a679"), ramp=(0.42, 1.0),
)  # fmt: skip


def viridis(share: float) -> str:
    """Return the colour of viridis at `share` in 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(_VIRIDIS) - 1)
    index = min(int(place), len(_VIRIDIS) - 2)
    low, high = QColor(_VIRIDIS[index]), QColor(_VIRIDIS[index + 1])
    part = place - index
    mixed = (a + (b - a) * part for a, b in zip(_rgb(low), _rgb(high), strict=True))
    return QColor(*(round(value) for value in mixed)).name()


def mixed(colour: str, other: str, share: float) -> str:
    """Return `colour` with `share` of the other in it."""
    pairs = zip(_rgb(QColor(colour)), _rgb(QColor(other)), strict=True)
    return QColor(*(round(a + (b - a) * share) for a, b in pairs)).name()


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def readable_on(colour: str) -> str:
    """Return black or white, whichever stands out more on `colour`."""
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))


def current_theme() -> Theme:
    """Return the theme that the application's palette shows now."""
    return DARK if QApplication.palette().window().color().lightness() < 128 else LIGHT


def apply_theme(app: QApplication, scheme: str) -> None:
    """Dress the application: `scheme` is "light", "dark", or "system", which follows the desktop."""
    follower = app.findChild(_SchemeFollower)
    if follower is None:
        follower = _SchemeFollower(app)
    follower.follow(scheme)


class _SchemeFollower(QObject):
    """Puts the palette on, and again when the desktop changes its mind."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._scheme = ""
        self._choose_font()
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._desktop_changed)

    def follow(self, scheme: str) -> None:
        self._scheme = scheme
        wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._app.styleHints().setColorScheme(wanted.get(scheme, Qt.ColorScheme.Unknown))
        self._dress()

    def _dress(self) -> None:
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        if self._scheme in ("light", "dark"):
            dark = self._scheme == "dark"
        theme = DARK if dark else LIGHT
        self._app.setStyleSheet("")  # one sheet straight after another takes Qt four times as long
        self._app.setPalette(palette_of(theme))
        self._app.setStyleSheet(style_sheet(theme))

    @Slot()
    def _desktop_changed(self) -> None:
        if self._scheme == "system":
            self._dress()

    def _choose_font(self) -> None:
        """Without a desktop Qt may name a family that does not exist: take one that does."""
        families = QFontDatabase.families()
        if families and QFontInfo(self._app.font()).family() not in families:
            family = "DejaVu Sans" if "DejaVu Sans" in families else families[0]
            self._app.setFont(QFont(family, self._app.font().pointSize()))


def palette_of(theme: Theme) -> QPalette:
    """Return the palette of `theme`; Qt derives the shades between."""
    role = QPalette.ColorRole
    palette = QPalette(QColor(theme.raised), QColor(theme.window))
    for which, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.base,
        role.AlternateBase: theme.raised, role.Text: theme.text, role.Button: theme.raised,
        role.ButtonText: theme.text, role.BrightText: theme.bad, role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent, role.Link: theme.accent,
        role.LinkVisited: theme.accent, role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text, role.PlaceholderText: theme.muted, role.Mid: theme.border,
        role.Accent: theme.accent,
    }.items():  # fmt: skip
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        faded = QColor(theme.muted)
        faded.setAlpha(150)
        palette.setColor(QPalette.ColorGroup.Disabled, which, faded)
    return palette


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


def _luminance(name: str) -> float:
    parts = [value / 255 for value in _rgb(QColor(name))]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
