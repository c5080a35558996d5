"""A backbone's name taken apart: architecture, tag, and arguments that shape the model."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import timm

from workbench.errors import UsageError, nearest

RANDOM = "random:"
# Arguments a name may carry: those that shape the model, none that reads files or the network.
_ARGUMENTS = frozenset({
    "img_size", "patch_size", "depth", "embed_dim", "num_heads", "mlp_ratio", "init_values", "global_pool",
    "class_token", "reg_tokens", "no_embed_class", "fc_norm", "pre_norm", "qkv_bias",
})  # fmt: skip
# The most a name may ask for, far above every model there is: a name may come from a stranger's card.
_MOST = {"depth": 200, "seed": 2**53}
_MOST_OTHERS = 16_384


@dataclass(frozen=True)
class Name:
    """A backbone's name taken apart; `tag` is "" where none was given."""

    whole: str
    architecture: str
    tag: str
    kwargs: dict[str, Any]

    @property
    def tagged(self) -> str:
        """Architecture and tag, as timm names weights."""
        return f"{self.architecture}.{self.tag}" if self.tag else self.architecture


def parse_name(whole: str, text: str) -> Name:
    """Take `text` apart, which is the name `whole` without its beginning "random:".

    Raises:
        UsageError: timm has no such architecture or weights, or an argument cannot be set.
    """
    tagged, _, query = text.partition("?")
    architecture, _, tag = tagged.partition(".")
    if not timm.is_model(architecture):
        plain = timm.list_models(module="vision_transformer") + timm.list_models(module="deit")
        raise UsageError(f"The backbone {whole!r} is not known.{nearest(architecture, plain)}")
    known = _tags(architecture)
    if tag and tag not in known:
        close = nearest(tagged, [f"{architecture}.{one}" for one in known])
        raise UsageError(f"The backbone {whole!r} is not known: timm has no such weights.{close}")
    return Name(whole, architecture, tag, _arguments(whole, query))


def _arguments(whole: str, query: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, strict_parsing=True) if query else []
    except ValueError as error:
        raise UsageError(
            f"The backbone {whole!r}: after '?' come arguments such as img_size=224&depth=6."
        ) from error
    known = _ARGUMENTS | ({"seed"} if whole.startswith(RANDOM) else frozenset())
    for key, _ in pairs:
        if key not in known:
            raise UsageError(f"The backbone {whole!r}: {key!r} cannot be set.{nearest(key, known)}")
    values = {key: _value(value) for key, value in pairs}
    for key, value in values.items():
        most = _MOST.get(key, _MOST_OTHERS)
        if isinstance(value, (int, float)) and not 0 <= value <= most:
            raise UsageError(f"The backbone {whole!r}: {key} is from 0 to {most:,}, not {value}.")
    return values


def _value(text: str) -> Any:
    """Return a whole number, a number, true or false, or the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.lower(), text)


def _tags(architecture: str) -> list[str]:
    prefix = f"{architecture}."
    return [name.removeprefix(prefix) for name in timm.list_pretrained(f"{prefix}*")]


def which_tag(name: Name) -> str:
    """Return what to say where the tag is missing."""
    known = [f"{name.architecture}.{tag}" for tag in _tags(name.architecture)]
    if not known:
        return f"timm has no weights for {name.architecture!r}. Choose a weights file for it."
    return (
        f"The backbone {name.architecture!r} exists with several weights; name them by their tag: "
        f"{', '.join(known)}."
    )
