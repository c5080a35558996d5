"""Training that runs out of memory, that diverges, or whose process dies within a phase: said, and gone on with."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engines import Working
from tests.test_plug_ins import HEAD
from tests.test_resume_session import adapter_of, told, unmonitored
from tests.trained import folders, quick_config
from workbench.config import with_values
from workbench.core.learner import Learner
from workbench.errors import is_short_of_memory
from workbench.events import Checkpointed, Failed, Finished, Interrupted, Step
from workbench.session import Session, SessionApart
from workbench.session.end import Ending
from workbench.session.failing import memory_sentences

TORCH_SAYS = (  # as torch 2.13 words it
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.92 GiB of which 5.25 MiB is "
    "free. Process 1 has 7.91 GiB memory in use. Of the allocated memory 7.44 GiB is allocated by PyTorch."
)
DYING = """
import os, signal
from pathlib import Path

ARMED = Path(__file__).parent.parent / "armed"

def die_in(where):
    if ARMED.is_file() and ARMED.read_text() == where:
        ARMED.unlink()
        os.kill(os.getpid(), signal.NAME)

def method(*parts):
    from workbench.core.method import Method

    class Dying(Method):
        def __init__(self, *parts):
            super().__init__(*parts)
            die_in("loading")
        def begin_task(self, *rest):
            super().begin_task(*rest)
            if self.task == 1:
                die_in("beginning a task")
        def push(self, *rest):
            if self.task == 1:
                die_in("kernel")
            return super().push(*rest)
        def end_task(self):
            if self.task == 1:
                die_in("settling")
        def state_dict(self):
            if self.task == 1:
                die_in("saving")
            return {}

    return Dying(*parts)

@hookimpl
def register_methods(registry):
    registry.add("m", MethodChoice("m", "M", method))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", pytest.param("SIGSEGV", marks=pytest.mark.long)])
@pytest.mark.parametrize("phase", ["loading", "beginning a task", "kernel", "settling", "saving"])
def test_a_child_that_dies_within_a_phase_is_told_and_the_run_goes_on_to_the_same_end(
    tmp_path: Path, phase: str, name: str
) -> None:
    home = tmp_path / "home"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "dying.py").write_text(HEAD + DYING.replace("NAME", name))
    config = with_values(quick_config(folders(tmp_path / "pictures")), {"method.name": "m"})
    with closing(SessionApart(home, entry_points=False, trust_plugins=True)) as session:
        whole = session.start(config)
        assert whole.work() == "finished"
        (home / "armed").write_text(phase)
        run = session.start(config)
        last = Working(run).end()[-1]
        assert isinstance(last, Interrupted)
        assert not (home / "armed").exists()
        if phase == "loading":
            assert last.sentence.startswith("The training engine stopped while starting (exit code")
        else:
            assert last.sentence.startswith("Training stopped unexpectedly (the engine ")
            assert "Saved up to step " in last.sentence
        assert session.details(run.id).summary.state == "interrupted"
        resumed = session.resuming.resume(run.id)
        assert resumed.work() == "finished", resumed.news()[-1]
        assert told(session, run.id) == told(session, whole.id)
        assert adapter_of(session, run.id) == adapter_of(session, whole.id)


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, MemoryError])
def test_out_of_memory_is_said_and_with_room_the_run_goes_on_from_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    """The memory is the outside world: its error is raised where a GPU raises it, in the step."""
    forward, taken, full = Learner.forward, [], [True]

    def short(self: Learner, images: Any, labels: Any, old: Any = None) -> Any:
        taken.append(len(images))
        if len(taken) > 6 and full[0]:
            raise kind(TORCH_SAYS)
        return forward(self, images, labels, old)

    monkeypatch.setattr(Learner, "forward", short)
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = session.start(unmonitored(tmp_path / "pictures"))
        assert run.work() == "failed"
        last = run.news()[-1]
        assert isinstance(last, Failed)
        assert last.cause == "memory"
        computer = "GPU" if kind is torch.OutOfMemoryError else "computer"
        *_, kept = (e.step for e in session.events(run.id) if isinstance(e, Checkpointed))
        assert re.fullmatch(
            rf"The {computer} ran out of memory in task 2 \(needed 20 MB more of 7\.9 GB\)\. "
            rf"Saved up to step {kept}, \d+ s before\. Fewer pictures at a time were tried already; .*\.",
            last.sentence,
        )
        full[0] = False  # another program was closed
        resumed = session.resuming.resume(run.id)
        assert resumed.steps > 0
        assert resumed.work() == "finished"
        monkeypatch.undo()
        plain = session.start(run.config)
        assert plain.work() == "finished"
        mine, its = (
            [event for event in session.events(one.id) if isinstance(event, Step)]
            for one in (run, plain)
        )
        assert [event.step for event in mine] == [event.step for event in its]
        assert mine[: resumed.steps] == its[: resumed.steps]
        assert [event.lr for event in mine] == [event.lr for event in its]


def test_a_loss_that_is_no_number_ends_the_run_which_goes_on_from_its_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Session(tmp_path / "home", entry_points=False)) as session:
        run = session.start(unmonitored(tmp_path / "pictures"))
        forward, steps = Learner.forward, []

        def spoilt(self: Learner, *given: Any) -> Any:
            steps.append(self.training.learning_rate)
            if len(steps) == 6 and self.training.learning_rate == run.config.train.learning_rate:
                with torch.no_grad():  # as a step that was too large leaves it
                    self.proxy.weight[0] = float("nan")
            return forward(self, *given)

        monkeypatch.setattr(Learner, "forward", spoilt)
        assert run.work() == "failed"
        last = run.news()[-1]
        assert isinstance(last, Failed)
        assert last.cause == "not finite"
        kept = [event for event in session.events(run.id) if isinstance(event, Checkpointed)]
        assert last.sentence == (
            f"The loss term 'cross_entropy_s1' became nan in task 1, step 6. Training stopped. The last checkpoint "
            f"(step {kept[-1].step}) is kept. A lower learning rate usually helps."
        )
        half = run.config.train.learning_rate / 2
        resumed = session.resuming.resume(run.id, {"train.learning_rate": half})
        assert resumed.steps == kept[-1].step > 0
        assert resumed.work() == "finished"
        said = session.events(run.id)
        assert isinstance(said[-1], Finished)
        numbers = [event.step for event in said if isinstance(event, Step)]
        assert numbers == list(range(len(numbers)))
        assert all(
            value == value for e in said if isinstance(e, Step) for value in e.terms.values()
        )


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        ("CUDA out of memory. Tried to allocate 1.50 GiB. GPU", " (needed 1.5 GB more)"),
        ("CUDA error: out of memory", ""),
        ("Tried to allocate more than 1EB memory.", ""),
        ("you tried to allocate 4294967296 bytes. Error code 12", " (needed 4.0 GB more)"),
    ],
)
def test_what_was_needed_is_said_where_torch_says_it(said: str, needed: str) -> None:
    sentence = memory_sentences(torch.OutOfMemoryError(said), "in task 2", "Saved up to step 3.")
    assert sentence.startswith(f"The GPU ran out of memory in task 2{needed}. Saved up to step 3. ")


def test_torchs_own_lack_of_memory_on_the_processor_is_one() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 50)
    assert is_short_of_memory(raised.value)
    assert "ran out of memory before the first task (needed 4194304.0 GB more)" in memory_sentences(
        raised.value, Ending().place, ""
    )
    assert not is_short_of_memory(RuntimeError("shapes do not fit"))
