"""The rooms of the house and the one-way arrows between them."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"app", "views", "domain", "jobs", "models", "forms", "tests"}
MAY_IMPORT = {
    "app.py": {"views", "domain", "models"},
    "views": {"views", "forms", "domain", "models"},
    "domain": {"domain", "models"},
    "jobs": {"jobs", "domain", "models"},
    "models.py": set(),
    "forms.py": set(),
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_run_one_way(room):
    place = ROOT / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        allowed = MAY_IMPORT[room] | ({"app"} if path.match("jobs/runner.py") else set())
        strangers = {name for name in imported(path) if name in OURS} - allowed
        assert not strangers, f"{path.relative_to(ROOT)} must not import {sorted(strangers)}"


def installed_with_the_portal():
    """The names of the libraries in requirements.txt, as PyPI compares them."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return {normal(line) for line in lines if line[:1].isalnum()}


def normal(name):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_every_library_that_is_imported_is_installed_with_the_portal(room):
    """Where the tests run there are more: see requirements-dev.txt."""
    known, providers = installed_with_the_portal(), packages_distributions()
    place = ROOT / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        for name in set(imported(path)) - OURS - set(sys.stdlib_module_names):
            assert known & set(map(normal, providers[name])), f"{path}: {name}"


def test_formats_know_nothing_of_tables():
    for path in sorted((ROOT / "domain" / "formats").rglob("*.py")):
        assert "models" not in set(imported(path)), path.name


def test_pages_build_no_queries():
    """They get rows, and look up one by its name."""
    for path in sorted((ROOT / "views").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "models":
                assert not {alias.name for alias in node.names} & {"Prepared", "PreparedUnder"}
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"select", "execute_sql"}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("room", ["domain", "models.py", "forms.py"])
def test_rules_know_no_request(room):
    place = ROOT / room
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "flask":
                names = {alias.name for alias in node.names}
                assert not names & {"request", "session", "flash", "g"}, path.name
