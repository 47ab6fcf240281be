"""Packages of PyPI that write logfmt, with values of ours."""

import json
import re

from compare import Result, message_of, raw_of, read
from pythonservers import python, version_of

VALUES = {
    "text": "plain",
    "empty": "",
    "blank": "a b",
    "blank-edges": " a ",
    "equals": "a=b",
    "quote": 'say "hi"',
    "one-quote": '"',
    "open-quote": '"a',
    "backslash": "C:\\new\\table",
    "backslash-last": "a\\",
    "backslash-quote": 'a\\"b',
    "line-feed": "a\nb",
    "carriage-return": "a\rb",
    "tab": "a\tb",
    "control": "a\x01b",
    "delete": "a\x7fb",
    "escape": "\x1b[31m",
    "utf8": "Zürich 東京",
    "emoji": "🚰",
    "c1": "a\u0085b",
    "line-separator": "a\u2028b",
    "bom": "\ufeffa",
    "replacement": "a\ufffdb",
    "brackets": "[1] {2} (3)",
    "json": '{"a": [1, "b"]}',
    "percent": "100% %s",
    "single-quotes": "it's",
    "comma": "a,b;c|d",
    "dash": "-",
    "null": "null",
    "true": "true",
    "leading-zeros": "007",
    "literal-escape": "a\\nb\\x41",
    "bell": "a\ab\v\f",
    "integer": 42,
    "float": 1.5,
    "big": 2**63,
    "flag": True,
    "off": False,
    "none": None,
}

WRITERS = {
    "structlog": (
        "structlog",
        """
import structlog
render = structlog.processors.LogfmtRenderer()
line = lambda fields: render(None, "info", dict(fields))
""",
    ),
    "logfmter": (
        "logfmter",
        """
import logging
from logfmter import Logfmter
formatter = Logfmter(keys=[])
line = lambda fields: formatter.format(logging.LogRecord("log", 20, "file", 1, fields, (), None))
""",
    ),
    "logfmtkv": (
        "logfmtkv",
        """
import logfmtkv
line = logfmtkv.serialize if hasattr(logfmtkv, "serialize") else logfmtkv.dumps
""",
    ),
    "logfmt": (
        "logfmt",
        """
import logfmt
line = lambda fields: next(iter(logfmt.format(fields)))
""",
    ),
    "bc-logfmt-python": (
        "bc_logfmt",
        """
import bc_logfmt
line = lambda fields: next(iter(bc_logfmt.format(fields)))
""",
    ),
    "logfmt-logger": (
        "logfmt_logger",
        """
import logfmt_logger
line = logfmt_logger.format_line
""",
    ),
}

WRITE = """
import json, sys
for name, value in json.load(open(sys.argv[1])).items():
    fields = {"name": name, "v": value, "after": "1"}
    try:
        print(line(fields))
    except Exception as error:
        print(f"name={name} raised={type(error).__name__}")
"""


def package_lines(place, name):
    """What a package writes for each value: bytes, a line for each, or more if it lets a line feed through."""
    module, text = WRITERS[name]
    interpreter = python(place, module)
    place.write("values.json", json.dumps(VALUES))
    return place.call(interpreter, place.write("write.py", text + WRITE), place.path("values.json")), version_of(interpreter, name)


class LogfmtComparison(Result):
    """What sluice reads in a package's lines against the values that it was given."""

    def __init__(self, name, text, place):
        super().__init__(name, "logfmt")
        records, letters = read(place.write("log", text), "logfmt", place.folder / "reading")
        seen = set()
        for _, record in records:
            self.lines += 1
            key = record.get("name")
            if key not in VALUES:
                self.note("none", "record", record, None, json.dumps(record).encode())
                continue
            seen.add(key)
            wanted, found = VALUES[key], record.get("v")
            # A key without a value is true, whatever was meant.
            is_right = (found is True and wanted is True or found == self.text(wanted)) and record.get("after") == "1"
            self.right += is_right
            if not is_right:
                self.note(key, "v", found, wanted, json.dumps(record).encode())
        for _, letter in letters:
            self.lines += 1
            raw = raw_of(letter)
            match = re.search(rb'name="?([a-z0-9-]+)', raw)
            key = match.group(1).decode() if match else "none"
            seen.add(key)
            self.note(key, "dead letter", message_of(letter), None, raw)
        self.note_missing(VALUES.keys() - seen)

    @staticmethod
    def text(value):
        """A value as text: logfmt has no types."""
        if value is True:
            return "true"
        if value is False:
            return "false"
        return value if value is None else str(value)
