"""The ledger in tests/benchmarks is what its studies give: the smallest is trained anew here."""

import hashlib
import json
import re
from contextlib import closing
from pathlib import Path

from resources.study_sets import SAMPLE, styles
from workbench.cli import main
from workbench.config import settings_of, with_values
from workbench.session import Session
from workbench.session.study_file import read_study

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "tests" / "benchmarks" / "LEDGER.md"
STUDIES = ROOT / "resources" / "studies"
NUMBERS = re.compile(r"[−+-]?\d+\.\d")
# One of the sample's 240 test pictures is 0.42 points: another processor may turn one.
ONE_PICTURE = 0.5


def section(page: str, name: str) -> str:
    return page.split(f"## {name}\n")[1].split("\n## ")[0]


def accuracies(text: str) -> dict[str, list[float]]:
    """Return the numbers of each method's line: Ā, A_T and F_T with their deviations."""
    rows = (line.split(" | ") for line in text.splitlines() if line.count("|") > 9)
    return {
        row[0].removeprefix("| "): [float(n) for cell in row[2:5] for n in NUMBERS.findall(cell)]
        for row in rows
        if len(row) > 4 and row[1].isdigit()
    }


def test_the_smallest_study_trained_anew_has_the_ledgers_numbers(tmp_path, capsys):
    page, file = tmp_path / "LEDGER.md", STUDIES / "smallest.toml"
    words = ["study", str(file), "--home", str(tmp_path / "home"), "--json", "--ledger", str(page)]
    assert main(words) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["stage"], said["tested"], said["runs"], said["trials"]) == ("done", 6, 6, 4)
    name = read_study(file).name
    anew = accuracies(section(page.read_text("utf-8"), name))
    kept = accuracies(section(LEDGER.read_text("utf-8"), name))
    assert anew.keys() == kept.keys()
    assert len(kept) == 3
    for method, numbers in kept.items():
        assert len(numbers) == 6
        for now, then in zip(anew[method], numbers, strict=True):
            assert abs(now - then) <= ONE_PICTURE, method


def test_every_study_of_the_ledger_is_a_shipped_file_that_asks_the_same():
    studies = {read_study(path).name: path for path in STUDIES.glob("*.toml")}
    page = LEDGER.read_text("utf-8")
    told = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert told
    for name in told:
        place = f"resources/studies/{studies[name].name}"
        print_of_file = hashlib.sha256(studies[name].read_bytes()).hexdigest()[:12]
        said = f"`{place}` (SHA-256 {print_of_file}), made at"
        assert section(page, name).strip().startswith(said)


def test_every_shipped_study_asks_for_what_the_program_has(tmp_path):
    """But for the pictures, which `resources/study_sets.py` makes."""
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        known = session.plug_ins.loaded.methods
        for path in STUDIES.glob("*.toml"):
            study = read_study(path)
            for method in study.methods:
                assert method.name in known.names(), path
                fixed = known.get(method.name).values
                assert not fixed.keys() & {*method.set, *method.tries}, path
                wanted = {"method.name": method.name, **method.set}
                config = session.plug_ins.prepared(with_values(study.data[0].config, wanted))
                assert config.method.name == method.name
                asked = {key: value for key, _, value in settings_of(config)}
                assert {key: asked[key] for key in method.set} == dict(method.set), path


def test_the_styles_are_the_samples_pictures_sorted_by_style(tmp_path):
    styles(tmp_path)
    made = sorted(path.read_bytes() for path in tmp_path.rglob("*.png"))
    assert made == sorted(path.read_bytes() for path in SAMPLE.rglob("*.png"))
    for part in ("train", "test"):
        classes = [sorted(p.name for p in (task / part).iterdir()) for task in sorted(tmp_path.iterdir())]  # fmt: skip
        assert len(classes) == 3
        assert classes[0] == classes[1] == classes[2]
        assert len(classes[0]) == 20


def test_the_readmes_table_is_the_ledgers():
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.split("<!-- from tests/benchmarks/LEDGER.md -->\n")[1].split("\n\n")[0]
    name = "Emoji, five themes of four classes"
    rows = {
        line.split(" | ")[0]: line.split(" | ")
        for line in section(LEDGER.read_text("utf-8"), name).splitlines()
    }
    shown = [line.removesuffix(" |").split(" | ") for line in table.splitlines()[2:]]
    assert len(shown) >= 6
    for cells in shown:
        assert cells == rows[cells[0]][: len(cells)]


def test_the_readmes_table_of_sets_is_the_ledgers():
    """Each cell is A_T of the method in the study that the column names, and of the set of pictures if there are several."""
    names = {path.stem: read_study(path).name for path in STUDIES.glob("*.toml")}
    page, readme = LEDGER.read_text("utf-8"), (ROOT / "README.md").read_text("utf-8")
    table = readme.split("<!-- A_T from tests/benchmarks/LEDGER.md -->\n")[1].split("\n\n")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert len(lines[0]) >= 6
    for at, column in enumerate(lines[0], 1):
        stem, _, some = column.partition(", ")
        sets = section(page, names[stem.strip("`")]).split("\n### ")[1:]
        (asked,) = (each for each in sets if some in each.splitlines()[0])
        rows = (line.strip("| ").split(" | ") for line in asked.splitlines())
        told = {row[0]: row[3] for row in rows if len(row) > 9}
        assert {line[0]: line[at] for line in lines[2:]}.items() <= told.items(), column
