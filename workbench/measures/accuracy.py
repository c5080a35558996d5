"""The accuracy family: R[i, j] is the accuracy on the test part of task j after task i, n_j its size.

Sources: Chaudhry et al. 2018 (arXiv 1801.10112) for forgetting, Lopez-Paz & Ranzato 2017
(arXiv 1706.08840) for backward transfer.
"""

from workbench.measures.base import Measure

_COST = "the test pictures once through every branch"
_WHEN = "after each task"


def _share(name: str, label: str, formula: str, reading: str, better: str = "higher") -> Measure:
    low = "−1 to 1" if name in ("forgetting", "backward_transfer") else "0 to 1"
    return Measure(name, label, "fraction", formula, reading, better, low, _COST, _WHEN)


ACCURACY = (
    _share("accuracy_seen", "Accuracy on all classes seen", "A_t = Σ_{j≤t} n_j R[t,j] / Σ_{j≤t} n_j",
           "Class-incremental, pooled over the test pictures of all tasks so far."),
    _share("accuracy_unweighted", "Accuracy, tasks weighted equally", "(1/t) Σ_{j≤t} R[t,j]",
           "As above, but every task counts the same."),
    _share("average_accuracy", "Average accuracy", "Ā = (1/T) Σ_t A_t", "Mean of the seen-classes accuracy over the tasks so far."),
    _share("forgetting", "Forgetting", "F_t = (1/(t−1)) Σ_{j<t} ( max_{j≤l<t} R[l,j] − R[t,j] )",
           "How far old tasks fell below their best. Negative: they improved.", "lower"),
    _share("backward_transfer", "Backward transfer", "BWT = (1/(t−1)) Σ_{j<t} ( R[t,j] − R[j,j] )",
           "How old tasks changed since they were learnt."),
    _share("learning_accuracy", "Learning accuracy", "(1/t) Σ_{j≤t} R[j,j]", "Accuracy on each task right after it was learnt."),
    _share("task_incremental_accuracy", "Accuracy with the task given", "argmax over the picture's own task's classes, pooled",
           "What remains if the task is known."),
    _share("task_id_accuracy", "Task recognised", "fraction of pictures assigned to a class of their own task, pooled",
           "Class-incremental accuracy is about this times the accuracy with the task given."),
    _share("joint_part_accuracy", "Accuracy on one task, all learnt at once", "R[j] over the test pictures of task j, all classes in play",
           "Only of a run that learns all tasks as one (All tasks at once): the upper bound, task by task.", "higher"),
    _share("baseline_seen", "Frozen backbone, all classes seen", "A_t of the nearest class mean on frozen features",
           "The floor: what the backbone knows without any training."),
    _share("baseline_average", "Frozen backbone, average", "Ā of the nearest class mean on frozen features", "The floor of the average accuracy."),
)  # fmt: skip
