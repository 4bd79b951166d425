"""`make guide`: the guide as pages of the portal and as PDF.

    python -m tests.guide [--into FOLDER]

docs/guida/ becomes templates/guide/; then the PDF are printed with the settings of this portal,
from the environment and from .env: name, colours, logo, contacts, words of one's own.
"""

import argparse
from pathlib import Path

from tests.guide import rendering

PRINTED = rendering.ROOT / "guida"


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.guide",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--into", type=Path, default=PRINTED, help="folder of the PDF: guida/")
    folder = parser.parse_args().into
    rendering.write()
    from tests.guide import printing  # it reads what was written just now

    for path in printing.write(folder):
        print(f"{path} ({path.stat().st_size // 1000} kB)")


if __name__ == "__main__":
    main()
