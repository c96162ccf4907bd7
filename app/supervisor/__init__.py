"""`hookfill up`: every process on one machine, kept alive and stopped in order."""
