"""Train networks on simulated or real pairs."""
