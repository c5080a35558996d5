"""The table of faults in the reliability results names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def test_every_test_that_the_table_of_faults_names_is_there() -> None:
    text = (TESTS / "reliability" / "RESULTS.md").read_text(encoding="utf-8")
    table = text[text.index("## What is injected") : text.index("## Malformed inputs")]
    named = set(re.findall(r"`(test_\w+)`", table))
    there = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    assert len(named) > 50
    assert not [name for name in sorted(named) if f"def {name}(" not in there]
