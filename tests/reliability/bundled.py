"""Bundles of runs, and the files that the program keeps beside its log."""

import hashlib
import io
import json
import shutil
import zipfile
from contextlib import suppress
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.recorded import recorded_run, write_kernels
from tests.reliability import inputs
from tests.reliability.sandbox import Inputs, Sandbox
from tests.test_compare import log_run
from workbench import config as configs, paths
from workbench.errors import WorkbenchError
from workbench.events import Answered, Snapshot
from workbench.log import table
from workbench.plugins import Memory
from workbench.session import Session


def bundles(place: Sandbox) -> Inputs:
    """Bundles with bytes changed, and whole ones with other rows, names and contents; opened and shown."""
    session = place.session()
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


def kept_files(place: Sandbox) -> Inputs:
    """What the program itself keeps beside the log, damaged: trusted plug-ins, lists of pictures, answers."""
    from workbench.core.manifest import read_manifest, write_manifest

    folder = place.given / "kept"
    write_manifest(folder, [("owls", {"a/1.png": "0" * 64, "b/2.png": ""})])
    trust = json.dumps({"trusted": ["0" * 64], "off": ["x.py"]}).encode()
    session = place.session()
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
