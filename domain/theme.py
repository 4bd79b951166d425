"""The utility's colour, and variants of it that stay legible in light and dark."""

import re

INK = "#14202b"  # text on light surfaces
PAPER = "#ffffff"
BLACK = "#000000"
DARK_SURFACE = "#1d242c"  # cards in dark mode, as in static/style.css
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


def blend(color, towards, share):
    """`color` moved `share` (0 to 1) of the way `towards` another."""
    mixed = (
        round(a + (b - a) * share) for a, b in zip(channels(color), channels(towards), strict=True)
    )
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def legible(color, surface):
    """`color`, moved towards black or white no further than text on `surface` needs."""
    towards = PAPER if luminance(surface) < 0.18 else BLACK
    for twentieth in range(21):
        variant = blend(color, towards, twentieth / 20)
        if contrast(variant, surface) >= LEGIBLE:
            return variant
    return towards


def ink_on(color):
    """The ink for text on `color`; one of white and black is always legible."""
    return next(ink for ink in (PAPER, INK, BLACK) if contrast(ink, color) >= LEGIBLE)


def stylesheet(color):
    """The CSS that lays the utility's `color` (`#rrggbb`) over the portal's own."""
    light = legible(color, "#f1f4f7")
    dark = legible(color, blend(DARK_SURFACE, PAPER, 0.06))
    return (
        f":root {{ --brand: {color}; --on-brand: {ink_on(color)}; --accent: {light}; "
        f"--on-accent: {ink_on(light)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; "
        f"--on-accent: {ink_on(dark)}; }} }}\n"
    )
