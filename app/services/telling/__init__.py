"""People are told what has happened: what of it, to whom, and until it has arrived."""
