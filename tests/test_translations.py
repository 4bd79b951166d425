"""The catalogues: every text in every language, with the same places to fill in."""

import re

import pytest

from tests import catalogues
from tests.catalogues import TRANSLATED, strings

PLACE = re.compile(r"%\((\w+)\)([sd])|%(%)|\{(\w*)\}")


@pytest.fixture(scope="module")
def source():
    return catalogues.source()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_no_other(source, language):
    """If this fails: `make translations`, then write what is missing in translations/."""
    translated = catalogues.read(language)
    wanted = {message.id for message in source if message.id}
    known = {message.id for message in translated if message.id}
    assert wanted - known == set(), "new texts: make translations"
    assert known - wanted == set(), "texts that nothing says any more: make translations"
    assert not translated.obsolete
    messages = [message for message in translated if message.id]
    assert [message.id for message in messages if not all(strings(message))] == []
    assert [message.id for message in messages if message.fuzzy] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_places_of_the_source(language):
    wrong = []
    for message in catalogues.read(language):
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        for original, text in zip(originals, strings(message), strict=True):
            if message.id and text and places(original) != places(text):
                wrong.append((original, text))
    assert wrong == []


def places(text):
    """What is filled in, in any order; a text that counts may leave out its number."""
    return {found for found in PLACE.findall(text) if found[0] != "num"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_begin_and_end_like_the_source(language):
    """Texts are joined to others: a blank that is lost joins words."""
    wrong = [
        message.id
        for message in catalogues.read(language)
        if message.id
        for original in [message.id if isinstance(message.id, str) else message.id[0]]
        for text in strings(message)[:1]
        if text and (ends(original) != ends(text) or ("\n" in original) != ("\n" in text))
    ]
    assert wrong == []


def ends(text):
    return text[:1].isspace(), text[-1:].isspace()


@pytest.mark.parametrize(("language", "foreign"), [("de", "“”„"), ("en", "«»„")])
def test_a_language_has_one_kind_of_quotation_marks(language, foreign):
    texts = [text for message in catalogues.read(language) for text in strings(message)]
    assert [text for text in texts if set(text) & set(foreign)] == []


def test_english_mails_begin_with_a_capital_letter():
    """After «Buongiorno,» Italian and German go on; after “Hello,” a sentence begins."""
    begun = [
        text
        for message in catalogues.read("en")
        for original in [message.id if isinstance(message.id, str) else message.id[0]]
        for text in strings(message)
        if str(original).startswith(("il %(day)s ", "la delega di "))
    ]
    assert len(begun) > 10
    assert [text for text in begun if not text[0].isupper()] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogues_count_like_italian(language):
    """`domain.language.counted` knows one rule."""
    catalogue = catalogues.read(language)
    assert catalogue.num_plurals == 2
    assert catalogue.plural_expr == "(n != 1)"


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_a_text_calls_by_name_has_that_name(language):
    """«Elenco fatture» in a sentence is what the menu says in that language."""
    known = {
        message.id: message.string
        for message in catalogues.read(language)
        if isinstance(message.id, str) and message.id
    }
    wrong = [
        (text, label)
        for text, translation in known.items()
        for label in re.findall(r"«([^»]+)»", text)
        if label in known and known[label].lower() not in translation.lower()
    ]
    assert wrong == []
