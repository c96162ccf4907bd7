"""What venues and children tell, brought to whom it concerns."""
