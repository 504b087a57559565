from _mirra import lie_together, make_immortal  # noqa: F401
