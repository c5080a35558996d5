"""A gallery: pictures with what they were taken for, where to find them again, and what to do with one."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.face.book import Book, Picture
from workbench.face.gallery_list import CardDelegate, GalleryModel
from workbench.face.thumbs import Thumbs


class Gallery(QWidget):
    """Shows pictures of one book. `moved` (folder to where it was found again) is shared by galleries."""

    try_requested = Signal(str)  # path of a picture
    said = Signal(str)
    found_again = Signal()  # `moved` has another entry

    def __init__(
        self, thumbs: Thumbs, moved: dict[str, str], name: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._thumbs, self._moved = thumbs, moved
        self._book = Book()
        self._lost_task = -1  # the task whose folder is asked for
        self.model = GalleryModel(thumbs, self._file_of)
        self.model.setParent(self)
        self.model.dataChanged.connect(self._look_for_missing)
        self.strip, self.lack, self.find_button = self._missing_strip()
        self.list = self._list(name)
        self.reveal_button = self._button(self.tr("Reveal in folder"), self.reveal)
        self.try_button = self._button(self.tr("Open in Try it"), self.try_it)
        foot = QHBoxLayout()
        foot.addStretch(1)
        for button in (self.reveal_button, self.try_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.strip)
        column.addWidget(self.list, 1)
        column.addLayout(foot)
        self._refresh_buttons()

    def show_pictures(self, book: Book, pictures: Sequence[Picture]) -> None:
        """Show these pictures of a book."""
        self._book = book
        if tuple(pictures) != self.model.pictures:
            self.strip.hide()
            self.model.show_pictures(pictures)
        self._refresh_buttons()

    def look_again(self) -> None:
        """Look for the pictures again, where they are said to lie now."""
        self.strip.hide()
        self.model.show_pictures(self.model.pictures)

    def reveal(self) -> None:
        """Show the chosen picture's folder in the file manager."""
        path = self._chosen()
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))

    def try_it(self) -> None:
        """Let the tab Try it look at the chosen picture."""
        path = self._chosen()
        if path:
            self.try_requested.emit(path)

    def find_folder(self) -> None:
        """Ask where the folder of the pictures that are missing lies now."""
        if 0 <= self._lost_task < len(self._book.folders):
            title = self.tr("Find the folder of task '{task}'")
            title = title.format(task=self._book.tasks[self._lost_task].name)
            folder = QFileDialog.getExistingDirectory(self, title)
            if folder:
                self.take_folder(self._lost_task, folder)

    def take_folder(self, task: int, folder: str) -> None:
        """Look for a task's pictures in another folder, if one that is missing is there."""
        name = next(p.path for p in self.model.pictures if p.task == task and not p.heading)
        if not Path(folder, *name.split("/")).exists():
            text = self.tr("'{picture}' is not in {folder}. Choose the folder that holds it.")
            self.said.emit(text.format(picture=name, folder=folder))
            return
        self._moved[self._book.folders[task]] = folder
        self._thumbs.forget_missing()
        self.found_again.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.list.scheduleDelayedItemsLayout()  # headings are as wide as the list

    def _file_of(self, picture: Picture) -> str:
        return self._book.file(picture, self._moved)

    def _chosen(self) -> str:
        index = self.list.currentIndex()
        return self.model.file(index) if index.isValid() else ""

    def _refresh_buttons(self) -> None:
        index = self.list.currentIndex()
        there = bool(self._chosen()) and not self.model.is_missing(index)
        for button in (self.reveal_button, self.try_button):
            button.setEnabled(there)

    def _look_for_missing(self, index: QModelIndex) -> None:
        if not self.model.is_missing(index):
            return
        self._lost_task = self.model.pictures[index.row()].task
        text = self.tr("Pictures of task '{task}' are not found in {folder}.")
        folder = self._book.folders[self._lost_task]
        self.lack.setText(
            text.format(
                task=self._book.tasks[self._lost_task].name, folder=self._moved.get(folder, folder)
            )
        )
        self.strip.show()
        self._refresh_buttons()

    def _show_menu(self, point: QPoint) -> None:
        if self.list.indexAt(point).isValid():
            menu = QMenu(self)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            for button, call in (
                (self.reveal_button, self.reveal), (self.try_button, self.try_it),
            ):  # fmt: skip
                menu.addAction(button.text(), call).setEnabled(button.isEnabled())
            menu.popup(self.list.viewport().mapToGlobal(point))

    def _list(self, name: str) -> QListView:
        view = QListView(self)
        view.setModel(self.model)
        view.setItemDelegate(CardDelegate(view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setLayoutMode(QListView.LayoutMode.Batched)
        view.setBatchSize(500)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.viewport().setAutoFillBackground(False)
        view.setAccessibleName(name)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.activated.connect(self.try_it)
        view.selectionModel().currentChanged.connect(self._refresh_buttons)
        return view

    def _missing_strip(self) -> tuple[QFrame, QLabel, QPushButton]:
        strip = QFrame(self)
        strip.setProperty("card", "true")
        label = QLabel(strip)
        label.setWordWrap(True)
        label.setProperty("level", "warning")
        label.setTextFormat(Qt.TextFormat.PlainText)
        find = QPushButton(self.tr("Find it…"), strip)
        find.clicked.connect(self.find_folder)
        row = QHBoxLayout(strip)
        row.setContentsMargins(10, 4, 4, 4)
        row.addWidget(label, 1)
        row.addWidget(find, 0, Qt.AlignmentFlag.AlignTop)
        strip.hide()
        return strip, label, find

    def _button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(slot)
        return button


class Beside(QWidget):
    """A view with a gallery at its right once one is opened; where it is narrow, in its place."""

    _ROOM = 620  # pixels from which both are seen

    def __init__(self, view: QWidget, gallery: Gallery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view, self.gallery = view, gallery
        self.title = QLabel(self)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setProperty("heading", "true")
        self.title.setWordWrap(True)
        self.back = QPushButton(self.tr("Back"), self)
        self.back.setToolTip(self.tr("Close the pictures"))
        self.back.clicked.connect(self.close_pictures)
        self.side = QWidget(self)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self.side)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(head)
        column.addWidget(gallery, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(view, 3)
        row.addWidget(self.side, 2)
        self.side.hide()

    def open_pictures(self, title: str, book: Book, pictures: Sequence[Picture]) -> None:
        """Show pictures under a title."""
        self.title.setText(title)
        self.gallery.show_pictures(book, pictures)
        self.side.show()
        self._arrange()

    def close_pictures(self) -> None:
        """Show the view alone."""
        self.side.hide()
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        self.view.setVisible(self.side.isHidden() or self.width() >= self._ROOM)
