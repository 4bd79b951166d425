"""Passwords of one's own: what is strong enough, and how they are kept.

Argon2id with the parameters that OWASP gives as its minimum. One hash at a time in each
process: a burst of logins waits its turn instead of taking all memory.
"""

import re
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask_babel import gettext as _

from domain.errors import Refused

SHORTEST, LONGEST = 12, 200
WEAKEST = 3  # zxcvbn's score, 0 to 4
JUDGED = 72  # characters that zxcvbn looks at; it takes no more

_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)
_one_at_a_time = threading.Lock()
_nobodys = _hasher.hash("the password of nobody")


class TooWeak(Refused):
    """A new password that is too short, too long or easily guessed."""


def hashed(password):
    """The text to keep instead of `password`."""
    with _one_at_a_time:
        return _hasher.hash(_plain(password))


def matches(kept, password):
    """Whether `password` is the one behind `kept`; costs the same where `kept` is None."""
    with _one_at_a_time:
        try:
            right = _hasher.verify(kept or _nobodys, _plain(password))
        except VerificationError:
            return False
    return right and kept is not None


def check_strength(password, *, hints):
    """Raise TooWeak with the reason unless `password` is good enough.

    `hints` are the words that others could guess: the customer's name, codes, address.
    """
    from zxcvbn import zxcvbn  # only here: its lists of words take 12 MB

    plain = _plain(password)
    if len(plain) < SHORTEST:
        raise TooWeak(_("La password deve avere almeno %(n)s caratteri.", n=SHORTEST))
    if len(plain) > LONGEST:
        raise TooWeak(_("La password può avere al massimo %(n)s caratteri.", n=LONGEST))
    words = sorted({word for hint in hints if hint for word in _guesses(hint)})
    with _one_at_a_time:  # zxcvbn keeps the hints in a global while it works
        score = min(
            zxcvbn(each[:JUDGED], user_inputs=words)["score"] if each else 0
            for each in (plain, _without(words, plain))
        )
    if score < WEAKEST:
        raise TooWeak(
            _(
                "Questa password si indovina facilmente. Sceglierne una senza nomi, date e "
                "codici propri: vanno bene quattro o cinque parole a caso, con gli spazi."
            )
        )


def _guesses(hint):
    """`hint`, its words, and these run together from either end: ROSSI MARIA, mariarossi."""
    words = re.findall(r"\w+", hint)
    return hint, *words, "".join(words), "".join(reversed(words))


def _without(words, plain):
    """What is left of `plain` without `words` and blanks: a row of own names adds nothing."""
    longest_first = sorted((word for word in words if len(word) > 2), key=len, reverse=True)
    own = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
    return "".join(own.sub("", plain).split())


def _plain(password):
    """The same characters however the keyboard composed them."""
    return unicodedata.normalize("NFKC", password)
