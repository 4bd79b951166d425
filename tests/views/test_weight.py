"""How many bytes a page costs a customer, as they travel: headers and compressed bodies."""

import random
import re

import pytest

from domain.formats.packed import pack
from domain.measures import count
from models import MeasuredDay
from tests.every_page import rich
from views.frame import MENU

FIRST = 60_000  # «Elenco fatture», the first time
LATER = 15_000  # whatever is opened next
CHART = 30_000  # what draws the curves, once
CHROME = {"Accept-Encoding": "gzip, deflate, br, zstd", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def owner(app):
    """With more than usual of each thing, and with days that are not alike."""
    owner = rich(app)
    arbitrary = random.Random(7)
    for row in MeasuredDay.select():
        row.values = pack([arbitrary.randrange(1500) for _quarter in range(count(row.day))])
        row.save()
    return owner


class Visit:
    """A browser that keeps what it may, and counts what it is sent."""

    def __init__(self, browser):
        self._browser = browser
        self._kept = set()

    def asked(self, path):
        """The bytes of `path` and of what it names, less what is kept from before."""
        page = self._browser.get(path, headers=CHROME)
        assert page.status_code == 200, path
        text = self._browser.get(path).text
        named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', text)) - self._kept
        self._kept |= named
        curves = [each.replace("&amp;", "&") for each in re.findall(r'data-curve="([^"]+)"', text)]
        fetched = [self._browser.get(each, headers=CHROME) for each in (*named, *curves)]
        return sum(map(weight, (page, *fetched)))


def weight(answer):
    assert answer.status_code == 200, answer.request.path
    return len(answer.data) + sum(len(name) + len(value) + 4 for name, value in answer.headers)


def test_the_first_visit_is_light(sign_in, owner):
    visit = Visit(sign_in(owner.account))
    assert visit.asked(f"/forniture/{owner.gas.code}/fatture?righe=100") < FIRST


def test_every_later_page_is_lighter(sign_in, owner):
    visit = Visit(sign_in(owner.account))
    visit.asked(f"/forniture/{owner.electricity.code}/fatture")
    measures = f"/forniture/{owner.electricity.code}/misure"
    assert visit.asked(measures) < LATER + CHART
    found = {
        f"{supply.service} {path}": visit.asked(f"/forniture/{supply.code}/{path}")
        for supply in (owner.electricity, owner.gas)
        for path, _label, _group in MENU
    }
    assert not {page: size for page, size in found.items() if size >= LATER}


def test_the_chart_comes_with_the_curves_alone(sign_in, owner):
    browser = sign_in(owner.account)
    pages = (
        browser.get(f"/forniture/{owner.electricity.code}/{path}").text for path, *_rest in MENU
    )
    assert sum("uPlot" in page for page in pages) == 1
