"""Reads logs with sluice, and compares the records with the requests that they are about."""

import base64
import datetime
import gzip
import json
import pathlib
import re
import subprocess

from exchange import FENCE

SLUICE = ""
BEGAN = 0.0
# `argued`: a server's own doing, or a documented rule of ours, that makes a field or a line other than what was sent.
ARGUED = []


class Argued:
    """Why a server's line is a dead letter, or has something else in a field than what was sent.

    All are patterns of whole texts. `found` is what was found: a field's value, or a dead letter's message."""

    def __init__(self, servers, requests, fields, found, reason, formats=".*", lines=".*"):
        self.servers, self.requests, self.fields, self.found, self.reason = servers, requests, fields, found, reason
        self.formats, self.lines = formats, lines
        self.used = False

    def holds(self, server, request, field, found, format, line):
        return all(
            re.fullmatch(pattern, text, re.S)
            for pattern, text in (
                (self.servers, server),
                (self.requests, request),
                (self.fields, field),
                (self.found, str(found)),
                (self.formats, format),
                (self.lines, line.decode("utf-8", "replace")),
            )
        )


def argue(*words, **more):
    ARGUED.append(Argued(*words, **more))


def reason_for(server, request, field, found, format, line):
    for argued in ARGUED:
        if argued.holds(server, request, field, found, format, line):
            argued.used = True
            return argued.reason
    return None


def read(path, form, folder, **source):
    """What sluice makes of a gzipped log: the records and the dead letters, each with the number of its first line."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "log.gz").write_bytes(gzip.compress(pathlib.Path(path).read_bytes()))
    pipeline = {
        "name": "servers",
        "limits": {"dead_letters": "none"},
        "source": {"files": "log.gz", "format": form, **source},
        "stages": [{"set": {"line_of_log": "source.line"}}],
        "sink": {"file": "out.jsonl"},
        "dead_letter": "dead.jsonl",
    }
    (folder / "pipeline.yaml").write_text(json.dumps(pipeline))
    for name in ("out.jsonl", "dead.jsonl"):
        (folder / name).unlink(missing_ok=True)
    run = subprocess.run(
        [SLUICE, "run", "pipeline.yaml", "--state", "state", "--progress", "none"], cwd=folder, capture_output=True, timeout=60
    )
    if run.returncode not in (0, 3) and not (folder / "dead.jsonl").exists():
        raise RuntimeError(f"sluice ended with {run.returncode}: {run.stderr.decode()}")
    records = [(record.pop("line_of_log"), record) for record in json_lines(folder / "out.jsonl")]
    dead = [(letter["source"]["line"], letter) for letter in json_lines(folder / "dead.jsonl")]
    return records, dead


def json_lines(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def message_of(letter):
    return letter["error"]["code"] + ": " + letter["error"]["message"]


def raw_of(letter):
    if "raw_base64" in letter:
        return base64.b64decode(letter["raw_base64"])
    return (letter.get("raw") or "").encode()


NAMED = re.compile(rb"(?:[?&]id=|from\.example/|check-servers/1 \()([a-z0-9-]+)")


def lines_by_request(path, exchanged):
    """The numbers of a log's lines, from 1, by the name of the request that they are about.

    A line belongs to the request that it names: a server that is slow, or has several threads, may write it after those of the
    next. One that names none belongs to the request whose fence comes next."""
    names = {request.name.encode(): request.name for request, _ in exchanged}
    fences = {(FENCE % name).encode(): name for name in ["first", *names.values()]}
    found, named, waiting = {}, [], []
    for number, line in enumerate(pathlib.Path(path).read_bytes().split(b"\n"), 1):
        fence = re.search(rb"/fence-[a-z0-9-]+\.txt", line)
        name = next((names[word] for word in NAMED.findall(line) if word in names), None)
        if fence and fence.group() in fences:
            if fences[fence.group()] not in found:
                found[fences[fence.group()]], waiting = waiting, []
        elif name:
            named.append((name, number))
        elif line.strip() and not line.startswith(b"#"):
            waiting.append(number)
    for name, number in named:
        if name in found:
            found[name].append(number)
    return found


def moment(text):
    """Seconds since 1970 of a time in a record, or None if it is text."""
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (TypeError, ValueError, AttributeError):
        return None


QUOTES = re.compile(r'\\(["\\])')
ESCAPES = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|(["\\nrtbvf]))')
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"v": b"\v", b"f": b"\f"}
COMMON = '%h %l %u %t "%r" %>s %b'
COMBINED = COMMON + ' "%{Referer}i" "%{User-Agent}i"'
WELL_KNOWN = {
    "combined": COMBINED,
    "common": COMMON,
    "vhost_combined": "%v:%p " + COMBINED,
    "vhost_common": "%v " + COMMON,
    "main": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" '
    '"$http_x_forwarded_for"',
    "squid": '%{sec}t %D %h %c/%>s %b %m %g %u %y/%z %x',
}
DIRECTIVES = {
    "h": "ip",
    "l": "ident",
    "u": "user",
    "r": "request",
    "s": "status",
    "b": "bytes",
    "B": "bytes",
    "a": "client_ip",
    "v": "vhost",
    "O": "bytes_sent",
    "m": "method",
}
TIME = rb"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"


class Reading:
    """A reading of a log's lines of its own, by a regular expression made of the server's definition."""

    def __init__(self, log):
        self.log, self.names = log, []
        form = log.format if isinstance(log.format, dict) else {log.format: {}}
        kind, options = next(iter(form.items()))
        self.expression, self.kind = None, kind
        if kind == "regex":
            self.expression = re.compile(options["pattern"].encode())
            self.names = list(self.expression.groupindex)
            return
        if kind in ("combined", "common"):
            text = ("%v " if options.get("vhost") else "") + WELL_KNOWN[kind]
        elif kind == "access":
            text = options.get("nginx") or options.get("apache") or WELL_KNOWN[options["format"]]
            text = self.without_directive(text, options)
        else:
            return
        quoting = options.get("escape", "default") != "none"
        token = r"\$\w+" if "$remote_addr" in text or "$time" in text else r"%[<>!,0-9]*(?:\{[^}]*\})?[a-zA-Z]"
        pattern, last = b"", 0
        for match in re.finditer(token, text):
            before, after = text[: match.start()], text[match.end() :]
            pattern += re.escape(text[last : match.start()].encode())
            group = self.group(match.group(), before.endswith('"') and after.startswith('"') and quoting)
            if kind == "combined" and after == '"':
                group = group[:-1] + rb"\\?)"  # an agent may end in a backslash
            pattern += group
            last = match.end()
        self.expression = re.compile(pattern + re.escape(text[last:].encode()), re.S)

    @staticmethod
    def without_directive(text, options):
        if text.startswith("log_format"):
            return "".join(re.findall(r"'([^']*)'", text))
        if text.startswith("LogFormat"):
            text = re.match(r'LogFormat "(.*)" \w+$', text).group(1)
        return text.replace('\\"', '"').replace("\\\\", "\\") if "apache" in options else text

    def group(self, variable, quoted):
        name = variable[1:] if variable[0] == "$" else self.field(variable)
        if name in self.names or name is None or name not in self.log.names.values():
            name = None
        value = rb'(?:[^"\\]|\\.)*' if quoted else rb".*?"
        if variable == "$time_local":
            value = TIME
        elif variable == "%t":
            value, name = rb"\[" + TIME + rb"\]", None
        elif name in ("status", "bytes", "body_bytes_sent", "bytes_sent"):
            value = rb"(?:\d+|-)"
        if name is None or name in ("time", "time_local", "time_iso8601", "msec"):
            return rb"(?:" + value + rb")"
        self.names.append(name)
        return rb"(" + value + rb")"

    @staticmethod
    def field(directive):
        argument = re.search(r"\{([^}]*)\}", directive)
        if directive[-1] == "i" and argument:
            return {"referer": "referer", "user-agent": "agent"}.get(
                argument.group(1).lower(), "http_" + argument.group(1).lower().replace("-", "_")
            )
        return DIRECTIVES.get(directive[-1]) if not argument else None

    def read(self, line):
        """The texts of a line by the names of their fields, or None if it does not look as the definition says."""
        if self.kind == "tsv":
            if line.startswith(b"#Fields: "):
                self.names = line.decode().split()[1:]
            words = re.findall(rb'"(?:[^"]|"")*"|[^ ]+', line)
            texts = [word[1:-1].replace(b'""', b'"') if word[:1] == b'"' else word for word in words]
            return {name: None if text == b"-" else text.decode("utf-8", "surrogateescape") for name, text in zip(self.names, texts)}
        if self.kind == "jsonl":
            try:
                record = json.loads(line)
            except ValueError:
                return None
            return {name: value_at(record, name) for name in self.log.names.values()}
        if self.kind == "regex":
            match = self.expression.search(line)
            return (
                {name: match.group(name).decode("utf-8", "surrogateescape") for name in self.names if match.group(name) is not None}
                if match
                else None
            )
        match = self.expression.fullmatch(line) if self.expression else None
        if not match:
            return None
        return {name: self.value(name, text) for name, text in zip(self.names, match.groups())}

    def value(self, name, text):
        if text == b"-" and self.log.more.get("dash", True):
            return None
        if name in ("status", "bytes", "body_bytes_sent", "bytes_sent"):
            return int(text) if text.isdigit() else None
        if text == b'""' and name == "user":
            return ""
        if name == "ip" and text[:1] == b'"' == text[-1:]:
            text = text[1:-1]
        if self.log.more.get("json"):
            return json.loads(b'"' + text + b'"', strict=False) if self.log.undone else text.decode("utf-8", "surrogateescape")
        if not self.log.undone:
            return QUOTES.sub(r"\1", text.decode("utf-8", "surrogateescape"))
        if self.log.format == {"access": {"format": "squid"}}:
            return text.decode("utf-8", "surrogateescape")
        decoded = ESCAPES.sub(
            lambda match: bytes([int(match.group(1), 16)]) if match.group(1) else LETTERS.get(match.group(2), match.group(2)), text
        )
        try:
            return decoded.decode()
        except UnicodeDecodeError:
            return text.decode("utf-8", "surrogateescape")


class Expected:
    """What the fields of a log should be, for a request and its answer."""

    def __init__(self, log, request, answer):
        self.log, self.request, self.answer = log, request, answer

    def text(self, sent):
        """The text that a field should have for what was sent; None if it should be absent."""
        dash = self.log.more.get("dash", True)
        if sent is None:
            return None if dash else ""
        if sent == b"-" and dash:
            return None
        logged = self.log.escape(sent)
        if self.log.undone:
            try:
                return sent.decode()
            except UnicodeDecodeError:
                return logged.decode("utf-8", "surrogateescape")
        return QUOTES.sub(r"\1", logged.decode("utf-8", "surrogateescape")) if dash else logged.decode("utf-8", "surrogateescape")

    def of(self, field):
        """Values of which the field should have one; None if it is not known what it should be."""
        request, answer = self.request, self.answer
        if field == "user":
            return [self.text(request.user)] if self.log.more.get("users", True) else [self.text(None)]
        if field == "forwarded":
            return [self.text(request.header("x-forwarded-for"))]
        if field == "method":
            return [self.text(request.line.split(b" ")[0])]
        if field in ("referer", "agent"):
            return [self.text(getattr(request, field))]
        known = {
            "client": request.address,
            "request": self.text(self.log.more.get("line", lambda one: one.line)(request)),
            "status": answer.status,
            "bytes": answer.body,
            "total": answer.total,
        }[field]
        if known is None:
            return None
        return [known, None] if known == 0 else [known]


class Result:
    """What was found in a log: how many lines hold what was sent, and what else there was."""

    def __init__(self, name, form):
        self.name, self.form = name, form
        self.lines, self.right, self.otherwise, self.argued, self.wrong = 0, 0, 0, {}, []

    def note(self, request, field, found, wanted=None, line=b""):
        """Notes that a field, or a line, is not what was sent, with the reason if there is one."""
        reason = reason_for(self.name, request, field, found, self.form, line)
        if reason:
            self.argued[reason] = self.argued.get(reason, 0) + 1
        else:
            what = f"{found}"[:300] if wanted is None else f"{repr(found)[:160]}, not {repr(wanted)[:160]}"
            self.wrong.append(f"{request}, {field}: {what}\n        {line[:260]!r}")

    def note_missing(self, names):
        for name in sorted(names):
            self.note(name, "no record", "no record has it")

    def report(self, most=8):
        print(
            f"  {self.form[:110]}: {self.lines} lines, {self.right} as sent, {self.otherwise} as logged, "
            f"{sum(self.argued.values())} argued, {len(self.wrong)} wrong"
        )
        for one in self.wrong[:most]:
            print("    wrong: " + one)
        if len(self.wrong) > most:
            print(f"    and {len(self.wrong) - most} more")


def found_request(record, name):
    """The request of a record in one piece, whether it was taken apart or not."""
    if record.get(name) is None and "protocol" in record:
        return " ".join(str(record.get(part, "-")) for part in ("method", "path", "protocol"))
    return record.get(name)


def value_at(record, name):
    if name in record:
        return record[name]
    for part in name.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


class Comparison(Result):
    """The lines of a log, read in one format, against the requests."""

    def __init__(self, server, log, exchanged, folder):
        super().__init__(server, log.format if isinstance(log.format, str) else json.dumps(log.format, ensure_ascii=False))
        self.log, self.exchanged = log, exchanged
        records, letters = read(log.path, log.format, folder)
        self.records, self.dead = dict(records), {number: message_of(letter) for number, letter in letters}
        self.reading = Reading(log)
        if self.reading.kind == "tsv":
            self.reading.read(pathlib.Path(log.path).read_bytes().split(b"\n")[0])
        self.run()

    def run(self):
        lines = lines_by_request(self.log.path, self.exchanged)
        raw = pathlib.Path(self.log.path).read_bytes().split(b"\n")
        for request, answer in self.exchanged:
            if request.name not in lines:
                self.note(request.name, "fence", "the log has no line of the request after it")
            for number in lines.get(request.name, []):
                self.lines += 1
                self.line(request, answer, number, raw[number - 1])

    def line(self, request, answer, number, line):
        if number in self.dead:
            self.note(request.name, "dead letter", self.dead[number], None, line)
            return
        if number not in self.records:
            self.note(request.name, "no record", "neither a record nor a dead letter", None, line)
            return
        record, expected = self.records[number], Expected(self.log, request, answer)
        itself = self.reading.read(line)
        outcome = "right"
        for field, name in self.log.names.items():
            found = found_request(record, name) if field == "request" else value_at(record, name)
            if field == "time":
                when = moment(found)
                is_right = when is not None and int(answer.began) - 1 <= when <= answer.ended + 1
                wanted = f"{answer.began:.3f} to {answer.ended:.3f}"
            elif field in ("zone", "vhost"):
                wanted = self.log.more.get("zone", "-0330") if field == "zone" else "a host"
                is_right = found == wanted if field == "zone" else bool(found)
            else:
                wanted = expected.of(field)
                is_right = wanted is None or found in wanted or (self.log.more.get("text") and found in [str(one) for one in wanted])
            if is_right:
                continue
            if itself is not None and name in itself and itself[name] == found:
                outcome = "otherwise" if outcome == "right" else outcome
            else:
                outcome = "noted"
                self.note(request.name, field, found, wanted, line)
        if "request" in self.log.names and self.log.format != "jsonl":
            self.parts(request, record, line)
        self.right += outcome == "right"
        self.otherwise += outcome == "otherwise"

    def parts(self, request, record, line):
        """A request of three words, the last of which begins with HTTP/, is taken apart, and only such a one."""
        if (isinstance(self.log.format, dict) and "regex" in self.log.format) or not self.log.more.get("parts", True):
            return
        text = found_request(record, self.log.names["request"])
        should = isinstance(text, str) and re.fullmatch(r"[^ ]+ [^ ]+ HTTP/[^ ]+", text, re.S) is not None
        if ("protocol" in record) != should:
            self.note(request.name, "parts", text, "three words" if should else "one text", line)
