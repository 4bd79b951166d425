"""Whole numbers in few bytes: the first byte tells how many each takes, lowest byte first.

The quarter-hours of a household fit in one or two bytes each, those of a factory in four.
"""

import sys
from array import array

TYPES = {1: "B", 2: "H", 4: "I"}  # bytes for each number: array's name for them
HIGHEST = 256**4 - 1


def pack(values):
    """Numbers from 0 to HIGHEST as bytes; ValueError for any other."""
    for width, kind in TYPES.items():
        try:
            numbers = array(kind, values)
        except OverflowError:  # at the first that does not fit
            continue
        return bytes((width,)) + _little_endian(numbers).tobytes()
    raise ValueError(f"not from 0 to {HIGHEST}")


def unpack(content):
    """What `pack` was given, as a list."""
    values = array(TYPES[content[0]])
    values.frombytes(content[1:])
    return _little_endian(values).tolist()


def _little_endian(values):
    if sys.byteorder == "big":
        values.byteswap()
    return values
