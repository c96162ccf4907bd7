"""Hookfill: a self-hosted, distributed order processor."""
