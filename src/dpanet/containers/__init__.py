"""What picture files are made of: chunks, segments, boxes, directories, profiles; and libvips, which decodes."""
