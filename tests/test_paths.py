"""Places: shipped files stay inside resources, the home folder is found by precedence and made."""

import os
from pathlib import Path

import pytest

from workbench import paths
from workbench.errors import UsageError, WorkbenchError


def test_a_resource_lies_below_resources():
    assert paths.resource("presets/balanced.toml").is_file()
    assert paths.resource("presets").parent == paths.ROOT / "resources"


@pytest.mark.parametrize("name", ["../main.py", "presets/../../main.py", "/etc/passwd", ".."])
def test_a_resource_outside_is_refused(name):
    with pytest.raises(ValueError, match="must be relative and without"):
        paths.resource(name)


def test_the_home_folder_is_the_chosen_one_then_the_variables_then_the_platforms(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "platform"))
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "variable"))
    assert paths.home_folder(tmp_path / "chosen") == tmp_path / "chosen"
    assert paths.home_folder() == tmp_path / "variable"
    assert paths.home_folder("") == tmp_path / "variable"
    assert (tmp_path / "chosen").is_dir()
    assert not (tmp_path / "platform").exists()
    monkeypatch.delenv("WORKBENCH_HOME")
    if os.name == "posix" and not Path("/System").exists():  # where XDG_DATA_HOME is listened to
        assert paths.home_folder() == tmp_path / "platform" / "ntkcl-workbench"


def test_a_tilde_is_the_users_folder_and_an_unknown_user_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert paths.home_folder("~/mine") == tmp_path / "mine"
    with pytest.raises(UsageError, match=r"cannot be kept in ~nobody-at-all") as raised:
        paths.home_folder("~nobody-at-all/x")
    assert raised.value.elsewhere


def test_a_home_that_cannot_be_made_is_a_sentence_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=r"The log cannot be kept in .*file.*: .*") as raised:
            paths.home_folder(place)
        assert raised.value.elsewhere
        assert "--home" not in str(raised.value)  # the window has a button for it


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_read_only_home_is_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="read-only"):
            paths.home_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_runs_folder_is_made_and_its_id_cannot_lead_out(tmp_path):
    assert paths.run_folder(tmp_path, "0a1b") == tmp_path / "runs" / "0a1b"
    assert (tmp_path / "runs" / "0a1b").is_dir()
    for bad in ("", "..", "a/b", "a\\b", "."):
        with pytest.raises(WorkbenchError, match="is not a run of this log"):
            paths.run_folder(tmp_path, bad)
