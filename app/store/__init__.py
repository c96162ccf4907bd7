"""Redis, behind the ports."""
