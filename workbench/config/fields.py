"""The settings themselves: one frozen dataclass a section, each field with help, range and choices."""

from dataclasses import dataclass, field
from typing import Any

from workbench.config.folders import TaskFolder


def setting(
    default: Any,
    help: str,  # noqa: A002  (the field's own word)
    *,
    label: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    unit: str = "",
    advanced: bool = True,
) -> Any:
    """Declare a field: its default, one sentence of help, and what values it takes."""
    metadata = {
        "help": help, "label": label, "low": low, "high": high,
        "choices": choices, "unit": unit, "advanced": advanced,
    }  # fmt: skip
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class DataConfig:
    """Which pictures, in which tasks."""

    tasks: tuple[TaskFolder, ...] = ()
    first_classes: int = setting(
        0, "With one folder: how many classes the first task gets; 0 keeps the folder as one task.",
        label="Classes in the first task", low=0, high=100_000)  # fmt: skip
    increment: int = setting(
        0, "With one folder: how many classes each later task gets; 0 keeps the folder as one task.",
        label="Classes in later tasks", low=0, high=100_000)  # fmt: skip
    same_names: str = setting(
        "different", "A class name that occurs in two tasks: two classes, or one that is learnt further.",
        label="Same class name", choices=("different", "same"))  # fmt: skip
    test_share: float = setting(
        0.2, "Share of each class kept for testing where the folder brings no test part of its own.",
        label="Test share", low=0.01, high=0.9)  # fmt: skip
    train_per_class: int = setting(
        0, "Train on at most this many pictures of a class; 0 takes all. A quick look needs few.",
        label="Training pictures per class", low=0, high=10_000_000)  # fmt: skip
    test_per_class: int = setting(
        0, "Test on at most this many pictures of a class; 0 takes all, and only all are comparable with others' figures.",
        label="Test pictures per class", low=0, high=10_000_000)  # fmt: skip
    folds: int = setting(
        0, "Choosing settings: the training pictures of each class are divided into so many parts, of which one is tested on; the test "
        "part is not read. 0: train on all of them and test on the test part.",
        label="Validation parts", low=0, high=100)  # fmt: skip
    fold: int = setting(
        1, "Which of the validation parts is tested on.", label="Validation part", low=1, high=100)  # fmt: skip
    max_side: int = setting(
        512, "Pictures are kept in memory with their longer side at most this long.",
        label="Longest side kept", low=16, high=8192, unit="px")  # fmt: skip
    cache_megabytes: int = setting(
        2048, "Decoded pictures beyond this much memory go to a temporary file.",
        label="Picture memory", low=0, high=1_000_000, unit="MB")  # fmt: skip
    joint: bool = setting(
        False, "Learn all tasks at once, as one: the upper bound that learning one after another is read against.",
        label="All tasks at once")  # fmt: skip
    keep_features: bool = setting(
        False, "Keep what the frozen backbone sees of each picture in the home folder, so that other runs need not look "
        "again; such runs may differ in the last digits.",
        label="Keep frozen features")  # fmt: skip


@dataclass(frozen=True)
class ModelConfig:
    """The frozen backbone and the trainable parts around it."""

    backbone: str = setting(
        "sample", "The frozen Vision Transformer: 'sample', or a timm name with its weight tag.",
        label="Backbone", advanced=False)  # fmt: skip
    weights: str = setting(
        "", "A local .safetensors or .pt file to take the backbone's weights from; empty: from the hub.",
        label="Weights file")  # fmt: skip
    branches: str = setting(
        "both", "Learn adapters (s1), prompts (s2), both with the hybrid of the two, new adapters for each task beside those of the tasks "
        "before (expanding, for the method ease), or none: the frozen feature answers.",
        label="Adapter", choices=("both", "s1", "s2", "expanding", "none"), advanced=False)  # fmt: skip
    use_pretrained_section: bool = setting(
        True, "Let the frozen backbone's own feature vote beside the adapted ones.",
        label="Pretrained section")  # fmt: skip
    bottleneck: int = setting(
        16, "Width of each adapter's bottleneck.", label="Bottleneck", low=1, high=4096
    )
    prompt_tokens: int = setting(
        10, "Prompt tokens generated in each block.", label="Prompt tokens", low=1, high=512
    )
    adapter_scale: float = setting(
        0.1, "Factor on the adapter's output and on the prompts carried over from the block before.",
        label="Adapter scale", low=0.0, high=100.0)  # fmt: skip
    dropout: float = setting(
        0.1, "Dropout in adapters and fusion while training.", label="Dropout", low=0.0, high=0.9
    )
    projection: int = setting(
        2000, "Random directions of the features that answers are read from, with the switch 'answers' at random_projection or ensemble; "
        "memory grows with the square, time with the cube.",
        label="Random directions", low=1, high=50_000)  # fmt: skip
    alpha: float = setting(
        0.1, "Vote of the current section at inference.", label="Alpha (current)", low=0.0, high=100.0)  # fmt: skip
    beta: float = setting(
        1.0, "Vote of the pretrained section at inference.", label="Beta (pretrained)", low=0.0, high=100.0)  # fmt: skip
    gamma: float = setting(
        0.3, "Vote of the averaged (EMA) section at inference.", label="Gamma (EMA)", low=0.0, high=100.0)  # fmt: skip
    others: float = setting(
        0.1, "Vote of all other tasks' adapters together, beside 1 for those of the task that a class was learnt in, with "
        "'branches' at expanding.",
        label="Others (expanding)", low=0.0, high=100.0)  # fmt: skip


@dataclass(frozen=True)
class MethodConfig:
    """Which method learns; NTK-CL's loss terms and the profile of its arithmetic."""

    name: str = setting(
        "ntk-cl", "How tasks are learnt: ntk-cl, one of the simpler methods to compare with, or the name of a plug-in's.",
        label="Method", advanced=False)  # fmt: skip
    profile: str = setting(
        "repaired", "'repaired' is the sound version; 'paper' repeats the official code, quirks included.",
        label="Profile", choices=("repaired", "paper"), advanced=False)  # fmt: skip
    sequence: str = setting(
        "closed", "'closed': the last task is known to be the last; 'open': more tasks may follow.",
        label="Sequence", choices=("closed", "open"))  # fmt: skip
    weight_mutual_information: float = setting(
        0.03, "Weight of the term that separates tasks (η).", label="Weight of mutual information", low=0.0, high=1e6)  # fmt: skip
    weight_orthogonality: float = setting(
        1e-4, "Weight of the term that keeps features off the old prototypes' span (υ).",
        label="Weight of orthogonality", low=0.0, high=1e6)  # fmt: skip
    weight_regularisation: float = setting(
        1e-3, "Weight of the squared distance to the previous task's parameters (λ).",
        label="Weight of regularisation", low=0.0, high=1e6)  # fmt: skip
    mi_temperature: float = setting(
        0.1, "Temperature of the mutual-information term.", label="Temperature", low=1e-4, high=1e4)  # fmt: skip
    orthogonality_rank: int = setting(
        40, "At most this many directions of the old prototypes are protected.",
        label="Orthogonality rank", low=1, high=10_000)  # fmt: skip
    interplay_limit: float = setting(
        0.01, "With the switch 'interplay' at limited: how far a task may move the answers for earlier classes, in units of their spread.",
        label="Interplay limit", low=0.0, high=100.0)  # fmt: skip
    least_gain: float = setting(
        1.0, "With the switch 'change' at judged: how sure it must be that pictures of a task that its training left out are told apart better "
        "than before, in standard errors of their mean gain.",
        label="Least gain", low=0.0, high=100.0)  # fmt: skip
    refit_epochs: int = setting(
        20, "With the switch 'fusion_refit': passes over the cached features after the EMA step.",
        label="Refit epochs", low=0, high=1000)  # fmt: skip
    fixed_increment: int = setting(
        0, "With the switch 'old_prototypes' at fixed_increment: the official code's increment.",
        label="Official increment", low=0, high=100_000)  # fmt: skip


FROM_PROFILE = "profile"


def _switch(label: str, help: str, paper: str, repaired: str, *others: str) -> Any:  # noqa: A002
    values = tuple(dict.fromkeys((FROM_PROFILE, paper, repaired, *others)))
    metadata = {
        "help": f"{help} Paper: {paper}; repaired: {repaired}.", "label": label, "low": None, "high": None,
        "choices": values, "unit": "", "advanced": True, "paper": paper, "repaired": repaired,
    }  # fmt: skip
    return field(default=FROM_PROFILE, metadata=metadata)


@dataclass(frozen=True)
class SwitchConfig:
    """Each quirk of the official code that bears on results; 'profile' follows the chosen profile."""

    s2_init: str = _switch(
        "A  S2 start", "The prompts' token mixer starts at zero (a saddle it never leaves) or random.", "zero", "kaiming")  # fmt: skip
    fusion: str = _switch(
        "B  Fusion", "Attention over a sequence of one, its linear equal, or attention over the sections.",
        "paper", "linear", "section_attention")  # fmt: skip
    mutual_information: str = _switch(
        "C, D  Mutual information", "The official sign and pooling, or supervised contrast per anchor.",
        "paper", "supcon", "off")  # fmt: skip
    orthogonality: str = _switch(
        "E  Orthogonality", "Signed sum of the residual, or squared projection on the old subspace.",
        "signed_residual", "projection", "off")  # fmt: skip
    orthogonality_basis: str = _switch(
        "F  Basis", "Singular vectors of all rows including empty ones, or of the old prototypes only.",
        "all_rows", "old_prototypes")  # fmt: skip
    regulariser: str = _switch(
        "H  Regulariser", "Distance over weight matrices only, or over every live parameter.", "weights", "live")  # fmt: skip
    non_finite: str = _switch(
        "I  Non-finite loss", "An infinite or undefined auxiliary loss counts as zero, or stops the run.", "zero", "raise")  # fmt: skip
    fusion_refit: str = _switch(
        "J  Fusion after EMA", "Leave the fusion as trained, or refit it to the averaged section, which moves what old sums were measured with.",
        "none", "none", "cached")  # fmt: skip
    ema_last_task: str = _switch(
        "K  EMA after the last task", "Skip the averaging step after the last task of a closed sequence, or not.", "skip", "include")  # fmt: skip
    ema: str = _switch(
        "Averaging", "The slow copy is the mean of the parameters after each task, or (off) simply the newest ones.",
        "average", "average", "off")  # fmt: skip
    prototype_drift: str = _switch(
        "M  Old prototypes", "Keep old prototypes as they were, or shift them by the estimated drift.",
        "stale", "stale", "compensated")  # fmt: skip
    old_prototypes: str = _switch(
        "N  Which are old", "Old prototypes are those of known classes, or all but a fixed increment.",
        "known", "known", "fixed_increment")  # fmt: skip
    answers: str = _switch(
        "P  Answers", "By cosines with the class means, section by section, by a discriminant that takes the spread within classes out, "
        "by ridge regression on many random directions of the features, or by the last two together, weighed by left-out pictures (ensemble).",
        "cosines", "ensemble", "discriminant", "random_projection")  # fmt: skip
    interplay: str = _switch(
        "Q  Interplay", "A task changes what it will, or is drawn back until earlier classes are answered nearly as before, measured on its own "
        "pictures.", "free", "limited")  # fmt: skip
    change: str = _switch(
        "R  Change", "What a task's training has changed stays, or is taken back unless every fourth of its pictures, left out of training to judge by, "
        "are told apart better than before.", "kept", "judged")  # fmt: skip
    early_stopping: str = _switch(
        "S  Early stopping", "A task is trained for all its epochs, or no longer once the answers for earlier classes have moved by more than "
        "the limit of interplay: what comes after would be drawn back.", "off", "interplay")  # fmt: skip
    task_mask: str = _switch(
        "O  Task given", "With the task given, other classes' logits become zero or minus infinity.", "zero", "minus_infinity")  # fmt: skip
    ema_dropout: str = _switch(
        "Dropout in the EMA copy", "The frozen copy drops units while training, or not.", "on", "off")  # fmt: skip
    pixel_scale: str = _switch(
        "Pixel scale", "Pixels as 0 to 1, or normalised by the backbone's own mean and deviation.", "unit", "model")  # fmt: skip


@dataclass(frozen=True)
class TrainConfig:
    """The optimiser and where it runs."""

    epochs: int = setting(
        20,
        "Passes over each task's training pictures.",
        label="Epochs",
        low=1,
        high=100_000,
        advanced=False,
    )
    batch_size: int = setting(
        16, "Pictures in one step.", label="Batch", low=1, high=1024, advanced=False
    )
    max_steps: int = setting(
        0, "Steps that a task is trained for, at most, however many pictures it has; 0: as many as its epochs take.",
        label="Most steps a task", low=0, high=10_000_000)  # fmt: skip
    at_once: int = setting(
        0, "Pictures in memory at once within a step; 0: the whole batch. Fewer take less memory and more time.",
        label="Pictures at once", low=0, high=1024)  # fmt: skip
    learning_rate: float = setting(
        0.025, "Learning rate at the start of each task; it falls to 0 along a cosine.",
        label="Learning rate", low=0.0, high=1000.0, advanced=False)  # fmt: skip
    momentum: float = setting(0.9, "Momentum of SGD.", label="Momentum", low=0.0, high=0.999)
    weight_decay: float = setting(
        5e-4, "Weight decay on every trainable parameter.", label="Weight decay", low=0.0, high=10.0
    )
    device: str = setting(
        "auto", "'auto' takes the GPU if there is one.", label="Device", choices=("auto", "cpu", "cuda"), advanced=False)  # fmt: skip
    precision: str = setting(
        "auto", "What the frozen backbone multiplies in; trained parts are in float32 always. strict: float32. tf32: TF32, on NVIDIA "
        "GPUs since 2020. bf16: bfloat16, fastest where the device has it. auto: bf16 on such a GPU, else and in profile paper strict.",
        label="Precision", choices=("auto", "strict", "tf32", "bf16"))  # fmt: skip


@dataclass(frozen=True)
class SeedConfig:
    """One seed for each source of chance."""

    class_order: int = setting(
        0, "Order of classes when one folder is split into tasks.", label="Class order", low=0, high=2**31 - 1)  # fmt: skip
    split: int = setting(
        0, "Which pictures are kept for testing.", label="Test split", low=0, high=2**31 - 1
    )
    initialisation: int = setting(
        0, "Starting values of the trained parts.", label="Initialisation", low=0, high=2**31 - 1
    )
    data_order: int = setting(
        0, "Order of pictures within an epoch.", label="Data order", low=0, high=2**31 - 1
    )
    augmentation: int = setting(
        0, "Random crops and flips.", label="Augmentation", low=0, high=2**31 - 1
    )
    dropout: int = setting(0, "Dropped units.", label="Dropout", low=0, high=2**31 - 1)
    probe: int = setting(
        0, "Which pictures the NTK monitor looks at.", label="Probe", low=0, high=2**31 - 1
    )


@dataclass(frozen=True)
class MonitorConfig:
    """The NTK monitor. It measures on a fixed probe and never trains on it."""

    probe_per_task: int = setting(
        32, "Pictures of each task the kernel is measured on, and as many of its test part; 0 switches it off.",
        label="Probe pictures per task", low=0, high=512)  # fmt: skip
    budget: float = setting(
        0.1, "Largest share of the wall time the monitor may take; beyond it, measurements are thinned out.",
        label="Budget", low=0.0, high=1.0)  # fmt: skip
    kernel: str = setting(
        "auto", "How much of the kernel is measured: the closed form of fusion and head; trace adds adapters and prompts along random "
        "output vectors; full adds every output of the task being learnt; auto takes the most that the budget allows.",
        label="Kernel", choices=("auto", "closed", "trace", "full"))  # fmt: skip
    gradients: str = setting(
        "auto", "How gradients of adapters and prompts are kept: whole, sketched, or whole where they fit the memory.",
        label="Gradients", choices=("auto", "exact", "sketch"))  # fmt: skip
    sketch_columns: int = setting(
        4096, "Columns a sketched gradient is folded to; the kernel's error falls with their square root.",
        label="Sketch", low=16, high=1_048_576)  # fmt: skip
    memory_gb: float = setting(
        1.0, "Memory the kernel's gradients may take, in GB.", label="Memory for gradients", low=0.05, high=1024.0)  # fmt: skip


@dataclass(frozen=True)
class RunConfig:
    """One run, whole."""

    name: str = setting(
        "", "Name of the run; empty: the next number, as in run-0001.", label="Name", advanced=False
    )
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    method: MethodConfig = MethodConfig()
    switches: SwitchConfig = SwitchConfig()
    train: TrainConfig = TrainConfig()
    seeds: SeedConfig = SeedConfig()
    monitor: MonitorConfig = MonitorConfig()
