"""What is fed with malformed inputs: each kind makes its inputs, and puts one of them through the real code."""

import dataclasses
import hashlib
import io
import json
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from tests.logged import begin
from tests.pictures import make_class_folders, make_picture
from tests.recorded import recorded_run, write_kernels
from tests.reliability import inputs
from tests.test_compare import log_run
from workbench import config as configs, paths
from workbench.config import RunConfig, TaskFolder
from workbench.errors import WorkbenchError
from workbench.events import KINDS, Answered, Note, RunStarted, Snapshot, from_json, to_json
from workbench.log import table
from workbench.plugins import Memory
from workbench.query import completions, parse
from workbench.report import ScanReport
from workbench.session import Session


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """Where an input may write: `home` and `given`; everything else below `root` must stay as it is."""

    root: Path

    @property
    def home(self) -> Path:
        """The home folder of the log."""
        return self.root / "home"

    @property
    def given(self) -> Path:
        """Where the inputs lie."""
        return self.root / "given"


Target = Callable[[Any], None]
Kind = Callable[[Sandbox], tuple[st.SearchStrategy[Any], Target]]


def configurations(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Trees of settings with wrong values, wrong types, unknown keys."""
    full = configs.to_dict(
        dataclasses.replace(
            RunConfig(), data=configs.DataConfig((TaskFolder("owls", "/owls", ("a", "b")),))
        )
    )

    def target(tree: Any) -> None:
        config = configs.from_dict(tree)
        assert configs.from_dict(configs.to_dict(config)) == config

    return st.one_of(inputs.edited(full), inputs.JUNK), target


def assignments(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Texts after --set."""
    keys = [key for key, _, _ in configs.settings_of(RunConfig())] + ["data.tasks", "model", ""]
    texts = st.one_of(inputs.TEXTS, inputs.NUMBERS.map(str), st.just("tasks = [{name = 1}]"))

    def target(parts: tuple[str, str]) -> None:
        configs.with_values(RunConfig(), dict([configs.parse_assignment("=".join(parts))]))

    return st.tuples(st.sampled_from(keys), texts), target


def toml_files(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Configuration files with bytes changed."""
    base = configs.to_toml(RunConfig()).encode()
    short = b'name = "x"\n[train]\nepochs = 2\n[[data.tasks]]\nname = "a"\npath = "b"\n'
    deep = b"name = " + inputs.nested(20_000)
    file = place.given / "run.toml"

    def target(data: bytes) -> None:
        file.write_bytes(data)
        configs.load_config(file)

    return st.one_of(inputs.mutated([base, short]), st.just(deep), st.binary(max_size=60)), target


def filters(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Texts of the filter over the table of runs, asked of a real log."""
    session = Session(place.home, entry_points=False)
    with session.log() as log:
        if not log.runs():
            log_run(log, 1, recorded_run(2))
    kept = session.log()
    log = kept.__enter__()

    def target(text: str) -> None:
        completions(text)
        query = parse(text)
        assert str(parse(str(query))) == str(query)
        with log.snapshot() as db:
            assert table.count(db, query) == len(table.page(db, query))

    return inputs.FILTERS, target


def events(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """What the log keeps of events, damaged."""
    samples = {
        type(event).__name__: to_json(event) for event in recorded_run(2, kernel=True, live=True)
    }
    originals = [json.loads(text) for text in samples.values()]
    kinds = st.one_of(st.sampled_from([*KINDS, *samples]), st.text(max_size=6))

    def damaged() -> Iterator[st.SearchStrategy[Any]]:
        for name, tree in zip(samples, originals, strict=True):
            yield st.tuples(st.just(name), inputs.edited(tree).map(json.dumps))

    texts = inputs.mutated([text.encode() for text in samples.values()])
    loose = st.tuples(
        kinds,
        st.one_of(texts.map(lambda data: data.decode("utf-8", "replace")), st.just("[" * 50_000)),
    )

    def target(pair: tuple[str, str]) -> None:
        to_json(from_json(*pair))

    return st.one_of(*damaged(), loose), target


def pictures(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
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


def adapters(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Adapter files with a damaged head, wrong tensors, wrong cards; the network is really rebuilt."""
    import torch
    from safetensors.torch import load, save

    from workbench.core.adapter_file import CARD_NAME, TENSORS_NAME
    from workbench.core.card import load_network

    folder = place.given / "adapter"
    original, card = _an_adapter(place)
    tensors = load(original)
    names = sorted(tensors)

    @st.composite
    def wrong_tensors(draw: st.DrawFn) -> bytes:
        made = dict(tensors)
        name = draw(st.sampled_from(names))
        old = made[name]
        made[name] = draw(st.sampled_from([
            old.double(), old.half(), old[:0], old[None], torch.full_like(old, -7), old.float() * float("nan"),
            old.float().log(), torch.zeros(3), torch.zeros(()), old.bfloat16(), old.bool(),
        ]))  # fmt: skip
        if draw(st.booleans()):
            made[draw(st.text(max_size=8))] = torch.ones(2)
        return bytes(save(made))

    blobs = st.one_of(
        st.just(original), inputs.mutated([original]), wrong_tensors(),
        st.sampled_from([10**12, 2**63 - 1, 0, 7, 2**31]).map(lambda n: n.to_bytes(8, "little") + original[8:]),
        st.just(pickle.dumps({"a": 1})), st.binary(max_size=30),
        st.just(len(inputs.nested(50_000)).to_bytes(8, "little") + inputs.nested(50_000)),
    )  # fmt: skip
    cards = st.one_of(
        st.just(card), inputs.edited(card), inputs.JUNK, st.none(), st.just("deep")
    )  # none: no card beside it

    def target(example: tuple[bytes, Any, bool]) -> None:
        blob, tree, signed = example
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / TENSORS_NAME).write_bytes(blob)
        if signed and isinstance(tree, dict):
            tree = tree | {"tensors_sha256": hashlib.sha256(blob).hexdigest()}
        if tree is not None:
            text = inputs.nested(50_000) if tree == "deep" else json.dumps(tree).encode()
            (folder / CARD_NAME).write_bytes(text)
        for _ in load_network(folder, place.home, torch.device("cpu")):
            pass

    return st.tuples(blobs, cards, st.integers(0, 9).map(bool)), target


def _an_adapter(place: Sandbox) -> tuple[bytes, dict[str, Any]]:
    """Return a real adapter's tensors and card."""
    import torch

    from tests.trained import BACKBONE
    from workbench.config import ModelConfig, effective_switches
    from workbench.core.adapter_file import AdapterCard, AdapterClass, Preprocessing, save_adapter
    from workbench.core.build import build_network
    from workbench.core.weights import load_weights

    loading = load_weights(BACKBONE, "", place.home)
    try:
        while True:
            next(loading)
    except StopIteration as end:
        weights = end.value
    model = ModelConfig(backbone=BACKBONE)
    switches = effective_switches(RunConfig(model=model))
    network = build_network(model, switches, weights, torch.device("cpu"))
    network.prototypes.grow(2)
    card = AdapterCard(
        program="0.1.0", backbone=BACKBONE, weights_sha256=weights.sha256, timm_name=weights.model_name,
        create_kwargs=weights.create_kwargs, width=network.backbone.width,
        classes=(AdapterClass("a", 0), AdapterClass("b", 0)), tasks=("t",),
        preprocessing=Preprocessing(32, 36, "bicubic", (0.5,) * 3, (0.5,) * 3), profile="repaired",
        switches=switches, model=dataclasses.asdict(model), metrics={"a": 0.5}, licence="none",
    )  # fmt: skip
    files = save_adapter(place.given / "original", network.adapter_state(), card)
    return files[0].read_bytes(), json.loads(files[1].read_text(encoding="utf-8"))


def weight_files(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Files of backbone weights, as safetensors and as torch writes them, with bytes changed."""
    import torch
    from safetensors.torch import save

    from workbench.core.backbone import create
    from workbench.core.weights import load_weights

    name = "vit_tiny_patch16_224.augreg_in21k?img_size=32&depth=1&embed_dim=24"
    state = create("vit_tiny_patch16_224", None, img_size=32, depth=1, embed_dim=24).state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    safe, whole = bytes(save(state)), buffer.getvalue()

    def target(example: tuple[str, bytes]) -> None:
        file = place.given / f"weights{example[0]}"
        file.write_bytes(example[1])
        for _ in load_weights(name, str(file), place.home):
            pass

    old = [pickle.dumps({"a": [1, 2]}, protocol) for protocol in (0, 2, 4)]
    return st.one_of(
        st.tuples(st.just(".safetensors"), inputs.mutated([safe])),
        st.tuples(st.sampled_from([".pt", ".bin"]), inputs.mutated([whole, *old])),
    ), target


def bundles(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Bundles with bytes changed, and whole ones with other rows, names and contents; opened and shown."""
    session = Session(place.home, entry_points=False)
    made = _a_bundle(place)
    with zipfile.ZipFile(io.BytesIO(made)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    rows = [json.loads(line) for line in members["rows.jsonl"].splitlines()]

    @st.composite
    def rebuilt(draw: st.DrawFn) -> bytes:
        changed = dict(members)
        what = draw(st.sampled_from(["row", "row", "row", "name", "content", "card"]))
        card = json.loads(changed.pop("bundle.json"))
        if what == "row":
            at = draw(st.integers(0, len(rows) - 1))
            lines = [*rows[:at], draw(inputs.edited(rows[at])), *rows[at + 1 :]]
            changed["rows.jsonl"] = "\n".join(map(json.dumps, lines)).encode()
        elif what == "name":
            changed[draw(inputs.TEXTS)] = b"content"
        elif what == "content":
            name = draw(st.sampled_from(sorted(changed)))
            changed[name] = draw(inputs.mutated([changed[name]]))
        card["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in changed.items()}
        if what == "card":
            card = draw(inputs.edited(card))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in changed.items():
                with suppress(UnicodeEncodeError):  # no archive can hold such a name
                    packed.writestr(zipfile.ZipInfo(name or "x"), data)
            packed.writestr("bundle.json", json.dumps(card))
        return buffer.getvalue()

    file = place.given / "run.zip"

    def target(data: bytes) -> None:
        file.write_bytes(data)
        run = session.open_bundle(file)
        try:
            _show(session, run)
        finally:
            with session.log() as log, log.change() as db:
                table.move_to_bin(db, run, True)
                table.remove(db, run)
            shutil.rmtree(place.home / "runs" / run)

    return st.one_of(rebuilt(), rebuilt(), inputs.mutated([made])), target


def _show(session: Session, run: str) -> None:
    """Ask of a run what the window asks; files inside it may be damaged, which is a sentence of its own."""
    details, told = session.details(run), session.events(run)
    configs.from_dict(details.config)
    for event in told:
        with suppress(WorkbenchError):
            if isinstance(event, Snapshot):
                session.arrays(run, event.path)
            elif isinstance(event, Answered):
                session.results.answers(run, event.path)
                session.results.pictures(run, event.pictures)


def _a_bundle(place: Sandbox) -> bytes:
    first = place.given / "first"
    session = Session(first, entry_points=False)
    told = recorded_run(2, kernel=True)
    with session.log() as log:
        log_run(log, 1, told)
    folder = paths.run_folder(first, "id1")
    write_kernels(folder, told)
    file = session.bundle("run-0001", place.given / "original.zip")
    session.close()
    return file.read_bytes()


def folder_names(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """Folders and pictures of any name: scanned, loaded, put into a configuration, a command and the log."""
    from workbench.core.scan import scan
    from workbench.core.tasks import load_tasks

    session = Session(place.home, entry_points=False)
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


def kept_files(place: Sandbox) -> tuple[st.SearchStrategy[Any], Target]:
    """What the program itself keeps beside the log, damaged: trusted plug-ins, lists of pictures, answers."""
    from workbench.core.manifest import read_manifest, write_manifest

    folder = place.given / "kept"
    write_manifest(folder, [("owls", {"a/1.png": "0" * 64, "b/2.png": ""})])
    trust = json.dumps({"trusted": ["0" * 64], "off": ["x.py"]}).encode()
    session = Session(place.home, entry_points=False)
    run = paths.run_folder(place.home, "kept")
    answers = _answers_file()

    def target(example: tuple[str, bytes]) -> None:
        which, data = example
        if which == "plugins":
            (folder / "plugins.json").write_bytes(data)
            assert not Memory(folder).trusts("1" * 64)
        elif which == "manifest":
            (folder / "pictures.json").write_bytes(data)
            read_manifest(folder)
        elif which == "names":
            (run / "names.json").write_bytes(data)
            session.results.pictures("kept", "names.json")
        else:
            (run / "answers.safetensors").write_bytes(data)
            session.results.answers("kept", "answers.safetensors")

    manifest = (folder / "pictures.json").read_bytes()
    texts = {"plugins": trust, "manifest": manifest, "names": b'["a/1.png", "b/2.png"]'}
    deep = st.just(inputs.nested(50_000))
    changed = [
        st.tuples(st.just(name), st.one_of(inputs.mutated([data]), inputs.edited(json.loads(data)).map(_json), deep))
        for name, data in texts.items()
    ]  # fmt: skip
    return st.one_of(*changed, st.tuples(st.just("answers"), inputs.mutated([answers]))), target


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def _answers_file() -> bytes:
    from safetensors.numpy import save

    n = 12
    whole = dict.fromkeys(
        ("label", "predicted", "given_task", "baseline"), np.arange(n, dtype=np.int32)
    )
    floats = dict.fromkeys(("score", "score_true"), np.full(n, 0.5, np.float32))
    best = {"best": np.zeros((n, 5), np.int32), "best_scores": np.zeros((n, 5), np.float32)}
    return bytes(
        save(whole | floats | best | {"task": np.repeat(np.arange(2, dtype=np.int32), n // 2)})
    )


# Kind, and its share of all examples: those that build a network or open a log cost more.
KINDS_OF_INPUT: dict[str, tuple[Kind, float]] = {
    "configurations": (configurations, 0.14),
    "words after --set": (assignments, 0.08),
    "TOML files": (toml_files, 0.10),
    "filters": (filters, 0.12),
    "events": (events, 0.16),
    "picture files": (pictures, 0.14),
    "adapter files": (adapters, 0.08),
    "weights files": (weight_files, 0.04),
    "bundles": (bundles, 0.06),
    "names of folders": (folder_names, 0.03),
    "files beside the log": (kept_files, 0.05),
}
