"""Tiers of precision: which one a run gets, where torch's switch for TF32 stands, and that nobody else meets it."""

import json
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests import small
from tests.resumed import gone_on, recorded, small_config
from tests.test_bf16 import KINDS, network
from tests.trained import folders, quick_config
from workbench.config import RunConfig, with_values
from workbench.core.adapter_file import load_adapter
from workbench.core.estimate import estimate
from workbench.core.learner import Learner
from workbench.core.precision import has_tf32, oddity, products_in, resolve
from workbench.core.predict import predict
from workbench.core.probe import undisturbed
from workbench.core.steps import inside
from workbench.core.train import train
from workbench.events import Event, Note, RunStarted, Step
from workbench.report import Guess

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
OUTSIDE = ("highest", True)  # how torch starts: products of matrices exact, convolutions in TF32
STRICT, SWITCHED_ON = ("highest", False), ("high", True)
aten = torch.ops.aten
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm, aten.convolution}


def switch() -> tuple[str, bool]:
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


@pytest.fixture(autouse=True)
def outside() -> Iterator[None]:
    """Whatever a test does, the switch stands afterwards as torch starts with it."""
    assert switch() == OUTSIDE
    yield
    assert switch() == OUTSIDE


@pytest.fixture(params=[7, 8, 9])
def generation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A GPU of this compute capability, as torch tells of it; bfloat16 can be emulated on each."""

    def supported(including_emulation: bool = True) -> bool:
        return bool(request.param >= 8 or including_emulation)

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (request.param, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA T4")
    return int(request.param)


def asked(precision: str, profile: str = "repaired") -> RunConfig:
    return with_values(RunConfig(), {"train.precision": precision, "method.profile": profile})


def test_the_processor_is_strict_unless_bf16_is_asked_for() -> None:
    assert RunConfig().train.precision == "auto"
    tiers = [resolve(asked(each), CPU) for each in ("auto", "strict", "tf32", "bf16")]
    assert tiers == ["strict", "strict", "strict", "bf16"]


def test_a_gpu_that_has_bf16_takes_it_by_itself_but_never_for_the_paper(generation: int) -> None:
    new = generation >= 8
    assert resolve(asked("auto"), GPU) == ("bf16" if new else "strict")
    assert resolve(asked("auto", "paper"), GPU) == "strict"
    assert resolve(asked("tf32", "paper"), GPU) == ("tf32" if new else "strict")
    # emulated on an old one: the run says that it gains nothing
    assert resolve(asked("bf16", "paper"), GPU) == "bf16"
    assert resolve(asked("strict"), GPU) == "strict"


def test_a_tier_that_the_device_has_not_is_said_with_a_way_out(generation: int) -> None:
    sentence = oddity("tf32", GPU)
    assert bool(sentence) == (generation < 8) == (not has_tf32(GPU))
    if sentence:
        assert sentence.startswith(
            "tf32 needs an NVIDIA GPU of 2020 (Ampere) or later, and this run"
        )
        assert "trains on NVIDIA T4: it is trained in strict, which is exact." in sentence
        assert sentence.endswith("With train.precision at auto the device's own tier is taken.")
    assert oddity("auto", GPU) == oddity("strict", GPU) == ""


def failing() -> None:
    with products_in("tf32"):
        assert switch() == SWITCHED_ON
        raise ZeroDivisionError


def test_the_switch_is_back_after_nesting_and_after_an_error() -> None:
    with products_in("tf32"):
        assert switch() == SWITCHED_ON
        with products_in("bf16"):
            assert switch() == STRICT
            with pytest.raises(ZeroDivisionError):
                failing()
            assert switch() == STRICT
        assert switch() == SWITCHED_ON
    assert switch() == OUTSIDE


def test_whoever_computes_on_another_thread_waits() -> None:
    met: list[tuple[str, bool]] = []
    arrived = threading.Event()

    def compute() -> None:
        arrived.set()
        with products_in("strict"):
            met.append(switch())

    other = threading.Thread(target=compute)
    with products_in("tf32"):
        other.start()
        assert arrived.wait(10)
        other.join(0.2)
        assert other.is_alive()
        assert met == []
    other.join(10)
    assert met == [STRICT]


@pytest.mark.parametrize("left_after", range(4))
def test_work_that_waits_or_is_left_leaves_the_switch_as_it_was(left_after: int) -> None:
    def work() -> Generator[tuple[str, bool], None, str]:
        try:
            yield switch()
            yield switch()
            raise ZeroDivisionError
        except ZeroDivisionError:
            yield switch()
        return "made"

    going = inside(partial(products_in, "tf32"), work())
    for _ in range(left_after):
        assert next(going) == SWITCHED_ON
        assert switch() == OUTSIDE
    if left_after == 3:
        with pytest.raises(StopIteration, match="made"):
            next(going)
    going.close()


def test_an_error_of_the_work_leaves_the_switch_as_it_was() -> None:
    def work() -> Generator[int, None, None]:
        yield 1
        raise ZeroDivisionError

    going = inside(partial(products_in, "tf32"), work())
    next(going)
    with pytest.raises(ZeroDivisionError):
        next(going)


@dataclass
class Watched(TorchDispatchMode):
    """Notes how the switch stands at every product, apart for those with one of `frozen` in them, and for others."""

    frozen: set[int]  # addresses of storages
    of_frozen: list[tuple[Any, tuple[str, bool]]] = field(default_factory=list)
    of_others: list[tuple[Any, tuple[str, bool]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def on(cls, backbone: torch.nn.Module) -> "Watched":
        return cls({p.untyped_storage().data_ptr() for p in backbone.parameters()})

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket in PRODUCTS:
            given = [each for each in tree_leaves(args) if isinstance(each, torch.Tensor)]
            mine = any(each.untyped_storage().data_ptr() in self.frozen for each in given)
            (self.of_frozen if mine else self.of_others).append((func.overloadpacket, switch()))
        return func(*args, **(kwargs or {}))


def step_of(learner: Learner, at: Callable[[str], object]) -> None:
    """One step, told before each of its three parts."""
    images, labels = small.pictures(6).float(), torch.tensor([0, 0, 1, 1, 2, 2])
    at("forward")
    batch = learner.forward(images, labels)
    at("losses")
    terms = learner.losses(batch)
    at("backward")
    learner.backward(terms)
    learner.step()


@pytest.mark.parametrize("at_once", [0, 2])
def test_products_with_frozen_weights_are_in_tf32_both_ways_and_nothing_else_is(
    at_once: int,
) -> None:
    learner = small.learner(made=small.network().float())
    learner.training = with_values(RunConfig(), {"train.at_once": at_once}).train
    learner.begin_task((0, 1, 2), 1)
    learner.network.backbone.tier = "tf32"
    watched, begun = Watched.on(learner.network.backbone), {}
    with products_in("strict"), watched:
        step_of(learner, lambda part: begun.update({part: len(watched.of_frozen)}))
    assert {state for _, state in watched.of_frozen} == {SWITCHED_ON}
    assert {state for _, state in watched.of_others} == {STRICT}
    kinds = {kind for kind, _ in watched.of_frozen}
    assert kinds >= {aten.convolution, aten.addmm, aten.mm}
    assert 0 == begun["forward"] < begun["losses"] == begun["backward"] < len(watched.of_frozen)


@pytest.mark.parametrize("tier", ["strict", "bf16"])
def test_outside_of_tf32_every_product_is_exact_and_so_is_the_convolution(tier: str) -> None:
    learner = small.learner(made=small.network().float())
    learner.begin_task((0, 1, 2), 1)
    learner.network.backbone.tier = tier
    watched = Watched.on(learner.network.backbone)
    with products_in(tier), watched:
        step_of(learner, lambda _: None)
    assert {state for _, state in watched.of_frozen + watched.of_others} == {STRICT}
    assert aten.convolution in {kind for kind, _ in watched.of_frozen}


@pytest.mark.parametrize("kind", KINDS)
def test_on_the_processor_which_has_no_tf32_features_and_gradients_are_those_of_strict(
    kind: str,
) -> None:
    made, images, found = network(kind), small.pictures(8).float(), []
    for tier, size in (("strict", 8), ("tf32", 8), ("tf32", 3)):
        made.backbone.tier = tier
        main = made.forward_in_pieces(images, size).main
        grads = torch.autograd.grad(main.square().sum(), [*made.live_parameters().values()])
        found.append(torch.cat([main.detach().flatten(), *(g.flatten() for g in grads)]))
    for each in found[1:]:
        torch.testing.assert_close(each, found[0], rtol=1e-5, atol=1e-5)


def test_tf32_takes_no_memory_for_weights_and_nothing_of_it_is_saved() -> None:
    made = small.network().float()
    names, images = list(made.state_dict()), small.pictures(2).float()
    made.backbone.tier = "tf32"
    before = made(images).main
    assert list(made.state_dict()) == names
    made.backbone.vit.blocks[1].mlp.fc1.weight.mul_(2)
    assert not torch.equal(made(images).main, before)  # the weights are the same tensors


def test_the_monitors_look_is_strict_whatever_the_run_is_trained_in() -> None:
    made = small.network().float()
    for tier in ("tf32", "bf16"):
        made.backbone.tier = tier
        with undisturbed(made):
            assert (made.backbone.tier, switch()) == ("strict", STRICT)
        assert made.backbone.tier == tier


def test_a_run_says_and_keeps_the_tier_that_it_is_trained_in(tmp_path: Path) -> None:
    pictures = folders(tmp_path / "pictures")
    for wanted, got in (("auto", "strict"), ("tf32", "strict"), ("bf16", "bf16")):
        config = quick_config(pictures, precision=wanted)
        events = list(train(config, tmp_path / "home", tmp_path / wanted))
        (started,) = [event for event in events if isinstance(event, RunStarted)]
        assert started.precision == got
        assert load_adapter(tmp_path / wanted / "adapter")[1].precision == got
        said = [event for event in events if isinstance(event, Note) and "tf32 needs" in event.text]
        assert [note.level for note in said] == ["warning"] * (wanted == "tf32")


def losses(events: list[Event]) -> list[float]:
    return [event.terms["total"] for event in events if isinstance(event, Step)]


def watched_steps(run: Iterator[Event], met: set[tuple[str, bool]]) -> Iterator[Event]:
    """Yield a run's events, and add to `met` how the switch stood at each product before the event."""
    while True:
        watched = Watched(set())
        with watched:
            event = next(run, None)
        met |= {state for _, state in watched.of_others}
        assert switch() == OUTSIDE
        if event is None:
            return
        yield event


def test_a_run_in_tf32_beside_a_strict_one_is_never_met_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.core.precision.has_tf32", lambda _: True)  # another device
    pictures = folders(tmp_path / "pictures")
    said: dict[str, list[Event]] = {"tf32": [], "strict": []}
    met: dict[str, set[tuple[str, bool]]] = {"tf32": set(), "strict": set()}
    with ExitStack() as stack:
        runs = {
            tier: stack.enter_context(
                closing(train(quick_config(pictures, precision=tier), tmp_path))
            )
            for tier in said
        }
        for events in zip_longest(*(watched_steps(run, met[tier]) for tier, run in runs.items())):
            for tier, event in zip(said, events, strict=True):
                said[tier] += [event] if event is not None else []
    assert met == {"tf32": {STRICT, SWITCHED_ON}, "strict": {STRICT}}
    started = next(event for event in said["tf32"] if isinstance(event, RunStarted))
    assert started.precision == "tf32"
    assert losses(said["tf32"]) == pytest.approx(losses(said["strict"]), rel=1e-4)


@pytest.mark.parametrize("kind", ["RunStarted", "TaskStarted", "Step", "Measured", "Evaluated"])
def test_a_run_left_at_any_event_leaves_the_switch_as_it_was(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.core.precision.has_tf32", lambda _: True)
    events = train(quick_config(folders(tmp_path / "pictures"), precision="tf32"), tmp_path)
    next(event for event in events if type(event).__name__ == kind)
    assert switch() == OUTSIDE
    events.close()


def test_a_run_that_goes_on_in_another_tier_says_so_once(tmp_path: Path) -> None:
    config = small_config(tmp_path / "pictures", **{"train.precision": "bf16"})
    whole = recorded(config, tmp_path)
    for wanted, (said, path) in zip(
        ("bf16", "strict", "auto"), whole.checkpoints[2:], strict=False
    ):
        step = json.loads(path.with_suffix(".json").read_text())["position"]["step"]
        change = f"From step {step} on this run is trained in strict, before that in bf16."
        now = with_values(config, {"train.precision": wanted})
        events, _ = gone_on(now, tmp_path, path)
        notes = [event.text for event in events if isinstance(event, Note)]
        assert [text for text in notes if "this run is trained in" in text] == (
            [] if wanted == "bf16" else [change]
        )
        assert (events == whole.told[said:]) == (wanted == "bf16")


def test_a_run_that_is_asked_to_go_on_in_a_tier_that_is_not_there_says_so(tmp_path: Path) -> None:
    config = small_config(tmp_path / "pictures", **{"train.precision": "strict"})
    path = recorded(config, tmp_path).checkpoints[0][1]
    now = with_values(config, {"train.precision": "tf32"})
    said = [each.text for each in gone_on(now, tmp_path, path)[0] if isinstance(each, Note)]
    assert sum(text.startswith("tf32 needs an NVIDIA GPU") for text in said) == 1


def test_an_adapter_answers_in_strict_whatever_it_was_trained_in(tmp_path: Path) -> None:
    pictures = folders(tmp_path / "pictures")
    list(train(quick_config(pictures, precision="bf16"), tmp_path, tmp_path / "run"))
    watched = Watched(set())
    with watched:
        answers = list(predict(tmp_path / "run" / "adapter", [str(pictures[0])], tmp_path))
    assert sum(isinstance(each, Guess) for each in answers) == 16
    assert {state for _, state in watched.of_others} == {STRICT}


def test_dry_steps_are_tried_in_the_runs_tier_and_are_exact_beside_it(tmp_path: Path) -> None:
    config = quick_config(folders(tmp_path / "pictures"), precision="tf32")
    watched = Watched(set())
    with watched:
        list(estimate(config, tmp_path))
    assert {state for _, state in watched.of_others} == {STRICT}  # the processor has no tf32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_a_gpu_strict_is_float32_and_tf32_is_near_it_and_not_the_same() -> None:
    made, images = network("class token"), small.pictures(8).float()
    exact = made.double()(images.double()).main.detach()
    made, found = made.float().cuda(), {}
    for tier in ("strict", "tf32"):
        made.backbone.tier = tier
        with products_in("strict"):
            main = made(images.cuda()).main
            grads = torch.autograd.grad(main.square().sum(), [*made.live_parameters().values()])
        found[tier] = main.detach().cpu(), torch.cat([g.flatten().cpu() for g in grads])
    torch.testing.assert_close(found["strict"][0].double(), exact, rtol=1e-4, atol=1e-4)
    for near, whole in zip(found["tf32"], found["strict"], strict=True):
        assert 0 < float((near - whole).norm() / whole.norm()) < 0.02
