"""The Nu Html Checker finds no error in any page: see tests/npm/package.json for its version."""

import json
import shutil
import subprocess

import pytest

from tests import every_page
from tests.browser.portal import ROOT
from tests.conftest import required
from tests.every_page import Page

CHECKER = ROOT / "tests" / "npm" / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
HTMX = r".*Attribute “hx-[a-z:-]+” not allowed.*"  # its attributes are no HTML, by design
# A partial, where htmx would put it.
AROUND = '<!doctype html><html lang="it"><title>{page.name}</title><body>{page.text}</body></html>'


pytestmark = pytest.mark.slow


@pytest.fixture
def checked(tmp_path):
    """`checked(pages)`: what the checker finds in them, as sentences."""
    if not shutil.which("java"):
        required("no Java: apt-get install default-jre-headless")
    if not CHECKER.exists():
        required("no HTML checker: apt-get install npm; make tests/npm/.installed")

    def _checked(pages):
        names = {}
        for number, page in enumerate(pages):
            path = tmp_path / f"{number}.html"
            path.write_text(AROUND.format(page=page) if page.is_partial else page.text)
            names[path.name] = page.name
        done = subprocess.run(
            ["java", "-jar", CHECKER, "--errors-only", "--format", "json",
             "--filterpattern", HTMX, *names],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
        found = json.loads(done.stderr)["messages"]
        return {told(names[each["url"].rpartition("/")[2]], each) for each in found}

    return _checked


def told(page, problem):
    return f"{page}: {problem['message']} {problem.get('extract', '')!r}"


def test_every_page(app, checked, sign_in, sign_in_operator):
    pages = [
        *every_page.strangers(app),
        *every_page.customers(app, sign_in),
        *every_page.entrance(app, sign_in_operator),
        *every_page.operators(app, sign_in_operator),
    ]
    assert not {page.name for page in pages if page.status >= 500}
    assert not checked(pages)


def test_the_checker_finds_what_is_wrong(checked):
    text = "<!doctype html><html lang='it'><title>Prova</title><p><img src=x></p></html>"
    (found,) = checked([Page("nobody", "GET", "/", False, 200, text)])
    assert found.startswith("nobody: GET /: An “img” element must have an “alt” attribute")
