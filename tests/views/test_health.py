"""What monitoring and a load balancer ask: whether the portal lives, and whether it can serve."""

import pytest

import models
from domain import connections, schema
from tests.factories import make_account

UNREACHABLE = ["sqlite:////non/esiste/portale.db", "postgresql://nessuno@127.0.0.1:1/portale"]


@pytest.fixture
def unreachable(app, request):
    """An archive that does not answer; the real one is back afterwards."""
    archive = models.db.obj
    connections.connect(request.param)
    yield
    models.db.initialize(archive)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_all_is_well(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_whether_it_lives_asks_nothing_of_the_archive(app, sign_in, count_queries):
    browser = sign_in(make_account())
    with count_queries() as queries:
        assert browser.get("/health").status_code == 200
    assert queries == []


@pytest.mark.parametrize("unreachable", UNREACHABLE, indirect=True)
def test_without_its_archive_it_lives_but_is_not_ready(client, unreachable):
    assert client.get("/health").status_code == 200
    answer = client.get("/ready")
    assert (answer.status_code, answer.text) == (503, "archivio non raggiungibile\n")


def test_what_is_no_archive_is_not_ready(client, tmp_path):
    archive = models.db.obj
    (tmp_path / "altro.db").write_bytes(b"un altro file, che archivio non lo e'" * 100)
    connections.connect(f"sqlite:///{tmp_path / 'altro.db'}")
    try:
        assert client.get("/ready").status_code == 503
    finally:
        models.db.initialize(archive)


def test_before_the_tables_are_those_of_this_release_it_is_not_ready(client):
    last = schema.applied()[-1]
    models.db.execute_sql(f"DELETE FROM schema_migration WHERE name = '{last}'")
    try:
        answer = client.get("/ready")
    finally:
        models.db.execute_sql(
            f"INSERT INTO schema_migration (name, applied) VALUES ('{last}', '2026-01-01')"
        )
    assert answer.status_code == 503
    assert "jobs.migrate" in answer.text
    assert client.get("/ready").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready"])
@pytest.mark.parametrize("host", ["10.0.0.11:8000", "[::1]:8000", "altro.example", "", "a b/c"])
def test_who_asks_by_address_or_by_any_name_is_answered(client, path, host):
    assert client.get(path, headers={"Host": host}).status_code == 200
    if host != "[::1]:8000":  # localhost, as the portal of these tests is called
        assert client.get("/login", headers={"Host": host}).status_code == 400


def test_they_are_only_asked(client):
    assert client.post("/health").status_code == 405
    assert client.head("/ready").status_code == 200
