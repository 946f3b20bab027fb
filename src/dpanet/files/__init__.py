"""Files whatever they hold: atomic outputs, locks, and one store that can be resumed."""
