"""Which release of the portal this is. Only here: pyproject.toml and the desk read it."""

VERSION = "0.2.0.dev0"
