"""A tiny real run for tests of the face: two tasks of two classes, a two-block backbone, one epoch."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.pictures import make_task_folders
from workbench.config import RunConfig, from_dict, to_dict
from workbench.events import Event
from workbench.session import Session

BACKBONE = "random:vit_tiny_patch16_224?img_size=32&depth=2&patch_size=8&seed=1"
QUICK = {
    "model.backbone": BACKBONE,
    "train.epochs": 1,
    "train.batch_size": 4,
    "train.device": "cpu",
    "monitor.probe_per_task": 4,
    "model.projection": 60,  # of 2,000 directions a ridge costs seconds a task
    "switches.change": "kept",  # so few pictures are no evidence that training helped, and it would be taken back
    "switches.early_stopping": "off",  # whoever counts steps and epochs finds all of them
}


def folders(root: Path) -> list[Path]:
    """Make two task folders of two classes with eight pictures each."""
    tasks = {"finches": {"red": 8, "green": 8}, "Ö 空格": {"grey": 8, "blue": 8}}
    return make_task_folders(root, tasks)


def quick_config(paths: list[Path], **training: int) -> RunConfig:
    """Return a configuration over these folders that trains within a second or two."""
    tree = to_dict(RunConfig())
    for key, value in (QUICK | {f"train.{k}": v for k, v in training.items()}).items():
        section, _, name = key.partition(".")
        tree[section][name] = value
    tree["data"]["tasks"] = [{"name": path.name, "path": str(path)} for path in paths]
    return from_dict(tree)


@contextmanager
def trained_once(place: Path) -> Iterator[tuple[Session, str]]:
    """The tiny run, trained below `place`; its session is closed at the end."""
    session, run = trained_session(place / "home", place / "pictures")
    with closing(session):
        yield session, run


def trained_session(home: Path, pictures: Path) -> tuple[Session, str]:
    """Train the tiny run to its end; return its session and its id."""
    session = Session(home)
    run = session.start(quick_config(folders(pictures)))
    state = run.work()
    assert state == "finished", run.news()[-1]
    return session, run.id


def finished(session: Session, config: RunConfig) -> tuple[str, list[Event]]:
    """Train a run to its end; return its id and its events."""
    run = session.start(config)
    assert run.work() == "finished", run.news()[-1]
    return run.id, session.events(run.id)


def of(kind: type, events: list[Event]) -> list:
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]
