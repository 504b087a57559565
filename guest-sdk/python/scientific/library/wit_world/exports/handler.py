class FailureKind:
    THROWN, NEVER_SETTLES, NOT_SERIALIZABLE, BAD_EVENT = range(4)


class Failure(tuple):
    def __new__(cls, *fields):
        return super().__new__(cls, fields)
