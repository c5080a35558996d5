"""The window in its main states, as pictures that a test compares with those of before.

    python -m tests.window_pictures FOLDER

draws them anew; `tests/data/window` holds those that were looked at and found good. The font is a
file of its own there, so that the pictures are the same on every computer.
"""

import os
import sys
from contextlib import closing
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from PySide6.QtGui import QFont, QFontDatabase, QImage
from PySide6.QtWidgets import QApplication

from tests.logged import begin
from tests.recorded import recorded_run
from workbench.face import app as start
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.log.store import Log
from workbench.log.writer import Writer
from workbench.paths import LOG_NAME
from workbench.session import Session

DATA = Path(__file__).parent / "data" / "window"
TABS = ("train", "results", "compare", "studies", "ntk", "try-it")
SIZES = {"wide": (1280, 800), "small": (960, 600)}
AREAS = {
    "wide": (230, 270, 150),
    "small": (186, 222, 110),
}  # width of tasks and settings, height of runs
STATES = ("welcome", *TABS, "told")  # told: two strips over the Train tab
# state, scheme and size of each picture
PICTURES = tuple(f"{state}-{scheme}-{size}" for scheme in ("light", "dark") for state in STATES for size in SIZES)  # fmt: skip
DOUBLED = tuple(f"{state}-light-small" for state in STATES)  # at twice the scale


def use_own_font(app: QApplication) -> None:
    """Draw every letter with the font beside the pictures."""
    for file in DATA.glob("*.ttf"):
        QFontDatabase.addApplicationFont(str(file))
    app.setFont(QFont("DejaVu Sans", 9))


def settle(milliseconds: int = 400) -> None:
    """Let everything that is delayed happen."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def at_rest(window: Window) -> QImage:
    """Return the window's picture once it does not change any more: how long that takes depends on the machine."""
    before, now = QImage(), window.grab().toImage()
    for _ in range(20):
        if now == before:
            break
        settle(300)
        before, now = now, window.grab().toImage()
    return now


def draw(folder: Path, names: tuple[str, ...], homes: dict[str, Path]) -> None:
    """Save the pictures called `names`; `homes` are an empty log and one with runs in it."""
    app = start.application()
    use_own_font(app)
    for kind, home in homes.items():
        window = Window(Session(home))
        window.statusBar().hide()  # paths and meters differ everywhere
        clear(window)
        window.show()
        if kind == "runs":
            window.desk.replay("run1")
            model = window.desk.history.model
            for row in range(model.rowCount()):
                index, checked = model.index(row, 0), Qt.CheckState.Checked
                model.setData(index, checked.value, Qt.ItemDataRole.CheckStateRole)
        dressed = ""
        for name in names:
            state, scheme, size = name.rsplit("-", 2)
            if (state == "welcome") is (kind == "empty"):
                if scheme != dressed:
                    apply_theme(app, scheme)
                    visit_all(window)
                dressed = scheme
                window.resize(*SIZES[size])
                clear(window)
                if state == "told":
                    tell(window)
                if state != "welcome":
                    window.desk.tabs.setCurrentIndex(TABS.index(state) if state in TABS else 0)
                settle()
                divide(window, *AREAS[size])
                settle(100)
                at_rest(window).save(str(folder / f"{name}.png"))
        window.close()
        QCoreApplication.processEvents()


def divide(window: Window, left: int, right: int, below: int) -> None:
    """Give each area what every page allows; how first sizes are squeezed depends on what pages were shown."""
    across, down = window.desk.across, window.desk.down
    middle = across.width() - left - right - 2 * across.handleWidth()
    across.setSizes([left, middle, right])
    down.setSizes([down.height() - below - down.handleWidth(), below])


def visit_all(window: Window) -> None:
    """Show every page in its new dress, so that it is laid out in it."""
    for place in reversed(range(window.desk.tabs.count())):
        window.desk.tabs.setCurrentIndex(place)
        settle()
        at_rest(window)


def clear(window: Window) -> None:
    """Take every strip away."""
    for subject in list(window.desk.strips.texts()):
        window.desk.strips.clear_strip(subject)


def tell(window: Window) -> None:
    """Show two strips, as after a failure beside a run that waits."""
    strips = window.desk.strips
    sentence = "The GPU ran out of memory in task 2 (needed 0.4 GB more). The run is saved up to step 1,200."
    answers = (("Resume on processor", int), ("Details", int))
    strips.show_strip("failure", sentence, "error", answers)
    strips.show_strip(
        "hardware", "No NVIDIA GPU was found, so training uses the processor.", "info"
    )


def log_another(home: Path) -> None:
    """Enter a second run, to compare the first with."""
    with closing(Log(home / LOG_NAME)) as log:
        begin(log, "run2", tasks_total=2)
    with Writer(home / LOG_NAME, "run2") as writer:
        for event in recorded_run(tasks=2, epochs=2, steps=5):
            writer.add(event)


def main(folder: Path) -> None:
    """Draw all pictures into `folder`."""
    from tempfile import TemporaryDirectory

    from tests.test_window import log_a_run

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        homes = {kind: Path(place) / kind for kind in ("empty", "runs")}
        for home in homes.values():
            home.mkdir()
        log_a_run(homes["runs"])
        log_another(homes["runs"])
        doubled = os.environ.get("QT_SCALE_FACTOR", "1") != "1"
        draw(folder, DOUBLED if doubled else PICTURES, homes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
