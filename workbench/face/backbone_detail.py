"""Everything known of one backbone, as text that can be selected, with the state of work on its weights."""

from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QFrame, QLabel, QProgressBar, QTextBrowser, QVBoxLayout, QWidget

from workbench.face.backbone_table import BASE_OPERATIONS, work_text
from workbench.face.theme import current_theme
from workbench.face.words import size_text
from workbench.report import BackboneFacts


class BackboneDetail(QFrame):
    """Shows one backbone; whoever owns it puts buttons into `column`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "true")
        self._facts: BackboneFacts | None = None
        self.text = QTextBrowser(self)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setProperty("plain", "true")
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.text.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text.setOpenLinks(False)
        self.text.setAccessibleName(self.tr("The chosen backbone"))
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the weights"))
        self.bar.hide()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(10, 8, 10, 10)
        self.column.addWidget(self.text, 1)
        self.column.addWidget(self.state)
        self.column.addWidget(self.bar)
        self.setMinimumWidth(300)

    def changeEvent(self, event: QEvent) -> None:
        """Write anew in the colours of the new theme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "text"):
            self.show_facts(self._facts)
        super().changeEvent(event)

    def show_facts(self, facts: BackboneFacts | None) -> None:
        """Show one backbone, or that none is chosen."""
        self._facts = facts
        if facts is None:
            self.text.setPlainText(self.tr("No backbone is chosen."))
            return
        muted = current_theme().muted
        rows = "".join(
            f"<tr><td style='color:{muted}; padding-right:10px'>{escape(key)}</td><td>{escape(value)}</td></tr>"
            for key, value in self.rows(facts).items()
        )
        note = f"<p>{escape(facts.note)}</p>" if facts.note else ""
        title = escape(facts.title or facts.name)
        self.text.setHtml(f"<b>{title}</b>{note}<table cellspacing='3'>{rows}</table>")

    def show_state(self, text: str, level: str = "none") -> None:
        """Show a sentence above the buttons."""
        self.state.setText(text)
        self.state.setVisible(bool(text))
        self.state.setProperty("level", level)
        self.state.style().polish(self.state)

    def rows(self, facts: BackboneFacts) -> dict[str, str]:
        """Return what is said of a backbone, in order."""
        input_text = self.tr("{side} x {side} px")
        if facts.patch_size:
            input_text = self.tr("{side} x {side} px, patches of {patch}")
        about = self.tr("about {size}").format(size=size_text(facts.megabytes))
        rows = {
            self.tr("Name"): facts.name,
            self.tr("Weights"): facts.tag,
            self.tr("Parameters"): f"{facts.parameters:,}",
            self.tr("Input"): input_text.format(side=facts.image_size, patch=facts.patch_size),
            self.tr("Speed"): self._speed(facts),
            self.tr("Download"): about if facts.hub else self.tr("not to be had from the hub"),
            self.tr("Licence"): facts.licence or self.tr("see the model's page"),
            self.tr("Page"): f"huggingface.co/{facts.hub}" if facts.hub else "",
            self.tr("File"): facts.file or self.tr("not on this computer"),
            self.tr("SHA-256"): facts.sha256,
        }  # fmt: skip
        return {key: value for key, value in rows.items() if value}

    def _speed(self, facts: BackboneFacts) -> str:
        """Say how much work a picture is; time follows it nearly in proportion."""
        share = facts.operations / BASE_OPERATIONS
        if not share:
            return ""
        words = (
            (0.05, self.tr("fast enough for a processor, {share} times the work of ViT-B/16")),
            (0.35, self.tr("fast, {share} times the work of ViT-B/16")),
            (1.5, self.tr("medium, {share} times the work of ViT-B/16")),
            (8.0, self.tr("slow, {share} times the work of ViT-B/16")),
            (float("inf"), self.tr("very slow, {share} times the work of ViT-B/16")),
        )
        text = next(text for most, text in words if share <= most)
        return text.format(share=work_text(facts).removesuffix(" ×"))
