"""What the program imports until its window is shown, against a budget, and what a warm engine process saves.

    python -m tests.benchmarks.bench_start

Starts the program several times without a screen: processor seconds until the painted window, and by `-X importtime`
the dearest modules, with the least of the runs for each. Says whether the budget below is kept. Then a tiny run from
its start to its first step, with an engine process that waits and with one that has to be made.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

from tests.trained import folders, quick_config
from workbench.events import Step
from workbench.session import SessionApart

TIMES, DEAREST = 5, 10
MOST_MS = 900  # of importing, as `-X importtime` counts it, which is itself a part of that
MOST_MODULES = 700
WARMING = 12.0  # seconds: more than the engine needs to load torch beside a busy neighbour
NEEDLESS = (
    "torch", "torchvision", "timm", "scipy", "safetensors", "PIL", "huggingface_hub", "matplotlib", "pyqtgraph",
    "http.client", "ssl",
)  # fmt: skip
SHOWN = """
import os, sys, tempfile, time
import workbench.cli
from workbench.face.app import application, shown
from workbench.face.garbage import GarbageCollector
from workbench.session import SessionApart
app = application()
with tempfile.TemporaryDirectory() as home:
    session = SessionApart(home)
    garbage = GarbageCollector(app)
    window = shown(app, session, "light")
    window.grab()
    print(time.process_time())
    print(" ".join(sys.modules), flush=True)
    sys.stderr.flush()
os._exit(0)  # the engine process, which begins after this, is not what is measured
"""
_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def started(*options: str) -> tuple[float, list[str], dict[str, float]]:
    """Start the window once: processor seconds, the modules there, and each one's own milliseconds."""
    done = subprocess.run(
        [sys.executable, *options, "-c", SHOWN],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, modules = done.stdout.splitlines()
    own = {name: int(us) / 1e3 for us, name in _LINE.findall(done.stderr)}
    return float(seconds), modules.split(), own


def imports() -> Iterator[str]:
    """Yield the lines about imports and the budget."""
    seconds = [started()[0] for _ in range(TIMES)]
    yield f"shown after {statistics.median(seconds):.2f} s of the processor ({min(seconds):.2f} to {max(seconds):.2f})"
    runs = [started("-X", "importtime") for _ in range(TIMES)]
    totals = [sum(own.values()) for _, _, own in runs]
    least = {name: min(own.get(name, ms) for _, _, own in runs) for name, ms in runs[0][2].items()}
    yield f"imports {statistics.median(totals):.0f} ms ({min(totals):.0f} to {max(totals):.0f}), {len(least)} modules"
    for name in sorted(least, key=least.__getitem__, reverse=True)[:DEAREST]:
        yield f"  {name:44}{least[name]:7.1f} ms"
    found = [name for name in NEEDLESS if name in runs[0][1]]
    yield f"budget: none of {', '.join(NEEDLESS)}: {'not kept, ' + ', '.join(found) if found else 'kept'}"
    yield f"budget: {MOST_MODULES} modules: {_kept(len(least), MOST_MODULES)}"
    yield f"budget: {MOST_MS} ms on a free machine, the least run: {_kept(min(totals), MOST_MS)}"


def _kept(found: float, most: float) -> str:
    return "kept" if found <= most else f"not kept, {found:.0f}"


def first_step(place: Path, *, warm: bool) -> float:
    """Return the seconds from a run's start to its first step, its engine process `warm` or not there yet."""
    session = SessionApart(place / "home", entry_points=False)
    config = quick_config(folders(place / "pictures"))
    if warm:
        session.warm()
        time.sleep(WARMING)
    began = time.perf_counter()
    run = session.start(config)
    worker = Thread(target=run.work)
    worker.start()
    while not any(isinstance(event, Step) for event in run.news()):
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    worker.join()
    session.close()
    return seconds


def main() -> None:
    """Print both parts."""
    for line in imports():
        sys.stdout.write(line + "\n")
    for warm in (False, True, False, True, False, True):
        with tempfile.TemporaryDirectory() as place:
            seconds = first_step(Path(place), warm=warm)
        sys.stdout.write(
            f"first step after {seconds:5.2f} s, engine {'warm' if warm else 'cold'}\n"
        )


if __name__ == "__main__":
    main()
