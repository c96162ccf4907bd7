"""Locks, switches, questions and answers between processes, in Redis."""
