"""All kinds of malformed inputs, each with its share of the examples."""

from tests.reliability.bundled import bundles, kept_files
from tests.reliability.checkpoints import checkpoints
from tests.reliability.pictures import folder_names, pictures
from tests.reliability.sandbox import Kind
from tests.reliability.texts import (
    assignments,
    configurations,
    events,
    filters,
    studies,
    toml_files,
)
from tests.reliability.weights import adapters, backbone_names, weight_files

# Kind, and its share of all examples: those that build a network or open a log cost more.
KINDS_OF_INPUT: dict[str, tuple[Kind, float]] = {
    "configurations": (configurations, 0.14),
    "words after --set": (assignments, 0.08),
    "TOML files": (toml_files, 0.06),
    "studies": (studies, 0.04),
    "filters": (filters, 0.12),
    "events": (events, 0.13),
    "picture files": (pictures, 0.10),
    "adapter files": (adapters, 0.08),
    "checkpoint files": (checkpoints, 0.04),
    "weights files": (weight_files, 0.04),
    "names of backbones": (backbone_names, 0.03),
    "bundles": (bundles, 0.06),
    "names of folders": (folder_names, 0.03),
    "files beside the log": (kept_files, 0.05),
}
