"""A configuration as a file and as a command: both make the same run again."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from workbench.cli import parser
from workbench.cli.progress import Progress
from workbench.cli.request import configuration
from workbench.config import (
    RunConfig,
    TaskFolder,
    as_command,
    load_config,
    save_config,
    with_values,
)
from workbench.errors import UsageError, WorkbenchError
from workbench.face.drop import Given
from workbench.face.window import Window
from workbench.session import Session


def made(root: Path) -> RunConfig:
    values = {"train.learning_rate": 0.1 + 0.2, "model.use_pretrained_section": False, "name": "it's one", "switches.fusion": "paper"}  # fmt: skip
    config = with_values(RunConfig(), values)
    tasks = (
        TaskFolder("Ö 空格", str(root / "a b"), left_out=('x/it\'s "1".png',)),
        TaskFolder("two", str(root / "two"), classes=("b", "a"), one_class=True),
    )
    return replace(config, data=replace(config.data, tasks=tasks))


def test_the_command_parsed_back_is_the_same_configuration(tmp_path: Path) -> None:
    config = made(tmp_path)
    python, main, *words = shlex.split(as_command(config))
    assert (python, Path(main).name) == ("python", "main.py")
    session = Session(tmp_path / "home", entry_points=False)
    assert configuration(session, parser().parse_args(words), Progress()) == config
    session.close()
    assert "train.epochs" not in as_command(config)


def test_a_saved_configuration_is_read_back_equal(tmp_path: Path) -> None:
    config = made(tmp_path)
    save_config(config, tmp_path / "run.toml")
    assert load_config(tmp_path / "run.toml") == config
    with pytest.raises(WorkbenchError, match="Choose another place"):
        save_config(config, tmp_path / "not there" / "run.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\nepochs = 2\nbatch_size = 4000\n", "run.toml, line 3: train.batch_size: Batch: a whole number from 1 to 1024, not 4000."),
        ("\n[train]\nepohcs = 2\n", "run.toml, line 3: train.epohcs is not a setting. Did you mean 'epochs'?"),
        ("[train]\nepochs = \n", "is not a TOML file"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_config(path)
    assert said in str(caught.value)


def test_a_dropped_file_loads_tasks_and_settings_as_one_step(tmp_path: Path, qtbot: QtBot) -> None:
    config = made(tmp_path)
    save_config(config, tmp_path / "run.toml")
    session = Session(tmp_path / "home", entry_points=False)
    window = Window(session)
    qtbot.addWidget(window)
    draft = window.desk.draft
    before = draft.state
    window.commands.take(Given(files=(str(tmp_path / "run.toml"),)))
    assert draft.state.run_config() == config
    window.actions_by_id["copy_command"].trigger()
    assert QGuiApplication.clipboard().text() == as_command(config)
    draft.stack.undo()
    assert draft.state == before
    (tmp_path / "bad.toml").write_text("[train]\nbatch_size = 4000\n", encoding="utf-8")
    window.commands.take(Given(files=(str(tmp_path / "bad.toml"),)))
    assert "line 2: train.batch_size: Batch" in window.desk.strips.texts()["configuration"]
    assert draft.state == before
    for feature in window.features:
        feature.shut_down()
    assert window.desk.shut_down()
    session.close()
