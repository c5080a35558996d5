"""A real window under a real window manager: focus, keys and drag and drop as the system delivers them.

Needs Xvfb, openbox and xdotool; where they are missing this is skipped.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trained import folders

TOOLS = ("Xvfb", "openbox", "xdotool")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}"
    ),
]  # fmt: skip

PROGRAM = '''
import sys
from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QLabel
from workbench.face import app as start
from workbench.face.theme import apply_theme
from workbench.face.window import Window
from workbench.session import Session

app = start.application()
apply_theme(app, "light")
window = Window(Session(sys.argv[1]))

class FileManager(QLabel):
    """Another program's window: dragging from it carries the folders."""

    def mouseMoveEvent(self, event):
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path) for path in sys.argv[2:]])
        drag = QDrag(self)
        drag.setMimeData(mime)
        drag.exec(Qt.DropAction.CopyAction)

files = FileManager("drag me")
files.setWindowTitle("file manager")
files.setGeometry(1300, 40, 200, 200)
window.setGeometry(20, 40, 1200, 760)
window.show()
files.show()

def say():
    if not window.isVisible():
        files.close()  # the last window: the program ends
        return
    zone = window.desk.page.zone
    at = zone.mapToGlobal(zone.rect().center())
    from_ = files.mapToGlobal(files.rect().center())
    focus = app.focusWidget()
    areas = window.desk.areas()
    area = next((i for i, a in enumerate(areas) if focus and a.isAncestorOf(focus)), -1)
    top = app.activePopupWidget() or app.activeModalWidget() or app.activeWindow()
    print("zone", at.x(), at.y(), "files", from_.x(), from_.y(), "area", area,
          "tab", window.desk.tabs.currentIndex(), "tasks", len(window.desk.draft.state.tasks),
          "top", type(top).__name__, flush=True)

clock = QTimer()
clock.timeout.connect(say)
clock.start(100)
code = app.exec()
window.shut_down()
sys.exit(code)
'''


class Screen:
    """A virtual screen with a window manager and the program on it."""

    def __init__(self, home: Path, given: list[Path], log: Path) -> None:
        reading, writing = os.pipe()
        command = [
            "Xvfb",
            "-displayfd",
            str(writing),
            "-screen",
            "0",
            "1600x900x24",
            "-nolisten",
            "tcp",
        ]
        self._xvfb = subprocess.Popen(
            command, pass_fds=[writing], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        self._env = {**os.environ, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        self._manager = subprocess.Popen(["openbox"], env=self._env, stderr=subprocess.DEVNULL)
        self._log = log
        with log.open("w") as out:
            command = [sys.executable, "-c", PROGRAM, str(home), *map(str, given)]
            self.program = subprocess.Popen(command, env=self._env, stdout=out, stderr=out)

    def close(self) -> None:
        """End everything, last begun first."""
        for process in (self.program, self._manager, self._xvfb):
            process.terminate()
            process.wait(20)

    def do(self, *words: object) -> None:
        """Move the mouse or press keys as a person would."""
        subprocess.run(["xdotool", *map(str, words)], env=self._env, check=True, timeout=30)

    def state(self) -> dict[str, str]:
        """Return what the program said last."""
        whole = self._log.read_text().rpartition("\n")[0]  # the last line may be half written
        lines = [line for line in whole.splitlines() if line.startswith("zone ")]
        if not lines:
            return {}
        words = lines[-1].split()
        return {"zone": f"{words[1]} {words[2]}", "files": f"{words[4]} {words[5]}"} | dict(
            zip(words[6::2], words[7::2], strict=True)
        )

    def wait_for(self, **wanted: object) -> None:
        """Wait until the program says this, at most 40 s."""
        until = time.monotonic() + 40
        texts = {key: str(value) for key, value in wanted.items()}
        while time.monotonic() < until:
            now = self.state()
            if now and texts.items() <= now.items():
                return
            time.sleep(0.1)
        raise AssertionError(
            f"{texts} did not come: {self.state()}\n{self._log.read_text()[-2000:]}"
        )


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path / "home", folders(tmp_path), tmp_path / "said.txt")
    yield made
    made.close()


def test_keys_focus_and_a_drag_from_another_window_reach_the_program(screen: Screen) -> None:
    screen.wait_for(tasks=0)
    name = "NTK-CL workbench"
    screen.do("search", "--sync", "--onlyvisible", "--name", name, "windowactivate", "--sync")
    screen.wait_for(top="Window")
    before = int(screen.state()["area"])
    screen.do("key", "F6")
    area = before + 1
    screen.wait_for(area=area)
    screen.do("key", "F6")
    screen.wait_for(area=area + 1)
    screen.do("key", "shift+F6")
    screen.wait_for(area=area)
    screen.do("key", "alt+2")
    screen.wait_for(tab=1)
    screen.do("key", "alt+1")
    screen.wait_for(tab=0)
    screen.do("key", "ctrl+k")
    screen.wait_for(top="PaletteBox")
    screen.do("type", "train tab")
    screen.do("key", "Escape")
    screen.wait_for(top="Window")
    drag(screen)
    screen.wait_for(top="ReportSheet")
    screen.do("key", "Return")
    screen.wait_for(tasks=2)
    screen.do("search", "--onlyvisible", "--name", name, "windowactivate", "--sync")
    screen.wait_for(top="Window")
    screen.do("key", "ctrl+q")
    assert screen.program.wait(30) == 0


def drag(screen: Screen) -> None:
    """Drag from the other window onto the drop zone, in steps as a hand does."""
    state = screen.state()
    start = [int(word) for word in state["files"].split()]
    end = [int(word) for word in state["zone"].split()]
    screen.do("mousemove", *start)
    screen.do("mousedown", 1)
    for step in range(1, 21):
        at = [round(a + (b - a) * step / 20) for a, b in zip(start, end, strict=True)]
        screen.do("mousemove", *at)
        time.sleep(0.03)
    screen.do("mouseup", 1)
