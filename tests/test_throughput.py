"""The benchmark's plain step is the official arithmetic, and its table says what it should."""

import json
from dataclasses import replace

import pytest
import torch

from tests import small
from tests.benchmarks import throughput, timing
from tests.benchmarks.official import check_reference
from tests.benchmarks.plain_step import PlainStep
from workbench.config import MethodConfig, ModelConfig, TrainConfig
from workbench.core.backbone import Backbone
from workbench.core.learner import Learner
from workbench.core.network import Network
from workbench.errors import UsageError

TOLERANCE = 1e-9  # relative to the largest element of what is compared
OLD, NEW = 6, 4
LABELS = torch.tensor([0, 1, 1, 3, 2, 0])
DRAWN = torch.tensor([5, 0, 2, 3])


def learner_in_a_task(*, pretrained: bool, old: int = OLD, dropout: float = 0.0) -> Learner:
    """Profile `paper` in float64 in the midst of training: nothing is at its start, not even the anchors."""
    model = ModelConfig(
        use_pretrained_section=pretrained, bottleneck=4, prompt_tokens=3, dropout=dropout
    )
    # four blocks: what the second's prompts take over from the first's is seen by a later attention
    backbone = Backbone(small.vit(depth=4))
    network = Network(backbone, model, small.switches("paper")).double()
    adapters = [p for n, p in network.named_parameters() if not n.startswith("backbone.")]
    _shift(adapters)
    prototypes = network.prototypes
    prototypes.grow(old)
    prototypes.weight.normal_()
    prototypes.counts.fill_(1)
    # beyond the prototypes' rank directions are arbitrary: a matter of the solver, not of the step
    method = MethodConfig(profile="paper", orthogonality_rank=OLD)
    training = TrainConfig(batch_size=len(LABELS), learning_rate=0.05, weight_decay=1e-2)
    chance = torch.Generator().manual_seed(0)
    learner = Learner(network, method, small.switches("paper"), training, chance)
    learner.begin_task(tuple(range(old, old + NEW)), 3)
    _shift(network.live_parameters().values())
    return learner


def _shift(parameters) -> None:
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.2 * torch.randn_like(parameter))


def apart(ours: torch.Tensor | None, plain: torch.Tensor | None) -> float:
    """The largest difference, relative to the largest element; no gradient counts as zero."""
    ours, plain = (torch.zeros(1) if each is None else each.detach() for each in (ours, plain))
    scale = max(float(plain.abs().max()), 1e-6)  # a mixer's bias has a gradient of rounding alone
    return float((ours - plain).abs().max()) / scale


def in_pairs(learner: Learner, step: PlainStep) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Our live parameters beside the plain step's, by name."""
    plain = {n: p for n, p in step.network.named_parameters() if p.requires_grad}
    ours = learner.network.live_parameters()
    assert ours.keys() == plain.keys()
    pairs = {name: (ours[name], plain[name]) for name in ours}
    pairs["proxy"] = (learner.proxy.weight, step.proxy)
    pairs["sigma"] = (learner.proxy.sigma, step.sigma)
    return pairs


@pytest.mark.parametrize("pretrained", [False, True], ids=["two sections", "three sections"])
@pytest.mark.parametrize("old", [0, OLD], ids=["first task", "later task"])
def test_the_plain_step_has_our_loss_terms_and_gradients(pretrained, old):
    learner = learner_in_a_task(pretrained=pretrained, old=old)
    step, images = PlainStep(learner), small.pictures(len(LABELS))
    drawn = DRAWN[:old]
    ours = learner.losses(learner.forward(images, LABELS, drawn))
    plain, _ = step.losses(images, LABELS + old, drawn)
    assert ours.keys() == plain.keys()
    errors = {name: apart(ours[name], plain[name]) for name in ours}
    ours["total"].backward()
    plain["total"].backward()
    pairs = in_pairs(learner, step)
    errors |= {name: apart(a.grad, b.grad) for name, (a, b) in pairs.items()}
    assert max(errors.values()) <= TOLERANCE, errors


def test_after_three_steps_the_plain_step_has_our_parameters():
    learner = learner_in_a_task(pretrained=True)
    assert learner.training.batch_size == OLD  # so both draw every old prototype
    step = PlainStep(learner)
    before = [p.detach().clone() for p in step.network.parameters()]
    for seed in range(3):
        images = small.pictures(len(LABELS), seed)
        learner.backward(learner.losses(learner.forward(images, LABELS)))
        learner.step()
        step.step(images, LABELS + OLD)
    errors = {name: apart(*pair) for name, pair in in_pairs(learner, step).items()}
    assert max(errors.values()) <= TOLERANCE, errors
    after = step.network.parameters()
    moved = sum(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert moved == len(learner.network.live_parameters())


def test_a_term_without_a_pair_of_one_class_counts_as_zero_in_both():
    learner = learner_in_a_task(pretrained=False)
    step, images, labels = PlainStep(learner), small.pictures(4), torch.arange(4)
    ours = learner.losses(learner.forward(images, labels, DRAWN))
    plain, _ = step.losses(images, labels + OLD, DRAWN)
    assert plain["mutual_information"] == ours["mutual_information"] == 0
    assert apart(ours["total"], plain["total"]) <= TOLERANCE


def test_the_plain_step_drops_units_in_the_slow_copies_too_as_the_official_code_does():
    step = PlainStep(learner_in_a_task(pretrained=False, dropout=0.5))
    images = small.pictures(2)
    first, second = (step.network(images)[0].detach() for _ in range(2))  # (2, 2 d)
    slow = slice(0, small.WIDTH)
    assert not torch.allclose(first[:, slow], second[:, slow])


def test_the_quick_benchmark_prints_every_column_and_writes_what_it_found(tmp_path, capsys):
    out = tmp_path / "found.json"
    threads = torch.get_num_threads()
    assert throughput.main(["--quick", "--device", "cpu", "--out", str(out)]) == 0
    assert torch.get_num_threads() == threads
    lines = capsys.readouterr().out.splitlines()
    headings = [line for line in lines if line.split()[:1] == ["tier"]]
    assert len(headings) == 2  # without and with the pretrained section
    assert all(column in line for column in throughput.COLUMNS for line in headings)
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["environment"]["torch"] == torch.__version__
    assert [row["tier"] for row in found["rows"]] == [
        "plain strict",
        "ours strict",
        "ours bf16",
    ] * 2
    for row in found["rows"]:
        assert len(row["ms"]) == found["rounds"] == 2
        assert row["images_per_s"] == pytest.approx(2000 / row["ms_per_step"])
        assert row["tflop"] > 0
        assert row["peak_mb"] > 1
    plain, ours = found["rows"][:2]
    assert plain["ratio_to_plain"] == 1
    assert plain["svd_share"] > 0 == ours["svd_share"]
    assert plain["data_wait_ms"] is None
    assert 0 < ours["data_wait_ms"] < ours["ms_per_step"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_the_quick_benchmark_has_every_tier_on_a_gpu(tmp_path):
    out = tmp_path / "found.json"
    assert throughput.main(["--quick", "--device", "cuda", "--out", str(out)]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert not found["left_out"]
    tiers = [tier.label for tier in throughput.TIERS if "cuda" in tier.devices]
    assert [row["tier"] for row in found["rows"]] == tiers * len(throughput.CELLS["cuda"])
    assert all(row["peak_mb"] > 1 and row["tflop"] > 0 for row in found["rows"])


def test_a_gpu_that_is_not_there_is_refused_with_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert throughput.main(["--device", "cuda"]) == 2
    assert "needs an NVIDIA GPU" in capsys.readouterr().err


def test_three_sections_take_as_many_more_operations_as_a_pass_has():
    rows = {}
    for cell in throughput.CELLS["cpu"]:
        small_cell = replace(cell, depth=2, batch=1)
        learner = small_cell.learner(torch.device("cpu"))
        batch = small_cell.batches(torch.device("cpu"))
        train = throughput.TIERS[0].build(learner).train
        rows[cell.pretrained] = timing.operations(lambda train=train, batch=batch: train(batch))
    one_pass = learner.network.backbone.operations
    assert rows[True] - rows[False] == pytest.approx(one_pass, rel=0.02)  # and a wider fusion


def test_the_peak_of_memory_is_that_of_the_tensors_alive_at_once():
    a = torch.ones(1000)  # 4,000 bytes, there before

    def work() -> None:
        b = a + 1
        c = b * 2
        del b
        c.add_(1)
        c.view(10, 100).exp()

    assert timing.peak_bytes(work, torch.device("cpu")) == 8000


def test_a_folder_without_the_official_code_is_refused_with_a_sentence(tmp_path, capsys):
    with pytest.raises(UsageError, match=r"models/learner\.py is not there"):
        check_reference(str(tmp_path))
    assert throughput.main(["--quick", "--device", "cpu", "--reference", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert str(tmp_path) in said.err
    assert "github.com/Programmergg/NTK-CL" in said.err
    assert not said.out


def test_official_code_that_cannot_be_imported_is_left_out_with_a_sentence(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    for name in ("learner", "inc_net", "prompt_vit", "fusion_nets"):
        (tmp_path / "models" / f"{name}.py").write_text("import a_package_that_nobody_has\n")
    arguments = ["--quick", "--device", "cpu", "--reference", str(tmp_path)]
    assert throughput.main(arguments) == 0
    said = capsys.readouterr().out
    assert "'official strict' is left out" in said
    assert "a_package_that_nobody_has" in said
