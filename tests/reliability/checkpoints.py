"""Checkpoints: bytes changed, other tensors, other descriptions, with and without the hashes that belong to them."""

import pickle
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.reliability import inputs
from tests.reliability.sandbox import Inputs, Sandbox
from workbench.config import RunConfig, TaskFolder, with_values
from workbench.errors import WorkbenchError

LENGTHS = (10**12, 2**63 - 1, 0, 7, 2**31)
OLDER, NEWER = 2, 3  # numbers of the checkpoints that a run was left with


def checkpoints(place: Sandbox) -> Inputs:
    """A damaged newest checkpoint of a real run: refused, and the one before is still good.

    The run itself is brought to what is taken, with hashes made anew in most examples: what is looked
    for are checkpoints that are whole and hold something else.
    """
    from workbench.core import checkpoint

    run = _A_Run(place)
    place.stack.callback(run.close)
    path = place.given / "run" / checkpoint.place_of(NEWER)
    head, blob = checkpoint.read_head(path), path.read_bytes()
    text = path.with_suffix(".json").read_bytes()
    blobs = _blobs(blob)
    heads = st.one_of(
        st.just(head), inputs.edited(head), inputs.edited(head), inputs.JUNK,
        st.sampled_from(sorted(head)).map(lambda key: {k: v for k, v in head.items() if k != key}),
    )  # fmt: skip
    texts = st.one_of(inputs.mutated([text]), st.just(inputs.nested(50_000)), st.none())
    signed = st.tuples(heads, blobs)
    as_they_are = st.tuples(st.one_of(texts, st.just(text)), blobs)

    def target(example: tuple[Any, bytes | None]) -> None:
        given, data = example
        if isinstance(given, dict) and isinstance(data, bytes):
            try:
                checkpoint.write(place.given / "run", NEWER, given, data)
            except (
                ValueError
            ):  # strict JSON has no word for it, so no program could have written it
                return
        else:
            _put(path, data)
            _put(path.with_suffix(".json"), given if isinstance(given, (bytes, type(None))) else b"[]")  # fmt: skip
        try:
            run.go_on(path)
        except WorkbenchError:
            checkpoint.usable(place.given / "run", checkpoint.place_of(OLDER))
            raise

    return st.one_of(signed, signed, signed, as_they_are), target


def _blobs(blob: bytes) -> st.SearchStrategy[bytes | None]:
    """Tensors of a checkpoint as they are, damaged, and others in their place."""
    from safetensors.torch import load, save

    tensors = load(blob)

    @st.composite
    def wrong_tensors(draw: st.DrawFn) -> bytes:
        made = dict(tensors)
        for _ in range(draw(st.integers(1, 3))):
            name = draw(st.sampled_from(sorted(made)))
            old = made.pop(name)
            how = draw(st.sampled_from(_OTHERS))
            if how is not None:
                made[name] = how(old)
        return bytes(save(made))

    return st.one_of(
        st.just(blob), inputs.mutated([blob]), wrong_tensors(), st.binary(max_size=30), st.none(),
        st.sampled_from(LENGTHS).map(lambda n: n.to_bytes(8, "little") + blob[8:]),
        st.integers(0, len(blob) - 1).map(lambda n: blob[:n]),
        st.just(pickle.dumps({"a": 1})),
        st.just(len(inputs.nested(50_000)).to_bytes(8, "little") + inputs.nested(50_000)),
    )  # fmt: skip


class _A_Run:  # noqa: N801
    """A run stopped in its second epoch, with two checkpoints; its pictures are read once."""

    def __init__(self, place: Sandbox) -> None:
        from tests.pictures import make_task_folders
        from tests.trained import QUICK
        from workbench.core.tasks import load_tasks
        from workbench.core.train import Training
        from workbench.core.weights import load_weights
        from workbench.events import Checkpointed

        (folder,) = make_task_folders(place.given / "pictures", {"owls": {"a": 3, "b": 3}})
        base = RunConfig()
        data = replace(base.data, tasks=(TaskFolder("owls", str(folder)),))
        self.config = with_values(replace(base, data=data), QUICK | {"train.epochs": 3})
        self.folder, self.home = place.given / "run", place.home
        training = Training(self.config, self.home, self.folder)
        events = training.events()
        while not (isinstance(event := next(events), Checkpointed) and event.epoch == NEWER):
            pass
        events.close()
        self._stack = ExitStack()
        self._weights = _last(load_weights(self.config.model.backbone, "", self.home))
        self._tasks = _last(load_tasks(self.config.data, self.config.seeds))
        self._stack.callback(self._tasks.cache.close)

    def close(self) -> None:
        """Forget the pictures."""
        self._stack.close()

    def go_on(self, path: Path) -> None:
        """Do what `Training` does with a checkpoint before the first step."""
        import time

        import torch

        from workbench.core import checkpoint
        from workbench.core.learner import Learner
        from workbench.core.resume import check_config, check_tasks, restore
        from workbench.core.running import assemble

        head = checkpoint.read_head(path)
        check_config(self.config, head)
        check_tasks([task.info for task in self._tasks.tasks], head, accept_changed=False)
        device = torch.device("cpu")
        run = assemble(
            self.config, self._weights, self._tasks, device, self.folder, time.monotonic, Learner
        )
        restore(run, path, head)


def _last(steps: Iterator[Any]) -> Any:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(content)


def _others() -> list[Any]:
    import torch

    return [
        None, lambda t: t.double(), lambda t: t[:0] if t.dim() else t[None], lambda t: t[None],
        lambda t: torch.full_like(t, -7) if t.dtype != torch.uint8 else t + 1,
        lambda t: t.float() * float("nan"), lambda _: torch.zeros(3), lambda _: torch.zeros(()),
        lambda t: t.bool(), lambda t: torch.cat([t.flatten(), t.flatten()]),
    ]  # fmt: skip


_OTHERS = _others()
