"""Problems that a scan found, as text that wraps, scrolls and can be copied; many of a kind are counted first."""

import html
from collections.abc import Sequence

from PySide6.QtWidgets import QTextBrowser, QWidget

from workbench.face.words import counted
from workbench.report import Problem

_MOST = 500  # of a kind that are named


class ProblemList(QTextBrowser):
    """One sentence a problem."""

    def __init__(self, problems: Sequence[Problem], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.setTabChangesFocus(True)
        self.setAccessibleName(self.tr("Problems found"))
        kinds: dict[str, list[Problem]] = {}
        for problem in problems:
            kinds.setdefault(problem.kind, []).append(problem)
        parts = [self._paragraph(kind, members) for kind, members in kinds.items()]
        self.setHtml("".join(parts))

    def _paragraph(self, kind: str, members: Sequence[Problem]) -> str:
        sentences = [html.escape(problem.sentence) for problem in members[:_MOST]]
        if len(members) == 1:
            return f"<p style='margin: 3px 2px'>⚠&nbsp; {sentences[0]}</p>"
        if len(members) > _MOST:
            sentences.append(self.tr("… and {n} more").format(n=f"{len(members) - _MOST:,}"))
        head = f"<p style='margin: 3px 2px'>⚠&nbsp; {html.escape(self._kind_text(kind, len(members)))}</p>"
        rows = "".join(f"<p style='margin: 1px 2px 1px 26px'>{row}</p>" for row in sentences)
        return head + rows

    def _kind_text(self, kind: str, number: int) -> str:
        pictures = counted(number, "picture", "pictures")
        texts = {
            "unreadable": self.tr("{pictures} cannot be read and will be left out."),
            "too_large": self.tr("{pictures} are too large and will be left out."),
            "empty_file": self.tr("{number} files are empty and will be left out."),
            "not_a_picture": self.tr("{number} files are not pictures and are skipped."),
            "no_permission": self.tr("{number} folders could not be opened (no permission)."),
            "link_loop": self.tr("{number} links lead in a circle and are skipped."),
            "vanished": self.tr("{number} files vanished during the scan."),
            "empty_class": self.tr("{number} classes are empty and will be left out."),
            "too_few": self.tr("{number} classes have fewer than the 2 pictures that are needed."),
            "duplicate_test": self.tr("{pictures} are in both train and test. Scores would look too good."),
            "duplicate_task": self.tr("{pictures} are also in another task. Scores would look too good."),
            "same_name": self.tr("{number} class names also occur in an earlier task."),
            "same_folder": self.tr("{number} folders are already tasks."),
            "no_pictures": self.tr("{number} folders hold no pictures."),
            "not_a_folder": self.tr("{number} of what was given are not folders on this computer."),
            "no_classes": self.tr("{number} folders hold no class folders."),
        }  # fmt: skip
        return texts.get(kind, "{number} × " + kind).format(number=number, pictures=pictures)
