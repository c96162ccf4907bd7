"""From a command to an accepted aggregate."""
