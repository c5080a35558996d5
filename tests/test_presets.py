"""Shipped presets: each builds a valid configuration, the nine data sets as the official code has them."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resources.fashion_mnist import CLASSES, main
from workbench.config import RunConfig, preset, preset_names, with_values

# Classes, first / increment, epochs, batch, learning rate, weight decay, weight of the
# mutual-information term, pretrained section: `main.py` of Programmergg/NTK-CL.
OFFICIAL = {
    "cifar224": (100, 10, 10, 20, 16, 0.025, 5e-4, 0.03, False),
    "imagenetr": (200, 20, 20, 20, 16, 0.02, 5e-3, 0.2, False),
    "imageneta": (200, 20, 20, 20, 16, 0.02, 5e-3, 0.2, False),
    "domainnet": (345, 23, 23, 50, 96, 0.02, 5e-3, 0.2, False),
    "oxfordpets": (37, 7, 5, 5, 96, 0.02, 5e-3, 0.2, True),
    "eurosat": (10, 2, 2, 5, 96, 1e-4, 5e-3, 0.2, True),
    "plantvillage": (15, 3, 3, 5, 96, 5e-3, 5e-3, 0.2, True),
    "vtab": (50, 10, 10, 45, 96, 0.03, 5e-3, 0.2, True),
    "kvasir": (8, 2, 2, 5, 96, 5e-3, 5e-3, 0.2, True),
}


def test_all_that_is_promised_is_there() -> None:
    assert set(preset_names()) >= OFFICIAL.keys() | {"balanced", "quick", "fashion-mnist"}


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_builds_a_valid_configuration(name: str) -> None:
    chosen = preset(name)
    config = with_values(RunConfig(), chosen.values)
    assert config != RunConfig() or name == "balanced"
    assert chosen.title != name
    assert chosen.note.endswith(".")


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_nine_data_sets_have_the_official_hyper_parameters(name: str) -> None:
    chosen = preset(name)
    config = with_values(RunConfig(), chosen.values)
    data, model, method, train = config.data, config.model, config.method, config.train
    classes, *expected = OFFICIAL[name]
    found = [
        data.first_classes, data.increment, train.epochs, train.batch_size, train.learning_rate,
        train.weight_decay, method.weight_mutual_information, model.use_pretrained_section,
    ]  # fmt: skip
    assert found == expected
    assert method.weight_orthogonality == 1e-4
    assert method.weight_regularisation == 1e-3
    assert (method.mi_temperature, method.orthogonality_rank) == (0.1, 40)
    assert (model.alpha, model.beta, model.gamma) == (0.1, 1.0, 0.3)
    assert (model.bottleneck, model.prompt_tokens, train.momentum) == (16, 10, 0.9)
    assert model.backbone == "vit_base_patch16_224.augreg_in21k"
    assert (classes - data.first_classes) % data.increment == 0
    tasks = 1 + (classes - data.first_classes) // data.increment
    assert f"{classes} classes in {tasks} tasks" in chosen.note


def _idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return head + array.tobytes()


def test_fashion_mnists_files_become_folders_of_pictures(tmp_path: Path) -> None:
    source, target = tmp_path / "idx", tmp_path / "pictures"
    source.mkdir()
    images = np.arange(3 * 28 * 28).astype(np.uint8).reshape(3, 28, 28)
    labels = np.array([9, 0, 9], np.uint8)
    for prefix in ("train", "t10k"):
        (source / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(_idx(images)))
        (source / f"{prefix}-labels-idx1-ubyte").write_bytes(_idx(labels))
    assert main([str(source), str(target)]) == f"6 pictures are in {target}."
    assert sorted(p.name for p in (target / "test").iterdir()) == sorted(CLASSES)
    with Image.open(target / "train" / "Ankle boot" / "00002.png") as picture:
        assert np.array_equal(np.asarray(picture), images[2])
    assert len(list(target.rglob("*.png"))) == 6


def test_what_is_not_fashion_mnist_is_a_sentence(tmp_path: Path) -> None:
    assert "could not be unpacked" in main([str(tmp_path), str(tmp_path)])
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"no idx")
    assert "is not an IDX file" in main([str(tmp_path), str(tmp_path)])
    assert main([]).startswith("Two folders are needed")
