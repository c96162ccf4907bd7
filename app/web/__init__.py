"""What every dialect needs of HTTP: bodies, callers' addresses, the fast path, the registry."""
