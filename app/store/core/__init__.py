"""Aggregates, what they owe, and what is found of them, in Redis."""
