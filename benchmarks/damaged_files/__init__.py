"""Picture files with damage: sound files, ways to damage them, and a process that reads them."""
