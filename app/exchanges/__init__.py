"""Real exchanges, through ccxt."""
