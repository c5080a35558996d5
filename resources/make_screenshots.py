"""Make the pictures of README and help from real runs of the sample.

    python -m resources.make_screenshots HOME

HOME is a folder of its own for the log; what it lacks of two runs of the sample (profiles repaired
and paper) is trained first, which takes some minutes.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QElapsedTimer, Qt
from PySide6.QtWidgets import QApplication

from workbench.config import with_values
from workbench.face import app as start
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session

FOLDER = Path(__file__).resolve().parent
HELP_WIDTH = 620  # pixels, what the help's page shows without scrolling
# file, scheme, and the tab
VIEWS = (
    ("screenshot-light", "light", "Train"), ("screenshot-dark", "dark", "Train"),
    ("screenshot-results", "light", "Results"), ("screenshot-compare", "light", "Compare"),
    ("screenshot-ntk", "light", "NTK"),
)  # fmt: skip
IN_HELP = {
    "screenshot-light": "train", "screenshot-results": "results",
    "screenshot-compare": "compare", "screenshot-ntk": "ntk",
}  # fmt: skip


def train_what_is_missing(session: Session) -> None:
    """Train the sample by both profiles where the log has no finished run of it."""
    done = {run.profile for run in session.runs() if run.state == "finished"}
    for profile in ("paper", "repaired"):  # the last one is shown
        if profile not in done:
            config = with_values(session.sample_config(), {"method.profile": profile})
            session.start(config).work()


def settle(app: QApplication, milliseconds: int) -> None:
    """Let everything that is delayed happen."""
    clock = QElapsedTimer()
    clock.start()
    while clock.elapsed() < milliseconds:
        app.processEvents()


def main(home: Path) -> None:
    """Save every view of the window."""
    app = start.application()
    session = Session(home)
    train_what_is_missing(session)
    window = Window(session)
    window.desk.draft.load(session.sample_config(), "Sample")
    window.resize(1280, 800)
    window.show()
    runs = session.runs()
    window.desk.replay(next(run.id for run in runs if run.profile == "repaired"))
    model, tabs = window.desk.history.model, window.desk.tabs
    for name, scheme, tab in VIEWS:
        apply_theme(app, scheme)
        for row in range(model.rowCount()):
            ticked = Qt.CheckState.Checked if "compare" in name else Qt.CheckState.Unchecked
            model.setData(model.index(row, 0), ticked.value, Qt.ItemDataRole.CheckStateRole)
        tabs.setCurrentIndex([tabs.tabText(at) for at in range(tabs.count())].index(tab))
        settle(app, 2500)
        picture = window.grab()
        picture.save(str(FOLDER / f"{name}.png"))
        if name in IN_HELP:
            smooth = Qt.TransformationMode.SmoothTransformation
            picture.scaledToWidth(HELP_WIDTH, smooth).save(
                str(FOLDER / "help" / f"{IN_HELP[name]}.png")
            )
    window.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
