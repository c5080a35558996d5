"""What can be chosen from: backbones, methods, presets."""

from dataclasses import dataclass

from workbench.config import Preset


@dataclass(frozen=True)
class BackboneChoice:
    """A backbone offered in the list."""

    name: str  # "sample", or a timm name with tag
    title: str
    parameters_millions: float
    image_size: int
    licence: str
    present: bool  # its weights are on this computer
    note: str = ""
    operations: float = 0.0  # of one picture's pass


@dataclass(frozen=True)
class MethodOffer:
    """A method offered in the list."""

    name: str
    title: str
    note: str = ""


@dataclass(frozen=True)
class BackboneFacts:
    """What is known of a backbone without loading it; numbers are 0 and texts "" where nothing is known."""

    name: str  # "sample", or a timm name with its tag
    title: str
    parameters: int
    image_size: int  # side of the square input, pixels
    patch_size: int  # pixels
    operations: float  # of one picture's pass, 2 for a multiply-add
    megabytes: int  # about what a download takes
    licence: str
    hub: str  # repository its weights come from; "" where they cannot be fetched
    note: str = ""
    listed: bool = False  # in the short list of the settings
    file: str = ""  # its weights on this computer
    sha256: str = ""  # of the file, recorded when it was downloaded

    @property
    def present(self) -> bool:
        """Whether its weights are on this computer."""
        return bool(self.file)

    @property
    def architecture(self) -> str:
        """The name without its tag."""
        return self.name.partition(".")[0]

    @property
    def tag(self) -> str:
        """Which weights they are, in timm's word."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class WeightsFile:
    """Weights that are on this computer and whole."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Choices:
    """What the settings offer."""

    backbones: tuple[BackboneChoice, ...]
    presets: tuple[Preset, ...]
    methods: tuple[MethodOffer, ...] = ()
