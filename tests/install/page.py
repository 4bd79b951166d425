"""The commands that a page of docs/ tells to give, in order."""

import re
from typing import NamedTuple

FENCE = re.compile(r"^```sh(?: (?P<where>[\w-]+))?\n(?P<text>.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """Some lines of shell. `where` is empty, or what they need that not every machine has."""

    line: int
    where: str
    text: str


def blocks(page):
    """The Blocks of a page; what is fenced otherwise is no command."""
    return [
        Block(page.count("\n", 0, found.start()) + 1, found["where"] or "", found["text"])
        for found in FENCE.finditer(page)
    ]
