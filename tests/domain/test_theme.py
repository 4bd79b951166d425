import re
from pathlib import Path

import pytest

from domain import theme

COLORS = ["#0b5c8c", "#ffffff", "#000000", "#ffcc00", "#00b050", "#e4002b", "#808080", "#7f7fff"]
STYLE = Path(__file__).parent.parent.parent / "static" / "style.css"


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567", "#0b5c8c;}", None])
def test_only_six_digit_colours_are_taken(text):
    with pytest.raises((ValueError, TypeError)):
        theme.channels(text)


def test_contrast_is_that_of_the_guidelines():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("surface", ["#ffffff", "#e8ecf0", "#1d242c", "#2d3741"])
def test_every_colour_becomes_legible_on_every_surface_and_no_further(color, surface):
    used = theme.legible(color, surface)
    ratio = theme.contrast(used, surface)
    assert ratio >= 4.5
    assert used == color or ratio < 4.7


@pytest.mark.parametrize("color", COLORS)
def test_text_on_the_colours_is_legible(color):
    for scheme in theme.palette(color)[:2]:
        assert theme.contrast(scheme.on_brand, scheme.brand) >= 4.5
        assert theme.contrast(scheme.on_accent, scheme.accent) >= 4.5


def surfaces(mode):
    """What the accent stands on as text in style.css, in light or in dark mode."""
    light, rest = STYLE.read_text().split("@media (prefers-color-scheme: dark)", 1)
    dark = rest.partition("\n}\n")[0]
    names = "page|surface|surface-2|info-bg|wait-bg|off-bg"
    declared = re.findall(rf"--(?:{names}): (#\w+);", light if mode == "light" else dark)
    return [color if len(color) == 7 else "#" + "".join(2 * c for c in color[1:])
            for color in declared]  # fmt: skip


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_links_are_legible_on_all_that_they_stand_on(color, mode):
    accent = getattr(theme.palette(color), mode).accent
    on = surfaces(mode)
    assert len(on) == 6
    assert min(theme.contrast(accent, surface) for surface in on) >= 4.5


def test_a_legible_colour_stays_as_it_is():
    assert theme.legible("#0b5c8c", "#ffffff") == "#0b5c8c"


def test_one_colour_is_enough_for_all_and_its_variants_are_no_slip():
    palette = theme.palette(theme.OURS)
    assert palette.light.brand == palette.dark.brand == palette.light.accent == theme.OURS
    assert palette.light_slip is palette.dark_slip is None


def test_each_colour_may_be_chosen_by_itself():
    palette = theme.palette("#0f5132", "#b3005e", "#052e1a", "#ffb3da")
    assert (palette.light.brand, palette.light.accent) == ("#0f5132", "#b3005e")
    assert (palette.dark.brand, palette.dark.accent) == ("#052e1a", "#ffb3da")


def test_a_colour_unfit_for_links_is_told_with_what_is_used():
    light, dark = theme.palette("#0f5132", "#ffcc00", "", "#333333")[2:]
    assert (light.chosen, light.surface) == ("#ffcc00", theme.LIGHT_SURFACE)
    assert light.ratio == pytest.approx(1.27, abs=0.01)
    assert theme.contrast(light.used, light.surface) >= 4.5
    assert dark.chosen == "#333333"
    assert dark.used == "#9e9e9e"


def test_the_stylesheet_declares_the_colours_for_light_and_dark():
    css = theme.stylesheet(theme.palette("#0f5132", color_dark="#052e1a"))
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    assert "--brand: #0f5132; --on-brand: #ffffff; --accent: #0f5132;" in light
    assert "--brand: #052e1a;" in dark
