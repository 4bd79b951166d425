"""Proofs that what must never happen does not; numbers are the rows of the safety table."""
