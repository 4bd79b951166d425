"""Make .venv with pip in it, also where Debian's python3-venv is not installed.

    python3 deploy/make_venv.py

Debian and Ubuntu ship Python without `ensurepip`; there pip itself is fetched from PyPI,
one pinned file whose bytes are checked, so that Python and make are all one needs.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.request

PIP_ADDRESS = (
    "https://files.pythonhosted.org/packages/07/25/"
    "ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337/pip-26.3-py3-none-any.whl"
)
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
VENV = ".venv"


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 - it is here that one finds out
        sys.exit(
            f"Serve Python 3.11 o successivo; questo è {sys.version.split()[0]}. "
            "Se ne è installato un altro: make PYTHON=python3.12 …"
        )
    if importlib.util.find_spec("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV], check=True)
    try:
        install_pip()
    except (OSError, ValueError, subprocess.CalledProcessError) as problem:
        sys.exit(
            f"Non è stato possibile scaricare pip ({problem}). Si può installare con "
            "«sudo apt-get install python3-venv»; poi ripetere il comando."
        )


def install_pip():
    """Put pip into the new environment, running it from its own wheel."""
    with urllib.request.urlopen(PIP_ADDRESS, timeout=60) as response:
        wheel = response.read()
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        raise ValueError("il file ricevuto non è quello atteso")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, os.path.basename(PIP_ADDRESS))
        with open(path, "wb") as file:
            file.write(wheel)
        subprocess.run(
            [f"{VENV}/bin/python", f"{path}/pip", "install", "-q", "--no-index", path],
            check=True,
        )


if __name__ == "__main__":
    main()
