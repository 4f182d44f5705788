"""The one error that a reader of hostile input raises."""


class MalformedError(Exception):
    """Input that its format does not allow: `what` is wrong, at this offset (bytes, from where the reader began)."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
