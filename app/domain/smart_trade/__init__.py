"""A position with its entry, its exits and their rules, as one aggregate."""
