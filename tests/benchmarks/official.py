"""The official NTK-CL code as a competitor of the benchmark: imported from a checkout, patched from outside.

Nothing of it is part of this project (github.com/Programmergg/NTK-CL, MIT). Patched are the builder of the
backbone, which would download weights and knows one width only, and the progress bar, which would be drawn into
the table; its own loop trains, on pictures that are already tensors. Names of its modules and arguments are
those of March 2026. Run on the processor with torch 2.14 and timm 1.0.31, on all of its models/; not on a GPU.
"""

import importlib
import importlib.util
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from workbench.core.learner import Learner
from workbench.errors import UsageError

FILES = ("models/learner.py", "models/inc_net.py", "models/prompt_vit.py", "models/fusion_nets.py")
Loop = Callable[[Sequence[tuple[Tensor, Tensor]]], None]
# what another version of torch, timm or of the code itself would raise
_CANNOT = (
    ImportError, AttributeError, TypeError, ValueError, LookupError, RuntimeError, AssertionError,
)  # fmt: skip
TOKENS = 197  # a literal of its prompts: 14 x 14 patches and a class token


def check_reference(folder: str) -> Path:
    """Return the folder of the official code.

    Raises:
        UsageError: a file of it is not there.
    """
    place = Path(folder)
    missing = next((name for name in FILES if not (place / name).is_file()), "")
    if missing:
        raise UsageError(
            f"'{folder}' does not hold the official NTK-CL code: {missing} is not there. Give --reference the "
            "folder of a clone of github.com/Programmergg/NTK-CL, or leave it out."
        )
    return place


def official_loop(place: Path, learner: Learner) -> Loop:
    """Return the official loop over batches of pictures and global class ids, sized like `learner`.

    Its weights are random: speed does not depend on them.

    Raises:
        UsageError: the installed torch and timm cannot run it.
    """
    side = learner.network.backbone.image_size
    device = learner.network.prototypes.weight.device
    ids = torch.tensor(learner.class_ids[:1] * 2, device=device)
    try:
        loop = _loop(_modules(place), learner)
        loop([(torch.rand(2, 3, side, side, device=device), ids)])
    except _CANNOT as error:
        raise UsageError(
            f"The official code in '{place}' cannot be run here ({type(error).__name__}: {error})."
        ) from error
    return loop


def _modules(place: Path) -> dict[str, Any]:
    """Import its modules and leave no name of theirs behind: "models" is too common a one to keep."""
    passing = {"models"}
    if (
        importlib.util.find_spec("easydict") is None
    ):  # only its builder of the backbone would use it
        passing.add("easydict")
        sys.modules["easydict"] = ModuleType("easydict")
        sys.modules["easydict"].EasyDict = dict  # type: ignore[attr-defined]
    sys.path.insert(0, str(place))
    try:
        return {
            name: importlib.import_module(f"models.{name}")
            for name in ("prompt_vit", "inc_net", "learner")
        }
    finally:
        sys.path.remove(str(place))
        for name in [name for name in sys.modules if name.split(".")[0] in passing]:
            del sys.modules[name]


def _loop(modules: dict[str, Any], learner: Learner) -> Loop:
    args = _arguments(learner)
    modules["inc_net"].get_backbone = lambda args: _backbone(modules["prompt_vit"], args, learner)
    modules["learner"].tqdm = partial(modules["learner"].tqdm, disable=True)
    official = modules["learner"].PromptLearner(args)
    net, rows = official._network, learner.network.prototypes.weight
    known = len(rows) - len(learner.class_ids)
    net.initialize_fc(known, 0)
    net.fc.weight.data.copy_(rows[:known])
    net.initialize_fc(len(rows), 1)
    official._cur_task, official._known_classes = 1, known
    net.to(rows.device)
    optimiser = official.get_optimizer(lr=learner.training.learning_rate)
    return lambda batches: official._init_train(_Loader(batches), optimiser, None)


class _Loader(list):  # type: ignore[type-arg]
    """Batches as its loader gives them, an index first."""

    def __init__(self, batches: Sequence[tuple[Tensor, Tensor]]) -> None:
        super().__init__((i, *batch) for i, batch in enumerate(batches))


def _arguments(learner: Learner) -> Namespace:
    network, method, training = learner.network, learner.method, learner.training
    return Namespace(
        dataset="cifar224", model_name="both", use_init_ptm=network.use_pretrained,
        backbone_type="vit_base_patch16_224_in1k", frozen_prompt_list_num=1,
        ffn_num=network.s1["current"][0].down_proj.out_features,
        num_prompt_tokens=network.s2["current"][0].token_mix.out_features,
        hidden_size=network.backbone.width, device=[network.prototypes.weight.device],
        alpha=0.1, beta=1.0, gamma=0.3, min_lr=0.0, weight_decay=training.weight_decay,
        init_lr=training.learning_rate, later_lr=training.learning_rate, init_epochs=1, later_epochs=1,
        optimizer="sgd", scheduler="constant", init_cls=len(learner.class_ids),
        increment=len(learner.class_ids), nb_tasks=10, batch_size=training.batch_size, num_workers=0,
        nce_temp=method.weight_mutual_information, dis_temp=method.weight_orthogonality,
        reg_temp=method.weight_regularisation,
    )  # fmt: skip


def _backbone(prompt_vit: Any, args: Namespace, learner: Learner) -> nn.Module:
    """Its own model with random weights, frozen as its builder freezes it, at the width of ours."""
    ours = learner.network.backbone
    if ours.tokens != TOKENS:
        raise UsageError(
            f"The official code sees {TOKENS} tokens only, and here are {ours.tokens}."
        )
    tuning = Namespace(
        ffn=True, ffn_scalar="0.1", ffn_num=args.ffn_num, d_model=ours.width, hidden_size=ours.width,
        num_prompt_tokens=args.num_prompt_tokens, frozen_prompt_list_num=1, prompt_mode="both",
        _device=args.device[0], dataset=args.dataset,
    )  # fmt: skip
    model = prompt_vit.VisionTransformer_Prompt(
        patch_size=16, embed_dim=ours.width, depth=ours.depth, num_classes=0,
        num_heads=ours.vit.blocks[0].attn.num_heads, tuning_config=tuning,
    )  # fmt: skip
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(("channel_prompt_list", "patch_prompt_list")))
    nn.init.normal_(model.pos_embed, std=0.02)
    model.out_dim = ours.width
    return model.eval()
