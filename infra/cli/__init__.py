"""The `greenroom` command: main reads the words, one module of commands/ does what they ask for."""
