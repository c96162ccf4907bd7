"""What a request would do: the same code over a store that is read, and never written."""
