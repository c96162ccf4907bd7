"""From an accepted order to a venue and to a certain outcome; and canceling."""
