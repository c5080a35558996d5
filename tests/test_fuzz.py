"""A few hundred malformed inputs of every kind, always the same; `tests.reliability.fuzz` takes thousands."""

from pathlib import Path

import pytest

from tests.reliability.fuzz import Tally, fuzz, table_of
from tests.reliability.kinds import KINDS_OF_INPUT
from workbench.errors import UsageError

EXAMPLES = 500
# Each input of old protocol or odd size is told of by torch and Pillow; that is no finding.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("kind", KINDS_OF_INPUT)
def test_malformed_inputs_end_in_a_sentence_and_change_nothing_outside(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    tally = fuzz(kind, max(20, round(EXAMPLES * KINDS_OF_INPUT[kind][1])), tmp_path)
    assert tally.examples >= 20
    assert tally.refused > 0
    assert tally.is_clean, "\n".join([*tally.crashes.values(), *tally.hangs, *tally.strayed])


def test_a_crash_a_refusal_and_what_is_taken_are_told_apart() -> None:
    tally = Tally("anything")

    def target(example: str) -> None:
        if example == "bad":
            raise UsageError("It is bad.")
        if example == "worse":
            raise KeyError("worse")

    for example in ("bad", "good", "worse", "worse"):
        tally.take(example, target)
    assert (tally.examples, tally.refused, tally.accepted, tally.crashed) == (4, 1, 1, 2)
    assert not tally.is_clean
    (place,) = tally.crashes
    assert place.startswith("KeyError in ")
    assert "input: 'worse'" in tally.crashes[place]
    assert "| anything | 4 | 1 | 1 | 2 | 0 | 0 |" in table_of([tally])
