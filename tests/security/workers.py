"""A worker process of the portal, for tests of what all workers share."""

import os
import threading

from app import create_app
from domain import passwords


def guess(settings, usernames, address, start, answers, tally):
    """Try a login for each of `usernames`, all at once, when every process is ready.

    Puts the list of statuses in the queue `answers`, and appends a byte to the file
    `tally` at each call of Argon2.
    """
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = app.config["MAIL_IN_BACKGROUND"] = False
    passwords._hasher = Tallying(passwords._hasher, tally)
    statuses = []
    together = threading.Barrier(len(usernames) + 1)

    def attempt(username):
        browser = app.test_client()
        browser.environ_base["REMOTE_ADDR"] = address
        together.wait()
        answer = browser.post("/login", data={"username": username, "password": "Estate2026!!"})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=attempt, args=(each,)) for each in usernames]
    for thread in threads:
        thread.start()
    start.wait()
    together.wait()
    for thread in threads:
        thread.join()
    answers.put(statuses)


class Tallying:
    def __init__(self, hasher, tally):
        self._hasher, self._tally = hasher, tally

    def verify(self, kept, password):
        file = os.open(self._tally, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, b".")
        os.close(file)
        return self._hasher.verify(kept, password)
