"""Wake-ups, behind one Protocol."""
