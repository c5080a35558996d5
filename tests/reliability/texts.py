"""Texts: settings, what stands after --set, TOML files, studies, filters, events as the log keeps them."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.recorded import recorded_run
from tests.reliability import inputs
from tests.reliability.sandbox import Inputs, Sandbox
from tests.test_compare import log_run
from workbench import config as configs
from workbench.config import RunConfig, TaskFolder
from workbench.events import KINDS, from_json, to_json
from workbench.log import table
from workbench.query import completions, parse
from workbench.session.study import study_tree
from workbench.session.study_file import study_from


def configurations(place: Sandbox) -> Inputs:
    """Trees of settings with wrong values, wrong types, unknown keys."""
    full = configs.to_dict(
        dataclasses.replace(
            RunConfig(), data=configs.DataConfig((TaskFolder("owls", "/owls", ("a", "b")),))
        )
    )

    def target(tree: Any) -> None:
        config = configs.from_dict(tree)
        assert configs.from_dict(configs.to_dict(config)) == config

    return st.one_of(inputs.edited(full), inputs.JUNK), target


def assignments(place: Sandbox) -> Inputs:
    """Texts after --set."""
    keys = [key for key, _, _ in configs.settings_of(RunConfig())] + ["data.tasks", "model", ""]
    texts = st.one_of(inputs.TEXTS, inputs.NUMBERS.map(str), st.just("tasks = [{name = 1}]"))

    def target(parts: tuple[str, str]) -> None:
        configs.with_values(RunConfig(), dict([configs.parse_assignment("=".join(parts))]))

    return st.tuples(st.sampled_from(keys), texts), target


def toml_files(place: Sandbox) -> Inputs:
    """Configuration files with bytes changed."""
    base = configs.to_toml(RunConfig()).encode()
    short = b'name = "x"\n[train]\nepochs = 2\n[[data.tasks]]\nname = "a"\npath = "b"\n'
    deep = b"name = " + inputs.nested(20_000)
    file = place.given / "run.toml"

    def target(data: bytes) -> None:
        file.write_bytes(data)
        configs.load_config(file)

    return st.one_of(inputs.mutated([base, short]), st.just(deep), st.binary(max_size=60)), target


def studies(place: Sandbox) -> Inputs:
    """Studies with wrong values, wrong types, unknown keys."""
    run = configs.to_dict(RunConfig())
    tree = {
        "name": "x", "seeds": [0, 1], "orders": 2, "baseline": "a", "choose": {"tasks": 1, "folds": 2},
        "data": [{"name": "d", "run": run, "set": {"train.epochs": 2}}, {"name": "e", "folders": ["owls"]}],
        "method": [{"label": "a", "name": "ntk-cl", "try": {"train.learning_rate": [0.1, 0.2]}}, {"name": "b", "set": {"train": {"epochs": 1}}}],
    }  # fmt: skip

    def target(given: Any) -> None:
        study = study_from(given, place.given)
        assert study_from(study_tree(study)) == study

    return st.one_of(inputs.edited(tree), inputs.JUNK), target


def filters(place: Sandbox) -> Inputs:
    """Texts of the filter over the table of runs, asked of a real log."""
    session = place.session()
    with session.log() as log:
        if not log.runs():
            log_run(log, 1, recorded_run(2))
    log = place.stack.enter_context(session.log())

    def target(text: str) -> None:
        completions(text)
        query = parse(text)
        assert str(parse(str(query))) == str(query)
        with log.snapshot() as db:
            assert table.count(db, query) == len(table.page(db, query))

    return inputs.FILTERS, target


def events(place: Sandbox) -> Inputs:
    """What the log keeps of events, damaged."""
    samples = {
        type(event).__name__: to_json(event) for event in recorded_run(2, kernel=True, live=True)
    }
    originals = [json.loads(text) for text in samples.values()]
    kinds = st.one_of(st.sampled_from([*KINDS, *samples]), st.text(max_size=6))

    def damaged() -> Iterator[st.SearchStrategy[Any]]:
        for name, tree in zip(samples, originals, strict=True):
            yield st.tuples(st.just(name), inputs.edited(tree).map(json.dumps))

    texts = inputs.mutated([text.encode() for text in samples.values()])
    loose = st.tuples(
        kinds,
        st.one_of(texts.map(lambda data: data.decode("utf-8", "replace")), st.just("[" * 50_000)),
    )

    def target(pair: tuple[str, str]) -> None:
        to_json(from_json(*pair))

    return st.one_of(*damaged(), loose), target
