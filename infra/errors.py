"""How a command ends when it cannot do what it was asked: one line on standard error, and an exit code."""


class Failed(Exception):
    """Something that was tried didn't work; exit code 1."""

    code = 1


class Misused(Failed):
    """What the user gave cannot be used, or the command does not fit the situation; exit code 2."""

    code = 2
