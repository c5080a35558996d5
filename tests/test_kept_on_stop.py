"""A run that is stopped or paused at a step leaves a checkpoint there, and its log says so."""

from contextlib import closing
from dataclasses import replace

from tests.resumed import small_config
from tests.said import decided
from workbench.core import checkpoint
from workbench.core.train import train
from workbench.events import Checkpointed, Paused, Step, Stopped
from workbench.session import Session
from workbench.session.steering import Steering
from workbench.session.work import Job, ThreadEngine


class AfterStep(Steering):
    """Asks for a pause after one step and for a stop after another."""

    def __init__(self, pause, stop):
        super().__init__()
        self._at = {pause: self.pause, stop: self.stop}

    def pauses_after(self, event):
        if isinstance(event, Step) and event.step in self._at:
            self._at.pop(event.step)()
        return super().pauses_after(event)

    def wait(self, seconds):
        self.go_on()
        return super().wait(seconds)


def test_a_pause_and_a_stop_write_a_checkpoint_before_they_are_said(tmp_path):
    config = small_config(tmp_path / "pictures", **{"monitor.probe_per_task": 0})
    with closing(Session(tmp_path / "home")) as session:
        run = session.start(config)
    heard = []
    ThreadEngine().work(Job(run.home, run.id, config), AfterStep(1, 8), heard.append)
    told = [e for e in heard if isinstance(e, (Checkpointed, Paused, Stopped))]
    assert [type(e) for e in told[:2]] == [Checkpointed, Paused]
    assert [type(e) for e in told[-2:]] == [Checkpointed, Stopped]
    assert told[0].step == told[1].step == 2
    assert told[-2].step == told[-1].step == 9

    job = Job(run.home, run.id, config, told[-2].path)
    checkpoint.usable(job.folder, job.resume)
    rest = []
    ThreadEngine().work(job, Steering(), rest.append)
    whole = decided(list(train(config, run.home)))
    steps = [replace(e, time=None) for e in heard + rest if isinstance(e, Step)]
    assert [replace(e, time=None) for e in whole if isinstance(e, Step)] == steps
