"""The table of runs in SQL: filters against plain Python, sorting, tags, the bin and what emptying it leaves."""

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from tests.logged import timed
from tests.recorded import recorded_run
from workbench import paths
from workbench.config import RunConfig, to_dict, with_values
from workbench.errors import UsageError
from workbench.events import Measured, Stage
from workbench.log.store import Log
from workbench.log.table import COLUMNS
from workbench.query import parse
from workbench.session import Session
from workbench.session.spread import spread_of
from workbench.session.table import RunTable

PROFILES = ("paper", "repaired")


def add_run(log: Log, number: int, *, epochs: int = 20, seed: int = 0, **numbers: float) -> str:
    config = with_values(RunConfig(), {"train.epochs": epochs, "seeds.initialisation": seed})
    run_id = f"id{number}"
    log.begin(
        run_id, f"run-{number:04d}", to_dict(config), {"s2_init": "kaiming"}, PROFILES[number % 2],
        "vit_small" if number % 3 else "sample", seed, {"torch": "2.6"}, 5,
    )  # fmt: skip
    said = [Measured(name, 0, 0, 1, value) for name, value in numbers.items()]
    log.write(run_id, timed(said))
    return run_id


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "home", entry_points=False)
    with made.log() as log:
        for number in range(1, 8):
            add_run(
                log, number, epochs=5 * (number % 2) + 5, seed=number,
                accuracy_seen=number / 10, average_accuracy=0.9 - number / 100, forgetting=number / 50,
            )  # fmt: skip
        add_run(log, 8)  # nothing measured
    yield made
    made.close()


@pytest.fixture
def table(session: Session) -> RunTable:
    return session.table


def names(table: RunTable, text: str, **how: object) -> list[int]:
    return [int(run.id[2:]) for run in table.page(parse(text), **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("acc>40", [7, 6, 5]),
        ("acc>=40", [7, 6, 5, 4]),
        ("acc:30", [3]),
        ("-acc>40", [8, 4, 3, 2, 1]),  # not known to be above 40
        ("forget<5 acc>10", [2]),
        ("profile:paper", [8, 6, 4, 2]),
        ("backbone:vit seed>4", [8 - 1, 5]),
        ("backbone=vit", []),
        ("train.epochs:10", [7, 5, 3, 1]),
        ("train.epochs>5 acc<40", [3, 1]),
        ("data.same_names:differ seed:2", [2]),
        ("data.same_names=DIFFERENT seed:2", [2]),
        ("data.same_names=diff%", []),  # letters, not what LIKE makes of them
        ("data.same_names=_ifferent", []),
        ("data.same_names<\udcff", []),
        ("run-0003", [3]),
        ("state:starting name:0001", [1]),
        ("state:finished", []),
        ("100%", []),
        ("created<2020", []),
    ],
)
def test_a_filter_finds_what_it_says(table: RunTable, text: str, expected: list[int]) -> None:
    assert names(table, text) == expected
    assert table.count(parse(text)) == len(expected)


def test_days_are_those_of_the_persons_clock(table: RunTable) -> None:
    today = datetime.now(UTC).astimezone().date()
    everything = [8, 7, 6, 5, 4, 3, 2, 1]
    assert names(table, f"created:{today}") == everything
    assert names(table, f"created>={today}") == everything
    assert names(table, f"created<={today}") == everything
    assert names(table, f"created>{today}") == names(table, f"created<{today}") == []


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_every_column_sorts_as_plain_python_does(
    table: RunTable, column: str, descending: bool
) -> None:
    table.star("id3", True)
    table.note("id5", "Best")
    table.note("id6", "after")
    table.tag("id2", ["paper", "b"])
    fields = {
        "tasks": "tasks_done", "mean": "average_accuracy", "acc": "final_accuracy", "star": "starred",
        "forget": "forgetting", "floor": "baseline_accuracy",
    }  # fmt: skip

    def key(run: object) -> object:
        value = getattr(run, fields.get(column, column))
        if column == "tags":
            value = ", ".join(value) or None
        return value.lower() if isinstance(value, str) else value

    newest = table.page(parse(""))
    known = [run for run in newest if key(run) is not None]
    expected = sorted(known, key=key, reverse=descending)  # type: ignore[arg-type]  # stable
    expected += [run for run in newest if key(run) is None]
    assert table.page(parse(""), column, descending) == expected


def test_pages_join_to_the_whole(table: RunTable) -> None:
    pages = [table.page(parse(""), "acc", False, 3, offset) for offset in (0, 3, 6)]
    assert [run for page in pages for run in page] == table.page(parse(""), "acc", False)


def test_tags_notes_and_stars_are_kept_and_found(table: RunTable) -> None:
    table.tag("id4", ["paper", " Ö 空格 ", "paper", ""])
    table.star("id4", True)
    table.note("id4", ' it\'s 100% \\ "fine"; DROP TABLE run ')
    (run,) = table.some(["id4"])
    assert set(run.tags) == {"paper", "Ö 空格"}
    assert (run.starred, run.note) == (True, 'it\'s 100% \\ "fine"; DROP TABLE run')
    for text in (
        "tag:PAPER",
        'tag:"Ö 空格"',
        "is:starred",
        "is:tagged",
        "note:100%",
        '"; drop"',
        "-tag:x is:noted",
    ):
        assert names(table, text) == [4], text
    assert names(table, "tag:pap") == []
    table.tag("id4", ["new"])
    assert table.some(["id4"])[0].tags == ("new",)
    assert table.tags() == ["new"]


def test_a_tag_of_nobody_is_a_sentence(table: RunTable) -> None:
    with pytest.raises(UsageError, match="not in this log"):
        table.star("nobody", True)
    with pytest.raises(UsageError, match="not in this log"):
        table.tag("nobody", ["a"])


def end(session: Session, run_id: str) -> None:
    with session.log() as log:
        log.write(run_id, timed(recorded_run(2)))


def test_the_bin_takes_and_gives_back_and_refuses_a_run_under_way(session: Session) -> None:
    table = session.table
    with pytest.raises(UsageError, match=r"^Stop run-0004 first\.$"):
        table.bin("id4")
    end(session, "id4")
    table.bin("id4")
    assert 4 not in names(table, "")
    assert names(table, "", binned=True) == [4]
    assert "id4" not in [run.id for run in session.runs()]
    table.restore("id4")
    assert 4 in names(table, "")


def test_emptying_the_bin_removes_rows_and_files_of_those_runs_alone(session: Session) -> None:
    table = session.table
    for run_id in ("id3", "id4"):
        end(session, run_id)
        table.tag(run_id, ["x"])
        folder = paths.run_folder(session.home, run_id)
        (folder / "adapter.txt").write_text("big")
    table.pin("id4")
    table.bin("id4")
    folder = paths.run_folder(session.home, "id4")
    assert (folder / "adapter.txt").exists()
    assert list(table.empty_bin()) == [Stage("Removed run-0004", 1, 1)]
    assert not folder.exists()
    assert (paths.run_folder(session.home, "id3") / "adapter.txt").exists()
    assert table.some(["id4"]) == []
    assert table.baseline() is None
    assert len(session.events("id3")) > 0
    with session.log() as log, log.snapshot() as db:
        for name in db.table_names():
            for key in db.table(name).foreign_keys:
                left = db.execute(
                    f"SELECT COUNT(*) FROM [{name}] WHERE [{key.column}] NOT IN (SELECT number FROM run)"
                ).fetchone()
                assert key.other_table != "run" or left == (0,), name


def test_a_new_run_never_takes_the_name_of_one_in_the_bin(session: Session) -> None:
    end(session, "id1")
    session.table.bin("id1")
    assert session._next_name() == "run-0009"


def test_runs_group_by_what_alone_differs(tmp_path: Path) -> None:
    session = Session(tmp_path / "home", entry_points=False)
    with session.log() as log:
        for number, (epochs, seed) in enumerate([(5, 0), (5, 1), (9, 0), (5, 2)], 1):
            add_run(log, number, epochs=epochs, seed=seed, accuracy_seen=number / 10)
        table = session.table
        by_seed = table.groups(parse(""), "seeds", "acc", True)
        assert [[run.id for run in group.runs] for group in by_seed] == [
            ["id3"],
            ["id4", "id2", "id1"],
        ]
        spread = by_seed[1].spread("final_accuracy")
        assert spread.mean == pytest.approx((0.1 + 0.2 + 0.4) / 3)
        # by hand: sqrt(((0.1-m)² + (0.2-m)² + (0.4-m)²) / 2)
        assert spread.deviation == pytest.approx(0.15275252316519466)
        assert spread.n == 3
        alone = by_seed[0].spread("final_accuracy")
        assert alone.deviation is None
        assert by_seed[0].spread("forgetting").mean is None
        by_epochs = table.groups(parse(""), "train.epochs")
        assert [[run.id for run in group.runs] for group in by_epochs] == [
            ["id4"],
            ["id3", "id1"],
            ["id2"],
        ]
        with pytest.raises(UsageError, match="no setting"):
            table.groups(parse(""), "x') --")
    session.close()


def test_the_view_for_people_leaves_the_bin_out(session: Session) -> None:
    end(session, "id2")
    session.table.tag("id3", ["a", "b"])
    session.table.bin("id2")
    with session.log() as log, log.snapshot() as db:
        rows = db.execute("SELECT id, tags FROM runs").fetchall()
    assert ("id3", "a, b") in rows
    assert "id2" not in [run_id for run_id, _ in rows]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_the_spread_is_that_of_the_statistics_module(values: list[float]) -> None:
    spread = spread_of(values)
    assert spread.mean == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert spread.deviation == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-9)
