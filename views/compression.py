"""Pages go out compressed, unless another site may have asked for them.

The length of a compressed page tells whoever listens on the network how much of what he made
the browser ask is repeated in it, token after token (BREACH). For that he needs a site of his
own that makes the customer's browser ask: those requests, and all that follow from their
redirects, carry another `Sec-Fetch-Site`, and so do not get a compressed answer.
"""

import zlib

from flask import request

OWN = {"same-origin", "none"}  # "none": typed, or from the bookmarks
DECIDED_BY = ("Accept-Encoding", "Sec-Fetch-Site")  # the `Vary` of what may be kept on its way
KINDS = {"text/html", "application/json"}
LEAST = 1000  # bytes; less is sent in one packet anyway
LEVEL = 1  # a sixth more than the best, in a third of the time
GZIP = zlib.MAX_WBITS | 16


def init_app(app):
    app.after_request(compress)


def compress(response):
    """Compress what was made at once. No `Vary`: what may be kept on its way has it already."""
    if (
        request.headers.get("Sec-Fetch-Site") in OWN
        and response.is_sequence
        and response.mimetype in KINDS
        and takes_gzip()
    ):
        content = response.get_data()
        if len(content) >= LEAST:
            packer = zlib.compressobj(LEVEL, wbits=GZIP)
            response.set_data(packer.compress(content) + packer.flush())
            response.content_encoding = "gzip"
    return response


def takes_gzip():
    return request.accept_encodings.quality("gzip") > 0
