"""The utility's colour, and variants of it that stay legible in light and dark."""

import colorsys
import re

INK = "#14202b"  # text on light surfaces
PAPER = "#ffffff"
BLACK = "#000000"
LIGHT_SURFACE = "#f1f4f7"  # the page in light mode, the darkest that links stand on
DARK_SURFACE = "#242d36"  # a row pointed at in dark mode, the lightest that links stand on
LEGIBLE = 4.5  # WCAG 2.2, 1.4.3: contrast of text, level AA


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


def legible(color, surface):
    """`color`, made lighter or darker no further than text on `surface` needs."""
    end = 1 if luminance(surface) < 0.18 else 0
    _hue, start, _saturation = colorsys.rgb_to_hls(*(value / 255 for value in channels(color)))
    variants = (lightened(color, start + (end - start) * step / 40) for step in range(1, 41))
    return next(variant for variant in (color, *variants) if contrast(variant, surface) >= LEGIBLE)


def ink_on(color):
    """The ink for text on `color`; one of white and black is always legible."""
    return next(ink for ink in (PAPER, INK, BLACK) if contrast(ink, color) >= LEGIBLE)


def stylesheet(color):
    """The CSS that lays the utility's `color` (`#rrggbb`) over the portal's own."""
    light, dark = legible(color, LIGHT_SURFACE), legible(color, DARK_SURFACE)
    return (
        f":root {{ --brand: {color}; --on-brand: {ink_on(color)}; --accent: {light}; "
        f"--on-accent: {ink_on(light)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; "
        f"--on-accent: {ink_on(dark)}; }} }}\n"
    )
