"""The built-in list against timm, and plug-ins that work, fail or clash."""

import importlib
import importlib.util
import py_compile
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest
import timm
import torch
from timm.models import get_pretrained_cfg

from workbench import measures
from workbench.core.backbone import check_plain
from workbench.core.sample_backbone import CREATE_KWARGS, TIMM_NAME
from workbench.paths import plugin_folder
from workbench.plugins import Memory, Plugins, load
from workbench.plugins.memory import shipped
from workbench.plugins.sources import files_in
from workbench.report import BackboneChoice

BUILT_IN = tuple(choice.name for choice in load([], entry_points=False).methods)

GOOD = """
from workbench.plugins import hookimpl
from workbench.report import BackboneChoice

@hookimpl
def register_backbones(registry):
    registry.add("NAME", BackboneChoice("NAME", "Mine", 1.0, 32, "MIT", False))
"""

EVERY_KIND = """
from workbench.measures import Measure
from workbench.plugins import (
    DatasetChoice, ExporterChoice, ExtraMeasure, MethodChoice, PanelChoice, hookimpl)
from workbench.report import BackboneChoice

__version__ = "2.1"

@hookimpl
def register_backbones(registry):
    registry.add("b", BackboneChoice("b", "B", 1.0, 32, "MIT", False))

@hookimpl
def register_methods(registry):
    registry.add("m", MethodChoice("m", "M", "nowhere:Method"))

@hookimpl
def register_datasets(registry):
    registry.add("d", DatasetChoice("d", "D", "nowhere:data"))

@hookimpl
def register_measures(registry):
    registry.add("x", ExtraMeasure(Measure("x", "X", "1", "x", "x"), len))

@hookimpl
def register_exporters(registry):
    registry.add("e", ExporterChoice("e", "E", "nowhere:export"))

@hookimpl
def register_panels(registry):
    registry.add("p", PanelChoice("p", "P", "nowhere:Panel"))
"""


@pytest.fixture(autouse=True)
def _measures_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "MEASURES", dict(measures.MEASURES))


def built_in() -> list[BackboneChoice]:
    return list(load([], entry_points=False).backbones)


def named(plugins: Plugins, name: str) -> BackboneChoice:
    return next(choice for choice in plugins.backbones if choice.name == name)


@pytest.mark.parametrize("choice", built_in(), ids=lambda choice: choice.name)
def test_the_list_says_what_timm_says(choice: BackboneChoice) -> None:
    sample = choice.name == "sample"
    with torch.device("meta"):
        model = timm.create_model(
            TIMM_NAME if sample else choice.name, num_classes=0, **(CREATE_KWARGS if sample else {})
        )
    vit = check_plain(model)
    count = sum(p.numel() for p in vit.parameters()) / 1e6
    assert choice.parameters_millions == pytest.approx(count, abs=0.005)
    assert vit.patch_embed.img_size == (choice.image_size, choice.image_size)
    assert choice.present is sample
    if not sample:
        assert choice.licence.lower() == get_pretrained_cfg(choice.name).license


def test_the_shipped_folder_loads_without_a_complaint() -> None:
    plugins = load(entry_points=False)
    assert plugins.problems == ()
    assert plugins.names == ("example_backbone.py",)
    assert named(plugins, "vit_base_patch8_224.augreg_in21k").image_size == 224
    assert next(iter(plugins.backbones)).name == "sample"


def test_files_that_fail_are_named_with_their_line_and_the_rest_go_on(tmp_path: Path) -> None:
    files = {
        "a_import.py": "\n\nimport nowhere_to_be_found\n",
        "b_syntax.py": "x = 1\ndef (:\n",
        "c_exit.py": "import sys\nsys.exit()\n",
        "d_hook.py": GOOD.replace('registry.add("NAME"', '1 / 0; registry.add("NAME"'),
        "e_clash.py": GOOD.replace("NAME", "sample"),
        "f_argument.py": GOOD.replace("(registry)", "(registry, more)"),
        "g_good.py": GOOD.replace("NAME", "mine"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    plugins = load([tmp_path], entry_points=False)
    assert plugins.names == ("g_good.py",)
    assert named(plugins, "mine").title == "Mine"
    assert len(plugins.problems) == 6
    starts = (
        "a_import.py: No module named 'nowhere_to_be_found' (line 3).",
        "b_syntax.py: invalid syntax (line 2).",
        "c_exit.py: SystemExit (line 2).",
        "d_hook.py: division by zero (line 7).",
        "e_clash.py: backbone 'sample' is registered twice (line 7).",
        "f_argument.py: ",
    )
    for problem, start in zip(plugins.problems, starts, strict=True):
        assert problem.startswith(start)


def test_installed_packages_are_loaded_only_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[workbench]\nmine = mine_module\nbroken = no_such_module\n"
    )
    (tmp_path / "mine_module.py").write_text(GOOD.replace("NAME", "installed"))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert load([], entry_points=False).names == ()
    plugins = load([])
    assert named(plugins, "installed").title == "Mine"
    assert any(p == "broken: No module named 'no_such_module'." for p in plugins.problems)


def test_the_list_is_made_without_torch_and_qt() -> None:
    code = (
        "import sys; from workbench.plugins import load; load(entry_points=False);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'PySide6', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def written(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def states(plugins: Plugins) -> dict[str, str]:
    return {entry.name: entry.state for entry in plugins.entries}


def test_every_kind_comes_in_through_a_hook_and_is_known_as_its_plug_ins(tmp_path: Path) -> None:
    folder = written(tmp_path, "all.py", EVERY_KIND)
    plugins = load([folder], entry_points=False)
    assert plugins.problems == ()
    (entry,) = plugins.entries
    assert entry.version == "2.1"
    assert [kind for kind, _ in entry.brings] == [
        "backbone", "method", "dataset", "measure", "exporter", "panel",
    ]  # fmt: skip
    assert plugins.owner("panel", "p") == "all.py"
    assert plugins.owner("method", "ntk-cl") == ""
    assert plugins.methods.names() == (*BUILT_IN, "m")


def test_a_plug_in_that_half_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = written(
        tmp_path, "half.py", EVERY_KIND.replace('PanelChoice("p"', '1 / 0, PanelChoice("p"')
    )
    plugins = load([folder], entry_points=False)
    assert plugins.names == ()
    assert plugins.methods.names() == BUILT_IN
    assert plugins.problems[0].startswith("half.py: division by zero (line ")
    assert "ZeroDivisionError" in plugins.entries[0].detail


def test_a_thing_of_another_type_is_refused_with_the_line(tmp_path: Path) -> None:
    text = GOOD.replace('BackboneChoice("NAME", "Mine", 1.0, 32, "MIT", False)', "5")
    (problem,) = load([written(tmp_path, "five.py", text)], entry_points=False).problems
    assert problem == "five.py: backbone 'NAME' must be a BackboneChoice, not a int (line 7)."


def test_a_hook_that_there_is_not_is_named_with_the_nearest(tmp_path: Path) -> None:
    text = GOOD.replace("register_backbones", "register_backbone")
    (problem,) = load([written(tmp_path, "odd.py", text)], entry_points=False).problems
    assert problem == (
        "odd.py: there is no hook 'register_backbone'. Did you mean 'register_backbones'?"
    )


def test_of_two_files_with_one_name_the_second_says_where_the_first_lies(tmp_path: Path) -> None:
    first = written(tmp_path / "a", "birds.py", GOOD.replace("NAME", "one"))
    second = written(tmp_path / "b", "birds.py", GOOD.replace("NAME", "two"))
    plugins = load([first, second], entry_points=False)
    assert plugins.names == ("birds.py",)
    assert plugins.problems == (
        f"{second / 'birds.py'}: {first / 'birds.py'} has the same name and came first. "
        "Rename one of them.",
    )


def test_a_package_in_the_folder_is_a_plug_in_and_its_modules_count_for_its_hash(
    tmp_path: Path,
) -> None:
    written(tmp_path / "birds", "__init__.py", GOOD.replace("NAME", "bird"))
    before = load([tmp_path], entry_points=False).entries[0]
    assert (before.name, before.state) == ("birds", "loaded")
    written(tmp_path / "birds", "more.py", "x = 1")
    after = load([tmp_path], entry_points=False).entries[0]
    assert before.source.digest != after.source.digest
    (tmp_path / "birds" / "fast.so").write_bytes(b"machine code")
    assert after.source.now().digest != after.source.digest


def _precompiled(source: Path, text: str) -> None:
    """Leave other bytecode beside a source than its own, as Python's own import would take it unseen."""
    beside = source.with_name("other.txt")
    beside.write_text(text)
    cache = importlib.util.cache_from_source(str(source))
    py_compile.compile(str(beside), cache, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def test_bytecode_beside_a_plug_in_is_not_run_in_its_place(tmp_path: Path) -> None:
    written(tmp_path, "owls.py", "WHO = 'owl'")
    _precompiled(tmp_path / "owls.py", "WHO = 'cuckoo'")
    written(tmp_path / "nest", "__init__.py", "from .inner.egg import WHO, __name__ as inner")
    written(tmp_path / "nest" / "inner", "__init__.py", "")
    written(tmp_path / "nest" / "inner", "egg.py", "WHO = 'owl'")
    _precompiled(tmp_path / "nest" / "__init__.py", "WHO = 'cuckoo'")
    _precompiled(tmp_path / "nest" / "inner" / "egg.py", "WHO = 'cuckoo'")
    (tmp_path / "nest" / "inner" / "hatched.pyc").write_bytes(b"no source at all")
    nest, owls = (source.bring() for source in files_in([tmp_path]))
    assert (owls.WHO, nest.WHO) == ("owl", "owl")
    assert nest.inner == "workbench_plugin_nest.inner.egg"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("workbench_plugin_nest.inner.hatched")


def test_what_was_not_seen_before_is_not_run_until_it_is_trusted(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    text = GOOD.replace("NAME", "mine") + f"\nopen({str(trace)!r}, 'w').close()\n"
    folder = written(tmp_path / "plugins", "mine.py", text)
    plugins = load([folder], entry_points=False, memory=Memory(tmp_path))
    assert states(plugins) == {"mine.py": "new"}
    assert not trace.exists()
    Memory(tmp_path).trust(plugins.entry("mine.py").source.digest)
    assert states(load([folder], entry_points=False, memory=Memory(tmp_path))) == {
        "mine.py": "loaded"
    }
    assert trace.exists()
    written(folder, "mine.py", text + "# changed\n")
    assert states(load([folder], entry_points=False, memory=Memory(tmp_path))) == {"mine.py": "new"}


def test_a_file_that_changed_after_the_question_is_asked_about_again(tmp_path: Path) -> None:
    folder = written(tmp_path / "plugins", "mine.py", GOOD.replace("NAME", "mine"))
    memory = Memory(tmp_path)
    plugins = load([folder], entry_points=False, memory=memory)
    entry = plugins.entry("mine.py")
    memory.trust(entry.source.digest)
    written(folder, "mine.py", "1 / 0")
    plugins.admit(entry)
    assert (entry.state, entry.problem) == ("new", "")
    memory.trust(entry.source.digest)
    plugins.admit(entry)
    assert entry.problem == "mine.py: division by zero (line 1)."


def test_the_list_of_shipped_plug_ins_is_that_of_the_folder() -> None:
    found = {source.digest for source in files_in([plugin_folder()])}
    assert found == set(shipped())


def test_what_is_switched_off_is_listed_and_not_run(tmp_path: Path) -> None:
    folder = written(tmp_path / "plugins", "boom.py", "1 / 0")
    memory = Memory(tmp_path)
    memory.switch("boom.py", on=False)
    assert states(load([folder], entry_points=False, memory=memory)) == {"boom.py": "off"}
    assert states(load([folder], entry_points=False, safe_mode=True)) == {"boom.py": "left out"}


def test_a_damaged_memory_trusts_nothing(tmp_path: Path) -> None:
    (tmp_path / "plugins.json").write_text("[1, 2", encoding="utf-8")
    assert not Memory(tmp_path).trusts("abc")
    (tmp_path / "plugins.json").write_text('{"trusted": "abc"}', encoding="utf-8")
    assert not Memory(tmp_path).trusts("abc")


def test_a_start_that_dies_in_a_plug_in_is_told_once_at_the_next(tmp_path: Path) -> None:
    folder = written(tmp_path / "plugins", "deadly.py", "import os; os._exit(7)")
    code = (
        "import sys; from pathlib import Path; from workbench.plugins import Memory, load;"
        "memory = Memory(Path(sys.argv[1])); folder = Path(sys.argv[2]);"
        "from workbench.plugins.sources import digest_of; memory.trust(digest_of(folder / 'deadly.py'));"
        "load([folder], entry_points=False, memory=memory)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path), str(folder)], check=False)
    assert done.returncode == 7
    assert Memory(tmp_path).died_in() == "deadly.py"
    assert Memory(tmp_path).died_in() == ""


def test_a_marker_of_a_program_that_still_loads_is_no_crash(tmp_path: Path) -> None:
    waiting = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        marker = tmp_path / "plugins.loading"
        marker.write_text(f"{waiting.pid} slow.py", encoding="utf-8")
        assert Memory(tmp_path).died_in() == ""
        assert marker.exists()
    finally:
        waiting.communicate(b"\n")
    assert Memory(tmp_path).died_in() == "slow.py"
