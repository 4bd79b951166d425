"""Passwords: how they are kept, and which are good enough."""

import threading
import time

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from domain import passwords
from tests.factories import PASSWORD, PASSWORD_HASH


def test_the_parameters_of_argon2_are_those_of_the_documents():
    kept = passwords.hashed(PASSWORD)
    for each in (kept, passwords._nobodys):
        found = extract_parameters(each)
        assert found.type is Type.ID
        assert (found.memory_cost, found.time_cost, found.parallelism) == (19456, 2, 1)


def test_a_password_matches_its_hash_and_no_other():
    assert passwords.matches(PASSWORD_HASH, PASSWORD)
    assert not passwords.matches(PASSWORD_HASH, PASSWORD + " ")
    assert not passwords.matches(PASSWORD_HASH, "")


def test_nobody_has_a_password():
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches(None, "the password of nobody")


def test_any_unicode_is_welcome_however_it_is_composed():
    kept = passwords.hashed("perché è così 🐝 Ångström")
    assert passwords.matches(kept, "perche\u0301 e\u0300 cosi\u0300 🐝 A\u030angstro\u0308m")


def test_one_hash_at_a_time(monkeypatch):
    running, most = [], []

    class Slow:
        def verify(self, _kept, _password):
            running.append(1)
            most.append(len(running))
            time.sleep(0.01)
            running.pop()
            return True

    monkeypatch.setattr(passwords, "_hasher", Slow())
    threads = [threading.Thread(target=passwords.matches, args=("x", "y")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


@pytest.mark.parametrize(
    "password",
    [
        "lampada fiume orologio tramonto",
        "Zx8!mQ2#vL5p",
        "però perciò quaggiù laggiù",
        "Ж" * 6 + "я7Щ!б2",
    ],
)
def test_good_passwords(app, password):
    passwords.check_strength(password, hints=["PROVA S.P.A.", None])


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "almeno 12"),
        ("Zx8!mQ2#vL5", "almeno 12"),
        ("x" * 201, "al massimo 200"),
        ("ﷺ" * 12, "al massimo 200"),  # 18 characters each, once composed
        (" " * 12, "facilmente"),
        ("!" * 12, "facilmente"),
        ("password1234", "facilmente"),
        ("rossi maria via 48124 rossi", "facilmente"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "facilmente"),
        ("qwertyuiop123", "facilmente"),
        ("Mariarossi1960", "facilmente"),
        ("cooperativa ravennate", "facilmente"),
        ("viaprovacinque48124", "facilmente"),
    ],
)
def test_weak_passwords(app, password, reason):
    hints = ["ROSSI MARIA", "cooperativa ravennate", "via prova cinque", "48124", None, ""]
    with pytest.raises(passwords.TooWeak, match=reason):
        passwords.check_strength(password, hints=hints)


def test_a_long_password_is_judged_by_its_beginning(app):
    passwords.check_strength("lampada fiume orologio tramonto " * 6, hints=[])
