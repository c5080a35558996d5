"""What the program itself offers, brought in through the same hooks as everyone's."""

from workbench.config import read_toml
from workbench.paths import resource
from workbench.plugins.choices import DatasetChoice, ExporterChoice, MethodChoice
from workbench.plugins.hooks import hookimpl
from workbench.registry import Registry
from workbench.report import BackboneChoice

# Methods that train nothing: name, title, what answers from frozen features, and a note.
_UNTRAINED = (
    ("simple-cil", "Frozen class means (SimpleCIL)", "cosines",
     "Zhou et al., arXiv 2303.07338: nothing is trained; the nearest class mean of frozen features answers, by cosine."),
    ("streaming-lda", "Streaming LDA", "discriminant",
     "Hayes and Kanan, arXiv 1909.01520: nothing is trained; class means of frozen features with one shared covariance, its ridge chosen by KARE."),
    ("ranpac", "Random projections (RanPAC)", "random_projection",
     "McDonnell et al., arXiv 2307.02251: nothing is trained; ridge regression on random projections of frozen features, its ridge chosen by KARE."),
)  # fmt: skip


class BuiltIns:
    """Our backbones, methods, data sets and exporters. Our own measures are made in the loop itself."""

    @hookimpl
    def register_backbones(self, registry: Registry[BackboneChoice]) -> None:
        """Add the sample backbone and the table in resources/backbones.toml."""
        sample = BackboneChoice(
            name="sample", title="Sample: DINOv2-small for saliency, first 8 blocks",
            parameters_millions=14.44, image_size=70, licence="Apache-2.0, MIT", present=True,
            note="Ships with the program; small enough for a processor.", operations=7.56e8,
        )  # fmt: skip
        registry.add(sample.name, sample)
        for entry in read_toml(resource("backbones.toml"))["backbone"]:
            registry.add(entry["name"], BackboneChoice(present=False, **entry))

    @hookimpl
    def register_methods(self, registry: Registry[MethodChoice]) -> None:
        """Add NTK-CL, and fine-tuning without anything against forgetting."""
        registry.add("ntk-cl", MethodChoice(
            "ntk-cl", "NTK-CL", "workbench.core.learner:Learner",
            "Liu et al., arXiv 2407.17120: adapters and prompts, their slow copies, and three terms against forgetting.",
        ))  # fmt: skip
        registry.add("fine-tuning", MethodChoice(
            "fine-tuning", "Plain fine-tuning", "workbench.core.method:Method",
            "Cross-entropy alone, nothing against forgetting; answers come from the current adapters.",
            {"model.alpha": 1.0, "model.beta": 0.0, "model.gamma": 0.0, "model.use_pretrained_section": False,
             "switches.answers": "cosines", "switches.fusion_refit": "none", "switches.prototype_drift": "stale"},
        ))  # fmt: skip
        frozen = {"model.branches": "none", "switches.fusion_refit": "none", "switches.prototype_drift": "stale"}  # fmt: skip
        for name, title, answers, note in _UNTRAINED:
            values = frozen | {"switches.answers": answers}
            registry.add(name, MethodChoice(name, title, "workbench.core.method:Method", note, values))  # fmt: skip
        registry.add("first-session", MethodChoice(
            "first-session", "First-session adaptation (APER)", "workbench.core.method:FirstSession",
            "Zhou et al., arXiv 2303.07338: adapters learn the first task by cross-entropy and stay; class means of frozen and adapted features vote.",
            {"model.branches": "s1", "model.use_pretrained_section": True, "model.alpha": 1.0, "model.beta": 1.0, "model.gamma": 0.0,
             "monitor.budget": 0.0, "switches.answers": "cosines", "switches.prototype_drift": "stale"},
        ))  # fmt: skip
        registry.add("ease", MethodChoice(
            "ease", "Expandable subspace ensemble (EASE)", "workbench.core.method:Method",
            "Zhou et al., arXiv 2403.12030: new adapters for each task, kept; old classes' means in newer adapters are synthesised. Storage grows with the tasks.",
            {"model.branches": "expanding", "model.use_pretrained_section": False, "switches.answers": "cosines",
             "switches.prototype_drift": "stale", "switches.fusion_refit": "none", "switches.ema": "off"},
        ))  # fmt: skip

    @hookimpl
    def register_datasets(self, registry: Registry[DatasetChoice]) -> None:
        """Add the sample's tasks, and Fashion-MNIST from files that the user has."""
        registry.add("sample", DatasetChoice(
            "sample", "Sample pictures", "workbench.plugins.data_sets:sample",
            "Five small tasks that come with the program.",
        ))  # fmt: skip
        registry.add("fashion-mnist", DatasetChoice(
            "fashion-mnist", "Fashion-MNIST", "workbench.plugins.data_sets:fashion_mnist",
            "60,000 + 10,000 grey pictures of clothes, unpacked from files on this computer.",
            "Where are Fashion-MNIST's four files (train-images-idx3-ubyte …)?",
        ))  # fmt: skip

    @hookimpl
    def register_exporters(self, registry: Registry[ExporterChoice]) -> None:
        """Add the numbers as CSV and JSON."""
        registry.add("numbers", ExporterChoice(
            "numbers", "Numbers", "workbench.log.numbers:write_numbers",
            "Curves, accuracy matrix and steps as CSV, and everything as JSON.",
        ))  # fmt: skip
