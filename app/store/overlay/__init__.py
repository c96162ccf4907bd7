"""The store as it would be: what is written stays in memory, the rest is read."""
