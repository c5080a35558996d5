"""Profile `paper` reproduces the official arithmetic on recorded trajectories, in float64."""

import json
import shutil
from pathlib import Path

import pytest

from tests import parity

DATA = Path(__file__).parent / "data"
KINDS = {
    "loss cross_entropy_s1", "loss cross_entropy_s2", "loss cross_entropy_hybrid", "loss mutual_information",
    "loss orthogonality", "loss regularisation", "loss total", "s1 current", "s1 ema", "s2 current", "s2 ema",
    "fusion", "prototypes", "proxy", "test logits s1", "test logits s2", "test logits hybrid",
}  # fmt: skip


@pytest.mark.parametrize("name", ["paper_two_sections", "paper_three_sections"])
def test_every_recorded_quantity_is_reproduced_to_1e_8(name):
    errors = parity.compare(DATA / name)
    assert errors.keys() >= KINDS
    assert max(errors.values()) <= parity.TOLERANCE, errors


def test_the_command_fails_when_one_recorded_loss_is_changed(tmp_path, capsys):
    for path in DATA.glob("paper_three_sections*"):
        shutil.copy(path, tmp_path)
    settings = tmp_path / "paper_three_sections.json"
    recorded = json.loads(settings.read_text())
    recorded["tasks"][1]["steps"][2]["cross_entropy_s2"] *= 1 + 1e-6
    settings.write_text(json.dumps(recorded))
    assert parity.main([str(tmp_path / "paper_three_sections")]) == 1
    assert "loss cross_entropy_s2" in next(
        line for line in capsys.readouterr().out.splitlines() if "FAILS" in line
    )


def test_the_command_without_a_path_is_wrong_use(capsys):
    assert parity.main([]) == 2
    assert "python -m tests.parity" in capsys.readouterr().err
