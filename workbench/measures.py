"""Every number a run can plot: what it is called, its unit, range, formula and how to read it.

Formulas of the accuracy family: R[i, j] is the accuracy on the test part of task j after task i,
n_j its size. The NTK family is measured on a fixed probe; see `core.gaps`.
Sources: Chaudhry et al. 2018 (arXiv 1801.10112) for forgetting, Lopez-Paz & Ranzato 2017
(arXiv 1706.08840) for backward transfer, Jacot et al. 2020 (arXiv 2006.09796) for KARE, Arora et al.
2019 (arXiv 1901.08584) for complexity, Roy & Vetterli 2007 for the effective rank.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One kind of number. `better` is "higher", "lower" or "" where neither is."""

    name: str
    label: str
    unit: str
    formula: str
    reading: str
    better: str = ""


def _share(name: str, label: str, formula: str, reading: str, better: str = "higher") -> Measure:
    return Measure(name, label, "fraction", formula, reading, better)


_ALL = (
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
    _share("baseline_seen", "Frozen backbone, all classes seen", "A_t of the nearest class mean on frozen features",
           "The floor: what the backbone knows without any training."),
    _share("baseline_average", "Frozen backbone, average", "Ā of the nearest class mean on frozen features", "The floor of the average accuracy."),
    _share("probe_accuracy", "Accuracy on the probe, during the task", "class-incremental on the test probe with provisional prototypes",
           "An estimate on few pictures between exact points: read it with its binomial band √(a(1−a)/n)."),
    Measure("ntk.interplay_measured", "Interplay gap, measured", "1", "mean over old tasks of ‖Δ_τ‖² / (n C V_τ), Δ_τ = g(X_τ; θ) − g(X_τ; θ_start)",
            "How far this task's training moved the old tasks' logits. 0: no interference; 1: as large as the signal itself.", "lower"),
    Measure("ntk.interplay_predicted", "Interplay gap, predicted", "1", "as measured, with Δ̂_τ = J_τ^g (θ − θ_start), fusion block",
            "What the kernel at the task's start says of the same movement, from the fusion block alone.", "lower"),
    Measure("ntk.interplay_replayed", "Interplay gap, replayed", "1", "as measured, with Δ̂_τ = Σ_e J_e (θ_{e+1} − θ_e), J renewed at each measurement",
            "The kernel's replay of the optimiser in function space, fusion block.", "lower"),
    Measure("ntk.drift_cosine", "Direction of the prediction", "1", "cos(Δ̂, Δ)", "1: the predicted movement points the same way as the measured one.", "higher"),
    Measure("ntk.drift_error", "Error of the prediction", "1", "‖Δ̂ − Δ‖ / ‖Δ‖", "0: exact. Near 1: most of the movement comes from blocks outside the kernel.", "lower"),
    Measure("ntk.linearity", "Linearity index", "1", "‖Δ − J_start (θ − θ_start)‖ / ‖Δ‖ on the old tasks' logits, every trained block",
            "0: training stayed where the kernel of its start is exact. Above 0.5 the task is shaded: do not believe predictions there.", "lower"),
    Measure("ntk.gap_predicted", "Generalisation gap, predicted", "MSE", "KARE − train, KARE = (‖λα‖²/N) / (tr λ(K+λI)⁻¹ / N)²",
            "The gap of the kernel's ridge surrogate, from training pictures alone.", "lower"),
    Measure("ntk.gap_held_out", "Generalisation gap, held out", "MSE", "‖K_te,tr α − Ỹ_te‖²/N_te − train MSE",
            "The same surrogate's gap on test pictures.", "lower"),
    Measure("ntk.kernel_drift", "Kernel drift", "1", "‖K(θ) − K(θ_start)‖_F / ‖K(θ_start)‖_F", "0: the kernel stood still since the task began.", "lower"),
    Measure("ntk.kernel_alignment", "Kernel alignment", "1", "⟨K, K_start⟩_F / (‖K‖_F ‖K_start‖_F)", "1: same shape as at the task's start.", "higher"),
    Measure("ntk.kernel_cka", "Kernel CKA", "1", "alignment of the centred trace kernels H K H, H = I − 11ᵀ/n", "1: same similarity structure among pictures.", "higher"),
    Measure("ntk.kernel_scale", "Kernel scale", "1", "tr K / tr K_start", "How much the kernel grew."),
    Measure("ntk.effective_dimension", "Effective dimension", "1", "d_eff = tr K(K+λI)⁻¹",
            "How many directions the ridge surrogate uses, of N = pictures × classes. At N it fits every label by heart."),
    Measure("ntk.complexity", "Task complexity", "1", "S = √( (tr K/N) · Ỹᵀ(K+λI)⁻¹Ỹ / N ), Ỹ centred by class",
            "Length of the function that fits the task, free of the kernel's scale. Compare within a run.", "lower"),
    Measure("ntk.complexity_share", "Complexity against permuted labels", "1", "S / mean of S over 20 permutations of the labels",
            "Near 1: for this kernel the labels might as well be drawn by lot. Well below 1: it knows their order.", "lower"),
    Measure("ntk.largest", "Largest eigenvalue", "logit²", "λ_max of the kernel among pictures", "The stiffest direction; times the learning rate it bounds a stable step."),
    Measure("ntk.condition", "Condition number", "1", "λ_max / λ_min above 10⁻¹² λ_max", "How unequally fast directions are learnt."),
    Measure("ntk.effective_rank", "Effective rank", "1", "exp(−Σ p log p), p = λ/Σλ, of the kernel among pictures",
            "How many directions the kernel really has, from 1 to the number of pictures.", "higher"),
    Measure("ntk.participation", "Participation ratio", "1", "(Σλ)² / Σλ²", "As the effective rank, with less weight on small eigenvalues.", "higher"),
    Measure("ntk.ridge", "Ridge", "1", "λ / (tr K / N), chosen by leave-one-out", "The ridge used for the gap, relative to the mean eigenvalue."),
)  # fmt: skip

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}

LOSS_TERMS: dict[str, str] = {
    "total": "Total",
    "cross_entropy_s1": "Cross-entropy, adapters (S1)",
    "cross_entropy_s2": "Cross-entropy, prompts (S2)",
    "cross_entropy_hybrid": "Cross-entropy, hybrid",
    "mutual_information": "Mutual information",
    "orthogonality": "Orthogonality",
    "regularisation": "Regularisation",
}
