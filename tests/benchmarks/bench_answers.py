"""What keeping and showing answers costs: 10 tasks of 20 classes, 600 test pictures each, the last task's row.

python -m tests.benchmarks.bench_answers [--repeats 9]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np

from workbench.answers import Answers, answers_of, confusion, forgotten, joined
from workbench.core.answering import answers_on, keep
from workbench.events import TaskInfo

TASKS, CLASSES, PICTURES = 10, 20, 600


def main() -> None:
    """Print medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=9)
    repeats = options.parse_args().repeats
    rng = np.random.default_rng(0)
    whole = _joined(rng)
    with TemporaryDirectory() as place:
        folder = Path(place)
        task = SimpleNamespace(test_paths=tuple(f"test/class/{i:05d}.jpg" for i in range(PICTURES)))
        say(
            "answers from logits, 6,000 pictures x 200 classes",
            _median(lambda: _joined(rng), repeats),
        )
        say("written", _median(lambda: keep(folder, 9, whole, task), repeats))
        size = (folder / "answers" / "after-009.safetensors").stat().st_size
        sys.stdout.write(f"bytes of the last row: {size:,}\n")
    history = [_until(whole, task) for task in range(TASKS)]
    say("confusion, 200 classes", _median(lambda: confusion(whole, 200), repeats))
    say("forgotten, 10 rows", _median(lambda: forgotten(history), repeats))
    _time_window(history, repeats)


def _joined(rng: np.random.Generator) -> Answers:
    parts = []
    for number in range(TASKS):
        labels = rng.integers(number * CLASSES, (number + 1) * CLASSES, PICTURES)
        logits = rng.standard_normal((PICTURES, TASKS * CLASSES)).astype(np.float32)
        logits[np.arange(PICTURES), labels] += 3
        told = logits.argmax(axis=1)
        parts.append(
            answers_on(number, SimpleNamespace(test_labels=labels), logits, told, told, 1.0)
        )
    return joined(parts)


def _until(whole: Answers, task: int) -> Answers:
    rows = whole.task <= task
    return answers_of({name: array[rows] for name, array in whole.arrays().items()})


def _time_window(history: list[Answers], repeats: int) -> None:
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QApplication

    from workbench.face.book import Book
    from workbench.face.confusion_panel import ConfusionPanel
    from workbench.face.gallery import Gallery
    from workbench.face.theme import apply_theme
    from workbench.face.thumbs import Thumbs

    app = QApplication.instance() or QApplication([])
    apply_theme(app, "light")
    infos = tuple(
        TaskInfo(f"task {t}", tuple(f"class {t * CLASSES + i}" for i in range(CLASSES)),
                 tuple(range(t * CLASSES, (t + 1) * CLASSES)), (1,) * CLASSES, (1,) * CLASSES, "")
        for t in range(TASKS)
    )  # fmt: skip
    names = tuple(f"{i:05d}.jpg" for i in range(PICTURES))
    book = Book(
        "run",
        infos,
        dict(enumerate(history)),
        dict.fromkeys(range(TASKS), names),
        ("/nowhere",) * TASKS,
    )
    panel = ConfusionPanel()
    panel.resize(800, 600)
    panel.show_answers(book, TASKS - 1)
    panel.level.setCurrentIndex(0)
    picture = QPixmap(panel.size())
    say("200 x 200 matrix painted", _median(lambda: panel.render(picture), repeats))
    thumbs = Thumbs(64)
    gallery = Gallery(thumbs, {}, "pictures")
    gallery.resize(800, 500)
    pictures = [book.picture(history[-1], row) for row in range(len(history[-1]))]

    def show() -> None:
        gallery.model.show_pictures(())
        gallery.show_pictures(book, pictures)
        gallery.grab()

    say("gallery of 6,000 pictures shown", _median(show, repeats))
    thumbs.shut_down()


def _median(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def say(what: str, seconds: float) -> None:
    """Print one median."""
    sys.stdout.write(f"{what}: {1000 * seconds:.1f} ms\n")


if __name__ == "__main__":
    main()
