"""Wire languages: commands in, answers out."""
