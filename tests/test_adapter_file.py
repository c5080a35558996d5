"""The adapter's files: round trip, equal bytes, refusals in sentences, and a README that works."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from workbench.core.adapter_file import (
    AdapterCard,
    AdapterClass,
    Preprocessing,
    check_shapes,
    load_adapter,
    save_adapter,
)
from workbench.errors import UsageError, WorkbenchError

TENSORS = {
    "prototypes.weight": torch.arange(12.0).view(2, 6),
    "prototypes.counts": torch.tensor([3, 4]),
    "fusion.bias": torch.ones(6),
}
CARD = AdapterCard(
    program="0.1.0",
    backbone="vit_tiny_patch16_224.augreg_in21k",
    weights_sha256="ab" * 32,
    timm_name="vit_tiny_patch16_224",
    create_kwargs={"img_size": 32, "depth": 2},
    width=3,
    classes=(AdapterClass("Spatz", 0), AdapterClass("Möwe", 1)),
    tasks=("garden", "sea"),
    preprocessing=Preprocessing(32, 36, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    profile="repaired",
    switches={"fusion": "section_attention"},
    model={"branches": "both", "bottleneck": 16, "use_pretrained_section": False},
    metrics={"average_accuracy": 0.5, "forgetting": None},
    licence="Apache-2.0",
    precision="bf16",
)


def test_what_is_saved_is_read_back_equal(tmp_path: Path) -> None:
    paths = save_adapter(tmp_path / "new" / "folder", TENSORS, CARD)
    assert [path.name for path in paths] == ["adapter.safetensors", "adapter.json", "README.md"]
    for path in (tmp_path / "new" / "folder", paths[0], paths[1]):
        tensors, card = load_adapter(path)
        assert card == CARD
        assert tensors.keys() == TENSORS.keys()
        assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert not list(tmp_path.rglob("*.part"))


def test_same_content_gives_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    first = save_adapter(tmp_path / "a", TENSORS, CARD)
    turned = dataclasses.replace(CARD, model=dict(reversed(list(CARD.model.items()))))
    second = save_adapter(tmp_path / "b", dict(reversed(list(TENSORS.items()))), turned)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_the_card_is_strict_json_with_names_in_their_own_script(tmp_path: Path) -> None:
    card = dataclasses.replace(CARD, metrics={"forgetting": float("nan")})
    text = save_adapter(tmp_path, TENSORS, card)[1].read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Möwe" in text
    assert json.loads(text)["format"] == 1
    assert load_adapter(tmp_path)[1].metrics == {"forgetting": None}


def test_the_readmes_snippet_runs(tmp_path: Path) -> None:
    readme = save_adapter(tmp_path, TENSORS, CARD)[2].read_text(encoding="utf-8")
    assert "(profile repaired, precision bf16)" in readme
    found = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert found
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", found[1]], cwd=tmp_path, capture_output=True,
        text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "['Spatz', 'Möwe'] (2, 6)"


def _changed(folder: Path, **values: object) -> Path:
    card = save_adapter(folder, TENSORS, CARD)[1]
    tree = json.loads(card.read_text(encoding="utf-8")) | values
    card.write_text(json.dumps({k: v for k, v in tree.items() if v is not None}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"format": 3}, r"^Made by a newer version \(format 3; this one reads up to 1\)\."),
        ({"format": None}, "is not a workbench card"),
        ({"classes": None}, "damaged: it has no 'classes'"),
        ({"classes": ["owl"]}, "damaged"),
        ({"classes": [{"name": "owl", "task": 7}]}, "a task that is not listed"),
        ({"preprocessing": {"size": 3}}, "damaged"),
        ({"tensors_sha256": "0"}, "is not the file that 'adapter.json' was written for"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(
    tmp_path: Path, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        load_adapter(_changed(tmp_path, **values))


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\ud800"])
def test_a_card_that_is_not_a_card_is_refused(tmp_path: Path, text: str) -> None:
    save_adapter(tmp_path, TENSORS, CARD)[1].write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match="card"):
        load_adapter(tmp_path)


def test_other_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    for name in ("old.pt", "old.PTH", "old.pkl"):
        with pytest.raises(
            UsageError,
            match=r"^Only \.safetensors files are opened: \.\w+ files can run programs\.",
        ):
            load_adapter(tmp_path / name)
    with pytest.raises(UsageError, match="is not an adapter"):
        load_adapter(tmp_path / "photo.jpg")
    with pytest.raises(UsageError, match=r"'adapter\.safetensors' is not there"):
        load_adapter(tmp_path)
    save_adapter(tmp_path, TENSORS, CARD)[1].unlink()
    with pytest.raises(UsageError, match=r"^This file has no workbench card\."):
        load_adapter(tmp_path / "adapter.safetensors")


def test_a_cut_off_tensor_file_is_refused(tmp_path: Path) -> None:
    path = save_adapter(tmp_path, TENSORS, CARD)[0]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UsageError, match="is damaged"):
        load_adapter(tmp_path)


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WorkbenchError, match="could not be written to"):
        save_adapter(tmp_path / "file", TENSORS, CARD)
    (tmp_path / "adapter.json").mkdir()
    with pytest.raises(WorkbenchError, match="Choose another place"):
        save_adapter(tmp_path, TENSORS, CARD)
    assert not list(tmp_path.rglob("*.part"))


def test_tensors_are_compared_by_name_and_shape() -> None:
    empty = {name: torch.zeros_like(tensor) for name, tensor in TENSORS.items()}
    check_shapes(TENSORS, empty)
    with pytest.raises(UsageError, match=r"'fusion.bias' has shape \(6,\); .* ask for \(9,\)"):
        check_shapes(TENSORS, empty | {"fusion.bias": torch.ones(9)})
    with pytest.raises(UsageError, match=r"'prototypes.counts' has shape \(2,\)"):
        check_shapes(TENSORS, empty | {"prototypes.counts": torch.tensor([0])})
    with pytest.raises(UsageError, match="lacks tensor 'extra'"):
        check_shapes(TENSORS, empty | {"extra": torch.ones(1)})
    with pytest.raises(UsageError, match="has an unknown tensor 'extra'"):
        check_shapes(TENSORS | {"extra": torch.ones(1)}, empty)
