"""A window of its own process that trains, estimates and predicts: torch is never imported into it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow

SCRIPT = """
import json, sys
from pathlib import Path

def main():
    from PySide6.QtWidgets import QApplication
    from tests.trained import folders, quick_config
    from workbench.face.window import Window
    from workbench.session import SessionApart

    root = Path(sys.argv[1])
    app = QApplication([])
    session = SessionApart(root / "home", entry_points=False)
    session.warm()
    window = Window(session)
    window.show()
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
    heavy = [name for name in ("torch", "timm", "torchvision") if name in sys.modules]
    print(json.dumps([said, heavy]))

if __name__ == "__main__":
    main()
"""


def test_the_window_trains_and_asks_without_torch(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], cwd=ROOT, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, heavy = json.loads(done.stdout.splitlines()[-1])
    assert said[:5] == ["finished", "Guess", "RunEstimate", "OrderStudy", "AdapterFacts"]
    assert said[5] == "UsageError"  # an adapter is no backbone's weights: the child's own sentence
    assert said[6] > 2
    assert heavy == []
