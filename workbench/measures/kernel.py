"""The NTK family, measured on a fixed probe; the arithmetic is in `core.gaps`, `core.overlap` and their neighbours.

Sources: Jacot et al. 2018 (arXiv 1806.07572) for the kernel, Jacot et al. 2020 (arXiv 2006.09796) for
KARE, Arora et al. 2019 (arXiv 1901.08584) for complexity, Roy & Vetterli 2007 for the effective
rank, Chizat et al. 2019 (arXiv 1812.07956) for linearity, Doan et al. 2021 (arXiv 2010.04003) for
overlap and movement, Kornblith et al. 2019 (arXiv 1905.00414) for CKA.
"""

from workbench.measures.base import Measure

_FREE = "none beside the look at the probe"
_EIGEN = "one eigen-decomposition of N = pictures × classes rows"
_OFTEN = "at the start and the end of a task, and after epochs as the budget allows"
_AT_START = "before a task is trained"
_AT_END = "at the end of a task"
_SETTLED = "after a task, when its classes are answered for"
_POSITIVE, _UNIT, _SIGNED = "0 and above", "0 to 1", "−1 to 1"


def _number(
    name: str, label: str, formula: str, reading: str, better: str = "", *,
    unit: str = "1", span: str = _POSITIVE, cost: str = _FREE, when: str = _OFTEN,
) -> Measure:  # fmt: skip
    return Measure(name, label, unit, formula, reading, better, span, cost, when)


_BETWEEN = (
    _number("ntk.interplay_measured", "Interplay gap, measured", "mean over old tasks of ‖Δ_τ‖² / (n C V_τ), Δ_τ = g(X_τ; θ) − g(X_τ; θ_start)",
            "How far this task's training moved the old tasks' logits. 0: no interference; 1: as large as the signal itself.", "lower"),
    _number("ntk.interplay_predicted", "Interplay gap, predicted", "as measured, with Δ̂_τ = J_τ^g (θ − θ_start), fusion block",
            "What the kernel at the task's start says of the same movement, from the fusion block alone.", "lower"),
    _number("ntk.interplay_replayed", "Interplay gap, replayed", "as measured, with Δ̂_τ = Σ_e J_e (θ_{e+1} − θ_e), J renewed at each measurement",
            "The kernel's replay of the optimiser in function space, fusion block.", "lower"),
    _number("ntk.drift_cosine", "Direction of the prediction", "cos(Δ̂, Δ)", "1: the predicted movement points the same way as the measured one.", "higher", span=_SIGNED),
    _number("ntk.drift_error", "Error of the prediction", "‖Δ̂ − Δ‖ / ‖Δ‖", "0: exact. Near 1: most of the movement comes from blocks outside the kernel.", "lower"),
    _number("ntk.interplay_full", "Interplay gap, predicted by every block", "as measured, with Δ̂_τ = J_τ^g (θ − θ_start), every trained block",
            "The kernel at the task's start with adapters and prompts in it. Apart from the measured gap it differs only by what is not linear.", "lower",
            cost="two looks at the old tasks", when=_AT_END),
    _number("ntk.linearity", "Linearity index", "‖Δ − J_start (θ − θ_start)‖ / ‖Δ‖ on the old tasks' logits, every trained block",
            "0: training stayed where the kernel of its start is exact. Above 0.5 the task is shaded: do not believe predictions there.", "lower",
            cost="two looks at the old tasks", when=_AT_END),
    _number("ntk.forecast", "Interplay gap, forecast", "as measured, with Δ̂_τ = −η s J_τ^g (∂L/∂θ + ω θ), L the whole loss on the new task's probe, s steps of mean size η, fusion block",
            "Known before a step is made: how far the training planned will move the old tasks if it goes on as it begins. Long training makes it too large.", "lower", when=_AT_START),
    _number("ntk.forecast_ridge", "Interplay gap, forecast to the end", "as measured, with Δ̂_τ = K_τB (K_BB + λI)⁻¹ (Y_B − h(X_B)), B the new task, its head taken as class means",
            "As the forecast, if the new task were learnt to the end by ridge regression.", "lower", cost=_EIGEN, when=_AT_START),
    _number("ntk.forecast_cosine", "Direction of the forecast", "cos(Δ̂, Δ), Δ̂ forecast before training, Δ measured after it",
            "The forecast's score. 1: old logits moved the way that was forecast.", "higher", span=_SIGNED, when=_AT_END),
    _number("ntk.forecast_error", "Error of the forecast", "min_{s≥0} ‖s Δ̂ − Δ‖ / ‖Δ‖ = √(1 − max(cos, 0)²)",
            "The forecast's error once its size is free: 0 where it knew the direction.", "lower", span=_UNIT, when=_AT_END),
    _number("ntk.forecast_rank", "Order of the forecast", "Spearman's ρ between forecast and measured movement of the old classes",
            "1: the classes that were said to suffer most did.", "higher", span=_SIGNED, when=_AT_END),
)  # fmt: skip

_PAIRS = (
    _number("ntk.disturbance", "Disturbance of an old task", "‖Δ_τ‖² / (n C V_τ) of one old task τ",
            "How far learning a task moved this old one, of its own signal.", "lower", when=_AT_END),
    _number("ntk.disturbance_settled", "Disturbance of an old task, all told", "as the disturbance, with Δ_τ up to where fusion and prototypes are made",
            "With the EMA step and a fusion fitted again, where the switches have them: what the next task meets.", "lower", when=_SETTLED),
    _number("ntk.disturbance_forecast", "Disturbance of an old task, forecast", "as the disturbance, with the forecast's Δ̂_τ",
            "What was forecast of it before training.", "lower", cost=_EIGEN, when=_AT_START),
    _number("ntk.overlap", "Overlap of two tasks", "O = ‖K_AB‖_F² / (‖K_AA‖_F ‖K_BB‖_F), K_AB = J_A^g (J_B^h)ᵀ",
            "0: what one task trains does not touch the other. Read it beside the chance floor.", "lower", span=_UNIT, cost="three kernels", when=_AT_END),
    _number("ntk.overlap_chance", "Overlap by chance", "√(N_A N_B) / P for isotropic Jacobians of P parameters",
            "What two tasks would share if their gradients pointed anywhere.", span=_UNIT, when=_AT_END),
    _number("ntk.angle_max", "Largest common direction", "largest cosine of the principal angles, Σ_A⁻¹ U_Aᵀ K_AB U_B Σ_B⁻¹",
            "1: some direction belongs to both tasks.", "lower", span=_UNIT, cost="two eigen-decompositions", when=_AT_END),
    _number("ntk.angle_mean", "Mean common direction", "mean cosine of the principal angles",
            "How much of the smaller task's directions lies in the other's.", "lower", span=_UNIT, cost="two eigen-decompositions", when=_AT_END),
    _number("ntk.vulnerable_rank", "Vulnerable rank", "least k with Σ_{i≤k} (u_iᵀΔ)² ≥ 0.9 ‖Δ‖², u_i of K_AA by falling eigenvalue",
            "How many of the old kernel's leading directions hold nine tenths of the movement. Small: forgetting is low-rank.", span="1 to N", cost=_EIGEN, when=_AT_END),
    _number("ntk.vulnerable_expected", "Vulnerable rank of a linear head", "C · k_G, k_G the effective rank of the features' Gram matrix",
            "Where the vulnerable rank lies for a linear head on frozen features.", span="1 to N", when=_AT_END),
    _number("ntk.old_drift", "Kernel drift of an old task", "‖K_ττ(θ) − K_ττ(θ_τ)‖_F / ‖K_ττ(θ_τ)‖_F, θ_τ after the task was learnt",
            "How far an old task's own kernel has come since it was learnt.", "lower", when=_SETTLED),
    _number("ntk.old_cka", "Kernel CKA of an old task", "alignment of the centred trace kernels of τ, now and after it was learnt",
            "1: its pictures are as similar to each other as they were.", "higher", span=_UNIT, when=_SETTLED),
)  # fmt: skip

_WITHIN = (
    _number("ntk.gap_predicted", "Generalisation gap, predicted", "KARE − train, KARE = (‖λα‖²/N) / (tr λ(K+λI)⁻¹ / N)²",
            "The gap of the kernel's ridge surrogate, from training pictures alone.", "lower", unit="MSE", span="any", cost=_EIGEN),
    _number("ntk.gap_held_out", "Generalisation gap, held out", "‖K_te,tr α − Ỹ_te‖²/N_te − train MSE",
            "The same surrogate's gap on test pictures.", "lower", unit="MSE", span="any", cost=_EIGEN),
    _number("ntk.loo_error", "Leave-one-out error", "mean of ([(K+λI)⁻¹]_ii⁻¹ α_i)², a C×C block for each picture",
            "What the surrogate misses on a picture it was not fitted to.", "lower", unit="MSE", cost=_EIGEN),
    _number("ntk.error_extrapolated", "Error with all the task's pictures", "E = (κ² Σ a_ρ² / (κ + nλ_ρ)² + σ²) / (1 − γ), n the task's pictures, σ² such that E is KARE at the probe's size",
            "Average-case theory (Bordelon, Canatar & Pehlevan 2020) carries the probe's spectrum on to the whole task. The probe knows few directions: read it as a trend.",
            "lower", unit="MSE", cost=_EIGEN),
    _number("ntk.gap_nats", "The network's own gap, cross-entropy", "test − train cross-entropy of the training head, on the probe",
            "Measured, not predicted: how much worse the network itself is on test pictures.", "lower", unit="nat", span="any"),
    _number("ntk.gap_brier", "The network's own gap, Brier", "test − train mean of ‖softmax(h) − y‖², on the probe", "As above, in a bounded score.", "lower", span="−2 to 2"),
    _number("ntk.gap_accuracy", "The network's own gap, accuracy", "train − test accuracy of the training head, on the probe", "As above, in accuracy.", "lower", unit="fraction", span=_SIGNED),
    _number("ntk.kernel_drift", "Kernel drift", "‖K(θ) − K(θ_start)‖_F / ‖K(θ_start)‖_F", "0: the kernel stood still since the task began.", "lower"),
    _number("ntk.kernel_alignment", "Kernel alignment", "⟨K, K_start⟩_F / (‖K‖_F ‖K_start‖_F)", "1: same shape as at the task's start.", "higher", span=_UNIT),
    _number("ntk.kernel_cka", "Kernel CKA", "alignment of the centred trace kernels H K H, H = I − 11ᵀ/n", "1: same similarity structure among pictures.", "higher", span=_UNIT),
    _number("ntk.kernel_scale", "Kernel scale", "tr K / tr K_start", "How much the kernel grew."),
    _number("ntk.effective_dimension", "Effective dimension", "d_eff = tr K(K+λI)⁻¹",
            "How many directions the ridge surrogate uses, of N = pictures × classes. At N it fits every label by heart.", span="0 to N", cost=_EIGEN),
    _number("ntk.complexity", "Task complexity", "S = √( (tr K/N) · Ỹᵀ(K+λI)⁻¹Ỹ / N ), Ỹ centred by class",
            "Length of the function that fits the task, free of the kernel's scale. Compare within a run.", "lower", cost=_EIGEN),
    _number("ntk.complexity_share", "Complexity against permuted labels", "S / mean of S over 20 permutations of the labels",
            "Near 1: for this kernel the labels might as well be drawn by lot. Well below 1: it knows their order.", "lower", cost=_EIGEN),
    _number("ntk.largest", "Largest eigenvalue", "λ_max of the kernel among pictures", "The stiffest direction; times the learning rate it bounds a stable step.", unit="logit²"),
    _number("ntk.condition", "Condition number", "λ_max / λ_min above 10⁻¹² λ_max", "How unequally fast directions are learnt.", span="1 and above"),
    _number("ntk.effective_rank", "Effective rank", "exp(−Σ p log p), p = λ/Σλ, of the kernel among pictures",
            "How many directions the kernel really has, from 1 to the number of pictures.", "higher", span="1 to n"),
    _number("ntk.participation", "Participation ratio", "(Σλ)² / Σλ²", "As the effective rank, with less weight on small eigenvalues.", "higher", span="1 to n"),
    _number("ntk.ridge", "Ridge", "λ / (tr K / N), chosen by leave-one-out", "The ridge used for the gap, relative to the mean eigenvalue.", span="10⁻⁶ to 1", cost=_EIGEN, when=_AT_START),
    _number("ntk.share_head", "Share of the head", "tr K_head / tr K", "How much of the kernel the training head makes.", span=_UNIT),
    _number("ntk.share_fusion", "Share of the fusion", "tr K_fusion / tr K", "How much of the kernel the fusion layer makes.", span=_UNIT),
    _number("ntk.share_s1", "Share of the adapters", "tr K_S1 / tr K", "How much of the kernel the adapters make; absent where they are not in the kernel.", span=_UNIT,
            cost="one forward and C backward passes of a branch, a picture"),
    _number("ntk.share_s2", "Share of the prompts", "tr K_S2 / tr K", "How much of the kernel the prompts make; absent where they are not in the kernel.", span=_UNIT,
            cost="one forward and C backward passes of a branch, a picture"),
)  # fmt: skip


def _lost(name: str, label: str, formula: str, reading: str) -> Measure:
    return _number(name, label, formula, reading, "lower", unit="fraction", span=_SIGNED, when=_SETTLED,
                   cost="one look at the probe through the slow copies")  # fmt: skip


_LOST = (
    _lost("lost.total", "Accuracy lost on the probe", "a[τ, τ] − a[t, τ], class-incremental on the test probe",
          "How far an old task fell since it was learnt: the four parts below add up to it exactly."),
    _lost("lost.competition", "Lost to competition", "with features as before the task, the new classes' prototypes added",
          "New classes compete for old pictures, even where no feature moves. No kernel predicts this part."),
    _lost("lost.training", "Lost to training", "then with current subnetworks and fusion as trained, slow copies as before",
          "The movement of the features by training: the part that the kernel speaks of."),
    _lost("lost.ema", "Lost to the EMA step", "then with the slow copies averaged, and with what was drawn or taken back of the task's change",
          "The jump of the slow copies between two tasks. Negative: what was drawn back repairs."),
    _lost("lost.corrections", "Lost to corrections", "then with the fusion fitted again, old prototypes moved and the spread of classes measured anew, where the switches say so",
          "What is done after training. Negative: it repairs."),
)  # fmt: skip

_PROBE = Measure("probe_accuracy", "Accuracy on the probe, during the task", "fraction", "class-incremental on the test probe, the task's classes learnt from its training probe",
                 "An estimate on few pictures between exact points: read it with its binomial band √(a(1−a)/n).", "higher", _UNIT, _FREE, _OFTEN)  # fmt: skip

KERNEL = (_PROBE, *_BETWEEN, *_PAIRS, *_WITHIN, *_LOST)
