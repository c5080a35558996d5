"""The desktop entry starts this program with this interpreter, whatever its path holds."""

import os
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.face.desktop_entry import entry_text, install_entry
from workbench.paths import ROOT


def parsed(text: str) -> dict[str, str]:
    config = ConfigParser(interpolation=None, strict=True)
    config.optionxform = str  # type: ignore[assignment,method-assign]
    config.read_string(text)
    return {key: value.replace("\\\\", "\\") for key, value in config["Desktop Entry"].items()}


def test_the_entry_starts_this_program_with_this_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = install_entry()
    entry = parsed(file.read_text(encoding="utf-8"))
    assert shlex.split(entry["Exec"]) == [sys.executable, str(ROOT / "main.py"), "%F"]
    assert Path(entry["Icon"]).is_file()
    assert entry["StartupWMClass"] == "ntkcl-workbench"


@pytest.mark.skipif(os.name != "posix", reason="read back by sh")
def test_odd_letters_in_a_path_reach_the_program_as_they_are() -> None:
    odd = '/opt/my "tools"/$HOME/100%/py`thon'
    entry = parsed(entry_text(odd, Path("/a b/main.py")))
    said = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {entry['Exec']}"], capture_output=True, text=True, check=True
    )
    words = said.stdout.splitlines()
    assert [word.replace("%%", "%") for word in words[:2]] == [odd, "/a b/main.py"]


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="validator not installed")
def test_the_entry_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    checked = subprocess.run(
        ["desktop-file-validate", str(install_entry())], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_a_folder_that_cannot_be_written_to_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "applications").write_text("a file in the way")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(WorkbenchError, match="could not be written"):
        install_entry()
