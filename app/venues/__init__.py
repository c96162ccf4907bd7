"""Exchanges, behind one Protocol."""
