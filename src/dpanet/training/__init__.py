"""Trains a network on simulated pairs."""
