"""Pages as tests ask for them and read them."""

import re

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}  # what htmx says of a table


def text_of(html):
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
