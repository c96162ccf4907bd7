"""What an administrator may change at the paper venue, and how it is written."""
