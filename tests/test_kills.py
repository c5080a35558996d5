"""A few kills of every kind, always at the same shares of a run; `tests.reliability.kills` does hundreds."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.reliability.kills import (
    PATIENCE,
    VICTIMS,
    Reference,
    Tally,
    Trial,
    configuration,
    kill,
    table_of,
)
from tests.reliability.owned import Owner
from workbench import paths
from workbench.config import to_toml
from workbench.events import Finished

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_nothing_is_lost_by_a_kill_of_what_trains_or_of_what_owns_it(tmp_path: Path) -> None:
    tally = kill(4, 3, tmp_path, monitored=[True])
    assert tally.number == 4
    assert {victim for victim, _ in tally.kills} == set(VICTIMS)
    assert not any(tally.faults.values()), tally.faults


def test_the_harness_sees_lost_rows_and_damaged_pages(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(to_toml(configuration(tmp_path, monitored=False)), "utf-8")
    home = tmp_path / "home"
    owner = Owner(home, "thread", str(file))
    owner.wait(PATIENCE)
    assert isinstance(owner.heard[-1].event, Finished)
    tally = Tally()
    trial = Trial(home, Reference(file, [], b"", 0, 0.0, 0.0), random.Random(0), tally)
    trial.look_at_the_log("whole")
    trial.take_stock(owner)
    assert not any(tally.faults.values()), tally.faults
    log = home / paths.LOG_NAME
    with closing(sqlite3.connect(log)) as db, db:
        (missing,) = db.execute("SELECT COUNT(*) FROM step WHERE step = 3").fetchone()
        db.execute("DELETE FROM step WHERE step = 3")
        db.execute("UPDATE run SET state = 'running'")
    assert missing == 1
    trial.take_stock(owner)
    (lost,) = tally.lost
    assert "1 of" in lost
    assert tally.left_running == []  # its process is gone: the start has said so
    with closing(sqlite3.connect(log)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'step'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with log.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(b"\xff" * 64)
    trial.look_at_the_log("damaged")
    assert len(tally.corrupt) == 1
    assert "| 0 | 0 | 1 | 1 | 0 | 0 | 0 | 0 |" in table_of(tally)
