"""Help: pages of resources/help beside the window, opened with F1 on the subject under the keyboard.

A widget names its page with the property "page"; F1 looks at the widget with the focus, then at
those around it.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLineEdit,
    QListView,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from workbench.face.actions import Command
from workbench.face.desk import Desk
from workbench.face.feature import Feature
from workbench.face.palette import WordFilter
from workbench.paths import resource

FIRST = "start"
NAME_ROLE = Qt.ItemDataRole.UserRole + 1
_OF_STRIPS = {  # first word of a strip's subject: the page that says more
    "cut": "going-on", "resume": "going-on", "extend": "going-on", "silence": "engine", "run": "engine",
    "closing": "engine", "gpu": "engine", "blocked": "trouble", "log": "trouble", "hardware": "trouble",
    "queue": "queue", "study": "studies", "group": "queue", "groups": "queue", "plug-in": "plugins", "panel": "plugins",
    "configuration": "settings", "export": "export",
}  # fmt: skip
_ORDER = re.compile(r"^\d+-")


@dataclass(frozen=True)
class Page:
    """One page: its name, without order or ending, its title and its file."""

    name: str
    title: str
    file: Path


def pages(folder: Path | None = None) -> tuple[Page, ...]:
    """Return the help pages in reading order; a file is called NUMBER-name.md and begins with its title."""
    found = []
    for file in sorted((folder or resource("help")).glob("*.md")):
        with file.open(encoding="utf-8") as opened:
            title = opened.readline().lstrip("# ").strip()
        found.append(Page(_ORDER.sub("", file.stem), title, file))
    return tuple(found)


def subject_of(widget: QWidget | None) -> str:
    """Return the page that `widget`, or the nearest one around it, names."""
    while widget is not None:
        name = widget.property("page") or _page_of_strip(widget)
        if name:
            return str(name)
        widget = widget.parentWidget()
    return FIRST


def _page_of_strip(widget: QWidget) -> str:
    subject = str(widget.property("subject") or "")
    return _OF_STRIPS.get(subject.split(" ")[0], "")


class HelpBox(QDialog):
    """The list of pages, a line that searches all their texts, and the page."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Help"))
        self.setMinimumSize(480, 320)
        self.resize(min(860, parent.width() - 60), min(620, parent.height() - 60))
        self._pages = {page.name: page for page in pages()}
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search all pages"))
        self.search.setAccessibleName(self.tr("Search all pages"))
        self.search.setClearButtonEnabled(True)
        self.list = QListView(self)
        self.list.setAccessibleName(self.tr("Pages"))
        self._model = QStandardItemModel(self)
        for page in self._pages.values():
            self._model.appendRow(_entry(page))
        self._filter = WordFilter(self)
        self._filter.setSourceModel(self._model)
        self._filter.words_role = Qt.ItemDataRole.UserRole + 2
        self.list.setModel(self._filter)
        self.search.textChanged.connect(self._filter.set_text)
        self.list.selectionModel().currentChanged.connect(self._choose)
        self.text = QTextBrowser(self)
        self.text.setAccessibleName(self.tr("Help page"))
        self.text.setViewportMargins(8, 4, 0, 4)
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self._follow)
        self.text.setSearchPaths([str(resource("help"))])
        self._arrange()

    def show_page(self, name: str) -> None:
        """Show the page called `name`, or the first one."""
        page = self._pages.get(name) or self._pages[FIRST]
        self.shown = page.name
        self.text.setMarkdown(page.file.read_text(encoding="utf-8"))
        for row in range(self._filter.rowCount()):
            index = self._filter.index(row, 0)
            if index.data(NAME_ROLE) == page.name:
                self.list.setCurrentIndex(index)

    def _arrange(self) -> None:
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self.list)
        both = QSplitter(Qt.Orientation.Horizontal, self)
        both.addWidget(left)
        both.addWidget(self.text)
        both.setStretchFactor(1, 1)
        both.setSizes([210, 600])
        QVBoxLayout(self).addWidget(both)

    def _choose(self, index: QModelIndex) -> None:
        name = index.data(NAME_ROLE)
        if name and name != self.shown:
            self.show_page(name)

    def _follow(self, link: QUrl) -> None:
        """Open another page inside, anything else in the browser: the click is the user's consent."""
        name = _ORDER.sub("", Path(link.path()).stem)
        if link.isRelative() and name in self._pages:
            self.show_page(name)
        elif link.scheme() in ("http", "https"):
            QDesktopServices.openUrl(link)


def _entry(page: Page) -> QStandardItem:
    item = QStandardItem(page.title)
    item.setEditable(False)
    item.setData(page.name, NAME_ROLE)
    item.setData(page.file.read_text(encoding="utf-8"), Qt.ItemDataRole.UserRole + 2)
    return item


class Help(Feature):
    """F1 opens the page on what is under the keyboard."""

    commands = (
        Command("help_here", "Help", "Help on this", ("F1",), help="Open the page on what has the keyboard"),
        Command("help_start", "Help", "First steps", help="Open the first page of the help"),
    )  # fmt: skip

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.box: HelpBox | None = None
        for widget, name in (
            (desk.tasks, "tasks"), (desk.settings, "settings"), (desk.history, "runs"),
            (desk.page, "watching"), (desk.try_it, "try-it"),
        ):  # fmt: skip
            widget.setProperty("page", name)

    def help_here(self) -> None:
        """Open the page on the subject under the keyboard."""
        self._open(subject_of(QApplication.focusWidget()))

    def help_start(self) -> None:
        """Open the first page."""
        self._open(FIRST)

    def _open(self, name: str) -> None:
        modal = QApplication.activeModalWidget()  # it blocks every window but its own
        if modal is not None:
            box = HelpBox(modal)
            box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        else:
            box = self.box = self.box or HelpBox(self.desk.window)
        box.show_page(name)
        box.show()
        box.raise_()
