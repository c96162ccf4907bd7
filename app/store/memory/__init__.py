"""What is known of exchanges and kept secret, in Redis."""
