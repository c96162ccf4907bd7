"""Where the paper venue's prices come from."""
