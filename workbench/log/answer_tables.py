"""Answers on single pictures as CSV for other programs: every answer, the confusion matrix, scores by class."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.answers import Answers, class_scores, confusion, wilson
from workbench.events import TaskInfo
from workbench.log.numbers import Row, csv_text, write_texts

Names = Mapping[int, str]


def write_answers(
    history: Mapping[int, Answers],
    tasks: Sequence[TaskInfo],
    pictures: Mapping[int, Sequence[str]],
    folder: Path,
) -> list[Path]:
    """Write answers.csv (after every task), confusion.csv and classes.csv (after the last) into `folder`.

    `pictures[j]` are the paths of task j's test pictures, as far as they are known. WorkbenchError names a file that cannot be written.
    """
    last = history[max(history)]
    names = _class_names(tasks[: last.tasks])
    counts = confusion(last, max(names) + 1)
    texts = {
        "answers.csv": csv_text(_answers(history, tasks, pictures)),
        "confusion.csv": csv_text(
            [("true", *names.values()), *((name, *counts[label, list(names)].tolist()) for label, name in names.items())]
        ),
        "classes.csv": csv_text(_classes(last, names)),
    }  # fmt: skip
    return write_texts(texts, folder)


def _class_names(tasks: Sequence[TaskInfo]) -> Names:
    pairs = [
        (i, n) for task in tasks for i, n in zip(task.class_ids, task.class_names, strict=True)
    ]
    return dict(sorted(dict(pairs).items()))


def _answers(
    history: Mapping[int, Answers], tasks: Sequence[TaskInfo], pictures: Mapping[int, Sequence[str]]
) -> list[Row]:
    names = _class_names(tasks)
    rows: list[Row] = [
        ("after_task", "task", "picture", "true", "predicted", "score", "score_true", "predicted_with_task_given", "frozen_backbone")
    ]  # fmt: skip
    for after, answers in sorted(history.items()):
        columns = (
            answers.task, answers.places, answers.label, answers.predicted, answers.score,
            answers.score_true, answers.given_task, answers.baseline,
        )  # fmt: skip
        listed = zip(*(column.tolist() for column in columns), strict=True)
        rows += [
            (
                tasks[after].name, tasks[task].name, pictures[task][place] if task in pictures else "", names[label], names[answer],
                score, true, names[told], names[floor],
            )
            for task, place, label, answer, score, true, told, floor in listed
        ]  # fmt: skip
    return rows


def _classes(answers: Answers, names: Names) -> list[Row]:
    rows: list[Row] = [
        ("class", "pictures", "answers", "right", "recall", "recall_low_95", "recall_high_95", "precision", "precision_low_95", "precision_high_95", "f1")
    ]  # fmt: skip
    for score in class_scores(confusion(answers, max(names) + 1)):
        if score.label in names:
            recall = wilson(score.right, score.pictures) or (None, None)
            precision = wilson(score.right, score.answers) or (None, None)
            rows.append(
                (names[score.label], score.pictures, score.answers, score.right, score.recall, *recall,
                 score.precision, *precision, score.f1)
            )  # fmt: skip
    return rows
