"""Finished aggregates in SQL, for good, and the reader that adds what is live."""
