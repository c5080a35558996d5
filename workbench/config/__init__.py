"""What a run is asked: frozen dataclasses whose fields carry help, range and choices.

The settings form, the command line's `--set section.key=value`, the TOML file and the log's row
are all made from these fields. A field is read, never written: `with_values` returns a new one.
Order of precedence: default < preset < what the user set.
"""

from workbench.config.fields import (
    FROM_PROFILE,
    DataConfig,
    MethodConfig,
    ModelConfig,
    MonitorConfig,
    RunConfig,
    SeedConfig,
    SwitchConfig,
    TrainConfig,
)
from workbench.config.file import as_command, command_words, load_config, save_config
from workbench.config.folders import ExtraFolder, TaskFolder
from workbench.config.values import (
    Preset,
    check,
    effective_switches,
    from_dict,
    parse_assignment,
    preset,
    preset_names,
    problem_with,
    read_toml,
    settings_of,
    to_dict,
    to_toml,
    with_values,
)

__all__ = [
    "FROM_PROFILE",
    "DataConfig",
    "ExtraFolder",
    "MethodConfig",
    "ModelConfig",
    "MonitorConfig",
    "Preset",
    "RunConfig",
    "SeedConfig",
    "SwitchConfig",
    "TaskFolder",
    "TrainConfig",
    "as_command",
    "check",
    "command_words",
    "effective_switches",
    "from_dict",
    "load_config",
    "parse_assignment",
    "preset",
    "preset_names",
    "problem_with",
    "read_toml",
    "save_config",
    "settings_of",
    "to_dict",
    "to_toml",
    "with_values",
]
