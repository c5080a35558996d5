"""The table of every backbone: as timm's registry has it, usable, named when mistyped, fetched, deleted."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers import SwiGLUPacked
from timm.models import get_pretrained_cfg
from timm.models.vision_transformer import VisionTransformer
from torch.utils.flop_counter import FlopCounterMode

from resources.vision_transformers import COLUMNS, TABLE, architectures, rows_of, written
from tests.test_hub import Plan, served
from workbench.core.backbone import Backbone, check_plain, create
from workbench.core.sample_backbone import CREATE_KWARGS, TIMM_NAME
from workbench.errors import UsageError, WorkbenchError
from workbench.events import Stage
from workbench.face.backbone_table import BASE_OPERATIONS
from workbench.paths import resource
from workbench.report import BackboneFacts, WeightsFile
from workbench.session import Session
from workbench.session.backbones import Backbones

DINO = "vit_small_patch16_224.dino"
SAMPLED = (
    "vit_tiny_patch16_224", "vit_small_patch14_dinov2", "vit_base_patch16_siglip_gap_224",
    "deit3_small_patch16_224", "vit_so400m_patch14_siglip_gap_896", "vit_small_r26_s32_224",
    "aimv2_large_patch14_336", "vit_giant_patch16_gap_224",
)  # fmt: skip


def table() -> list[dict[str, str]]:
    with resource(TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def backbones(tmp_path: Path) -> Iterator[Backbones]:
    session = Session(tmp_path, entry_points=False)
    yield session.backbones
    session.close()


def test_the_table_is_what_its_script_makes() -> None:
    assert table()[0].keys() == set(COLUMNS)
    for architecture in SAMPLED:
        shipped = [row for row in table() if row["name"].partition(".")[0] == architecture]
        assert shipped == rows_of(architecture)
        assert written(shipped).splitlines()[1] in resource(TABLE).read_text(encoding="utf-8")


def test_what_the_script_leaves_out_is_no_plain_vision_transformer() -> None:
    listed = {row["name"].partition(".")[0] for row in table()}
    for architecture in ("vit_base_patch16_siglip_224", "vit_base_patch16_xp_224"):
        assert architecture in architectures()
        assert architecture not in listed
        with torch.device("meta"), pytest.raises(UsageError):
            check_plain(create(architecture, None))


@pytest.mark.slow
@pytest.mark.long
def test_every_name_passes_the_loaders_own_check() -> None:
    sizes = {row["name"].partition(".")[0]: int(row["parameters"]) for row in table()}
    assert len(sizes) > 150
    for architecture, parameters in sizes.items():
        with torch.device("meta"):
            vit = check_plain(create(architecture, None))
        assert sum(p.numel() for p in vit.parameters()) == parameters


def test_names_tags_and_licences_are_those_of_the_registry() -> None:
    for row in table():
        architecture, _, tag = row["name"].partition(".")
        assert timm.is_model(architecture)
        if tag:
            cfg = get_pretrained_cfg(row["name"])
            assert cfg is not None
            assert (row["licence"], row["hub"]) == (cfg.license or "", cfg.hf_hub_id or "")
            assert not cfg.hf_hub_filename  # the file is called as on every other page of the hub


def test_the_download_is_about_the_size_of_the_published_file(backbones: Backbones) -> None:
    # Sizes of model.safetensors as the hub shows them: 346 MB and 88 MB.
    for name, megabytes in (("vit_base_patch16_224.augreg2_in21k_ft_in1k", 346), (DINO, 87)):
        facts = backbones.find(name)
        assert facts is not None
        assert abs(facts.megabytes - megabytes) <= 2


def test_the_short_list_comes_first_and_keeps_its_titles(backbones: Backbones) -> None:
    found = backbones.all()
    assert found[0].name == "sample"
    assert found[0].present
    short = [facts for facts in found if facts.listed]
    assert found[: len(short)] == tuple(short)
    assert len(found) > 300
    assert all(facts.parameters and facts.patch_size for facts in found[1:])
    plain = backbones.find("vit_base_patch16_224.mae?img_size=96")
    assert plain is not None
    assert (plain.licence, plain.note) == ("CC-BY-NC-4.0", "Not for commercial use.")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("vit_bse_patch16", "'vit_bse_patch16' is not known. Did you mean vit_base_patch16_224?"),
        ("vit_small_patch16_224.din", f"'vit_small_patch16_224.din' is not known. Did you mean {DINO}?"),
        ("resnet18", "'resnet18' is not known."),
        ("vit_giant_patch16_gap_224", "'vit_giant_patch16_gap_224' exists with several weights: vit_giant_patch16_gap_224.in22k_ijepa. Choose one of them."),
        ("sample", ""),
        (DINO, ""),
        (f"{DINO}?img_size=96", ""),
        ("random:vit_tiny_patch16_224?img_size=32", ""),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_used_is_answered_with_the_nearest_one(
    backbones: Backbones, name: str, sentence: str
) -> None:
    assert backbones.problem(name).startswith(sentence)
    assert bool(backbones.problem(name)) == bool(sentence)


def test_an_architecture_alone_is_enough_with_a_weights_file(backbones: Backbones) -> None:
    assert backbones.problem("vit_tiny_patch16_224")
    assert backbones.problem("vit_tiny_patch16_224", "mine.pt") == ""


def test_weights_are_fetched_with_their_hash_shown_and_deleted(
    backbones: Backbones, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan()
    with served(plan) as base:
        monkeypatch.setenv("HF_ENDPOINT", base)
        *stages, file = backbones.download(DINO)
    assert isinstance(file, WeightsFile)
    assert all(isinstance(stage, Stage) for stage in stages)
    assert plan.paths == [f"/timm/{DINO}/resolve/main/model.safetensors"]
    facts = backbones.find(DINO)
    assert facts is not None
    assert Path(facts.file) == backbones.place(DINO)
    assert facts.sha256 == file.sha256 == hashlib.sha256(plan.content).hexdigest()
    backbones.delete(DINO)
    after = backbones.find(DINO)
    assert isinstance(after, BackboneFacts)
    assert not after.present
    assert list(backbones.folder.iterdir()) == []


def test_what_cannot_be_fetched_says_so(backbones: Backbones) -> None:
    with pytest.raises(UsageError, match=r"cannot be downloaded from here\. Choose a weights file"):
        list(backbones.download("vit_giant_patch16_gap_224.in22k_ijepa"))
    with pytest.raises(UsageError, match="'vit_bse_patch16' is not known"):
        list(backbones.download("vit_bse_patch16"))


def test_a_file_is_checked_as_training_would_read_it(backbones: Backbones, tmp_path: Path) -> None:
    shape = "vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8"
    state = create("vit_tiny_patch16_224", None, img_size=32, depth=2, patch_size=8).state_dict()
    good = tmp_path / "good.safetensors"
    save_file(dict(state), good)
    *_, file = backbones.check(shape, str(good))
    assert file == WeightsFile(str(good), hashlib.sha256(good.read_bytes()).hexdigest())
    with pytest.raises(UsageError, match=r"'good.safetensors' does not fit the backbone"):
        list(backbones.check(DINO, str(good)))
    evil = tmp_path / "evil.pt"
    torch.save({"model": Path("x")}, evil)
    with pytest.raises(WorkbenchError, match="holds more than weights, so it is not opened"):
        list(backbones.check(DINO, str(evil)))


def test_a_run_with_an_unknown_backbone_is_refused_before_it_is_in_the_log(tmp_path: Path) -> None:
    session = Session(tmp_path, entry_points=False)
    from dataclasses import replace

    config = session.sample_config()
    bad = replace(config, model=replace(config.model, backbone="vit_bse_patch16"))
    with pytest.raises(UsageError, match="Did you mean vit_base_patch16_224"):
        session.start(bad)
    assert session.runs() == []
    session.close()


@pytest.mark.parametrize(
    "of", [{}, {"mlp_ratio": 2.5, "reg_tokens": 3}, {"mlp_layer": SwiGLUPacked}]
)
def test_work_is_that_of_every_product_that_is_really_done(of: dict[str, Any]) -> None:
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 4}
    backbone = Backbone(_counted(VisionTransformer(num_classes=0, **sizes, **of)))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        features = backbone.vit.patch_embed(torch.zeros(1, 3, 32, 32))
        before = counter.get_total_flops()
        backbone.vit.blocks(backbone.vit._pos_embed(features))
    assert features.shape == (1, 16, 48)
    assert before == 2 * 16 * (3 * 8 * 8) * 48
    assert backbone.operations == counter.get_total_flops() - before


def test_work_of_the_sample_and_of_what_it_is_compared_with(backbones: Backbones) -> None:
    assert backbones.find("vit_base_patch16_224.dino").operations == BASE_OPERATIONS
    sample = _counted(create(TIMM_NAME, None, **CREATE_KWARGS))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        sample(torch.zeros(1, 3, 70, 70))
    assert backbones.find("sample").operations == pytest.approx(counter.get_total_flops(), rel=5e-3)


def _counted(model: Any) -> Any:
    """The same network with attention as plain products: the counter does not see into the fused kernel."""
    for block in model.blocks:
        block.attn.fused_attn = False
    return model
