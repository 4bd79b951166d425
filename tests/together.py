"""Several things at the same moment."""

import threading
from contextlib import nullcontext

from flask import current_app

from domain.errors import Refused
from models import db


def at_once(*calls):
    """Run `calls` in threads that start together; return what each returned or was refused with.

    Any other error of theirs is raised here.
    """
    app = current_app._get_current_object() if current_app else None
    barrier = threading.Barrier(len(calls))
    results, errors = [None] * len(calls), []

    def one(place, call):
        barrier.wait()
        try:
            with app.app_context() if app else nullcontext():
                results[place] = call()
        except Refused as refusal:
            results[place] = refusal
        except Exception as error:
            errors.append(error)
        finally:
            if not db.is_closed():
                db.close()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise ExceptionGroup("at once", errors)
    return results
