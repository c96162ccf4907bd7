"""Nothing is lost: sweeps, the archive, the epoch of the store, what cannot be read."""
