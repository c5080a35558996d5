"""The tab "Results": the confusion matrix, scores by class, galleries, what was forgotten, the cost."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.recorded import recorded_run
from tests.test_answers import made_up
from tests.trained import trained_once
from workbench.answers import Answers, Forgotten, confusion, forgotten
from workbench.events import Answered, Event, Pace, RunStarted, TaskInfo, TaskStarted
from workbench.face import results_words as words
from workbench.face.book import Book, Picture, under_headings
from workbench.face.class_table import COLUMNS, ClassTable
from workbench.face.confusion_panel import ConfusionPanel
from workbench.face.drawing import Place
from workbench.face.gallery import Gallery
from workbench.face.results_page import ResultsPage
from workbench.face.theme import DARK, LIGHT
from workbench.face.thumbs import Thumbs
from workbench.paths import run_folder
from workbench.session import Session
from workbench.session.results import RunCost

NOTHING = "Nothing was forgotten: every picture recognised after its task is still recognised."


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, str]]:
    with trained_once(tmp_path_factory.mktemp("page")) as made:
        yield made


@pytest.fixture
def page(trained: tuple[Session, str], qtbot: QtBot) -> Iterator[ResultsPage]:
    made = ResultsPage(trained[0])
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    yield made
    made.shut_down()


def shown_whole(page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot) -> None:
    """Show the trained run, and wait until its last answers are read."""
    session, run = trained
    page.follow(run, "run-0001", session.events(run))
    qtbot.waitUntil(lambda: page.after() == 1, timeout=20_000)


def made_book(tasks: int = 3, each: int = 2, seed: int = 0) -> Book:
    """Return a book of made-up answers, with folders that are not there."""
    history = made_up(np.random.default_rng(seed), tasks, each)
    infos = tuple(
        TaskInfo(f"task{t}", tuple(f"class{t * each + i}" for i in range(each)),
                 tuple(range(t * each, (t + 1) * each)), (4,) * each, (4,) * each, "")
        for t in range(tasks)
    )  # fmt: skip
    pictures = {t: tuple(f"p{i}.png" for i in range(int((history[-1].task == t).sum()))) for t in range(tasks)}  # fmt: skip
    folders = tuple(f"/nowhere/task{t}" for t in range(tasks))
    return Book("run1", infos, dict(enumerate(history)), pictures, folders)


# -- the page ------------------------------------------------------------------------------------


def test_a_run_is_shown_from_its_events_and_files(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    session, run = trained
    shown_whole(page, trained, qtbot)
    answers = session.results.history(run, session.events(run))[1]
    shown = page.confusion.drawing
    assert shown is not None
    headings, rows = shown.table()
    names = headings[1:]
    assert set(names) == {"red", "green", "grey", "blue"}
    order = page.book.classes(1)
    assert [[int(cell) for cell in row[1:]] for row in rows] == confusion(answers, 4)[
        np.ix_(order, order)
    ].tolist()
    wrong = int((~answers.right).sum())
    sentence = page.worst.sentence.text()
    assert sentence == words.worst(wrong, len(answers), 1)
    assert len(page.worst.gallery.model.pictures) == wrong
    lost = len(forgotten([page.book.history[0], page.book.history[1]]).rows)
    shown_lost = [p for p in page.forgotten.gallery.model.pictures if not p.heading]
    assert len(shown_lost) == lost
    assert dict(page.cost.facts(page.book))["NTK monitor"].endswith("% of the time")
    for index in range(page.views.count()):
        page.views.setCurrentIndex(index)
        page.grab()


def test_the_pace_of_a_run_leaves_what_is_chosen_alone(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    shown_whole(page, trained, qtbot)
    page.views.setCurrentWidget(page.beside_classes)
    page.classes.table.selectRow(2)
    page.follow(trained[1], "run-0001", [Pace(8.0, 600.0, 100, 110)])
    assert [index.row() for index in page.classes.table.selectionModel().selectedRows()] == [2]


def test_the_scrubber_goes_back_to_the_first_task(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    shown_whole(page, trained, qtbot)
    assert page.scrubber.label.text() == "Latest: after task 2"
    page.scrubber.slider.setValue(0)
    assert page.after() == 0
    assert page.confusion.drawing is not None
    assert page.confusion.drawing.shape == (2, 2)
    assert page.forgotten.sentence.text() == "Nothing can be forgotten yet: one task is learnt."


def test_every_state_without_answers_says_the_next_step(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    assert page._hint.text().endswith("Train, or replay a run from the list below.")
    events = recorded_run(tasks=2)
    begun = [events[0], TaskStarted(0, 0, 4, 30)]
    page.follow(trained[1], "run-0001", begun)
    assert page._hint.text() == "Appears after the first task."
    page.follow(trained[1], "run-0001", [Pace(8.0, 600.0, 10, 110)])
    assert page._hint.text() == "Appears after the first task (about 2 min)."
    page.follow(trained[1], "run-0001", events)  # a run of before: no Answered among its events
    qtbot.waitUntil(lambda: "kept no answers" in page.lack.text(), timeout=20_000)
    assert "Train it again to see them here" in page.lack.text()
    assert page.views.currentWidget() is page.cost  # which is known of any run
    shown_whole(page, trained, qtbot)
    assert page.lack.isHidden()
    assert page.views.currentWidget() is page.beside_matrix
    page.clear()
    assert page._hint.text().endswith("Train, or replay a run from the list below.")


def test_a_damaged_file_is_told_in_place_of_the_matrix(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    session, run = trained
    told = [event for event in session.events(run) if isinstance(event, Answered)]
    file = run_folder(session.home, run) / told[0].path
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:20])
        with qtbot.waitSignal(page.said, timeout=20_000) as said:
            page.follow(run, "run-0001", session.events(run))
        assert said.args is not None
        assert str(file) in said.args[0]
        assert page.after() == 1  # the answers after the other task are there
        assert "was forgotten is not known" in page.forgotten.sentence.text()
    finally:
        file.write_bytes(whole)


def test_where_no_file_can_be_read_the_reason_stands_over_the_cost(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    session, run = trained
    folder = run_folder(session.home, run) / "answers"
    shutil.move(folder, folder.with_name("elsewhere"))
    try:
        page.follow(run, "run-0001", session.events(run))
        qtbot.waitUntil(lambda: "cannot be read" in page.lack.text(), timeout=20_000)
        assert "The run's other numbers are kept." in page.lack.text()
        assert page.views.currentWidget() is page.cost
    finally:
        shutil.move(folder.with_name("elsewhere"), folder)


def test_a_list_of_pictures_that_is_gone_leaves_the_numbers(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    session, run = trained
    told = [event for event in session.events(run) if isinstance(event, Answered)]
    file = run_folder(session.home, run) / told[0].pictures
    whole = file.read_bytes()
    try:
        file.unlink()
        shown_whole(page, trained, qtbot)
        answers = page.book.history[1]
        first = page.book.picture(answers, 0)
        assert (first.task, first.path) == (0, "picture 1")
        page.views.setCurrentWidget(page.worst)
        page.grab()
    finally:
        file.write_bytes(whole)


def test_a_task_that_ends_while_the_tab_is_seen_is_read_and_the_first_is_not_read_again(
    page: ResultsPage, trained: tuple[Session, str], qtbot: QtBot
) -> None:
    session, run = trained
    events = session.events(run)
    cut = next(i for i, e in enumerate(events) if isinstance(e, TaskStarted) and e.task == 1)
    page.follow(run, "run-0001", events[:cut])
    qtbot.waitUntil(lambda: page.after() == 0, timeout=20_000)
    first = page.book.history[0]
    page.follow(run, "run-0001", events[cut:])
    qtbot.waitUntil(lambda: page.after() == 1, timeout=20_000)
    assert page.book.history[0] is first


def test_an_unseen_tab_reads_nothing(trained: tuple[Session, str], qtbot: QtBot) -> None:
    session, run = trained
    hidden = ResultsPage(session)
    qtbot.addWidget(hidden)
    hidden.follow(run, "run-0001", session.events(run))
    assert not hidden.shelf.busy
    hidden.show()
    qtbot.waitUntil(lambda: hidden.after() == 1, timeout=20_000)
    hidden.shut_down()


# -- confusion -----------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("size", [(300, 200), (760, 420)])
def test_every_cell_is_found_where_it_is_drawn(
    qtbot: QtBot, theme: object, size: tuple[int, int]
) -> None:
    panel = ConfusionPanel()
    qtbot.addWidget(panel)
    panel.show_answers(made_book(4, 3), 3)
    drawing = panel.drawing
    assert drawing is not None
    place = Place(QRectF(0, 0, *size), QFont(), theme)  # type: ignore[arg-type]
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    with QPainter(image) as painter:
        drawing.paint(painter, place)
    for row in range(12):
        for column in range(12):
            box = drawing.box(row, column, place)
            assert drawing.at(box.center(), place) == (row, column)
            assert QRectF(0, 0, *size).contains(box)
    assert drawing.at(QRectF(0, 0, 2, 2).center(), place) is None


def test_a_cell_says_what_was_taken_for_what_and_opens_exactly_those_pictures(qtbot: QtBot) -> None:
    book = made_book(3, 2, seed=5)
    answers = book.history[2]
    panel = ConfusionPanel()
    qtbot.addWidget(panel)
    opened: list[tuple[str, list[Picture]]] = []
    panel.opened.connect(lambda title, pictures: opened.append((title, pictures)))
    panel.show_answers(book, 2)
    for true in range(6):
        for said in range(6):
            opened.clear()
            panel.view.opened.emit(true, said)
            rows = [i for i in range(len(answers)) if (answers.label[i], answers.predicted[i]) == (true, said)]  # fmt: skip
            title, pictures = opened[0]
            assert [(p.task, p.path) for p in pictures] == [
                (int(answers.task[i]), f"p{int(answers.places[i])}.png") for i in rows
            ]
            total = int((answers.label == true).sum())
            noun = "picture" if total == 1 else "pictures"
            assert f"{len(rows)} of {total} {noun}" in title
            assert (f"taken for 'class{said}'" in title) == (true != said)


def test_many_classes_are_drawn_by_task_until_a_block_is_entered(qtbot: QtBot) -> None:
    book = made_book(5, 10, seed=2)
    panel = ConfusionPanel()
    qtbot.addWidget(panel)
    panel.show_answers(book, 4)
    assert panel.drawing is not None
    assert panel.drawing.shape == (5, 5)
    whole = confusion(book.history[4], 50)
    blocks = whole.reshape(5, 10, 5, 10).sum(axis=(1, 3))
    assert [[int(n) for n in row[1:]] for row in panel.drawing.table()[1]] == blocks.tolist()
    panel.view.opened.emit(1, 3)
    assert panel.drawing.shape == (10, 10)
    assert [[int(n) for n in row[1:]] for row in panel.drawing.table()[1]] == whole[10:20, 30:40].tolist()  # fmt: skip
    assert not panel.back.isHidden()
    panel.back.click()
    assert panel.drawing.shape == (5, 5)
    panel.level.setCurrentIndex(0)
    assert panel.drawing.shape == (50, 50)


def test_after_an_early_task_only_its_classes_are_drawn(qtbot: QtBot) -> None:
    panel = ConfusionPanel()
    qtbot.addWidget(panel)
    panel.show_answers(made_book(3, 2), 0)
    assert panel.drawing is not None
    assert panel.drawing.shape == (2, 2)
    assert "After task 1:" in panel.view.accessibleDescription()


def test_the_keyboard_opens_a_cell_and_the_mouse_reads_one(qtbot: QtBot) -> None:
    panel = ConfusionPanel()
    qtbot.addWidget(panel)
    panel.resize(500, 400)
    panel.show_answers(made_book(2, 2), 1)
    panel.show()
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    with qtbot.waitSignal(panel.opened) as caught:
        qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert caught.args is not None
    assert "'class1' (task 1)" in caught.args[0]
    assert panel.drawing is not None
    centre = panel.drawing.box(3, 0, panel.view.place()).center().toPoint()
    qtbot.mouseMove(panel.view, centre + QPoint(1, 1))
    qtbot.mouseMove(panel.view, centre)
    qtbot.waitUntil(lambda: "'class3' (task 2) taken for 'class0'" in panel.readout.text())


# -- classes -------------------------------------------------------------------------------------


def test_classes_are_sorted_by_number_and_not_by_text(
    qtbot: QtBot, qtmodeltester: ModelTester
) -> None:
    book = made_book(4, 3, seed=7)
    table = ClassTable()
    qtbot.addWidget(table)
    table.show_answers(book, 3)
    qtmodeltester.check(table.model)
    recall = next(i for i, column in enumerate(COLUMNS) if column.title == "Recall")
    table.table.sortByColumn(recall, Qt.SortOrder.DescendingOrder)
    order = [
        table.model.scores[table.sorted.mapToSource(table.sorted.index(row, 0)).row()]
        for row in range(12)
    ]
    shares = [-1.0 if score.recall is None else score.recall for score in order]
    assert shares == sorted(shares, reverse=True)
    with qtbot.waitSignal(table.opened) as caught:
        table.table.activated.emit(table.sorted.index(0, 0))
    assert caught.args == [order[0].label]
    text = table.sorted.index(0, recall).data()
    assert text.startswith(f"{100 * shares[0]:.0f} %  (")
    helps = [
        table.model.headerData(i, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        for i in range(len(COLUMNS))
    ]
    assert sum("Wilson (1927)" in (text or "") for text in helps) == 2


# -- galleries -----------------------------------------------------------------------------------


@pytest.fixture
def gallery(qtbot: QtBot) -> Iterator[Gallery]:
    thumbs = Thumbs(64)
    made = Gallery(thumbs, {}, "Pictures")
    qtbot.addWidget(made)
    made.resize(480, 320)
    yield made
    thumbs.shut_down()


def on_disk(root: Path, number: int) -> Book:
    """Return a book of one task of one class whose pictures lie below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("#3366aa"))
    names = tuple(f"{i:05d}.png" for i in range(number))
    for name in names:
        image.save(str(root / name))
    zeros = np.zeros(number, np.int64)
    scores = np.full(number, 0.5, np.float32)
    answers = Answers(zeros, zeros, zeros, zeros, zeros, scores, scores, zeros[:, None], scores[:, None])  # fmt: skip
    info = TaskInfo("blue", ("blue",), (0,), (1,), (number,), "")
    return Book("run1", (info,), {0: answers}, {0: names}, (str(root),))


def all_of(book: Book) -> list[Picture]:
    return [book.picture(book.history[0], i) for i in range(len(book.history[0]))]


def test_only_pictures_that_are_seen_are_decoded(
    gallery: Gallery, qtbot: QtBot, tmp_path: Path
) -> None:
    book = on_disk(tmp_path / "blue", 400)
    decoded: list[str] = []
    gallery._thumbs.arrived.connect(decoded.append)
    gallery.show_pictures(book, all_of(book))
    gallery.show()
    qtbot.waitUntil(lambda: len(decoded) >= 4, timeout=20_000)
    qtbot.waitUntil(lambda: not gallery._thumbs._work.busy, timeout=20_000)
    assert len(decoded) < 60
    assert str(tmp_path / "blue" / "00000.png") in decoded
    gallery.list.scrollToBottom()
    last = str(tmp_path / "blue" / "00399.png")
    qtbot.waitUntil(lambda: last in decoded, timeout=20_000)
    assert len(decoded) < 120
    gallery.grab()


def test_pictures_that_are_gone_are_named_and_found_again(
    gallery: Gallery, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = on_disk(tmp_path / "blue", 3)
    shutil.move(tmp_path / "blue", tmp_path / "elsewhere")
    gallery.found_again.connect(gallery.look_again)
    gallery.show_pictures(book, all_of(book))
    gallery.show()
    first = gallery.model.index(0)
    qtbot.waitUntil(lambda: gallery.model.is_missing(first), timeout=20_000)
    assert not gallery.strip.isHidden()
    assert gallery.lack.text() == (f"Pictures of task 'blue' are not found in {tmp_path / 'blue'}.")
    assert gallery.find_button.text() == "Find it…"
    spoken = gallery.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "blue, 50 %, 00000.png, not found"
    gallery.list.setCurrentIndex(gallery.model.index(0))
    assert not gallery.try_button.isEnabled()
    said: list[str] = []
    gallery.said.connect(said.append)
    answers = iter([str(tmp_path), str(tmp_path / "elsewhere")])
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: next(answers))
    gallery.find_button.click()
    assert said == [f"'00000.png' is not in {tmp_path}. Choose the folder that holds it."]
    gallery.find_button.click()
    image = gallery.model.index(0)
    qtbot.waitUntil(lambda: isinstance(image_of(gallery, 0), QImage), timeout=20_000)
    assert not image_of(gallery, 0).isNull()  # type: ignore[union-attr]
    assert gallery.strip.isHidden()
    assert gallery.model.file(image) == str(tmp_path / "elsewhere" / "00000.png")


def image_of(gallery: Gallery, row: int) -> QImage | None:
    from workbench.face.gallery_list import IMAGE_ROLE

    found: QImage | None = gallery.model.index(row).data(IMAGE_ROLE)
    return found


def test_a_chosen_picture_is_handed_on(gallery: Gallery, qtbot: QtBot, tmp_path: Path) -> None:
    book = on_disk(tmp_path / "blue", 2)
    gallery.show_pictures(book, all_of(book))
    assert not gallery.try_button.isEnabled()
    gallery.list.setCurrentIndex(gallery.model.index(1))
    assert gallery.try_button.isEnabled()
    with qtbot.waitSignal(gallery.try_requested) as caught:
        gallery.try_button.click()
    assert caught.args == [str(tmp_path / "blue" / "00001.png")]


def test_a_damaged_picture_is_told_from_one_that_is_gone(
    gallery: Gallery, qtbot: QtBot, tmp_path: Path
) -> None:
    book = on_disk(tmp_path / "blue", 2)
    (tmp_path / "blue" / "00000.png").write_bytes(b"no picture")
    gallery.show_pictures(book, all_of(book))
    gallery.show()
    qtbot.waitUntil(lambda: image_of(gallery, 0) is not None, timeout=20_000)
    assert not gallery.model.is_missing(gallery.model.index(0))
    assert gallery.strip.isHidden()
    gallery.grab()


def test_the_gallery_model_is_sound(
    gallery: Gallery, qtmodeltester: ModelTester, tmp_path: Path
) -> None:
    book = on_disk(tmp_path / "blue", 2)
    gallery.model.show_pictures(())
    gallery.show_pictures(book, under_headings([("1 blue", all_of(book)), ("2 none", [])]))
    assert [p.caption for p in gallery.model.pictures if p.heading] == ["1 blue"]
    qtmodeltester.check(gallery.model)


# -- words ---------------------------------------------------------------------------------------


def test_nothing_forgotten_is_said_so() -> None:
    history = made_up(np.random.default_rng(3), 3, 2)
    right = [replace(h, predicted=h.label) for h in history]
    assert words.forgotten(forgotten(right), 2) == NOTHING
    wavering = [right[0], history[1], right[2]]
    found = forgotten(wavering)
    assert found.recovered > 0
    verb = "was" if found.recovered == 1 else "were"
    back = f"{found.recovered} of them {verb} wrong in between."
    assert words.forgotten(found, 2) == f"{NOTHING} {back}"


def test_what_was_forgotten_is_counted_in_one_sentence() -> None:
    made = Forgotten(np.arange(2), np.arange(2), 1, 40)
    assert words.forgotten(made, 4) == (
        "2 pictures recognised right after their task are wrong after task 5. "
        "40 are still recognised. 1 of them was wrong in between."
    )
    one = Forgotten(np.arange(1), np.arange(1), 0, 1)
    assert words.forgotten(one, 1) == (
        "1 picture recognised right after its task is wrong after task 2. 1 is still recognised."
    )


def test_the_cost_of_an_early_run_says_what_is_not_known() -> None:
    from workbench.face.cost_view import CostView

    app = QApplication.instance()
    assert app is not None
    view = CostView()
    book = replace(made_book(), cost=RunCost(0, 1234, 0, 0, 2_400_000, (), None))
    facts = dict(view.facts(book))
    assert facts["Trained"] == "1,234 parameters; the backbone's were not recorded"
    assert facts["Adapter"] == "Saved after the first task"
    assert facts["On disk"] == "0 kB adapter; 2.4 MB in all, with kernels and answers"
    assert facts["NTK monitor"] == "Its share of the time was not recorded"
    assert facts["Time"] == "Appears after the first task"
    timed = replace(book, cost=RunCost(9, 50, 1000, 5, 6, (30.0, 100.0), 0.05))
    known = dict(view.facts(timed))
    assert known["Trained"] == "50 parameters, 5.0 % of the backbone's 1,000, which stay frozen"
    assert known["Time"].startswith("2 min 10 s for 2 tasks, 65.0 s each on average")
    assert known["2 task1"] == "1 min 40 s"
    assert not {"Kept", "Memory"} & {*facts, *known}
    whole = replace(
        timed.cost, kept_values=1_234_567, kept_bytes=4_938_268, peak_bytes=2_400_000_000
    )
    more = dict(view.facts(replace(book, cost=whole)))
    assert more["Kept"].startswith("1,234,567 numbers, 4.9 MB: ")
    assert more["Memory"].startswith("2.40 GB at the peak")


def test_the_time_to_the_first_task_follows_from_the_steps_left() -> None:
    events: list[Event] = [recorded_run(tasks=1)[0], TaskStarted(0, 0, 2, 40), Pace(1.0, 300.0, 20, 120)]  # fmt: skip
    progress = words.Progress()
    for event in events:
        progress = progress.after(event)
    assert isinstance(events[0], RunStarted)
    assert progress.seconds() == pytest.approx(300.0 * 20 / 100)
