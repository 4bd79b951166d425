"""A few hostile inputs for every reader, writer and form, always the same; `make fuzz` has more."""

import pkgutil
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from werkzeug.datastructures import MultiDict

from domain import formats
from tests.fuzz import driven, readers, typed
from tests.fuzz.targets import FORMS, READERS, WRITERS

TARGETS = {target.name: target for target in (*READERS, *WRITERS, FORMS)}
ONCE_BROKEN = sorted(path for path in (Path(__file__).parents[1] / "files" / "fuzz").glob("*/*"))
USUAL = 25
FEWER = {"table": 12, "written-receipt": 0, "written-sheets": 8}  # they take longer


def test_every_format_has_its_target():
    there = {module.name for module in pkgutil.iter_modules(formats.__path__)}
    assert there == {target.name.removeprefix("written-") for target in (*READERS, *WRITERS)}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_valid_files_and_some_hostile_ones(target):
    for content in target.seeds:
        target.check_in_time(content)
    if examples := FEWER.get(target.name, USUAL):
        driven.drive(target, examples=examples)


@pytest.mark.parametrize("name", typed.FORMS)
def test_the_forms_begin_with_valid_ones(name):
    form = typed.FORMS[name]
    with typed.app.test_request_context(method="POST"):
        assert typed.filled(form, MultiDict(parse_qsl(typed.body_of(form)))).validate()


@pytest.mark.parametrize("path", ONCE_BROKEN, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_broke_once_breaks_no_more(path):
    TARGETS[path.parent.name].check_in_time(path.read_bytes())


@pytest.mark.parametrize("name", ["table", "fatturapa", "flusso_misure"])
def test_the_changes_begin_at_files_that_are_read(name, monkeypatch):
    refused = []
    monkeypatch.setattr(readers, "sentence", refused.append)
    for content in TARGETS[name].seeds:
        TARGETS[name].check_in_time(content)
    assert not refused
