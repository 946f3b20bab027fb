"""Known lenses: what a point of light becomes in each view, anywhere in the field, at any blur. No torch."""
