"""The trading routes of the Hummingbot API (Hummingbot spec)."""
