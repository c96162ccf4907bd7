"""Everything that a caller may do with a smart trade."""
