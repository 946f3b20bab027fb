"""From a pair of any size to a picture: tiles, mirror images, encoding, and engines that run a network."""
