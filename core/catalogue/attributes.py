"""What people say of a part instead of its name: brand, size, type, channels, watts, price."""

import re
from dataclasses import dataclass, fields
from enum import StrEnum

from core.money import Money

_NUMBER = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,2})?")


class PartType(StrEnum):
    """What kind of thing a part is within its category; docs/catalogue.md explains each to the owner."""

    COAXIAL = "coaxial"
    COMPONENT = "component"
    COMPONENT_3WAY = "component-3way"
    MIDBASS = "midbass"
    MIDRANGE = "midrange"
    TWEETER = "tweeter"
    FULL_RANGE = "full-range"
    AMPLIFIER = "amplifier"
    """For speakers, of two channels or more."""
    MONOBLOCK = "monoblock"
    """An amplifier for a subwoofer."""
    PASSIVE = "passive"
    """A subwoofer that needs a box and an amplifier."""
    BOXED = "boxed"
    """A subwoofer in its box that needs an amplifier."""
    UNDERSEAT = "underseat"
    """A flat subwoofer with an amplifier inside ("kolong")."""
    ANDROID = "android"
    TOUCHSCREEN = "touchscreen"
    """Another head unit that is all screen."""
    SINGLE_DIN = "1din"
    DOUBLE_DIN = "2din"
    POWER_CABLE = "power-cable"
    RCA_CABLE = "rca-cable"
    SPEAKER_CABLE = "speaker-cable"
    REAR_CAMERA = "rear-camera"
    CAMERA_360 = "camera-360"
    DASHCAM = "dashcam"
    STEERING_REMOTE = "steering-remote"
    DAMPING = "damping"
    FRAME = "frame"
    SPEAKER_RING = "speaker-ring"
    SOCKET = "socket"
    """Connects a head unit without cutting the car's cables."""
    DSP = "dsp"
    CAPACITOR = "capacitor"
    STABILIZER = "stabilizer"
    BOX = "box"
    """An empty box for a subwoofer."""
    BATTERY = "battery"
    ALARM = "alarm"


class Rank(StrEnum):
    """Which of several is wanted first."""

    CHEAPEST = "cheapest"
    BEST = "best"
    """See `core.catalogue.advice.quality`: facts of the catalogue, not an opinion."""
    DEAREST = "dearest"


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a wanted part is like; None: any."""

    brand: str | None = None
    """As the catalogue spells it."""
    size: str | None = None
    """Inches as `inches` writes them: "6.5", "6x9", "12"."""
    type: PartType | None = None
    channels: int | None = None
    watts: int | None = None
    """RMS, of one channel; at least so many."""
    price_max: Money | None = None
    price_min: Money | None = None
    order: Rank | None = None

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return any(getattr(self, each.name) is not None for each in fields(self))


def inches(text: str) -> str | None:
    """A size as it is stored: "6.5" of '6,5"', "6x9" of "6 x 9 inci"; None for what is no size."""
    plain = re.sub(r"\s|\"|''|”|inci|inchi|inches|inch|in$", "", text.casefold()).replace(",", ".").replace("×", "x")
    sides = plain.split("x")
    if len(sides) > 2 or not all(_NUMBER.fullmatch(side) and float(side) for side in sides):
        return None
    return "x".join(f"{float(side):g}" for side in sides)
