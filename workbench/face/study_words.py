"""Sentences of the tab "Studies"."""

from workbench.face.language import say
from workbench.face.words import counted, duration, joined
from workbench.session.study import Study
from workbench.session.study_length import StudyLength
from workbench.session.study_plan import CHOOSING
from workbench.session.study_results import Paired
from workbench.session.study_state import StudyState


def stage_text(state: StudyState) -> str:
    """Return how a study stands, in a word or two."""
    stages = {
        CHOOSING: say("choosing settings"), "testing": say("testing"), "halted": say("halted"),
        "done": say("done"),
    }  # fmt: skip
    return stages[state.stage]


def progress_text(state: StudyState) -> str:
    """Return "12 of 60 runs tested", with the trials while there are any to come, and what failed."""
    text = say("{done} of {total} runs tested")
    parts = [text.format(done=f"{len(state.tested):,}", total=f"{state.study.runs:,}")]
    if state.chosen is None and state.study.trials:
        text = say("{done} of {total} trials")
        parts.insert(0, text.format(done=f"{_tried(state):,}", total=f"{state.study.trials:,}"))
    if state.failed:
        parts.append(say("{count} failed").format(count=len(state.failed)))
    return ", ".join(parts)


def card_texts(state: StudyState) -> tuple[str, str]:
    """Return what a card says below the name: how the study stands, and how far its present stage is."""
    stage = stage_text(state)
    if state.failed:
        text = say("{stage}, {count} failed")
        stage = text.format(stage=stage, count=len(state.failed))
    if state.chosen is None and state.study.trials:
        text = say("{done} of {total} trials")
        done, total = _tried(state), state.study.trials
    else:
        text = say("{done} of {total} runs tested")
        done, total = len(state.tested), state.study.runs
    return stage, text.format(done=f"{done:,}", total=f"{total:,}")


def share_done(state: StudyState) -> float:
    """Return which share of a study's runs have come to an end, 0 to 1."""
    planned = state.study.runs + state.study.trials
    return min(max(1 - state.left / planned, 0.0), 1.0)


def spoken(state: StudyState) -> str:
    """Return a study as a screen reader says it."""
    return f"{state.study.name}, {stage_text(state)}, {progress_text(state)}"


def asked(study: Study) -> str:
    """Return in one sentence what a study asks."""
    methods = counted(len(study.methods), "method", "methods")
    sets = counted(len(study.data), "set of pictures", "sets of pictures")
    names = joined([each.name for each in study.data])
    orders = counted(study.orders, "order", "orders")
    seeds = counted(len(study.seeds), "seed", "seeds")
    which = joined([str(seed) for seed in study.seeds]) if len(study.seeds) < 8 else "…"
    text = say("{methods} on {sets} ({names}), in {orders} and with {seeds} ({which}), compared with {baseline}.")  # fmt: skip
    return text.format(
        methods=methods, sets=sets, names=names, orders=orders, seeds=seeds, which=which,
        baseline=study.baseline,
    )  # fmt: skip


def runs_text(study: Study) -> str:
    """Return how many runs a study makes."""
    tests = counted(study.runs, "run", "runs")
    if not study.trials:
        return say("{tests} are tested.").format(tests=tests)
    trials = counted(study.trials, "trial", "trials")
    text = say("{trials} on validation parts choose the settings, then {tests} are tested.")
    return text.format(trials=trials, tests=tests)


def length_text(length: StudyLength) -> str:
    """Return about how long a study takes, as far as the log knows runs like its own."""
    if not length.known:
        return say("How long they take is not known: the log has no run like these.")
    time = duration(length.seconds)
    if length.known == length.runs:
        return say("Together they take about {time}.").format(time=time)
    text = say("{known} of the {runs} take about {time}; the log has no run like the others.")
    return text.format(known=length.known, runs=length.runs, time=time)


def verdict(pair: Paired) -> str:
    """Return "better" or "worse" where the interval of a difference leaves zero out, else an empty string."""
    if not pair.clear or pair.mean is None:
        return ""
    return "better" if pair.mean > 0 else "worse"


def verdict_text(pair: Paired, baseline: str) -> str:
    """Return what a difference to the baseline says, in a sentence."""
    if pair.mean is None:
        return say("There is no cell yet that both finished.")
    if pair.half is None:
        return say("One cell alone has no interval.")
    sentences = {
        "better": say("Better than {baseline}: the interval leaves zero out."),
        "worse": say("Worse than {baseline}: the interval leaves zero out."),
        "": say("No clear difference to {baseline}: zero lies within the interval."),
    }
    return sentences[verdict(pair)].format(baseline=baseline)


def _tried(state: StudyState) -> int:
    """Return how many trials have come to an end."""
    return sum(each.run.state in ("finished", "failed") for each in state.of_stage(CHOOSING))
