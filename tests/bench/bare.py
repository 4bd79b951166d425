"""The anchor: a Flask route that returns as many bytes as it is told, and nothing else."""

import os

from flask import Flask


def create_app():
    app = Flask(__name__)
    body = {size: "x" * int(size) for size in os.environ["BARE_SIZES"].split(",")}

    @app.get("/<size>")
    def answer(size):
        return body[size]

    return app
