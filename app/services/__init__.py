"""Use cases, one a file; they know the domain and the ports."""
