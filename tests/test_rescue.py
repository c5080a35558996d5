"""What can be read of a damaged log is saved, and nothing that was not written is made up."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.logged import begin, timed
from tests.recorded import recorded_run
from workbench.errors import LogFault, WorkbenchError
from workbench.log import rescue as module
from workbench.log.backup import back_up, backups
from workbench.log.rescue import damaged_pages, pages_of, put_in_place, rescue
from workbench.log.store import Log

RUNS = 12


def real_log(path: Path, runs: int = RUNS) -> Path:
    """A log of finished runs, each with a few hundred events."""
    with Log(path) as log:
        for number in range(runs):
            begin(log, f"id{number}", f"run-{number:04d}")
            log.write(f"id{number}", timed(recorded_run(3)))
    return path


def pages(path: Path, table: str) -> list[int]:
    """The numbers of a table's pages with rows, found by looking for what they hold."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", [table]
        ).fetchone()
    whole = path.read_bytes()
    page = whole[(root - 1) * size : root * size]
    if page[0] in (0x0D, 0x0A):
        return [root]
    cells = int.from_bytes(page[3:5], "big")
    places = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
    return [int.from_bytes(page[place : place + 4], "big") for place in places]


def wipe(path: Path, page: int, size: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def rows(path: Path, table: str) -> set[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return set(db.execute(f"SELECT * FROM [{table}]").fetchall())


def test_a_damaged_page_of_events_costs_its_rows_and_no_others(tmp_path: Path) -> None:
    path = real_log(tmp_path / "log.db")
    before = {table: rows(path, table) for table in module.TABLES}
    victim = pages(path, "metric")[3]
    wipe(path, victim)
    bad = path.read_bytes()
    assert pages_of(path) >= 1
    found = rescue(path)
    assert path.read_bytes() == bad
    assert (found.saved, found.runs, found.backup) == (RUNS, RUNS, None)
    assert 1 <= found.gaps <= 3
    for table, known in before.items():
        saved = rows(found.new, table)
        assert saved <= known  # nothing is made up
        if table != "metric":
            assert saved == known
    lost = before["metric"] - rows(found.new, "metric")
    assert 0 < len(lost) < 400  # 4 KB of narrow rows
    with closing(sqlite3.connect(found.new)) as db:
        assert damaged_pages(db) == 0


def test_a_damaged_page_of_runs_loses_those_runs_and_they_are_counted(tmp_path: Path) -> None:
    path = real_log(tmp_path / "log.db")
    first = pages(path, "run")[0]
    wipe(path, first)
    found = rescue(path)
    assert found.runs == RUNS
    assert 0 < found.saved < RUNS
    with Log(found.new) as log:
        known = {f"id{n}": f"run-{n:04d}" for n in range(RUNS)}
        saved = log.runs()
        assert len(saved) == found.saved
        assert all(known[run.id] == run.name for run in saved)
        for run in saved:
            assert [type(e) for e in log.events(run.id)] == [type(e) for e in recorded_run(3)]


@pytest.mark.long
def test_every_page_but_the_first_may_be_lost_and_the_rest_is_saved(tmp_path: Path) -> None:
    path = real_log(tmp_path / "log.db", 3)
    whole = path.read_bytes()
    before = {table: rows(path, table) for table in module.TABLES}
    for page in range(2, len(whole) // 4096 + 1, 2):
        path.write_bytes(whole)
        wipe(path, page)
        found = rescue(path)
        with Log(found.new) as log:
            assert len(log.runs()) == found.saved
        for table, known in before.items():
            if table not in ("run_summary", "setting"):
                assert rows(found.new, table) <= known, (page, table)


def test_without_anything_to_read_the_newest_sound_backup_is_taken(tmp_path: Path) -> None:
    path = real_log(tmp_path / "log.db", 2)
    with Log(path) as log:
        back_up(log._db.conn, path, 1_700_000_000)
        begin(log, "later", "later")
        newest = back_up(log._db.conn, path, 1_700_100_000)
        back_up(log._db.conn, path, 1_700_200_000)
    wipe(backups(path)[0], 1)  # the very newest is damaged as well
    wipe(path, 1)
    found = rescue(path)
    assert (found.backup, found.saved) == (newest, 3)
    bad = path.read_bytes()
    kept = put_in_place(path, found.new)
    assert kept.read_bytes() == bad
    with Log(path) as log:
        assert next(run.name for run in log.runs()) == "later"


def test_without_a_backup_there_is_an_empty_log_and_the_old_file(tmp_path: Path) -> None:
    path = real_log(tmp_path / "log.db", 1)
    wipe(path, 1)
    bad = path.read_bytes()
    found = rescue(path)
    assert (found.saved, found.runs, found.backup) == (0, 0, None)
    assert put_in_place(path, found.new).read_bytes() == bad
    with Log(path) as log:
        assert log.runs() == []


def test_the_old_files_are_kept_with_their_write_ahead_log_and_never_overwritten(
    tmp_path: Path,
) -> None:
    path = real_log(tmp_path / "log.db", 1)
    path.with_name("log.db-wal").write_bytes(b"what was in it")
    kept = [put_in_place(path, rescue(path).new)]
    kept.append(put_in_place(path, rescue(path).new))
    assert kept[0] != kept[1]
    assert kept[0].with_name(kept[0].name + "-wal").read_bytes() == b"what was in it"
    with Log(path) as log:
        assert len(log.runs()) == 1


def test_a_log_that_a_living_run_writes_into_is_not_taken_from_under_it(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        begin(log, "id0", "run-0001")
    with pytest.raises(LogFault, match="run-0001 still trains and writes into it"):
        rescue(path)
    assert not list(tmp_path.glob("*damaged*"))


def spoilt(whole: bytes, chance: random.Random) -> bytes:
    """The file cut short, or with a few bytes changed, or with a block overwritten."""
    way = chance.randrange(3)
    if way == 0:
        return whole[: chance.randrange(len(whole))]
    bad = bytearray(whole)
    if way == 1:
        for _ in range(chance.randrange(1, 20)):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
    else:
        start, length = chance.randrange(len(bad)), chance.choice((16, 512, 4096))
        bad[start : start + length] = chance.randbytes(len(bad[start : start + length]))
    return bytes(bad)


def use(path: Path) -> str:
    """Do what a start of the program does, and look at every run; return the sentence, if one is said."""
    try:
        with Log(path) as log:
            log.sweep()
            with log.snapshot() as db:
                damaged_pages(db.conn)
            for run in log.runs(binned=True):
                log.events(run.id)
    except WorkbenchError as error:
        return str(error)
    return ""


def test_two_hundred_damaged_logs_open_or_say_why_and_what_was_there_is_kept(
    tmp_path: Path,
) -> None:
    whole = real_log(tmp_path / "whole.db", 3).read_bytes()
    chance = random.Random(5)
    said = []
    for number in range(200):
        path = tmp_path / f"{number}" / "log.db"
        path.parent.mkdir()
        bad = spoilt(whole, chance)
        path.write_bytes(bad)
        sentence = use(path)
        said.append(sentence)
        if sentence and "newer version" not in sentence:
            assert path.read_bytes() == bad or "could not be brought" not in sentence
            at_rescue = path.read_bytes()
            found = rescue(path)
            assert put_in_place(path, found.new).read_bytes() == at_rescue
            assert not use(path), (number, sentence)
            with Log(path) as log:
                assert len(log.runs()) == found.saved
    assert 20 < sum(map(bool, said)) < 200
