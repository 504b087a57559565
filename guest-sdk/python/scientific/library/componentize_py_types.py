"""What the small engine's builder gives it (componentize-py): here the engine's own Python code finds the same."""


class Err(Exception):
    """The failure of an operation."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value
