"""HTTP; thin."""
