"""What ships beside the program: hashes as stated, pictures as listed, licences there."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from resources.sample.rebuild import (
    BACKBONE,
    CONCEPTS,
    STYLES,
    few_colours,
    quantised,
    sha256,
    shipped_pictures,
    tree_sha256,
)
from workbench.core.sample_backbone import dequantise
from workbench.paths import resource

README = resource("sample/README.md").read_text(encoding="utf-8")


def test_what_ships_has_the_hashes_its_readme_states() -> None:
    assert sha256(BACKBONE.read_bytes()) in README
    assert tree_sha256(shipped_pictures()) in README


def test_the_pictures_are_those_of_the_list_of_concepts() -> None:
    listed = {
        f"{task}/{part}/{name}/{concept}-{style}.png"
        for task, classes in json.loads(CONCEPTS.read_text(encoding="utf-8")).items()
        for name, parts in classes.items()
        for part, concepts in parts.items()
        for concept in concepts
        for style in STYLES
    }
    assert shipped_pictures().keys() == listed
    train = sum("/train/" in path for path in listed)
    assert f"{train} pictures to train on and {len(listed) - train} to test" in README


def test_no_concept_is_both_learnt_and_tested() -> None:
    parts: dict[str, set[str]] = {"train": set(), "test": set()}
    for path in shipped_pictures():
        _, part, _, name = path.split("/")
        parts[part].add(name.rsplit("-", 1)[0])
    assert not parts["train"] & parts["test"]


def test_the_pictures_are_small_and_of_few_colours() -> None:
    for path in sorted(resource("sample/emoji").rglob("*.png"))[::50]:
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((64, 64), "P")
            assert len(picture.getcolors() or ()) <= 64
    assert few_colours(path.read_bytes())[:4] == b"\x89PNG"


@pytest.mark.parametrize("name", ["NOTICE", "licences/Apache-2.0.txt", "licences/MIT.txt", "licences/CC-BY-4.0.txt"])  # fmt: skip
def test_notice_and_licences_are_there(name: str) -> None:
    assert len(resource(f"sample/{name}").read_text(encoding="utf-8")) > 400


def test_eight_bit_weights_come_back_within_half_a_step() -> None:
    weight = torch.randn(6, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    kept = quantised({"w": weight, "b": torch.ones(3), "pos_embed": torch.ones(1, 2, 3)})
    assert kept.keys() == {"w.q", "w.s", "b", "pos_embed"}
    step = weight.flatten(1).abs().amax(1).view(6, 1, 1, 1) / 127
    # Half a step of rounding, and the scale itself rounded to fp16: 127 steps of 2⁻¹¹ relative.
    bound = step * (0.5 + 127 * 2**-11)
    assert ((dequantise(kept["w.q"], kept["w.s"]) - weight).abs() <= bound).all()
    assert kept["b"].dtype == torch.float16


def test_nothing_in_resources_is_too_large_to_ship() -> None:
    sizes = {path: path.stat().st_size for path in Path(resource("")).rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 25_000_000
