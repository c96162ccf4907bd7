"""Requests that make orders: signals, and orders that turn a position around."""
