"""Make the icons of Windows and macOS from the one drawing: `python resources/make_icons.py`."""

from io import BytesIO
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QIcon

FOLDER = Path(__file__).resolve().parent / "icons"
SIZES = (16, 24, 32, 48, 64, 128, 256)


def drawn(size: int) -> Image.Image:
    """Return the drawing at `size` x `size` pixels."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QIcon(str(FOLDER / "app.svg")).pixmap(size, size).save(buffer, "PNG")
    return Image.open(BytesIO(bytes(data.data()))).convert("RGBA")


def main() -> None:
    """Write app.ico and app.icns."""
    app = QGuiApplication([])
    drawn(256).save(
        FOLDER / "app.ico", sizes=[(s, s) for s in SIZES], append_images=[drawn(s) for s in SIZES]
    )
    drawn(1024).save(FOLDER / "app.icns", append_images=[drawn(s) for s in (32, 64, 128, 256, 512)])
    app.quit()


if __name__ == "__main__":
    main()
