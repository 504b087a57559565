from _mirra import next_u64  # noqa: F401
