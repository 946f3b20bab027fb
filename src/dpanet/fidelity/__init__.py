"""How well the simulator explains real captures."""
