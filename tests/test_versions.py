"""The commit that a run was made with: read from git's own files as git would tell it, or not there at all."""

import importlib
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.session.versions import COMMIT, commit_of, versions

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git to compare with")


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def test_the_commit_is_gits_own_on_a_branch_packed_detached_and_in_a_worktree(
    checkout: Path, tmp_path: Path
) -> None:
    first = git(checkout, "rev-parse", "HEAD")
    assert commit_of(checkout) == first
    git(checkout, "checkout", "-q", "-b", "a/long/name")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(checkout, "rev-parse", "HEAD")
    assert commit_of(checkout) == second != first
    git(checkout, "pack-refs", "--all")
    assert not (checkout / ".git/refs/heads/a").exists()
    assert commit_of(checkout) == second
    git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "beside"), first)
    assert commit_of(tmp_path / "beside") == first
    git(checkout, "pack-refs", "--all")
    assert commit_of(tmp_path / "beside") == first
    git(checkout, "checkout", "-q", "--detach", first)
    assert commit_of(checkout) == first


def test_an_installed_program_and_a_damaged_checkout_have_no_commit(
    checkout: Path, tmp_path: Path
) -> None:
    inside = (
        checkout / "site-packages"
    )  # as installed into an environment within someone's own project
    inside.mkdir()
    assert commit_of(inside) == ""
    assert commit_of(tmp_path / "nowhere") == ""
    (checkout / ".git/HEAD").write_bytes(b"\xff\xfe")
    assert commit_of(checkout) == ""
    (checkout / ".git/HEAD").write_text("ref: refs/heads/none\n")
    assert commit_of(checkout) == ""
    (checkout / ".git/HEAD").write_text("")
    assert commit_of(checkout) == ""


def test_the_versions_of_a_run_hold_the_commit_only_where_there_is_one(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("workbench.session.versions")
    monkeypatch.setattr(module, "ROOT", checkout)
    assert versions()[COMMIT] == git(checkout, "rev-parse", "HEAD")
    monkeypatch.setattr(module, "ROOT", checkout / "site-packages")
    assert COMMIT not in versions()
