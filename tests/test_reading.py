"""Finding a run by what a person types, and reading all that is known of it."""

import math
from pathlib import Path

import pytest

from tests.logged import begin, timed
from tests.recorded import recorded_run
from workbench.config import RunConfig, to_dict
from workbench.errors import UsageError
from workbench.events import Evaluated, Measured, RunStarted
from workbench.log.store import Log


def test_a_run_is_found_by_id_name_or_unique_beginning(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log, "aaaa1", "birds")
        begin(log, "aaab2", "fish")
        begin(log, "aaab", "100 % _")
        assert log.find("aaab") == "aaab"
        assert log.find("aaaa") == "aaaa1"
        assert log.find("fish") == "aaab2"
        assert log.find("100 % _") == "aaab"


def test_a_run_that_is_not_found_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        with pytest.raises(
            UsageError, match=r"'x' is not in this log\. 'runs' lists what there is\."
        ):
            log.find("x")
        begin(log, "aaaa1", "birds")
        begin(log, "aaab2", "birds")
        with pytest.raises(
            UsageError, match=r"'brids' is not in this log\. Did you mean 'birds'\?"
        ):
            log.find("brids")
        with pytest.raises(
            UsageError, match=r"'aaa' fits 2 runs\. Give the whole id of one: aaaa1, aaab2\."
        ):
            log.find("aaa")
        with pytest.raises(UsageError, match="'birds' fits 2 runs"):
            log.find("birds")
        for text in ("", "%", "_aaa1"):
            with pytest.raises(UsageError, match="is not in this log"):
                log.find(text)


def test_details_hold_config_tasks_matrix_and_metrics(tmp_path: Path) -> None:
    events = recorded_run(4, ending="running")
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(events))
        details = log.details("run1")
        assert details.summary == log.runs()[0]
    started = events[0]
    assert isinstance(started, RunStarted)
    assert details.config == to_dict(RunConfig())
    assert details.switches == dict(started.switches)
    assert details.versions == {"torch": "2.6"}
    assert [task["name"] for task in details.tasks] == ["finches", "gulls", "owls", "ducks"]
    assert details.tasks[1]["classes"] == list(started.tasks[1].class_names)
    assert details.tasks[1]["counts"] == {"train": [24] * 4, "test": [7] * 4}
    rows = [event for event in events if isinstance(event, Evaluated)]
    assert len(rows) == 3
    for matrix, kind in ((details.accuracy_matrix, "accuracy"), (details.baseline, "baseline")):
        assert matrix == (
            *((*getattr(row, kind), *(None,) * (3 - row.after_task)) for row in rows),
            (None,) * 4,
        )
    measured = [event for event in events if isinstance(event, Measured)]
    assert [(m["name"], m["task"], m["epoch"], m["step"], m["value"]) for m in details.metrics] == [
        (m.name, m.task, m.epoch, m.step, m.value) for m in measured
    ]
    (first, *_) = (m for m in details.metrics if m["name"] == "forgetting")
    assert (first["unit"], first["value"]) == ("fraction", None)
    assert first["formula"].startswith("F_t =")


def test_a_run_that_never_started_has_empty_details(tmp_path: Path) -> None:
    with Log(tmp_path / "log.db") as log:
        begin(log)
        details = log.details("run1")
    assert (details.tasks, details.accuracy_matrix, details.baseline, details.metrics) == (
        (),
        (),
        (),
        (),
    )
    assert details.switches == {"s2_init": "kaiming"}


def test_numbers_come_back_to_the_last_bit(tmp_path: Path) -> None:
    values = [math.pi, 5e-324, 1.7976931348623157e308, -1e-17, 1 / 3]
    with Log(tmp_path / "log.db") as log:
        begin(log)
        log.write("run1", timed(Measured("ntk.ridge", 0, 0, n, v) for n, v in enumerate(values)))
        back = [metric["value"] for metric in log.details("run1").metrics]
    assert [value.hex() for value in back] == [value.hex() for value in values]
