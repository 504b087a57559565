from _mirra import log  # noqa: F401


class Level:
    DEBUG, INFO, WARN, ERROR = range(4)
