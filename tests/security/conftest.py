"""Browsers at chosen addresses, and counters of what attacks must not cost."""

import pytest

from domain import credentials, passwords
from domain.clock import utcnow


@pytest.fixture
def browser_at(app):
    """`browser_at(address)`: a new browser whose requests come from there."""

    def _browser_at(address):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = address
        return browser

    return _browser_at


@pytest.fixture
def secret_of(app):
    """`secret_of(account)`: the secret of a mail that account just got."""

    def _secret_of(account, lifetime=credentials.RECOVERY):
        key = credentials.key(app.secret_key)
        return credentials.issue(account, now=utcnow(), key=key, lifetime=lifetime)

    return _secret_of


class Counting:
    """Passes on to a PasswordHasher and lists what it was asked for."""

    def __init__(self, hasher):
        self._hasher = hasher
        self.calls = []

    def hash(self, password):
        self.calls.append("hash")
        return self._hasher.hash(password)

    def verify(self, kept, password):
        self.calls.append("verify")
        return self._hasher.verify(kept, password)


@pytest.fixture
def argon2_calls(monkeypatch):
    """What reaches Argon2, in order."""
    counting = Counting(passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", counting)
    return counting.calls


@pytest.fixture
def with_csrf(app):
    """As in production, where every unsafe request needs its token."""
    app.config["WTF_CSRF_ENABLED"] = True
