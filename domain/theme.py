"""The utility's colours, and variants of them that stay legible in light and dark."""

import colorsys
import re
from typing import NamedTuple

OURS = "#0b5c8c"  # where the utility has chosen none
INK = "#14202b"  # text on light surfaces
PAPER = "#ffffff"
BLACK = "#000000"
# Of style.css, what links and the focus ring stand on: a document pointed at, the darkest in
# light mode and the lightest in dark mode.
LIGHT_SURFACE = "#e8ecf0"
DARK_SURFACE = "#2d3741"
LEGIBLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text, level AA; what is no text needs 3 (1.4.11)
AT_EASE = 7  # of what follows from a dark colour in dark mode: 4.5 of a grey looks switched off
HALVINGS = 12  # of the way to white or black: finer than a step of a channel


class Scheme(NamedTuple):
    """The header and the ink on it; links, buttons and the focus ring, and the ink on those."""

    brand: str
    on_brand: str
    accent: str
    on_accent: str


class Slip(NamedTuple):
    """A colour that was chosen for links, too near to what they stand on, and what is used."""

    chosen: str
    surface: str
    used: str

    @property
    def ratio(self):
        return contrast(self.chosen, self.surface)


class Palette(NamedTuple):
    """A Scheme each for light and dark; the Slip of each, or None."""

    light: Scheme
    dark: Scheme
    light_slip: Slip | None
    dark_slip: Slip | None


def palette(color, accent="", color_dark="", accent_dark=""):
    """The Palette of the utility's colours (`#rrggbb`); what is empty follows from the others.

    A variant that was not chosen for a surface is no slip.
    """
    light, light_slip = _accent(accent or color, LIGHT_SURFACE)
    if accent_dark:
        dark, dark_slip = _accent(accent_dark, DARK_SURFACE)
    else:
        dark, dark_slip = legible(accent or color_dark or color, DARK_SURFACE, AT_EASE), None
    return Palette(_scheme(color, light), _scheme(color_dark or color, dark), light_slip, dark_slip)


def _accent(chosen, surface):
    used = legible(chosen, surface)
    return used, None if used == chosen else Slip(chosen, surface, used)


def _scheme(brand, accent):
    return Scheme(brand, ink_on(brand), accent, ink_on(accent))


def channels(color):
    """(red, green, blue), 0 to 255, of `#rrggbb`; ValueError for anything else."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError(f"not a #rrggbb colour: {color!r}")
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def luminance(color):
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in channels(color))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lightened(color, lightness):
    """`color` with another HLS lightness, 0 (black) to 1 (white): the hue stays."""
    hue, _lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in channels(color)))
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def legible(color, surface, least=LEGIBLE):
    """`color`, made lighter or darker no further than a contrast of `least` on `surface` needs."""
    if contrast(color, surface) >= least:
        return color
    _hue, short, _saturation = colorsys.rgb_to_hls(*(value / 255 for value in channels(color)))
    enough = 1 if luminance(surface) < 0.18 else 0
    for _half in range(HALVINGS):
        middle = (short + enough) / 2
        if contrast(lightened(color, middle), surface) >= least:
            enough = middle
        else:
            short = middle
    return lightened(color, enough)


def ink_on(color):
    """The ink for text on `color`; one of white and black is always legible."""
    return next(ink for ink in (PAPER, INK, BLACK) if contrast(ink, color) >= LEGIBLE)


def stylesheet(palette):
    """The CSS that lays the utility's colours over the portal's own."""
    light, dark = (_declared(scheme) for scheme in (palette.light, palette.dark))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _declared(scheme):
    names = (f"--{name.replace('_', '-')}" for name in Scheme._fields)
    return " ".join(f"{name}: {value};" for name, value in zip(names, scheme, strict=True))
