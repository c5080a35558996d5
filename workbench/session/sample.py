"""The tasks that come with the program: their configuration, and the check of the NTK arithmetic on them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from workbench import config as configs, paths
from workbench.config import RunConfig
from workbench.events import Note, Stage
from workbench.report import SelfTestRow
from workbench.session.engine import LOADING, starting


def configuration(*, full: bool = False) -> RunConfig:
    """Return the configuration behind "Try the sample" (quick, or full)."""
    root = paths.resource("sample/emoji")
    tasks = tuple(
        configs.TaskFolder(folder.name, str(folder))
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    )
    base = RunConfig(data=configs.DataConfig(tasks=tasks))
    return configs.with_values(base, configs.preset("sample-full" if full else "sample").values)


def self_test(home: Path) -> Iterator[Stage | Note | tuple[SelfTestRow, ...]]:
    """Compare prediction and measurement on two tasks of the sample; the last item is the result."""
    yield Stage(LOADING)
    with starting():
        from workbench.core.self_test import self_test as compare

    config = configuration()
    data = replace(config.data, tasks=config.data.tasks[:2], test_per_class=1)
    yield (yield from compare(replace(config, data=data), home))
