"""Settings: what every field declares, files and assignments read back, errors as sentences."""

import dataclasses
import math
import re
import shlex
from pathlib import Path

import pytest

from workbench.cli import parser
from workbench.config import (
    FROM_PROFILE,
    RunConfig,
    SwitchConfig,
    TaskFolder,
    check,
    effective_switches,
    from_dict,
    parse_assignment,
    preset,
    problem_with,
    read_toml,
    settings_of,
    to_dict,
    to_toml,
    with_values,
)
from workbench.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = list(settings_of(RunConfig()))
SWITCHES = dataclasses.fields(SwitchConfig)


def another(item, value):
    """A valid value of a field other than its default."""
    if item.metadata["choices"]:
        return next(choice for choice in item.metadata["choices"] if choice != value)
    if item.type is bool:
        return not value
    if item.type is str:
        return "Ö 空格 \"quoted\" 'too' \\ back"
    return item.metadata["high"] if value != item.metadata["high"] else item.metadata["low"]


@pytest.mark.parametrize(("key", "item", "value"), SETTINGS, ids=[key for key, *_ in SETTINGS])
def test_every_setting_has_help_a_label_a_range_and_a_default_that_fits(key, item, value):
    assert item.metadata["help"].endswith(".")
    assert item.metadata["label"]
    assert type(value) is item.type
    assert problem_with(item, value) == ""
    if item.type in (int, float):
        assert item.metadata["low"] < item.metadata["high"]
    labels = [other.metadata["label"] for name, other, _ in SETTINGS if name.split(".")[0] == key.split(".")[0]]  # fmt: skip
    assert labels.count(item.metadata["label"]) == 1


def test_a_configuration_with_every_value_changed_survives_toml(tmp_path):
    changed = with_values(RunConfig(), {key: another(item, value) for key, item, value in SETTINGS})
    task = TaskFolder("Ö", "/a b/空格", ("x", "y"), True, ("x",), ("x/1.png",))
    changed = dataclasses.replace(changed, data=dataclasses.replace(changed.data, tasks=(task,)))
    unchanged = [key for (key, _, old), (_, _, new) in zip(SETTINGS, settings_of(changed), strict=True) if old == new]  # fmt: skip
    assert unchanged == []
    path = tmp_path / "run.toml"
    path.write_text(to_toml(changed), encoding="utf-8")
    assert from_dict(read_toml(path)) == changed


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "notepad.toml").write_text("[train]\nepochs = 3\n", encoding="utf-8-sig")
    assert read_toml(tmp_path / "notepad.toml") == {"train": {"epochs": 3}}


def test_what_the_user_sets_stands_over_the_preset_and_the_preset_over_the_default():
    values = preset("cifar224").values
    base = RunConfig()
    after_preset = with_values(base, values)
    assert after_preset.data.first_classes == 10 != base.data.first_classes
    user = with_values(after_preset, {"data.first_classes": 7})
    assert (user.data.first_classes, user.data.increment) == (7, 10)
    assert user.monitor == base.monitor


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"trian": {"epochs": 1}}, "trian is not a setting. Did you mean 'train'?"),
        ({"train": {"epohcs": 1}}, "train.epohcs is not a setting. Did you mean 'epochs'?"),
        ({"train": 3}, "train: expected a table of settings, not 3."),
        ({"name": {"x": 1}}, "name: expected text, not {'x': 1}."),
        ({"train": {"epochs": 2.5}}, "train.epochs: expected a whole number, not 2.5."),
        ({"train": {"epochs": True}}, "train.epochs: expected a whole number, not True."),
        ({"train": {"momentum": "much"}}, "train.momentum: expected a number, not 'much'."),
        ({"model": {"use_pretrained_section": 1}}, "expected true or false, not 1."),
        ({"data": {"tasks": "birds"}}, "data.tasks: expected a list, not 'birds'."),
        ({"data": {"tasks": [3]}}, "data.tasks[0]: expected a table of settings, not 3."),
        ({"data": {"tasks": [{"name": "a"}]}}, "data.tasks[0].path is missing"),
        ({"data": {"tasks": [{"name": "a", "path": "b", "clases": []}]}}, "Did you mean 'classes'?"),
        ({"train": {"epochs": 0}}, "train.epochs: Epochs: a whole number from 1 to 100000, not 0."),
        ({"train": {"learning_rate": math.nan}}, "a number from 0 to 1000, not nan."),
        ({"train": {"learning_rate": math.inf}}, "a number from 0 to 1000, not inf."),
        ({"train": {"device": "cdua"}}, "train.device: Device: 'cdua' is not one of auto, cpu, cuda. Did you mean 'cuda'?"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_a_sentence_with_its_name_the_value_and_the_rule(tree, sentence):
    with pytest.raises(UsageError) as caught:
        from_dict(tree)
    assert sentence in str(caught.value)
    with pytest.raises(UsageError) as caught:
        with_values(RunConfig(), tree)
    assert sentence in str(caught.value)


def test_check_refuses_a_configuration_built_by_hand():
    config = RunConfig()
    bad = dataclasses.replace(config, train=dataclasses.replace(config.train, batch_size=0))
    assert check(config) is config
    with pytest.raises(UsageError, match="batch_size"):
        check(bad)


def test_a_whole_number_is_taken_where_a_number_is_asked():
    value = from_dict({"train": {"momentum": 0}}).train.momentum
    assert value == 0.0
    assert type(value) is float


@pytest.mark.parametrize("item", SWITCHES, ids=[item.name for item in SWITCHES])
def test_a_switch_offers_its_paper_and_its_repaired_value(item):
    assert item.default == FROM_PROFILE
    assert {FROM_PROFILE, item.metadata["paper"], item.metadata["repaired"]} <= set(item.metadata["choices"])  # fmt: skip
    assert f"Paper: {item.metadata['paper']}; repaired: {item.metadata['repaired']}." in item.metadata["help"]  # fmt: skip


@pytest.mark.parametrize("profile", ["paper", "repaired"])
def test_the_vector_of_switches_follows_the_profile_but_for_what_is_set(profile):
    config = with_values(RunConfig(), {"method.profile": profile})
    vector = effective_switches(config)
    assert vector == {item.name: item.metadata[profile] for item in SWITCHES}
    for item in SWITCHES:
        for choice in item.metadata["choices"][1:]:
            changed = effective_switches(with_values(config, {f"switches.{item.name}": choice}))
            assert changed == vector | {item.name: choice}


@pytest.mark.parametrize(("key", "item", "value"), SETTINGS, ids=[key for key, *_ in SETTINGS])
def test_every_setting_can_be_assigned_on_the_command_line(key, item, value):
    wanted = another(item, value)
    assert parse_assignment(f"{key}={wanted}") == (key, wanted)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("train.epohcs=3", "Did you mean 'train.epochs'?"),
        ("epochs=3", "Did you mean 'train.epochs'?"),
        ("train.epochs", "expected section.key=value"),
        ("data.tasks=birds", "expected TOML tables, each [[tasks]] with a name and a path."),
        ("=3", "with a known key"),
        ("train.epochs=ten", "train.epochs: expected a whole number, not 'ten'."),
        ("train.epochs=", "train.epochs: expected a whole number, not ''."),
        ("train.momentum=1,5", "train.momentum: expected a number, not '1,5'."),
        ("model.use_pretrained_section=maybe", "expected true or false, not 'maybe'."),
    ],
)
def test_an_assignment_that_cannot_be_read_is_a_sentence(text, sentence):
    with pytest.raises(UsageError) as caught:
        parse_assignment(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "value"), [("true", True), ("Yes", True), ("1", True), ("False", False), ("no", False)]
)
def test_yes_and_no_have_several_spellings(raw, value):
    assert parse_assignment(f"model.use_pretrained_section={raw}")[1] is value


def test_text_may_hold_an_equals_sign_and_may_be_empty():
    backbone = "random:vit_tiny_patch16_224?depth=2"
    assert parse_assignment(f"model.backbone={backbone}") == ("model.backbone", backbone)
    assert parse_assignment("name=") == ("name", "")


def test_a_file_that_is_no_toml_is_named_with_the_line(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[train]\nepochs = = 3\n")
    with pytest.raises(UsageError, match=r"broken.toml is not a TOML file: .*line 2"):
        read_toml(path)
    path.write_bytes(b"name = '\xff'\n")
    with pytest.raises(UsageError, match=r"broken.toml is not a TOML file"):
        read_toml(path)
    with pytest.raises(UsageError, match=r"absent.toml cannot be read: No such file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_toml(tmp_path)


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UsageError, match=r"preset 'cifar' is not known. Did you mean 'cifar224'\?"):
        preset("cifar")


def test_plain_values_hold_no_tuples():
    task = TaskFolder("a", "b", ("x",))
    base = RunConfig()
    config = dataclasses.replace(base, data=dataclasses.replace(base.data, tasks=(task,)))
    tree = to_dict(config)
    assert tree["data"]["tasks"] == [
        {"name": "a", "path": "b", "classes": ["x"], "one_class": False, "same_classes": [], "other_classes": [], "left_out": [], "also": []}
    ]  # fmt: skip
    assert from_dict(tree) == config


def test_the_commands_in_the_read_me_can_be_parsed():
    pages = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.is_file()]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    commands = re.findall(r"(?:^|`|&&)[ $]*python main\.py([^`\n]*)", text, re.MULTILINE)
    assert len(commands) > 5
    for command in commands:
        words = shlex.split(re.sub(r"[][]", "", command), comments=True)
        options = parser().parse_args(words)
        for assignment in getattr(options, "set", []):
            if assignment != "section.key=value":
                parse_assignment(assignment)
