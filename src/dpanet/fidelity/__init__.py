"""The simulator's blur compared with real captures: `dpanet check-fidelity`."""
