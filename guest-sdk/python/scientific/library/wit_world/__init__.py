"""The world of a handler, as the engine's Python code knows it from componentize-py, over the built-in module `_mirra`
(`wasi/src/world.rs`)."""


class WitWorld:
    pass


class LoadError(tuple):
    def __new__(cls, *fields):
        return super().__new__(cls, fields)
