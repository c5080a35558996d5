"""A program of its own whose torch cannot be imported: the window says so, and past runs stay."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.trained import folders, quick_config
from workbench.face.messages import DetailBox
from workbench.face.window import Window
from workbench.session import Session

root, said = Path(sys.argv[1]), []
app = QApplication([])
session = Session(root / "home", entry_points=False)
window = Window(session)
window.show()
desk = window.desk

def again():
    strip = desk.strips.strip("run")
    said.append([strip.accessibleName(), sorted(strip.buttons)])
    said.append([desk.training.state, len(desk.history.model.runs()), desk.tabs.isEnabled()])
    said.append(len(window.findChildren(DetailBox)))
    strip.buttons["Details"].click()
    box = window.findChild(DetailBox)
    said.append("no torch here" in box.details.toPlainText())
    box.close()
    desk.training.ended.disconnect(again)
    desk.training.ended.connect(last)
    desk.draft.load(quick_config(folders(root / "pictures")), "Load")
    strip.buttons["Try again"].click()
    said.append(desk.training.state)

def last():
    said.append(desk.strips.strip("run").accessibleName())
    QTimer.singleShot(0, window.close)
    QTimer.singleShot(50, app.quit)

desk.training.ended.connect(again)
desk.begin(session.start(quick_config(folders(root / "pictures"))))
app.exec()
print(json.dumps(said))
"""


def test_without_torch_the_window_says_so_and_past_runs_can_be_looked_at(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no torch here')\n")
    path = os.pathsep.join([str(broken.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path}, cwd=ROOT, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    sentence = (
        "The training engine did not start: torch could not be imported. "
        "You can look at past runs; training is off."
    )
    assert said == [
        [sentence, ["Details", "Try again"]], ["idle", 1, True], 0, True, "starting", sentence,
    ]  # fmt: skip
