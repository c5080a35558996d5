"""Backbone names to weights: sample, local files, the hub's tags, random; misfits say what is wrong."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from tests.no_hub import no_hub
from workbench.core.backbone import create
from workbench.core.sample_backbone import dequantise, resize_positions
from workbench.core.steps import result_of
from workbench.core.weights import LoadedWeights, load_weights
from workbench.errors import UsageError, WorkbenchError
from workbench.paths import resource

SMALL = "vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8"
KWARGS = {"img_size": 32, "depth": 2, "patch_size": 8}


def load(backbone: str, file: Path | str = "", home: Path = Path("/nowhere")) -> LoadedWeights:
    return result_of(load_weights(backbone, str(file), home))


def small_state(**changes: object) -> dict[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return dict(create("vit_tiny_patch16_224", None, **(KWARGS | changes)).state_dict())


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_random_weights_are_a_function_of_name_and_seed_and_leave_chance_alone() -> None:
    before = torch.get_rng_state()
    first, again = load("random:" + SMALL), load("random:" + SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    assert_same(first.state, again.state)
    assert first.sha256 == again.sha256 != load(f"random:{SMALL}&seed=1").sha256
    assert first.create_kwargs == KWARGS
    assert (first.mean, first.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    create(first.model_name, first.state, **first.create_kwargs)


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "model", "module.", "model."])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
def test_local_files_are_read_out_of_their_wrappers(tmp_path: Path, wrap: str, suffix: str) -> None:
    state, path = small_state(), tmp_path / f"mine{suffix}"
    stored = {wrap + k: v for k, v in state.items()} if wrap.endswith(".") else state
    if suffix == ".safetensors":
        save_file(stored, path)
    else:
        torch.save(
            stored if wrap in ("plain", "module.", "model.") else {wrap: stored, "epoch": 3}, path
        )
    loaded = load(SMALL, path)
    assert_same(loaded.state, state)
    assert len(loaded.sha256) == 64
    assert "mine" in loaded.licence


def test_half_precision_and_classifiers_of_others_are_taken_care_of(tmp_path: Path) -> None:
    state = small_state()
    stored = {k: v.bfloat16() for k, v in state.items()}
    stored |= {"head.weight": torch.ones(5, 192), "decoder_pred.bias": torch.ones(2)}
    save_file(stored, tmp_path / "f.safetensors")
    loaded = load(SMALL, tmp_path / "f.safetensors")
    assert_same(loaded.state, {k: v.bfloat16().float() for k, v in state.items()})


def test_positions_are_resized_to_the_grid_asked_for(tmp_path: Path) -> None:
    save_file(small_state(), tmp_path / "f.safetensors")
    loaded = load(SMALL.replace("img_size=32", "img_size=48"), tmp_path / "f.safetensors")
    assert loaded.state["pos_embed"].shape == (1, 1 + 36, 192)
    create(loaded.model_name, loaded.state, **loaded.create_kwargs)


def test_the_original_dinov2_naming_is_understood(tmp_path: Path) -> None:
    spec = "vit_small_patch14_reg4_dinov2?img_size=28&depth=2"
    state = load("random:" + spec).state
    original = {k: v for k, v in state.items() if k != "reg_token" and k != "pos_embed"}
    original["register_tokens"] = state["reg_token"]
    original["mask_token"] = torch.zeros(1, 384)
    original["pos_embed"] = torch.cat([torch.zeros(1, 1, 384), state["pos_embed"]], 1)
    torch.save(original, tmp_path / "dino.pth")
    assert_same(load(spec, tmp_path / "dino.pth").state, state)


def test_an_mae_file_is_read_without_its_decoder(tmp_path: Path) -> None:
    state = small_state()
    beside = {
        "mask_token": torch.zeros(1, 1, 5),
        "decoder_blocks.0.attn.qkv.weight": torch.zeros(2),
    }
    torch.save({"model": state | beside, "optimizer": {"lr": 1}}, tmp_path / "mae.pth")
    assert_same(load(SMALL, tmp_path / "mae.pth").state, state)


def test_openais_clip_naming_is_understood(tmp_path: Path) -> None:
    spec = "vit_base_patch32_clip_224?img_size=64&depth=1"
    state = load("random:" + spec).state
    block = "visual.transformer.resblocks.0."
    modules = {
        "norm_pre.": "visual.ln_pre.", "norm.": "visual.ln_post.",
        "blocks.0.norm1.": block + "ln_1.", "blocks.0.norm2.": block + "ln_2.",
        "blocks.0.attn.qkv.": block + "attn.in_proj_", "blocks.0.attn.proj.": block + "attn.out_proj.",
        "blocks.0.mlp.fc1.": block + "mlp.c_fc.", "blocks.0.mlp.fc2.": block + "mlp.c_proj.",
    }  # fmt: skip
    clip = {
        theirs + x: state[ours + x] for ours, theirs in modules.items() for x in ("weight", "bias")
    }
    clip |= {
        "visual.class_embedding": state["cls_token"][0, 0],
        "visual.positional_embedding": state["pos_embed"][0],
        "visual.conv1.weight": state["patch_embed.proj.weight"],
        "visual.proj": torch.zeros(768, 512),
        "logit_scale": torch.tensor(1.0),
    }
    torch.save(clip, tmp_path / "clip.pt")
    assert_same(load(spec, tmp_path / "clip.pt").state, state)


def test_a_file_for_another_model_is_refused_with_the_first_difference(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    save_file(small_state(depth=1), path)
    with pytest.raises(
        UsageError, match=r"does not fit .* 'blocks\.1\.attn\.proj\.bias' is missing"
    ):
        load(SMALL, path)
    save_file(small_state(depth=3), path)
    with pytest.raises(UsageError, match=r"the model has no 'blocks\.2\.attn\.proj\.bias'"):
        load(SMALL, path)
    save_file(small_state(embed_dim=96), path)
    with pytest.raises(UsageError, match=r"has shape \(1, 1, 96\) there and \(1, 1, 192\) here"):
        load(SMALL, path)


def test_a_pickle_with_code_is_not_opened(tmp_path: Path) -> None:
    torch.save({"model": small_state(), "args": argparse.Namespace(lr=1)}, tmp_path / "f.pth")
    with pytest.raises(UsageError, match="can run programs"):
        load(SMALL, tmp_path / "f.pth")


@pytest.mark.parametrize("name", ["f.pt", "f.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x02garbage"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=r"f\.(pt|safetensors)' is"):
        load(SMALL, tmp_path / name)


def test_a_file_without_tensors_by_name_is_a_sentence(tmp_path: Path) -> None:
    for stored in ([torch.ones(1)], {"epoch": 3}):
        torch.save(stored, tmp_path / "f.pt")
        with pytest.raises(UsageError, match="holds no weights by name"):
            load(SMALL, tmp_path / "f.pt")


def test_files_that_cannot_be_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        load(SMALL, tmp_path / "none.pt")
    (tmp_path / "w.npz").touch()
    with pytest.raises(UsageError, match=r"not one of \.safetensors"):
        load(SMALL, tmp_path / "w.npz")
    for own in ("sample", "random:" + SMALL):
        with pytest.raises(UsageError, match="brings its own weights"):
            load(own, tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("vit_bse_patch16_224", "Did you mean 'vit_base_patch16_224'"),
        ("vit_tiny_patch16_224", r"by their tag: .*vit_tiny_patch16_224\.augreg_in21k,"),
        ("vit_tiny_patch16_224.augreg_in2k", r"Did you mean 'vit_tiny_patch16_224\.augreg_in21k'"),
        ("hf-hub:someone/something", "is not known"),
        ("resnet18.a1_in1k", "ResNet, which is not a plain Vision Transformer"),
        ("random:vit_tiny_patch16_224?img_sise=3", "Did you mean 'img_size'"),
        ("random:vit_tiny_patch16_224?checkpoint_path=/x.pt", "'checkpoint_path' cannot be set"),
        ("random:vit_tiny_patch16_224?img_size", r"img_size=224&depth=6"),
        ("random:vit_tiny_patch16_224?embed_dim=100", "cannot be built"),
        ("random:vit_tiny_patch16_224?seed=x", "seed is a whole number"),
        ("vit_tiny_patch16_224.augreg_in21k?seed=1", "'seed' cannot be set"),
    ],
)
def test_names_that_cannot_be_are_refused_before_any_download(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        load(name)


def test_weights_in_the_home_folder_need_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_hub(monkeypatch):
        name = "vit_tiny_patch16_224.augreg_in21k?depth=2&img_size=32&patch_size=8"
        with pytest.raises(WorkbenchError, match="cannot be reached"):
            load(name, home=tmp_path)
        save_file(
            small_state(), tmp_path / "weights" / "vit_tiny_patch16_224.augreg_in21k.safetensors"
        )
        loaded = load(name, home=tmp_path)
    assert_same(loaded.state, small_state())
    assert loaded.licence == "apache-2.0"


def test_dequantised_rows_are_scale_times_whole_numbers() -> None:
    q = torch.tensor([[[1, -2], [3, 4]], [[5, 6], [-7, 127]]], dtype=torch.int8)  # (2, 2, 2)
    s = torch.tensor([[0.5], [2.0]], dtype=torch.float16)
    expected = q.double() * torch.tensor([0.5, 2.0], dtype=torch.float64).view(2, 1, 1)
    assert torch.equal(dequantise(q, s).double(), expected)


def test_resized_positions_keep_class_token_constants_and_slopes() -> None:
    ramp = torch.arange(9.0).repeat(9, 1)  # (rows, columns): position along a row
    grid = torch.stack([torch.full((9, 9), 4.0), ramp], dim=2).view(1, 81, 2)
    resized = resize_positions(torch.cat([torch.full((1, 1, 2), -1.0), grid], 1), 3)
    assert torch.equal(resized[:, :1], torch.full((1, 1, 2), -1.0))
    torch.testing.assert_close(resized[0, 1:, 0], torch.full((9,), 4.0))
    # Centres of 3 cells over 9: at 1, 4 and 7.
    torch.testing.assert_close(resized[0, 1:4, 1], torch.tensor([1.0, 4.0, 7.0]))


@pytest.mark.slow
def test_the_sample_backbone_tells_the_sample_pictures_apart() -> None:
    loaded = load("sample")
    model = create(loaded.model_name, loaded.state, **loaded.create_kwargs).eval()
    train, labels = _features(model, loaded, "train")
    test, wanted = _features(model, loaded, "test")
    means = torch.stack([train[labels == c].mean(0) for c in range(20)])
    cosine = torch.nn.functional.normalize(test) @ torch.nn.functional.normalize(means).T
    accuracy = (cosine.argmax(1) == wanted).double().mean().item()
    assert accuracy == pytest.approx(0.369, abs=0.01)  # nearest class mean of all 20 classes


def _features(model: torch.nn.Module, loaded: LoadedWeights, part: str) -> tuple[Tensor, Tensor]:
    pixels, labels = [], []
    folders = sorted(resource("sample/emoji").glob(f"*/{part}/*"))
    for i, folder in enumerate(folders):
        for path in sorted(folder.glob("*.png")):
            picture = Image.open(path).convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            flat = Image.alpha_composite(white, picture).convert("RGB")
            pixels.append(np.asarray(flat.resize((80, 80), Image.Resampling.BICUBIC))[5:75, 5:75])
            labels.append(i)
    x = torch.tensor(np.stack(pixels)).permute(0, 3, 1, 2) / 255  # (n, 3, 70, 70)
    x = (x - torch.tensor(loaded.mean).view(3, 1, 1)) / torch.tensor(loaded.std).view(3, 1, 1)
    with torch.inference_mode():
        features = torch.cat([model(batch) for batch in x.split(64)])  # (n, 384)
    return features, torch.tensor(labels)
