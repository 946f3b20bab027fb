"""How fast this machine runs the networks, and how near to what it can do."""
