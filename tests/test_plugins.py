"""The built-in list against timm, and plug-ins that work, fail or clash."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from timm.models import get_pretrained_cfg

from workbench.core.backbone import check_plain
from workbench.core.sample_backbone import CREATE_KWARGS, TIMM_NAME
from workbench.plugins import Plugins, load
from workbench.report import BackboneChoice

GOOD = """
from workbench.plugins import hookimpl
from workbench.report import BackboneChoice

@hookimpl
def register_backbones(registry):
    registry.add("NAME", BackboneChoice("NAME", "Mine", 1.0, 32, "MIT", False))
"""


def built_in() -> list[BackboneChoice]:
    return list(load(Path("/nowhere"), entry_points=False).backbones)


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
    plugins = load(tmp_path, entry_points=False)
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
    assert load(tmp_path / "none", entry_points=False).names == ()
    plugins = load(tmp_path / "none")
    assert named(plugins, "installed").title == "Mine"
    assert any(p == "broken: No module named 'no_such_module'." for p in plugins.problems)


def test_the_list_is_made_without_torch_and_qt() -> None:
    code = (
        "import sys; from workbench.plugins import load; load(entry_points=False);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'PySide6', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
