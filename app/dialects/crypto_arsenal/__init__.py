"""The trading-signal webhook of Crypto Arsenal (Crypto Arsenal webhook spec)."""
