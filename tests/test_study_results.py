"""The arithmetic of studies: intervals, ranks, and the rules that choose, against independent computations."""

import math
import random
import statistics

import pytest

from workbench.config import RunConfig
from workbench.report import RunSummary
from workbench.session.groups import Member
from workbench.session.study import Choosing, Study, StudyData, StudyMethod
from workbench.session.study_choice import Trial, chosen
from workbench.session.study_results import Paired, paired, results, student_975


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 14, 29, 100])
def test_students_quantile_leaves_a_fortieth_above_it(freedom):
    """Against Simpson's rule over the density in the angle θ = atan(t/√ν), 20,000 pieces; tolerance 1e-9."""
    t = student_975(freedom)
    log_c = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(math.pi) / 2
    end, n = math.atan(t / math.sqrt(freedom)), 20_000
    weights = [1, *([4, 2] * (n // 2 - 1)), 4, 1]
    heights = [math.cos(end * k / n) ** (freedom - 1) for k in range(n + 1)]
    inside = math.exp(log_c) * end / n / 3 * math.fsum(w * h for w, h in zip(weights, heights, strict=True))  # fmt: skip
    assert abs(inside - 0.475) < 1e-9


def run_of(accuracy, name="r", forgetting=0.0):
    return RunSummary(
        name, name, "finished", "", "", None, "repaired", "b", 0, 2, 2, accuracy, accuracy, forgetting, 0.1
    )  # fmt: skip


def test_a_paired_difference_is_over_the_cells_that_both_have():
    one = {(1, seed): run_of(0.5 + seed / 10) for seed in range(4)}
    other = {(1, seed): run_of(0.4 + seed**2 / 50) for seed in range(1, 6)}
    found = paired(one, other, "final_accuracy")
    less = [0.1 + seed / 10 - seed**2 / 50 for seed in (1, 2, 3)]
    assert found.n == 3
    assert found.mean == pytest.approx(statistics.mean(less), abs=1e-12)
    assert found.half == pytest.approx(4.302652729 * statistics.stdev(less) / 3**0.5, abs=1e-8)
    assert found.clear == (abs(found.mean) > found.half)


def test_one_cell_has_a_difference_but_no_interval():
    found = paired({(1, 0): run_of(0.5)}, {(1, 0): run_of(0.3)}, "final_accuracy")
    assert (found.n, found.half, found.clear) == (1, None, False)
    assert paired({}, {(1, 0): run_of(0.3)}, "final_accuracy").mean is None


def study_of(*labels, sets=("a",)):
    data = tuple(StudyData(name, RunConfig()) for name in sets)
    methods = tuple(StudyMethod(label, "ntk-cl") for label in labels)
    return Study("s", data, methods, (0, 1), 1, Choosing(), labels[0])


def member(data, method, seed, accuracy):
    run = run_of(accuracy, f"{data}-{method}-{seed}")
    return Member(run, {"data": data, "method": method, "order": 1, "seed": seed})


def test_ranks_are_over_cells_that_all_finished_and_equals_share_theirs():
    found = [
        member("a", "x", 0, 0.5), member("a", "y", 0, 0.7), member("a", "z", 0, 0.5),
        member("a", "x", 1, 0.9), member("a", "y", 1, 0.1),
        member("b", "x", 0, 0.9), member("b", "y", 0, 0.5), member("b", "z", 0, 0.1),
    ]  # fmt: skip
    ranking = results(study_of("x", "y", "z", sets=("a", "b")), found, [], {}, {}).ranking
    assert [(each.method, each.rank, each.cells, each.best) for each in ranking] == [
        ("y", 1.5, 2, 0), ("x", 1.75, 2, 2), ("z", 2.75, 2, 0),
    ]  # fmt: skip


def test_each_method_is_compared_with_the_best_of_the_others_where_both_finished():
    found = [
        member("a", "x", 0, 0.5), member("a", "y", 0, 0.7), member("a", "z", 0, 0.6),
        member("a", "x", 1, 0.9), member("a", "y", 1, 0.1),
    ]  # fmt: skip
    (table,) = results(study_of("x", "y", "z"), found, [], {}, {}).tables
    told = {row.method: (row.best_other, row.best_difference) for row in table.rows}
    assert [best for best, _ in told.values()] == ["z", "x", "x"]  # means 0.7, 0.4 and 0.6
    assert told["x"][1] == Paired(1, pytest.approx(-0.1), None)
    assert told["y"][1].n == 2
    assert told["y"][1].mean == pytest.approx(-0.3)
    (alone,) = results(study_of("x"), found[:1], [], {}, {}).tables[0].rows
    assert (alone.best_other, alone.best_difference.mean) == ("", None)


def test_without_a_cell_of_all_methods_there_is_no_ranking():
    assert results(study_of("x", "y"), [member("a", "x", 0, 0.5)], [], {}, {}).ranking == ()


def trial(*accuracies, failed=0):
    return Trial({}, accuracies, failed)


def test_the_best_is_the_highest_mean_of_equals_the_first():
    assert chosen([trial(0.5, 0.6), trial(0.8, 0.7), trial(0.75, 0.75)], "best") == 1
    assert chosen([trial(0.5, 0.5), trial(0.5, 0.5)], "best") == 0


def test_within_one_standard_error_what_is_listed_first_is_kept():
    rule = "one standard error"
    assert chosen([trial(0.70, 0.72), trial(0.6, 0.9)], rule) == 0
    assert chosen([trial(0.40, 0.42), trial(0.6, 0.9)], rule) == 1
    chance = random.Random(0)
    for _ in range(200):
        tried = [trial(*(chance.random() for _ in range(3))) for _ in range(4)]
        means = [statistics.mean(each.accuracies) for each in tried]
        best = means.index(max(means))
        error = statistics.stdev(tried[best].accuracies) / 3**0.5
        expected = min(place for place, mean in enumerate(means) if mean >= means[best] - error)
        assert chosen(tried, rule) == expected


def test_a_candidate_that_failed_on_a_part_is_not_chosen():
    for rule in ("best", "one standard error"):
        assert chosen([trial(0.9, failed=1), trial(0.5, 0.4)], rule) == 1
        assert chosen([trial(failed=2), trial(0.9, failed=1)], rule) == -1
