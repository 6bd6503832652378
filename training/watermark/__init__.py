"""Training of the watermark networks: the one that finds and lifts marks, and the one that mends what it lifted."""
