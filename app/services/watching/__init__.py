"""Triggers and timers, and what they set off."""
