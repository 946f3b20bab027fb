"""Picture out: tiles, placement, blending."""
