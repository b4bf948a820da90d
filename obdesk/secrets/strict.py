"""Reading a JSON object that may be damaged or hostile: each field once, of one type, none left over."""

from __future__ import annotations

TEXT_MAX = 200


class MalformedError(ValueError):
    """The object is not of the expected shape."""


class Fields:
    """The fields of one JSON object, taken one by one."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise MalformedError("not an object")
        self._left = dict(value)

    def text(self, name: str) -> str:
        """Take a text of 1 to 200 characters."""
        value = self._take(name)
        if not isinstance(value, str) or not 1 <= len(value) <= TEXT_MAX:
            raise MalformedError(name)
        return value

    def whole(self, name: str) -> int:
        """Take a whole number; JSON's true and false are none."""
        value = self._take(name)
        if type(value) is not int:
            raise MalformedError(name)
        return value

    def hexadecimal(self, name: str, size: int) -> bytes:
        """Take exactly `size` bytes written as hex digits."""
        value = bytes.fromhex(self.text(name))
        if len(value) != size:
            raise MalformedError(name)
        return value

    def optional_hexadecimal(self, name: str, size: int) -> str | None:
        """Take `size` bytes as hex digits, or null."""
        if self._left.get(name, "") is None:
            self._take(name)
            return None
        return self.hexadecimal(name, size).hex()

    def items(self, name: str, count_max: int) -> list[object]:
        """Take a list of 1 to `count_max` values."""
        value = self._take(name)
        if not isinstance(value, list) or not 1 <= len(value) <= count_max:
            raise MalformedError(name)
        return value

    def end(self) -> None:
        """Check that nothing unknown is left."""
        if self._left:
            raise MalformedError("unknown fields")

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise MalformedError(name)
        value: object = self._left.pop(name)
        return value
