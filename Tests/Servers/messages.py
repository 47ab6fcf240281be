"""Compares what sluice reads in files of syslog messages with the messages that were logged."""

import base64
import json
import re
import time

import compare
from compare import Result, message_of, moment, raw_of, read
from syslogwriters import FACILITIES, SEVERITIES


class SyslogComparison(Result):
    """A file of messages against those that were sent."""

    def __init__(self, name, file, sent, place):
        super().__init__(name, "syslog: " + file.what)
        self.file = file
        records, letters = read(place.path(file.path), "syslog", place.folder / "reading", year=2026, zone="-03:30")
        names = {message.name: message for message in sent}
        seen = set()
        for _, record in records:
            self.lines += 1
            self.record(names, seen, record)
        for _, letter in letters:
            self.lines += 1
            self.note(self.id_in(raw_of(letter)), "dead letter", message_of(letter), None, raw_of(letter))
        self.note_missing(names.keys() - seen)

    @staticmethod
    def id_in(data):
        found = re.findall(rb"id=([a-z0-9-]+)", data)
        return found[-1].decode() if found else "none"

    def record(self, names, seen, record):
        text = record.get("message")
        data = self.bytes_of(text)
        name = self.id_in(data)
        if name not in names:
            self.note(name, "message", text, "a message with a name", json.dumps(record).encode())
            return
        seen.add(name)
        message, is_right = names[name], True
        for field in self.file.fields:
            found = record.get(field)
            wanted = self.wanted(field, message)
            if field == "time":
                when = moment(found)
                is_same = when is not None and compare.BEGAN - 2 <= when <= time.time() + 2
            elif field == "host":
                is_same = bool(found)
            elif field == "message":
                is_same = data == wanted
            else:
                is_same = found == wanted
            if not is_same:
                is_right = False
                self.note(name, field, found, wanted, json.dumps(record, ensure_ascii=False).encode())
        self.right += is_right

    @staticmethod
    def bytes_of(text):
        """The message's bytes; one that is not UTF-8 is written as base64."""
        if text is None:
            return b""
        if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0 and b"id=" in base64.b64decode(text):
            return base64.b64decode(text)
        return text.encode("utf-8", "surrogateescape")

    def wanted(self, field, message):
        if field == "message":
            return self.file.change(message.text)
        if field == "facility":
            return FACILITIES[message.priority // 8]
        if field == "severity":
            return SEVERITIES[message.priority % 8]
        return {"app": message.tag, "pid": message.pid}.get(field)
