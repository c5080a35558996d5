"""A program of its own whose torch cannot be imported: the window says so, and past runs stay."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.trained import folders, quick_config
from workbench.session import Session

ROOT = Path(__file__).resolve().parent.parent
SENTENCE = (
    "The training engine did not start: torch could not be imported. "
    "You can look at past runs; training is off."
)

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

ASKING = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.trained import folders, quick_config
from workbench.config import TaskFolder, from_dict
from workbench.errors import WorkbenchError
from workbench.face.window import Window
from workbench.session import Session

root = Path(sys.argv[1])
session = Session(root / "home", entry_points=False)
config = from_dict(session.details("run-0001").config)
picture = str(next((root / "pictures").rglob("*.png")))
adapter = root / "home" / "runs" / session.runs()[0].id / "adapter" / "adapter.safetensors"
asked = {
    "predict": lambda: list(session.predict("run-0001", [picture])),
    "facts": lambda: list(session.adapters.facts(str(adapter))),
    "forecast": lambda: list(session.forecast("run-0001", TaskFolder("new", str(root / "new")))),
    "order": lambda: list(session.order(config)),
    "self-test": lambda: list(session.self_test()),
    "export": lambda: session.export("run-0001", root / "out"),
}
said = {}
for name, ask in asked.items():
    try:
        ask()
    except WorkbenchError as error:
        said[name] = str(error)
app = QApplication([])
window = Window(session)
window.show()
toast = window.desk.toast

def told(text):
    if text.startswith("The training engine"):
        said["window"] = text
        QTimer.singleShot(0, window.close)
        QTimer.singleShot(50, app.quit)

toast.said.connect(told)
window.commands.check_ntk()
app.exec()
print(json.dumps(said))
"""


def test_without_torch_the_window_says_so_and_past_runs_can_be_looked_at(tmp_path: Path) -> None:
    assert said_without_torch(SCRIPT, tmp_path) == [
        [SENTENCE, ["Details", "Try again"]], ["idle", 1, True], 0, True, "starting", SENTENCE,
    ]  # fmt: skip


def test_without_torch_all_that_needs_it_says_the_same_sentence(tmp_path: Path) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    assert session.start(quick_config(folders(tmp_path / "pictures"))).work() == "finished"
    session.close()
    said = said_without_torch(ASKING, tmp_path)
    asked = ("predict", "facts", "forecast", "order", "self-test", "export", "window")
    assert said == dict.fromkeys(asked, SENTENCE)


def said_without_torch(script: str, folder: Path) -> Any:
    """Run a script in a process where importing torch fails; return what it prints last."""
    broken = folder / "broken" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no torch here')\n")
    path = os.pathsep.join([str(broken.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env={**os.environ, "PYTHONPATH": path}, cwd=ROOT, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
