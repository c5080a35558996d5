"""A run's adapter: saved with its answers, exported only if they come back, used on new pictures."""

import json
import shutil

import numpy as np
import pytest
import torch

from tests.pictures import make_split_folders
from tests.test_train import BACKBONE, config, of
from workbench.core.adapter_file import load_adapter
from workbench.core.answering import TEMPERATURES, fit_temperature
from workbench.core.card import export_adapter, load_learnt
from workbench.core.predict import predict
from workbench.core.steps import result_of
from workbench.core.train import train
from workbench.core.weights import width_of
from workbench.errors import UsageError, WeightsDiffer, WorkbenchError
from workbench.events import Evaluated, RunStarted
from workbench.report import Guess


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two tasks with test parts of their own, learnt: (home, run folder, task folders, events)."""
    home = tmp_path_factory.mktemp("home")
    folders = [
        make_split_folders(home / "pictures" / "warm", {"red": (8, 5), "orange": (8, 4)}),
        make_split_folders(home / "pictures" / "cold", {"blue": (8, 5), "green": (8, 5)}, seed=3),
    ]
    events = list(train(config(folders), home, home / "run"))
    return home, home / "run", folders, events


def guesses(adapter, pictures, home):
    return [
        item
        for item in predict(adapter, [str(p) for p in pictures], home)
        if isinstance(item, Guess)
    ]


def test_predicting_the_test_pictures_gives_the_accuracy_that_was_logged(trained):
    home, run, folders, events = trained
    row = of(Evaluated, events)[-1]
    for number, folder in enumerate(folders):
        found = guesses(run / "adapter", [folder / "test"], home)
        hits = [guess.classes[0] == guess.path.split("/")[-2] for guess in found]
        assert sum(hits) / len(hits) == pytest.approx(row.accuracy[number], abs=1e-9)


def test_answers_carry_all_classes_best_first_with_their_tasks(trained):
    home, run, folders, events = trained
    guess = guesses(run / "adapter", sorted((folders[0] / "test" / "red").iterdir())[:1], home)[0]
    names = {name for task in of(RunStarted, events)[0].tasks for name in task.class_names}
    assert set(guess.classes) == names
    assert sum(guess.probabilities) == pytest.approx(1, abs=1e-5)
    assert list(guess.probabilities) == sorted(guess.probabilities, reverse=True)
    assert dict(zip(guess.classes, guess.tasks, strict=True))["blue"] == "cold"


def test_a_picture_that_cannot_be_read_is_named_and_the_others_answered(trained, tmp_path):
    home, run, folders, _ = trained
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good = sorted((folders[0] / "test" / "red").iterdir())[0]
    found = guesses(run / "adapter", [broken, good, tmp_path / "absent.jpg"], home)
    assert [bool(guess.problem) for guess in found] == [True, False, True]
    assert "broken.png" in found[0].problem


def test_a_folder_without_pictures_is_refused(trained, tmp_path):
    with pytest.raises(UsageError, match="No pictures in"):
        guesses(trained[1] / "adapter", [tmp_path], trained[0])


def exported(run, target, home):
    steps = export_adapter(run, target, home)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def test_an_export_is_a_true_copy_and_can_be_used(trained, tmp_path):
    home, run, folders, _ = trained
    written = exported(run, tmp_path / "out", home)
    assert {path.name for path in written} == {"adapter.safetensors", "adapter.json", "README.md"}
    assert written[1].read_bytes() == (run / "adapter" / "adapter.json").read_bytes()
    assert guesses(tmp_path / "out", [folders[0] / "test"], home) == guesses(
        run / "adapter", [folders[0] / "test"], home
    )


def test_an_export_that_answers_otherwise_is_not_kept(trained, tmp_path):
    home, run, _, _ = trained
    damaged = tmp_path / "damaged"
    shutil.copytree(run, damaged)
    tensors, card = load_adapter(damaged / "adapter")
    from workbench.core.adapter_file import save_adapter

    tensors["prototypes.rows"] = tensors["prototypes.rows"].flip(0)
    save_adapter(damaged / "adapter", tensors, card)
    with pytest.raises(WorkbenchError, match=r"gave other answers \(difference .*It was not kept"):
        exported(damaged, tmp_path / "out", home)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_adapter_of_other_weights_is_refused(trained, tmp_path):
    home, run, folders, _ = trained
    shutil.copytree(run / "adapter", tmp_path / "other")
    card = json.loads((tmp_path / "other" / "adapter.json").read_text())
    card["weights_sha256"] = "0" * 64
    (tmp_path / "other" / "adapter.json").write_text(json.dumps(card))
    with pytest.raises(WorkbenchError, match="not those the adapter was trained on"):
        guesses(tmp_path / "other", [folders[0]], home)


def test_what_a_head_needs_to_learn_more_lies_beside_a_runs_adapter_and_is_not_exported(
    trained, tmp_path
):
    home, run, _, _ = trained
    cpu = torch.device("cpu")
    network = result_of(load_learnt(run / "adapter", home, cpu))
    assert float(network.prototypes.scatter.trace()) > 0
    assert float(network.prototypes.ridge) > 0
    before = network.prototypes.rows.clone()
    network.prototypes.answer_for(torch.arange(4))  # made anew from what lies beside it
    torch.testing.assert_close(network.prototypes.rows, before, rtol=1e-4, atol=1e-6)
    written = exported(run, tmp_path / "out", home)
    assert {path.name for path in written} == {"adapter.safetensors", "adapter.json", "README.md"}
    for place in (tmp_path / "out", run / "adapter" / "adapter.safetensors"):
        with pytest.raises(UsageError, match=r"spread.safetensors' is missing or damaged: .*Take a run that was trained here"):  # fmt: skip
            result_of(load_learnt(place, home, cpu))


def test_there_is_nothing_to_export_before_the_first_task_is_learnt(tmp_path):
    with pytest.raises(WorkbenchError, match="saved after the first task"):
        exported(tmp_path, tmp_path / "out", tmp_path)


def test_the_card_names_what_is_needed_to_use_the_adapter(trained):
    _, card = load_adapter(trained[1] / "adapter")
    assert card.backbone == BACKBONE
    assert len(card.weights_sha256) == 64
    assert card.tasks == ("warm", "cold")
    assert card.preprocessing.size == 32
    assert card.preprocessing.resize == 37
    assert card.metrics["accuracy_seen"] == pytest.approx(
        np.average(
            of(Evaluated, trained[3])[-1].accuracy, weights=of(Evaluated, trained[3])[-1].sizes
        )
    )


def test_the_temperature_is_the_best_of_its_grid():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(50, 4, generator=generator), np.arange(50) % 4
    logits[np.arange(50), labels] += 1.0
    chosen = fit_temperature(logits, labels)
    scores = [
        float(torch.nn.functional.cross_entropy(logits / t, torch.from_numpy(labels)))
        for t in TEMPERATURES
    ]
    assert chosen == TEMPERATURES[int(np.argmin(scores))]
    assert TEMPERATURES[0] < chosen < TEMPERATURES[-1]


def test_other_weights_are_used_only_if_that_is_asked_for(trained, tmp_path):
    home, run, folders, _ = trained
    shutil.copytree(run / "adapter", tmp_path / "other")
    card = json.loads((tmp_path / "other" / "adapter.json").read_text("utf-8"))
    (tmp_path / "other" / "adapter.json").write_text(
        json.dumps(card | {"weights_sha256": "0" * 64}), "utf-8"
    )
    pictures = [str(folders[0] / "test")]
    with pytest.raises(WeightsDiffer, match=r"^The backbone's weights are not those the adapter"):
        list(predict(tmp_path / "other", pictures, home))
    found = list(predict(tmp_path / "other", pictures, home, device="cpu", any_weights=True))
    assert [g for g in found if isinstance(g, Guess)] == guesses(
        run / "adapter", [folders[0] / "test"], home
    )


def test_a_format_that_is_not_read_is_named_with_those_that_are(trained, tmp_path):
    home, run, _, _ = trained
    heic = tmp_path / "IMG_1.HEIC"
    heic.write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(40))
    (found,) = guesses(run / "adapter", [heic], home)
    assert found.problem == "This format cannot be read: IMG_1.HEIC. JPEG, PNG, WebP, TIFF can."


def test_a_backbones_width_is_known_without_its_weights():
    assert width_of(BACKBONE) == 192
    assert width_of("sample") == 384
    assert width_of("vit_small_patch16_224.augreg_in21k_ft_in1k") == 384
    assert width_of("no such thing") == 0
