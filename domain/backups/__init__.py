"""Copies of the archive and of its documents, made while the portal is in use.

A copy is a folder named after the instant (UTC) of the archive that it holds:

    2026-11-23T013000/
        manifest.json      what is in it, and of which release
        SHA256SUMS         the digest of every file, as `sha256sum -c` reads it
        portale.db         the archive (portale.dump of PostgreSQL)
        documents/…        at least every file that the archive names

It gets its name only when all of it is on the disk and has been read again.
"""
