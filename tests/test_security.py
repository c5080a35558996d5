"""What SECURITY.md promises, each promise held by a test here or in the modules it names."""

import ast
import dataclasses
import hashlib
import json
import os
import py_compile
import re
import shlex
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from PySide6.QtCore import QByteArray, QModelIndex, QSettings
from PySide6.QtGui import QAction, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QLabel,
    QListView,
    QTextBrowser,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.pictures import make_class_folders
from tests.recorded import recorded_run
from tests.test_compare import log_run, tick
from tests.test_plug_in_window import shut
from workbench import paths, query
from workbench.config import DataConfig, RunConfig, TaskFolder, as_command
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Event, Note, RunStarted
from workbench.face.drop import Given
from workbench.face.remembered import remembered
from workbench.face.window import Window
from workbench.log import table
from workbench.log.store import Log
from workbench.paths import ROOT, home_folder
from workbench.plugins import Memory, Plugins, load
from workbench.session import Session, unpacking

MODULES = sorted(
    [ROOT / "main.py", *(ROOT / "workbench").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
)
UNPICKLERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
EXTRACTORS = {"extract", "extractall", "unpack_archive"}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        yield name, ast.parse(path.read_text(encoding="utf-8"), name)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Yield place, dotted name of what is called, and the call."""
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{name}:{node.lineno}", ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> str:
    return next((ast.unparse(each.value) for each in call.keywords if each.arg == name), "")


def test_every_test_that_security_md_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert len(named) > 15
    assert named <= set(globals())


# --- nothing is unpickled ---


def test_no_module_imports_what_unpickles() -> None:
    found = []
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [(name, each.name) for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                found += [(name, f"{node.module}.{each.name}") for each in node.names]
    bad = [each for each in found if each[1].partition(".")[0] in UNPICKLERS]
    assert bad == [("workbench/core/weights.py", "pickle.UnpicklingError")]  # what torch raises


def test_torch_and_numpy_read_nothing_but_numbers() -> None:
    readers = [
        each for each in calls() if each[1] in ("torch.load", "load", "np.load", "numpy.load")
    ]
    loads = [each for each in readers if each[1] == "torch.load"]
    assert loads, "the search finds no call at all"
    assert {keyword(call, "weights_only") for _, _, call in loads} == {"True"}
    for place, _, call in calls():
        assert keyword(call, "allow_pickle") in ("", "False"), place
    assert not [place for place, name, _ in readers if name in ("np.load", "numpy.load")]


def test_a_weights_file_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    import pickle

    import torch

    from workbench.core.weights import _tensors

    trap = Trap()
    trap.place = str(tmp_path / "sprung")
    torch.save({"weight": trap}, tmp_path / "weights.pt")
    (tmp_path / "bare.bin").write_bytes(pickle.dumps(trap, 2))
    for name in ("weights.pt", "bare.bin"):
        with pytest.raises(UsageError, match=r"so it is not opened|not a readable"):
            _tensors(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Once unpickled, a folder lies at `place`."""

    place = ""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (os.mkdir, (self.place,))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as Qt writes it": lambda text: text,
    "escaped": lambda text: text.replace("@Variant(", "\\x40Va\\x72iant("),
    "octal": lambda text: text.replace("@Variant(", "@\\126ariant("),
    "in pieces": lambda text: text.replace("@Variant(", '@Var""iant('),
    "over two lines": lambda text: text.replace("@Variant(", "@Var\\\niant("),
    "a letter skipped": lambda text: text.replace("@Variant(", "@Var\\qiant("),
    "another word": lambda text: text.replace(
        "@Variant(\\0\\0\\0\\x7f", "@DateTime(\\0\\0\\0\\x7f"
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_the_window_remembers_is_never_unpickled(
    tmp_path: Path, qapp: QApplication, spelling: str
) -> None:
    trap = Trap()
    trap.place = str(tmp_path / "sprung")
    file = tmp_path / "window.ini"
    made = QSettings(str(file), QSettings.Format.IniFormat)
    made.setValue("scheme", trap)
    made.sync()
    text = SPELLINGS[spelling](file.read_text(encoding="latin-1"))
    file.write_text(text, encoding="latin-1")
    if spelling != "another word":  # the trap works: this is what Qt does by itself
        loose = tmp_path / "loose.ini"
        loose.write_text(text, encoding="latin-1")
        QSettings(str(loose), QSettings.Format.IniFormat).value("scheme")
        (tmp_path / "sprung").rmdir()
    assert remembered(tmp_path).value("scheme") is None
    assert not (tmp_path / "sprung").exists()
    assert (tmp_path / "window.ini.refused").is_file()


def test_what_the_window_keeps_itself_comes_back(tmp_path: Path, qapp: QApplication) -> None:
    kept = {
        "geometry": QByteArray(bytes(range(256))),
        "scheme": "dark",
        "on": True,
        "folder": "/@home/Ö ü,;\\",
    }
    memory = remembered(tmp_path)
    for key, value in kept.items():
        memory.setValue(key, value)
    memory.sync()
    again = remembered(tmp_path)
    assert again.value("geometry") == kept["geometry"]
    assert again.value("scheme") == "dark"
    assert str(again.value("on")).lower() == "true"
    assert again.value("folder") == kept["folder"]
    assert not (tmp_path / "window.ini.refused").exists()


# --- nothing that was read is run ---


def test_no_text_is_run_and_no_shell_is_asked() -> None:
    for place, name, call in calls():
        assert name not in ("eval", "exec", "compile", "__import__"), place
        assert name not in SHELLS, place
        assert keyword(call, "shell") in ("", "False"), place
        assert name.rpartition(".")[2] not in ("startCommand", "setNativeArguments"), place
        assert name.rpartition(".")[2] not in EXTRACTORS, place


def test_code_is_loaded_from_files_in_two_modules_alone() -> None:
    loaders = {"importlib.util.spec_from_file_location", "runpy.run_path", "runpy.run_module"}
    found = {(place.partition(":")[0], name) for place, name, _ in calls() if name in loaders}
    assert found == {
        ("workbench/plugins/sources.py", "importlib.util.spec_from_file_location"),
        ("workbench/plugins/data_sets.py", "runpy.run_path"),  # a script of resources/
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(min_size=1, max_size=30).filter(lambda text: "\x00" not in text))
def test_a_command_to_copy_is_quoted_whatever_folders_are_called(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    folder = TaskFolder(name, f"/data/{name}")
    words = shlex.split(as_command(RunConfig(data=DataConfig((folder,)))))
    assert words[2] == "run"
    assert len(words) == 5  # python, main.py, run, --set, all tasks as one word


# --- SQL ---

# Every expression that is written into an SQL text, and why no text of a user can be in it.
AUDITED = {
    "workbench/log/bundle.py": {
        "table": "checked against the fixed names in _TABLES",
        "names": "fixed names in _KEY",
        "name": "fixed names in _KEY",
        "', '.join(_KEY)": "fixed",
        "', '.join(values)": "only the table's own columns, see _known",
        "slots": "question marks",
    },
    "workbench/log/migrations.py": {
        "wanted": "WAL or DELETE", "setting": "fixed", "APPLICATION_ID": "a number", "new": "a number",
        "name": "fixed",
    },
    "workbench/log/queue.py": {"_COLUMNS": "fixed"},
    "workbench/log/reading.py": {
        "_SUMMARY": "fixed", "METHOD": "fixed", "_CURVES": "fixed", "rest": "fixed, or of log.table", "', '.join(names)": "fixed",
        "column": "value or baseline",
    },
    "workbench/log/rescue.py": {
        "table": "fixed names in TABLES", "slots": "question marks",
        "', '.join(columns)": "only those that the new log's own table has",
    },
    "workbench/log/resume.py": {"table": "fixed names in _EVENTS", "listed": "the log's own columns"},
    "workbench/log/salvage.py": {
        "table": "fixed names in rescue.TABLES", "', '.join(columns)": "only those of the new log's own table",
        "select": "made of these", "where": "made of the fixed names in rescue.TABLES", "column": "likewise",
    },
    "workbench/log/rows.py": {"columns": "fixed", "column": "fixed", "name": "fixed"},
    "workbench/log/store.py": {
        "', '.join(values)": "fixed", "slots": "names after a colon, fixed", "column": "fixed", "name": "fixed",
        "WAIT_MS": "a number",
    },
    "workbench/log/table.py": {
        "where": "made by condition, values as ?", "COLUMNS[order]": "looked up", "way": "ASC or DESC",
        "table": "a table of this database", "key.column": "a column of this database", "column": "fixed",
        "sql": "made by _condition", "operator": "one of query's operators", "_TEXTS[term.key]": "looked up",
        "_TEXTS[key]": "looked up", "_TAG": "fixed", "escape": "fixed", "number": "made here",
    },
}  # fmt: skip
WORDS = (
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE ",
    "PRAGMA ",
    "WHERE ",
    " LIKE ",
    "ALTER ",
    "DROP ",
)


def test_what_is_written_into_sql_is_fixed_names_and_nothing_else() -> None:
    found: dict[str, set[str]] = {}
    for name, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
            if any(word in text for word in WORDS) and name.startswith("workbench/log/"):
                parts = (part for part in node.values if isinstance(part, ast.FormattedValue))
                found.setdefault(name, set()).update(ast.unparse(part.value) for part in parts)
    fresh = {name: parts - set(AUDITED.get(name, ())) for name, parts in found.items()}
    assert not {name: parts for name, parts in fresh.items() if parts}, (
        "look at these and list them"
    )


def test_sql_is_asked_for_in_the_log_alone() -> None:
    for name, tree in trees():
        # kept features are a file of their own, no part of the log
        if name.startswith(("workbench/log/", "plugins/", "workbench/core/kept_features.py")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(
                    ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")
                )


HOSTILE = (
    "'); DROP TABLE run; --", '" OR 1=1 --', "%", "_", "\\", "a'b", "$(touch x)", "`x`", "; rm -rf /",
    "line\nbreak", "\ud800", "<img src='http://example.org/x.png'>", "{0}", "%s", "?", ":name", "",
)  # fmt: skip


def test_hostile_words_stay_words_in_every_question_to_the_log(tmp_path: Path) -> None:
    with Log(tmp_path / "workbench.db") as log:
        log_run(log, 1, recorded_run(2))
        for word in filter(str.strip, HOSTILE):
            log.rename("id1", word)
            with log.change() as db:
                table.set_note(db, "id1", word)
                table.set_tags(db, "id1", [word])
            with log.snapshot() as db:
                for key in ("", "name", "note", "tag", "task", "backbone", "train.device"):
                    term = query.Term(key, ":", word)
                    assert table.count(db, query.Query((term,))) in (0, 1)
                exact = query.Query((query.Term("note", "=", word.strip()),))
                assert table.count(db, exact) == 1
            with pytest.raises(UsageError):
                log.find(word + "no such run")
        assert len(log.runs()) == 1
        assert len(log.events("id1")) == len(recorded_run(2))


# --- bundles ---


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    with closing(Session(tmp_path / "one", entry_points=False)) as session:
        with session.log() as log:
            log_run(log, 1, recorded_run(2, kernel=True))
            folder = paths.run_folder(session.home, "id1") / "adapter"
            folder.mkdir()
            (folder / "adapter.safetensors").write_bytes(bytes(range(256)))
        return session.bundle("run-0001", tmp_path / "run.zip")


def changed(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Change a bundle's members, and write its card anew so that every hash fits."""
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    card = json.loads(members.pop("bundle.json"))
    card["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
        packed.writestr("bundle.json", json.dumps(card))
    return file


def refusal(home: Path, file: Path) -> str:
    """Open a bundle that must be refused; return the sentence, after looking that nothing was left."""
    with closing(Session(home, entry_points=False)) as session:
        before = sorted(path for path in home.parent.rglob("*") if "workbench.db" not in path.name)
        with pytest.raises(WorkbenchError) as refused:
            session.open_bundle(file)
        assert session.runs() == []
    after = sorted(path for path in home.parent.rglob("*") if "workbench.db" not in path.name)
    assert [path for path in after if path not in before] in ([], [home / "runs"])
    return str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "files/../../evil", "/tmp/evil", "//host/share/evil", "C:/evil", "C:evil", "files\\..\\evil",
        "files/a:stream", "files/nul", "files/COM1.txt", "files/aux .json", "files/dots.", "files/space ",
        "files/run.py", "files/run.PY", "files/model.pkl", "files/lib.so", "files/start.bat", "..", ".",
    ],
)  # fmt: skip
def test_a_bundle_writes_nothing_outside_its_runs_folder(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    changed(bundle, lambda members: members.update({name: b"evil"}))
    said = refusal(tmp_path / "deep" / "two", bundle)
    assert "outside the run's folder" in said or "can run programs" in said
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil").exists()


def test_a_link_in_a_bundle_is_no_link_here(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "secret"
    target.write_text("mine")
    with zipfile.ZipFile(bundle) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    card = json.loads(members.pop("bundle.json"))
    link = str(target).encode()
    card["files"]["files/link"] = hashlib.sha256(link).hexdigest()
    with zipfile.ZipFile(bundle, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
        packed.writestr("bundle.json", json.dumps(card))
        entry = zipfile.ZipInfo("files/link")
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        packed.writestr(entry, link)
    with closing(Session(tmp_path / "two", entry_points=False)) as session:
        session.open_bundle(bundle)
        came = session.home / "runs" / "id1" / "link"
    assert not came.is_symlink()
    assert came.read_bytes() == link


def test_a_bundle_that_unpacks_to_far_too_much_is_refused_unwritten(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(unpacking, "MOST_GROWTH", 2)
    changed(bundle, lambda members: members.update({"files/zeros": bytes(4 << 20)}))
    assert bundle.stat().st_size < 200_000
    assert "far more than a run of its size holds" in refusal(tmp_path / "two", bundle)


def test_a_member_that_lies_about_its_size_is_refused(bundle: Path, tmp_path: Path) -> None:
    changed(bundle, lambda members: members.update({"files/zeros": bytes(1 << 20)}))
    data = bytearray(bundle.read_bytes())
    at = data.rindex(b"files/zeros")  # in the central directory, 22 bytes behind its size
    data[at - 22 : at - 18] = struct.pack("<I", 10)
    bundle.write_bytes(bytes(data))
    assert "damaged" in refusal(tmp_path / "two", bundle)


def test_the_same_name_twice_is_refused(bundle: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(bundle, "a") as packed:
        packed.writestr("curves.csv", "other")
    assert "holds 'curves.csv' twice" in refusal(tmp_path / "two", bundle)


def _row(table: str, **values: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["rows.jsonl"] += json.dumps([table, values]).encode() + b"\n"

    return change


def _patched(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert old in members["rows.jsonl"]
        members["rows.jsonl"] = members["rows.jsonl"].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _row("sqlite_master", name="x"),
        _row("run; DROP TABLE run", name="x"),
        _row("run_tag", **{"tag) VALUES (1); --": 1}),
        _row("run_tag"),
        _row("event", n=10**6, time=1.0, kind="Evil", fields="{}"),
        _row("event", n=10**6, time=1.0, kind="Note", fields="[" * 100_000),
        _row("event", n=10**6, time=1.0, kind="Note", fields='{"text": 7}'),
        _row("event", n=10**6, time=1.0, kind="TaskEnded", fields='{"task": 1000000000, "step": 1}'),
        _row("event", n=10**30, time=1.0, kind="Finished", fields='{"step": 1}'),
        _row("step", n=10**6, time=1.0, task="zero", epoch=0, step=1, lr=0.1),
        _row("metric", step=1, n=10**6, task=0, epoch=0, value="x", key_kind="measure", key_name="forgetting"),
        _row("forecast", candidate="x", created="x", forecast="not json"),
        lambda members: members.update({"rows.jsonl": members["rows.jsonl"] + b"[" * 100_000 + b"\n"}),
        lambda members: members.update({"rows.jsonl": b'["run", 5]\n'}),
        lambda members: members.update({"rows.jsonl": b""}),
        _patched(b'"seed": ', b'"seed": "x", "s": '),
        _patched(b'"config": "{', b'"config": "[{'),
    ],
)  # fmt: skip
def test_rows_that_a_window_could_not_show_are_refused(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    said = refusal(tmp_path / "two", changed(bundle, change))
    assert "damaged" in said or "does not know" in said


@pytest.mark.parametrize("at", [6, 8, 10])  # flags (encrypted), method, time of the first member
def test_a_zip_that_python_cannot_read_is_a_sentence(bundle: Path, tmp_path: Path, at: int) -> None:
    data = bytearray(bundle.read_bytes())
    head = data.index(b"PK\x01\x02")
    data[head + at + 2 : head + at + 4] = b"\xff\xff"
    data[at : at + 2] = b"\xff\xff"
    bundle.write_bytes(bytes(data))
    if at == 10:  # only a date
        with closing(Session(tmp_path / "two", entry_points=False)) as session:
            assert session.open_bundle(bundle) == "id1"
    else:
        assert "damaged" in refusal(tmp_path / "two", bundle)


# --- plug-ins ---

HONEST = "VALUE = 'honest'\n"


def plug_ins(home: Path) -> Plugins:
    return load([home / "plugins"], entry_points=False, memory=Memory(home))


def poisoned(source: Path, text: str) -> Path:
    """Put compiled code of another text beside a source file, dated so that Python would take it."""
    cached = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    evil = source.with_suffix(".tmp")
    evil.write_text(text)
    py_compile.compile(str(evil), str(cached), doraise=True)
    evil.unlink()
    state = source.stat()
    data = bytearray(cached.read_bytes())
    data[8:16] = struct.pack("<II", int(state.st_mtime) & 0xFFFFFFFF, state.st_size)
    cached.write_bytes(bytes(data))
    return cached


def test_a_plug_in_is_not_imported_before_it_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with closing(Session(tmp_path, entry_points=False)) as session:
        assert [entry.name for entry in session.plug_ins.waiting()] == ["mine.py"]
        assert not (tmp_path / "ran").exists()
        session.plug_ins.trust("mine.py")
        assert (tmp_path / "ran").exists()


def test_compiled_code_beside_a_trusted_plug_in_is_not_run(tmp_path: Path) -> None:
    package = tmp_path / "plugins" / "pack"
    package.mkdir(parents=True)
    files = (tmp_path / "plugins" / "mine.py", package / "__init__.py", package / "inner.py")
    for file in files:
        file.write_text(HONEST)
    (package / "__init__.py").write_text("from . import inner\nVALUE = inner.VALUE\n")
    memory = Memory(tmp_path)
    for entry in plug_ins(tmp_path).entries:
        memory.trust(entry.source.digest)
    evil = f"open({str(tmp_path / 'ran')!r}, 'w').close()\nVALUE = 'evil'\n"
    for file in files:
        poisoned(file, evil)
    loaded = plug_ins(tmp_path)
    assert [entry.state for entry in loaded.entries] == ["loaded", "loaded"], loaded.problems
    assert not (tmp_path / "ran").exists()
    assert sys.modules["workbench_plugin_mine"].VALUE == "honest"
    assert sys.modules["workbench_plugin_pack"].VALUE == "honest"


def test_a_package_cannot_bring_modules_that_the_question_did_not_cover(tmp_path: Path) -> None:
    package = tmp_path / "plugins" / "pack2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from . import hidden\n")
    poisoned(package / "__init__.py", HONEST).replace(package / "hidden.pyc")
    Memory(tmp_path).trust(plug_ins(tmp_path).entries[0].source.digest)
    (entry,) = plug_ins(tmp_path).entries
    assert entry.state == "failed"
    assert "hidden" in entry.problem


# --- names are names ---

MARK = "<img src='x'>"


def hostile_events() -> list[Event]:
    """A run whose tasks, classes, notes and reasons are all called like markup."""
    events = recorded_run(3, kernel=True)
    started = events[0]
    assert isinstance(started, RunStarted)
    tasks = tuple(
        dataclasses.replace(task, name=f"{MARK}{n}", class_names=tuple(f"{MARK}{n} {c}" for c in range(4)))
        for n, task in enumerate(started.tasks)
    )  # fmt: skip
    first = dataclasses.replace(started, tasks=tasks, backbone=MARK, device=MARK)
    return [first, Note(f"Look: {MARK}", "warning"), *events[1:]]


def shown_as_markup(window: Window) -> list[str]:
    """Return where a name would be drawn as what it says instead of as it is written."""
    found = []
    for widget in window.findChildren(QWidget):
        what = f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        if isinstance(widget, QLabel) and widget.textFormat() != Qt.TextFormat.PlainText:
            rich = widget.textFormat() == Qt.TextFormat.RichText or Qt.mightBeRichText(
                widget.text()
            )
            found += [f"{what}: {widget.text()[:80]}"] * (rich and "<img" in widget.text())
        if "<img" in widget.toolTip() and Qt.mightBeRichText(widget.toolTip()):
            found.append(f"tip of {what}: {widget.toolTip()[:80]}")
        if isinstance(widget, QTextBrowser) and "<img" in widget.toHtml():
            found.append(f"{what}: a picture")
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            found += tips_of(widget, what)
    for action in window.findChildren(QAction):
        if "<img" in action.toolTip() and Qt.mightBeRichText(action.toolTip()):
            found.append(f"tip of action: {action.toolTip()[:80]}")
    return found


def tips_of(view: QAbstractItemView, what: str) -> list[str]:
    model, top = view.model(), QModelIndex()
    rows = range(min(model.rowCount(top), 20))
    columns = range(1 if isinstance(view, QListView) else model.columnCount(top))
    role = Qt.ItemDataRole.ToolTipRole
    tips = [str(model.data(model.index(row, column), role)) for row in rows for column in columns]
    tips += [str(model.headerData(n, Qt.Orientation.Horizontal, role)) for n in columns]
    tips += [str(model.headerData(n, Qt.Orientation.Vertical, role)) for n in rows]
    return [
        f"tip in {what}: {tip[:80]}" for tip in tips if "<img" in tip and Qt.mightBeRichText(tip)
    ]


def test_names_from_data_are_drawn_as_they_are_written(tmp_path: Path, qtbot: QtBot) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    with session.log() as log:
        for number in (1, 2):
            log_run(log, number, hostile_events(), model__backbone=MARK, train__epochs=number)
            log.rename(f"id{number}", f"{MARK} {number}")
    session.table.tag("id1", [MARK])
    session.table.note("id1", MARK)
    task = make_class_folders(tmp_path / MARK, {f"{MARK} a": 3, f"{MARK} b": 3, f"{MARK} c": 1})
    (task / f"{MARK} a" / f"{MARK}.png").write_text("no picture")
    window = Window(session)
    qtbot.addWidget(window, before_close_func=shut)
    window.show()
    desk = window.desk
    found = []
    desk.adder.take(Given(folders=(str(task),)))
    qtbot.waitUntil(lambda: desk.adder.sheet is not None, timeout=20_000)
    assert desk.adder.sheet is not None
    found += shown_as_markup(window)
    desk.adder.sheet.add_button.click()
    qtbot.waitUntil(lambda: len(desk.draft.state.tasks) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: len(desk.history.model.runs()) == 2, timeout=20_000)
    desk.replay("id1")
    tick(window, qtbot, "id1", "id2")
    for page in range(desk.tabs.count()):
        desk.tabs.setCurrentIndex(page)
        qtbot.wait(50)
        found += shown_as_markup(window)
    desk.strips.show_strip("x", MARK, "error")
    desk.toast.say(MARK)
    found += shown_as_markup(window)
    assert not found, "\n".join(sorted(set(found)))


# --- private, and alone ---


@pytest.mark.skipif(
    os.name == "nt", reason="Windows keeps the user's folders private by its own lists"
)
def test_the_log_folder_that_is_made_is_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = home_folder(tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


WATCH = """
import os, sys
def _look(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        outside = True
    elif event in ("socket.connect", "socket.bind"):
        outside = isinstance(args[1], tuple)  # a path is a socket of this computer
    else:
        return
    if outside:
        with open(os.environ["WATCHED"], "a") as file:
            file.write(f"{event} {args[1:]}\\n")
        raise OSError("this test forbids the network")
sys.addaudithook(_look)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["window", "command line"])
def test_a_run_of_the_sample_touches_no_network(tmp_path: Path, how: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)  # of every process that is started below
    told = tmp_path / "told"
    words = [sys.executable, "-m", "tests.offline", str(tmp_path / "home"), how]
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "WATCHED": str(told)}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert "finished" in done.stdout, done.stdout + done.stderr
    assert not told.exists(), told.read_text()
    probe = "import socket; socket.create_connection(('127.0.0.1', 9))"
    assert subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True).returncode
    assert told.exists()  # the watch works
