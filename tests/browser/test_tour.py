"""Every page in every browser, on the telephone and at the desk, and nothing goes wrong."""

import pytest

import models
from tests import every_page
from tests.browser.conftest import BROWSERS, SIZES, enter
from tests.factories import make_operator

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
in_each_browser = pytest.mark.parametrize(
    ("browser", "size"), [(browser, size) for browser in BROWSERS for size in SIZES]
)


@pytest.fixture
def owner(app):
    return every_page.rich(app)


def check_tour(page, portal, pages):
    """Have `page`, which is signed in, open the addresses of `pages`."""
    found = [each.path for each in pages if each.status == 200 and not each.is_partial]
    assert len(found) > 30
    too_wide = []
    for path in found:
        page.goto(path, wait_until="networkidle" if path.endswith("/misure") else "load")
        assert page.url == portal.address + path
        if page.evaluate(TOO_WIDE):
            too_wide.append(path)
    assert not too_wide


@in_each_browser
def test_a_customers_tour(open_browser, portal, app, owner, sign_in, size):
    customer = sign_in(owner.account)
    page = enter(open_browser(viewport=SIZES[size]), portal, customer)
    check_tour(page, portal, every_page.of_customer(app, owner, customer, "GET"))


@in_each_browser
def test_an_operators_tour(open_browser, portal, app, owner, sign_in_operator, size):
    operator = sign_in_operator(make_operator("administrator"))
    page = enter(open_browser(viewport=SIZES[size]), portal, operator)
    check_tour(page, portal, every_page.of_desk(app, owner, operator))


BROKEN_WORDS = """() => {
  const broken = [];
  for (const badge of document.querySelectorAll(".badge-state")) {
    const text = badge.firstChild, range = document.createRange();
    for (const word of text.data.matchAll(/\\S+/g)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
WITH_BADGES = ("prelievi", "fatture", "ticket", "autolettura", "deleghe")


def test_german_words_stay_whole_on_the_telephone(
    open_browser, portal, app, owner, sign_in, sign_in_operator
):
    """They are the longest: a state in a small card is read at a glance, or it says nothing."""
    with app.app_context(), models.writing():
        owner.account.language = "de"
        owner.account.save()
        operator = make_operator("administrator", language="de")
    page = enter(open_browser(viewport=SIZES["phone"]), portal, sign_in(owner.account))
    here = f"/forniture/{owner.gas.code}"
    check_badges(page, [f"{here}/{name}" for name in WITH_BADGES])
    page = enter(open_browser(viewport=SIZES["phone"]), portal, sign_in_operator(operator))
    check_badges(page, [f"/staff{name}" for name in ("", "/posta", "/autoletture", "/documenti")])


def check_badges(page, paths):
    broken, too_wide = {}, []
    for path in paths:
        page.goto(path)
        assert page.get_attribute("html", "lang") == "de"
        if found := page.evaluate(BROKEN_WORDS):
            broken[path] = found
        if page.evaluate(TOO_WIDE):
            too_wide.append(path)
    assert (broken, too_wide) == ({}, [])
