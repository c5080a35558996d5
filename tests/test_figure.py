import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication
from safetensors.numpy import load_file

from tests.recorded import recorded_run, write_kernels
from workbench.errors import UsageError, WorkbenchError
from workbench.face import canvas
from workbench.face.curve_lines import Beside, Level
from workbench.face.figure import export_plots, switches_of
from workbench.face.record import RunRecord
from workbench.face.theme import LIGHT, apply_theme
from workbench.face.views import VIEWS

KINDS = {*VIEWS, "accuracy_matrix"}
OF_PAIRS = {"task_overlap", "forgetting_parts", "kernel_drift_by_task"}
OF_FILES = {"kernel_of_probe", "kernel_spectrum", "movement_of_classes"}


@pytest.fixture
def figures(qtbot, tmp_path):
    written = export_plots(recorded_run(), tmp_path, title="run-0042 · repaired")
    return {path.name: path for path in written}


def rgb(path):
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return flat[:, : image.width(), 2::-1].astype(int)


def near(pixels, colour, tolerance=10):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return np.abs(pixels - wanted).max(axis=2) <= tolerance


def test_every_kind_is_written_in_every_format_and_nothing_else(figures, tmp_path):
    assert set(figures) == {f"{kind}.{form}" for kind in KINDS for form in canvas.FORMATS}
    assert {path.name for path in tmp_path.iterdir()} == set(figures)


def test_png_is_twice_the_size_and_not_uniform(figures):
    for kind in KINDS:
        pixels = rgb(figures[f"{kind}.png"])
        assert pixels.shape[:2] == (924, 1440)
        assert pixels.std() > 5


def test_the_curve_lies_where_its_numbers_say(figures):
    blue = near(rgb(figures["accuracy.png"]), LIGHT.lines[0])
    blue[:140] = False  # heading and legend
    columns = np.flatnonzero(blue.any(axis=0))
    rows = np.array([np.flatnonzero(blue[:, column]).mean() for column in columns])
    # 100 % is drawn near y = 152, 0 % near 776 (2x pixels): about 6.2 pixels a point
    seen = [e.value for e in recorded_run() if getattr(e, "name", "") == "accuracy_seen"]
    per_share = (rows[-5:].mean() - rows[:5].mean()) / (seen[0] - seen[-1])
    assert per_share == pytest.approx(624, rel=0.03)


def test_svg_is_xml_of_the_expected_extent_with_the_numbers_in_it(figures):
    for kind in KINDS - {"accuracy_matrix"}:
        root = ElementTree.parse(figures[f"{kind}.svg"]).getroot()
        assert root.get("viewBox") == "0 0 720 462"
        paths = [node.get("d") for node in root.iter() if node.tag.endswith("path")]
        assert all(paths), "an empty path"
        assert any(d.count("L") > 3 for d in paths)
    text = figures["accuracy.svg"].read_text(encoding="utf-8")
    last = [e.value for e in recorded_run() if getattr(e, "name", "") == "accuracy_seen"][-1]
    assert f"5,{last:.6g}"[:8] in text
    assert "run-0042 · repaired" in text
    assert "<image" not in text


def test_svg_and_png_agree_on_where_axes_and_words_are(figures, tmp_path):
    image = QImage(1440, 924, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFF)
    painter = QPainter(image)
    QSvgRenderer(str(figures["accuracy.svg"])).render(painter, QRectF(0, 0, 1440, 924))
    painter.end()
    image.save(str(tmp_path / "again.png"))
    one = near(rgb(figures["accuracy.png"]), LIGHT.lines[0], 40)
    two = near(rgb(tmp_path / "again.png"), LIGHT.lines[0], 40)
    assert (one & two).sum() > 0.8 * max(one.sum(), two.sum())


def test_pdf_is_one_page_of_the_same_shape_with_drawing_in_it(figures):
    for kind in KINDS:
        data = figures[f"{kind}.pdf"].read_bytes()
        assert data.startswith(b"%PDF")
        box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
        assert float(box[1]) / float(box[2]) == pytest.approx(720 / 462, rel=0.01)
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
        drawing = b"".join(_unpacked(stream) for stream in streams)
        assert len(drawing) > 2000


def _unpacked(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_empty_plots_are_left_out(qtbot, tmp_path):
    written = export_plots(recorded_run(tasks=1), tmp_path, title="one", formats=("png",))
    assert {path.stem for path in written} == KINDS - {
        "forgetting", "ntk_gap", "scores", "linearity"
    }  # fmt: skip
    assert export_plots([], tmp_path, title="none") == []


def test_figures_are_light_in_a_dark_window_and_dark_if_asked(qtbot, tmp_path):
    apply_theme(QApplication.instance(), "dark")
    export_plots(recorded_run(tasks=2), tmp_path, title="a", formats=("png",))
    assert rgb(tmp_path / "accuracy.png")[2, 2].tolist() == [255, 255, 255]
    export_plots(recorded_run(tasks=2), tmp_path, title="a", formats=("png",), theme="dark")
    assert rgb(tmp_path / "accuracy.png")[2, 2].max() < 60
    apply_theme(QApplication.instance(), "light")


def test_a_folder_that_cannot_be_written_is_a_sentence(qtbot, tmp_path):
    (tmp_path / "accuracy.png").mkdir()
    with pytest.raises(WorkbenchError, match=r"Could not write to .*accuracy\.png: "):
        export_plots(recorded_run(tasks=2), tmp_path, title="a", formats=("png",))
    assert list(tmp_path.glob("*.part")) == []


def test_an_unknown_format_is_a_sentence(qtbot, tmp_path):
    with pytest.raises(UsageError, match=r"\.png, \.svg or \.pdf"):
        export_plots(recorded_run(tasks=2), tmp_path, title="a", formats=("gif",))


def test_equal_switches_have_equal_fingerprints():
    assert switches_of(recorded_run()) == switches_of(recorded_run(seed=3))
    assert switches_of([]) == ""


def test_the_command_line_can_export_without_a_display(tmp_path):
    code = (
        "import sys; from tests.recorded import recorded_run;"
        "from workbench.face.figure import export_plots;"
        "print(len(export_plots(recorded_run(tasks=2), sys.argv[1], title='x')))"
    )
    lone = {k: v for k, v in os.environ.items() if not k.startswith(("QT_", "DISPLAY", "WAYLAND"))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=lone, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert int(done.stdout) == len(KINDS) * len(canvas.FORMATS)


def test_what_the_ntk_tab_draws_is_exported_too(qtbot, tmp_path):
    events = recorded_run(tasks=3, kernel=True)
    out = tmp_path / "out"
    written = export_plots(events, out, title="run", formats=("png",))
    assert {path.stem for path in written} == KINDS | OF_PAIRS
    write_kernels(tmp_path, events)
    read = lambda path: load_file(tmp_path / path)  # noqa: E731
    written = export_plots(events, out, title="run", formats=("png", "svg"), read=read)
    assert {path.stem for path in written} == KINDS | OF_PAIRS | OF_FILES
    for kind in OF_PAIRS | OF_FILES:
        assert rgb(out / f"{kind}.png").std() > 5


def test_without_the_kernels_file_the_other_figures_are_written(qtbot, tmp_path):
    def gone(path):
        raise WorkbenchError(f"{path} is gone.")

    events = recorded_run(tasks=2, kernel=True)
    written = export_plots(events, tmp_path, title="run", formats=("png",), read=gone)
    assert {path.stem for path in written} == KINDS | OF_PAIRS


def test_a_kernel_figure_is_shaded_where_it_is_not_to_be_believed(qtbot, tmp_path):
    export_plots(recorded_run(tasks=4), tmp_path, title="run", formats=("png",))
    colour = QColor(LIGHT.warning)
    shade = [round(255 + 0.12 * (c - 255)) for c in (colour.red(), colour.green(), colour.blue())]
    shaded = {
        kind: int((np.abs(rgb(tmp_path / f"{kind}.png") - shade).max(axis=2) <= 2).sum())
        for kind in ("ntk_gap", "accuracy")
    }
    assert shaded["ntk_gap"] > 10_000
    assert shaded["accuracy"] == 0


def test_what_stands_beside_a_run_is_in_its_figures(tmp_path):
    other = RunRecord()
    other.take(recorded_run(tasks=2, seed=4))
    levels = {"accuracy": [Level("bound.joint", "all tasks at once", "dashdot", 0.9)]}
    beside = Beside([("id1", "the other", other)], levels)
    export_plots(recorded_run(tasks=2), tmp_path, title="run", formats=("svg",), beside=beside)
    accuracy, losses = ((tmp_path / f"{key}.svg").read_text() for key in ("accuracy", "losses"))
    assert "the other" in accuracy
    assert "all tasks at once" in accuracy
    assert "the other" in losses
    assert "all tasks at once" not in losses
