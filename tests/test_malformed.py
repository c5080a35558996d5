"""Malformed inputs that once crashed, or were taken and should not have been: each ends in its sentence."""

import hashlib
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load, save

from tests.logged import begin
from tests.reliability.inputs import nested
from tests.reliability.sandbox import Sandbox
from tests.reliability.weights import an_adapter
from workbench import paths
from workbench.answers import answers_of
from workbench.config import load_config, parse_assignment
from workbench.core.adapter_file import CARD_NAME, TENSORS_NAME
from workbench.core.card import load_network
from workbench.core.manifest import read_manifest
from workbench.core.network import Network
from workbench.core.steps import result_of
from workbench.core.weights import load_weights
from workbench.errors import UsageError, WorkbenchError
from workbench.events import from_json
from workbench.log import table
from workbench.log.store import Log
from workbench.plugins import Memory
from workbench.query import LONGEST, MOST_TERMS, parse
from workbench.session import Session


def test_settings_nested_without_end_are_no_settings(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_bytes(b"name = " + nested(20_000))
    with pytest.raises(UsageError, match=r"deep\.toml is not a TOML file"):
        load_config(tmp_path / "deep.toml")
    with pytest.raises(UsageError, match="expected TOML tables"):
        parse_assignment(f"data.tasks=tasks = {nested(20_000).decode()}")


@pytest.mark.parametrize(
    "text", ["a " * (MOST_TERMS + 1), "a" * (LONGEST + 1), "-" * LONGEST + " x"]
)
def test_a_filter_without_end_is_refused_before_the_log_is_asked(text: str) -> None:
    with pytest.raises(UsageError, match="A filter has at most 100 parts and 10,000 letters"):
        parse(text)


def test_the_longest_filter_that_is_taken_is_answered(tmp_path: Path) -> None:
    with Log(tmp_path / "workbench.db") as log:
        begin(log)
        for text in (
            "-zzz " * MOST_TERMS,
            "train.epochs>0 " * MOST_TERMS,
            "-" + "z" * (LONGEST - 1),
        ):
            with log.snapshot() as db:
                assert table.count(db, parse(text)) == 1


def test_letters_that_no_text_can_hold_are_looked_for_as_they_are_kept(tmp_path: Path) -> None:
    with Log(tmp_path / "workbench.db") as log:
        begin(log, name="\udc80 owls")
        found = {
            "\udc80": 1, 'name="\udc80 owls"': 1, "train.device=\ud800": 0, "train.device<\ud800": 0,
            "train.device=%": 0, "train.device=auto": 1, "name:%": 0, "note:_": 0,
        }  # fmt: skip
        for text, number in found.items():
            with log.snapshot() as db:
                assert table.count(db, parse(text)) == number, text


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("Evil", "{}", "does not know"),
        ("Finished", "{}", "is damaged"),
        ("Finished", "[]", "is damaged"),
        ("Finished", '{"step": "3"}', "step is '3'"),
        ("Finished", '{"step": 1e400}', "step is inf"),
        ("Finished", '{"step": true}', "step is True"),
        ("Finished", f'{{"step": {10**30}}}', "step is 1000"),
        ("Note", '{"text": ' + "[" * 50_000, "is damaged"),
        ("RunStarted", '{"tasks": [5]}', "is damaged"),
        ("Evaluated", '{"after_task": 0, "step": 1, "accuracy": ["x"], "task_incremental": [], "task_id": [], '
         '"baseline": [], "sizes": []}', "accuracy is"),
    ],
)  # fmt: skip
def test_an_event_that_is_none_is_a_sentence(kind: str, text: str, sentence: str) -> None:
    with pytest.raises(WorkbenchError, match=sentence):
        from_json(kind, text)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    place = Sandbox(tmp_path_factory.mktemp("adapter"))
    place.given.mkdir()
    return an_adapter(place)


def loaded(folder: Path, blob: bytes, card: Any) -> Network:
    folder.mkdir()
    (folder / TENSORS_NAME).write_bytes(blob)
    (folder / CARD_NAME).write_bytes(card if isinstance(card, bytes) else json.dumps(card).encode())
    network, _ = result_of(load_network(folder, folder, torch.device("cpu")))
    return network


def test_the_adapter_itself_is_taken(adapter: tuple[bytes, dict[str, Any]], tmp_path: Path) -> None:
    blob, card = adapter
    own = loaded(tmp_path / "a", blob, card).state_dict()
    told = load(blob)
    assert told
    assert all(torch.equal(own[name], tensor) for name, tensor in told.items())


Blob = Callable[[bytes], bytes]


def one_tensor(change: Callable[[torch.Tensor], torch.Tensor]) -> Blob:
    def changed(blob: bytes) -> bytes:
        tensors = load(blob)
        name = next(name for name in sorted(tensors) if tensors[name].is_floating_point())
        return bytes(save(tensors | {name: change(tensors[name]).contiguous()}))

    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda blob: (10**12).to_bytes(8, "little") + blob[8:], "is damaged"),
        (lambda blob: (2**64 - 1).to_bytes(8, "little") + blob[8:], "is damaged"),
        (lambda blob: blob[: len(blob) // 2], "is damaged"),
        (lambda blob: blob[:4], "is damaged"),
        (lambda blob: b"", "is damaged"),
        (lambda blob: len(nested(50_000)).to_bytes(8, "little") + nested(50_000), "is damaged"),
        (lambda blob: b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.", "is damaged"),
        (one_tensor(lambda tensor: tensor.double()), "holds torch.float64; torch.float32 is expected"),
        (one_tensor(lambda tensor: tensor[:0]), "has shape"),
        (one_tensor(lambda tensor: tensor * float("nan")), "not finite"),
        (one_tensor(lambda tensor: tensor + float("inf")), "not finite"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_a_sentence(
    adapter: tuple[bytes, dict[str, Any]], tmp_path: Path, change: Blob, sentence: str
) -> None:
    blob = change(adapter[0])
    card = adapter[1] | {"tensors_sha256": hashlib.sha256(blob).hexdigest()}
    with pytest.raises(UsageError, match=sentence):
        loaded(tmp_path / "a", blob, card)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"backbone": 5}, "backbone is 5"),
        ({"weights_sha256": None}, "weights_sha256 is None"),
        ({"tasks": "owls"}, "tasks is 'owls'"),
        ({"classes": [{"name": ["a"], "task": 0}]}, "classes is"),
        ({"switches": {"fusion": "magic"}}, "'magic' is not one of"),
        ({"switches": {}}, "it has no switch"),
        ({"model": {"bottleneck": 10**12}}, "a whole number from"),
        ({"model": {"unheard_of": 1}}, "is not a setting"),
        ({"model": {"weights": "\\\\host\\share\\x.pt"}}, "lie on another computer"),
        ({"model": {"weights": "//host/share/x.pt"}}, "lie on another computer"),
        ({"temperature": 0}, "temperature is not above 0"),
        ({"width": 7}, "does not fit its backbone"),
        ({"preprocessing": {"size": 10**9, "resize": 10**9, "interpolation": "x", "mean": [0, 0, 0], "std": [1, 1, 1]}},
         "does not fit its backbone"),
        ({"preprocessing": {"size": 32, "resize": 10**9, "interpolation": "x", "mean": [0, 0, 0], "std": [1, 1, 1]}},
         "pictures of 32 from 1000000000 pixels"),
        ({"preprocessing": {"size": 32, "resize": 36, "interpolation": "x", "mean": [0], "std": [1]}}, "three colours"),
    ],
)  # fmt: skip
def test_cards_that_do_not_fit_are_a_sentence(
    adapter: tuple[bytes, dict[str, Any]], tmp_path: Path, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        loaded(tmp_path / "a", adapter[0], adapter[1] | values)


def test_a_card_nested_without_end_is_damaged(
    adapter: tuple[bytes, dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is damaged"):
        loaded(tmp_path / "a", adapter[0], nested(50_000))


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x02}q\x00X\x01", b"\x80\x02.", b"PK\x03\x04", b"\x80\x02(dp0\n"]
)
@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors"])
def test_a_weights_file_cut_anywhere_is_a_sentence(
    tmp_path: Path, suffix: str, data: bytes
) -> None:
    file = tmp_path / f"weights{suffix}"
    file.write_bytes(data)
    with pytest.raises(
        UsageError, match=r"not a readable weights file|so it is not opened|holds no weights"
    ):
        list(load_weights("vit_tiny_patch16_224.augreg_in21k?depth=1", str(file), tmp_path))


@pytest.mark.parametrize(
    "words",
    [
        "depth=100000", "depth=-1", "embed_dim=1000000000", "embed_dim=16384&depth=200&num_heads=4", "seed=1" + "0" * 30,
        "img_size=16384&patch_size=1", "mlp_ratio=1e300", "mlp_ratio=nan", "num_heads=0", "patch_size=0", "img_size=0",
    ],
)  # fmt: skip
def test_a_name_that_asks_for_too_much_is_refused_before_memory_is_taken(
    tmp_path: Path, words: str
) -> None:
    with pytest.raises(UsageError, match="The backbone 'random:vit_tiny"):
        list(load_weights(f"random:vit_tiny_patch16_224?{words}", "", tmp_path))


def whole_answers() -> dict[str, Any]:
    numbers = dict.fromkeys(
        ("task", "label", "predicted", "given_task", "baseline"), np.zeros(4, np.int32)
    )
    shares = dict.fromkeys(("score", "score_true"), np.ones(4, np.float32))
    best = {"best": np.zeros((4, 2), np.int32), "best_scores": np.zeros((4, 2), np.float32)}
    return numbers | shares | best


@pytest.mark.parametrize(
    "change",
    [
        {"label": np.full(4, 10**9, np.int32)},
        {"label": np.full(4, -2, np.int32)},
        {"predicted": np.zeros(3, np.int32)},
        {"score": np.zeros((4, 1), np.float32)},
        {"best": np.zeros(4, np.int32)},
        {"best": np.zeros((4, 3), np.int32)},
        {"task": np.array([1, 0, 0, 0], np.int32)},
    ],
)
def test_answers_that_do_not_fit_each_other_are_refused(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    assert len(answers_of(whole_answers())) == 4
    with closing(Session(tmp_path, entry_points=False)) as session:
        save_file(whole_answers() | change, paths.run_folder(tmp_path, "x") / "a.safetensors")
        with pytest.raises(WorkbenchError, match="cannot be read"):
            session.results.answers("x", "a.safetensors")


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"tasks": [{}]}', '{"tasks": 5}', '{"tasks": [{"pictures": []}]}', "["]
)
def test_a_list_of_pictures_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "pictures.json").write_text(text)
    with pytest.raises(WorkbenchError, match="cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"trusted": [[1]], "off": [{}]}', "[" * 50_000, '{"trusted": "*"}']
)
def test_a_damaged_list_of_trusted_plug_ins_trusts_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "plugins.json").write_text(text)
    memory = Memory(tmp_path)
    assert not memory.trusts("1" * 64)
    assert not memory.trusts("*")
