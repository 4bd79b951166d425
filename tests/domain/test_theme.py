import pytest

from domain import theme

COLORS = ["#0b5c8c", "#ffffff", "#000000", "#ffcc00", "#00b050", "#e4002b", "#808080", "#7f7fff"]


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567", "#0b5c8c;}", None])
def test_only_six_digit_colours_are_taken(text):
    with pytest.raises((ValueError, TypeError)):
        theme.stylesheet(text)


def test_contrast_is_that_of_the_guidelines():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("surface", ["#ffffff", "#f1f4f7", "#1d242c", "#13181e"])
def test_every_colour_becomes_legible_on_every_surface(color, surface):
    assert theme.contrast(theme.legible(color, surface), surface) >= 4.5


@pytest.mark.parametrize("color", COLORS)
def test_text_on_the_colours_is_legible(color):
    assert theme.contrast(theme.ink_on(color), color) >= 4.5


def test_a_legible_colour_stays_as_it_is():
    assert theme.legible("#0b5c8c", "#ffffff") == "#0b5c8c"
