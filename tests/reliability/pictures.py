"""Picture files, and what folders and pictures may be called."""

import dataclasses
import io
import shutil
import struct
import zlib
from contextlib import suppress

from hypothesis import strategies as st
from PIL import Image

from tests.logged import begin
from tests.pictures import make_class_folders, make_picture
from tests.recorded import recorded_run
from tests.reliability import inputs
from tests.reliability.sandbox import Inputs, Sandbox
from workbench import config as configs
from workbench.config import RunConfig
from workbench.errors import WorkbenchError
from workbench.events import Note, RunStarted
from workbench.log import table
from workbench.report import ScanReport


def pictures(place: Sandbox) -> Inputs:
    """Picture files of every format with bytes changed, and ones that claim to be huge."""
    from workbench.core.pictures import read

    image = Image.fromarray(make_picture("owl", 1, size=40))
    saved = []
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"):
        for mode in ("RGB", "L") if kind != "GIF" else ("P",):
            with io.BytesIO() as file:
                image.convert(mode).save(file, kind)
                saved.append(file.getvalue())
    claims = st.tuples(st.integers(0, 2**31), st.integers(0, 2**31)).map(_png)
    saved.append(_png((8, 8), text=bytes(64 << 20)))  # a comment of 64 MB in 64 kB
    bombs = st.sampled_from([(20_000, 20_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 0)]).map(_png)
    file = place.given / "picture.png"

    def target(data: bytes) -> None:
        file.write_bytes(data)
        pixels = read(file, 64).pixels
        assert pixels.shape[2] == 3
        assert max(pixels.shape) <= 64

    return st.one_of(inputs.mutated(saved), claims, bombs, st.binary(max_size=40)), target


def _png(size: tuple[int, int], text: bytes = b"") -> bytes:
    """Return a small file that claims a size, and may hold a long comment."""
    head = struct.pack(">II5B", *size, 8, 2, 0, 0, 0)
    chunks = [
        (b"IHDR", head),
        (b"zTXt", b"Comment\0\0" + zlib.compress(text)),
        (b"IDAT", zlib.compress(bytes(4096))),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def folder_names(place: Sandbox) -> Inputs:
    """Folders and pictures of any name: scanned, loaded, put into a configuration, a command and the log."""
    from workbench.core.scan import scan
    from workbench.core.tasks import load_tasks

    session = place.session()
    pixels = make_class_folders(place.given / "pixels", {"a": 2}, size=8) / "a" / "0000.png"
    root = place.given / "tasks"
    started = next(event for event in recorded_run(1) if isinstance(event, RunStarted))

    def target(names: tuple[str, str, str]) -> None:
        shutil.rmtree(root, ignore_errors=True)
        task, one, picture = names
        try:
            folder = root / task / one
            folder.mkdir(parents=True)
            shutil.copy(pixels, folder / f"{picture}.png")
            shutil.copy(pixels, folder / "second.png")
        except (OSError, ValueError) as error:  # the system itself takes no such name
            raise WorkbenchError(str(error)) from error
        report = list(scan([str(root / task)]))[-1]
        assert isinstance(report, ScanReport)
        if not report.tasks or not report.tasks[0].usable:
            raise WorkbenchError(
                report.problems[0].sentence if report.problems else "nothing usable"
            )
        config = dataclasses.replace(
            RunConfig(name="x"), data=configs.DataConfig((report.tasks[0].folder,))
        )
        configs.as_command(config)
        with suppress(UnicodeEncodeError):  # TOML is UTF-8
            assert configs.from_dict(configs.to_dict(config)) == config
        loading = load_tasks(config.data, config.seeds)
        try:
            while True:
                next(loading)
        except StopIteration as end:
            end.value.cache.close()
            infos = tuple(each.info for each in end.value.tasks)
        told = [dataclasses.replace(started, tasks=infos), Note("\n".join(names))]
        with session.log() as log:
            begin(log, "named", task, len(infos))
            log.write("named", [(1.0, event) for event in told])
            assert log.events("named") == told
            with log.change() as db:
                table.move_to_bin(db, "named", True)
                table.remove(db, "named")

    return st.tuples(inputs.NAMES, inputs.NAMES, inputs.NAMES), target
