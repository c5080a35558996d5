"""A window of its own process, used all over: torch is never imported into it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow

START = """
import json, sys, time
from pathlib import Path
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from tests.trained import folders, quick_config
from workbench.face.window import Window
from workbench.session import SessionApart

def opened(root):
    session = SessionApart(root / "home", entry_points=False)
    window = Window(session)
    window.show()
    return session, window

def until(so, what):
    end = time.monotonic() + 120
    while not so():
        assert time.monotonic() < end, what
        QTest.qWait(20)

def heavy():
    return [name for name in ("torch", "timm", "torchvision") if name in sys.modules]
"""

TRAINED = """
def main():
    root = Path(sys.argv[1])
    app = QApplication([])
    session, window = opened(root)
    session.warm()
    said = []
    config = quick_config(folders(root / "pictures"))

    def ended(state):
        said.append(state)
        picture = str(next((root / "pictures").rglob("*.png")))
        run = session.runs()[0].id
        adapter = str(session.home / "runs" / run / "adapter" / "adapter.safetensors")
        for items in (
            session.predict(run, [picture]), session.estimate(config), session.order(config),
            session.adapters.facts(adapter), session.backbones.check("sample", adapter),
        ):
            try:
                said.append(type(list(items)[-1]).__name__)
            except Exception as error:
                said.append(type(error).__name__)
        said.append(len(session.export(run, root / "out")))
        window.close()
        app.quit()

    window.desk.training.ended.connect(ended)
    window.desk.begin(session.start(config))
    app.exec()
    session.close()
    print(json.dumps([said, heavy()]))

if __name__ == "__main__":
    main()
"""

WALKED = """
def main():
    from tests.logged import begin, timed
    from tests.recorded import recorded_run
    from workbench.config import save_config
    from workbench.face.drop import Given
    from workbench.face.palette import CommandPalette

    root = Path(sys.argv[1])
    app = QApplication([])
    session, window = opened(root)
    desk, seen = window.desk, []
    with session.log() as log:
        log.write(begin(log), timed(recorded_run(3)))
    desk.reread_log()
    desk.replay("run1")
    for place in range(desk.tabs.count()):
        desk.tabs.setCurrentIndex(place)
        QTest.qWait(50)
        desk.tabs.currentWidget().grab()
        seen.append(desk.tabs.tabText(place))
    folder, other = folders(root / "pictures")
    file = root / "run.toml"
    save_config(quick_config([folder, other]), file)
    window.commands.take(Given(files=(str(file),)))
    until(lambda: len(desk.draft.state.tasks) == 2, "the configuration's tasks")
    until(lambda: not desk.adder._work.busy and desk.adder.sheet is None, "the scan")
    desk.draft.load(quick_config([]), "Anew")
    window.commands.take(Given(folders=(str(folder), str(other))))
    until(lambda: desk.adder.sheet is not None, "the report")
    desk.adder.sheet.add_button.click()
    first, second = desk.draft.state.tasks
    pictures = session.pictures
    pictures.leave_out(first, [first.classes[0].pictures[0]], 0.2)
    pictures.merge([first, second], (), 0.2)
    pictures.split(first, 1, 1, 0)
    pictures.shared(first, [second])
    palette = next(each for each in window.features if isinstance(each, CommandPalette))
    palette.palette()
    seen.append(palette.box is not None)
    window.close()
    session.close()
    print(json.dumps([seen, heavy()]))

if __name__ == "__main__":
    main()
"""


SHOWN = """
def main():
    app = QApplication([])
    session, window = opened(Path(sys.argv[1]))
    window.grab()
    print(json.dumps([name for name in ("http.client", "ssl", "scipy") if name in sys.modules]))
    window.close()
    session.close()

if __name__ == "__main__":
    main()
"""


def told_by(text: str, place: Path) -> list[list[object]]:
    """Run this in a process of its own; return what it printed last."""
    script = place / "script.py"
    script.write_text(START + text)
    done = subprocess.run(
        [sys.executable, str(script), str(place)], cwd=ROOT, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: list[list[object]] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_the_window_trains_and_asks_without_torch(tmp_path: Path) -> None:
    said, heavy = told_by(TRAINED, tmp_path)
    assert said[:5] == ["finished", "Guess", "RunEstimate", "OrderStudy", "AdapterFacts"]
    assert said[5] == "UsageError"  # an adapter is no backbone's weights: the child's own sentence
    assert said[6] > 2
    assert heavy == []


def test_the_window_is_shown_without_what_fetches_weights(tmp_path: Path) -> None:
    assert told_by(SHOWN, tmp_path) == []


def test_every_tab_a_replay_drops_and_the_palette_do_without_torch(tmp_path: Path) -> None:
    seen, heavy = told_by(WALKED, tmp_path)
    assert seen == ["Train", "Results", "Compare", "Studies", "NTK", "Try it", True]
    assert heavy == []
