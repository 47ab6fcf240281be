"""The requests that every server gets, and a client that sends them and notes what came back.

A request is known by its name. Not every request has a place for it (a greeting in another protocol has none), so each is
followed by a `fence`, a plain request with the name in its path: the lines of a log between two fences belong to the request
between them.
"""

import base64
import re
import socket
import time
from email.utils import formatdate

BODY = b"0123456789abcdef" * 8 + b"\n"
LAST_MODIFIED = 1_700_000_000
HOST = "site.example"
FENCE = "/fence-%s.txt"

# How many seconds to wait for an answer: the first, as some servers listen before they are ready; any other; one to a request
# that a server refuses before it has read it, or does not answer.
FIRST_PATIENCE = 120
PATIENCE = 15
SHORT_PATIENCE = 0.7


class Request:
    """Bytes to send, and what they mean. What is None is not sent, or not known."""

    def __init__(self, name, line, raw, headers=None, user=None, reads=True, address="127.0.0.1", host=None):
        self.name, self.line, self.raw = name, line, raw
        self.headers = {key.lower(): value for key, value in (headers or {}).items()}
        self.user, self.reads, self.address, self.host = user, reads, address, host

    def at(self, base):
        self.raw, self.line = self.raw.replace(b"/plain.txt", base), self.line.replace(b"/plain.txt", base)
        return self

    @property
    def agent(self):
        return self.header("user-agent")

    @property
    def referer(self):
        return self.header("referer")

    def header(self, name):
        value = self.headers.get(name)
        return None if value is None else value.strip(b" \t")


class Answer:
    """What came back: the status and the length of the body if there was an answer, and when."""

    def __init__(self, status, body, total, began, ended):
        self.status, self.body, self.total, self.began, self.ended = status, body, total, began, ended


def request(
    name,
    target=None,
    method=b"GET",
    version=b"HTTP/1.1",
    headers=None,
    body=b"",
    user=None,
    password=b"secret",
    line=None,
    reads=True,
    host=HOST,
    **more,
):
    """A request with the usual headers, each of which may be replaced, or left out with None."""
    target = b"/plain.txt?id=" + name.encode() if target is None else target
    line = method + b" " + target + b" " + version if line is None else line
    fields = {
        "Host": host.encode() if host else None,
        "User-Agent": b"check-servers/1 (" + name.encode() + b")",
        "Referer": b"http://from.example/" + name.encode(),
        "Connection": b"close",
    }
    fields.update(headers or {})
    if user is not None:
        fields["Authorization"] = b"Basic " + base64.b64encode(user + b":" + password)
    if body:
        fields.setdefault("Content-Length", str(len(body)).encode())
    fields = {key: value for key, value in fields.items() if value is not None}
    raw = line + b"\r\n" + b"".join(key.encode() + b": " + value + b"\r\n" for key, value in fields.items()) + b"\r\n" + body
    named = None if user is None else user.split(b":")[0]
    return Request(name, line, raw, fields, named, reads, host=host, **more)


def raw(name, data, line=None, **more):
    """Bytes that are no request, or only the beginning of one."""
    return Request(name, data.split(b"\r\n")[0] if line is None else line, data, reads=False, **more)


TLS = (
    bytes.fromhex("16030100a5010000a10303")
    + bytes(range(32))
    + bytes.fromhex("20")
    + bytes(range(64, 96))
    + b"\x00\x02\x13\x01\x01\x00"
    + b"\x00" * 20
)


def requests(base=b"/plain.txt"):
    """All requests; those that say nothing else ask for the file `base`."""
    return [one.at(base) for one in plain_requests()]


def plain_requests():
    agent = lambda name, value, **more: request("agent-" + name, headers={"User-Agent": value}, **more)
    referer = lambda name, value: request("referer-" + name, headers={"Referer": value})
    user = lambda name, value, **more: request("user-" + name, user=value, **more)
    forwarded = lambda name, value: request("forwarded-" + name, headers={"X-Forwarded-For": value})
    chunked = request("chunked", method=b"POST", headers={"Transfer-Encoding": b"chunked"})
    chunked.raw += b"5\r\nhello\r\n0\r\n\r\n"
    pair = request("keep-alive", headers={"Connection": b"keep-alive"})
    pair.raw += request("keep-alive").raw
    return [
        # Plain.
        request("get"),
        request("head", method=b"HEAD"),
        request("post", method=b"POST", body=b"a=1&b=2"),
        chunked,
        request("put", method=b"PUT", body=b"text"),
        request("delete", method=b"DELETE"),
        request("missing", b"/missing?id=missing"),
        request("not-modified", headers={"If-Modified-Since": formatdate(LAST_MODIFIED, usegmt=True).encode()}),
        request("range", headers={"Range": b"bytes=2-5"}),
        request("range-unsatisfiable", headers={"Range": b"bytes=5000-"}),
        request("http10", version=b"HTTP/1.0", headers={"Host": None}),
        raw("http09", b"GET /plain.txt?id=http09\r\n"),
        pair,
        request("expect", method=b"POST", headers={"Expect": b"100-continue"}, body=b"x" * 10),
        request("ipv6", address="::1"),
        # Targets.
        request("long", b"/plain.txt?id=long&" + b"x" * 2000),
        request("too-long", b"/plain.txt?id=too-long&" + b"x" * 9000),
        request("percent", b"/a%20b%22c%5C%09%00?q=%C3%A9%2F"),
        request("target-utf8", "/plain.txt?id=café".encode()),
        request("path-utf8", "/café".encode()),
        request("target-utf8-escaped", b"/caf%C3%A9"),
        request("target-latin1", b"/plain.txt?id=caf\xe9"),
        request("target-quotes", b'/plain.txt?id="q"'),
        request("target-backslash", b"/plain.txt?id=back\\"),
        request("target-backslash-quote", b'/plain.txt?id=a\\"b'),
        request("target-literal-escape", b"/plain.txt?id=a\\x41\\n"),
        request("target-brackets", b"/plain.txt?id=[x]&{y}|z^`"),
        request("target-control", b"/plain.txt?id=a\x01\x7fb"),
        request("target-tab", b"/plain.txt?id=a\tb"),
        request("target-blank", b"/plain.txt?id=a b"),
        request("target-tilde", b"/plain.txt?id=~tilde"),
        request("target-slashes", b"//plain.txt?id=slashes"),
        request("target-dots", b"/x/../plain.txt?id=dots"),
        request("target-absolute", b"http://site.example/plain.txt?id=absolute"),
        request("target-absolute-user", b"http://joe:pw@site.example/plain.txt?id=absolute"),
        request("target-no-slash", b"plain.txt?id=no-slash"),
        request("target-fragment", b"/plain.txt?id=fragment#part"),
        # Methods and protocols.
        request("options-star", b"*", method=b"OPTIONS"),
        request("connect", b"site.example:443", method=b"CONNECT"),
        request("trace", method=b"TRACE"),
        request("method-unknown", method=b"FETCH"),
        request("method-lower", method=b"get"),
        request("method-quote", method=b'G"T'),
        request("protocol-lower", version=b"http/1.1"),
        request("protocol-other", version=b"HTTP/9.9"),
        request("protocol-word", line=b"GET /plain.txt?id=protocol-word HTTP/1.1 more"),
        request("protocol-none", line=b"GET /plain.txt?id=protocol-none "),
        request("two-blanks", line=b"GET  /plain.txt?id=two-blanks  HTTP/1.1"),
        # Agents and referers.
        agent("quotes", b'Fetch "beta" 2'),
        agent("quote-only", b'"'),
        agent("backslash", b"C:\\fetch\\new"),
        agent("backslash-last", b"ends in \\"),
        agent("backslash-quote", b'a\\"b'),
        agent("literal-escape", b"\\x41\\t\\\\"),
        agent("tab", b"a\tb"),
        agent("fields", b'x" 200 5 "-" "y'),
        agent("line", b'x 127.0.0.1 - - [10/Oct/2025:00:00:00 +0000]'),
        agent("format", b"%h %s $status %{x}i"),
        agent("empty", b""),
        agent("absent", None),
        agent("dash", b"-"),
        agent("blank-edges", b"  wide  "),
        agent("utf8", "Zürich/1 東京 🚰".encode()),
        agent("latin1", b"Z\xfcrich/1"),
        agent("control", b"a\x01b"),
        agent("delete", b"a\x7fb"),
        agent("c1", "a\u0085b\u2028c".encode()),
        agent("long", b"y" * 4000),
        agent("json", b'{"a": "b"}'),
        referer("quotes", b'http://from.example/?q="x"'),
        referer("backslash-last", b"http://from.example/\\"),
        referer("utf8", "http://from.example/café".encode()),
        referer("empty", b""),
        referer("absent", None),
        referer("blank", b"from a b"),
        # Users.
        user("plain", b"john"),
        user("blank", b"john doe"),
        user("brackets", b"john [ops] doe"),
        user("bracket", b"a [x"),
        user("colon", b"john", password=b"a:b:c"),
        user("utf8", "jörg".encode()),
        user("latin1", b"j\xf6rg"),
        user("quotes", b'a"b'),
        user("quotes-only", b'""'),
        user("backslash", b"DOMAIN\\john"),
        user("empty", b""),
        user("dash", b"-"),
        user("blanks", b" john  doe "),
        user("address", b"10.0.0.1"),
        user("address-inside", b"john 10.0.0.1"),
        user("time", b"j [10/Oct/2025:00:00:00 +0000] x"),
        user("at", b"john@site.example"),
        # Forwarded addresses and hosts.
        forwarded("one", b"203.0.113.7"),
        forwarded("list", b"203.0.113.7, 10.0.0.1"),
        forwarded("quotes", b'"[2001:db8::1]:80", unknown'),
        forwarded("empty", b""),
        request("host-port", host="site.example:8080"),
        request("host-upper", host="SITE.Example"),
        request("host-address", host="[::1]:80"),
        request("host-unknown", host="other.example"),
        request("host-absent", headers={"Host": None}),
        request("host-empty", headers={"Host": b""}),
        request("host-odd", headers={"Host": b"a_b.example,x"}),
        # What is refused, or no HTTP at all.
        raw("tls", TLS),
        raw("ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
        raw("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
        raw("proxy", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /plain.txt HTTP/1.0\r\n\r\n"),
        raw("word", b"hello\r\n\r\n"),
        raw("method-only", b"GET\r\n\r\n"),
        raw("blank-lines", b"\r\n\r\n"),
        raw("quotes", b'"\\" " "\r\n\r\n'),
        raw("nul", b"GET /plain.txt?id=n\x00l HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n"),
        raw("header-bad", b"GET /plain.txt?id=header-bad HTTP/1.1\r\nHost: site.example\r\nno colon\r\nConnection: close\r\n\r\n"),
        raw("partial", b"GET /plain.txt?id=part", line=b"GET /plain.txt?id=part"),
        raw("nothing", b"", line=b""),
    ]


def receive(connection, deadline):
    data = b""
    while time.monotonic() < deadline:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            part = connection.recv(1 << 16)
        except OSError:
            break
        if not part:
            break
        data += part
    return data


def send(request, port, patience=PATIENCE):
    """Sends a request on a connection of its own, and reads until the server closes it."""
    began = time.time()
    data = b""
    try:
        with socket.create_connection((request.address, port), timeout=patience) as connection:
            connection.sendall(request.raw)
            if not request.reads and request.name in ("nothing", "partial"):
                connection.shutdown(socket.SHUT_WR)
            data = receive(connection, time.monotonic() + (patience if request.reads else SHORT_PATIENCE))
    except OSError:
        pass
    return answer(request, data, began, time.time())


def answer(request, data, began, ended):
    """Takes an answer apart: the last of them, if one of 1xx came before it."""
    while re.match(rb"HTTP/1\.\d 1\d\d", data) and b"\r\n\r\n" in data:
        data = data.split(b"\r\n\r\n", 1)[1]
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = data.partition(b"\n\n")
    found = re.match(rb"HTTP/1\.\d (\d{3})", head)
    if not found or not separator:
        return Answer(None, None if data else 0, len(data), began, ended)
    if re.search(rb"\r\ntransfer-encoding:\s*chunked", head, re.I):
        body = dechunked(body)
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
    if length and not request.line.startswith(b"HEAD "):
        body = body[: int(length.group(1))]
    return Answer(int(found.group(1)), len(body), len(data), began, ended)


def dechunked(body):
    result = b""
    while body:
        size, separator, rest = body.partition(b"\r\n")
        try:
            count = int(size.split(b";")[0], 16)
        except ValueError:
            break
        if not separator or count == 0:
            break
        result, body = result + rest[:count], rest[count + 2 :]
    return result


def fence(name):
    return request("fence", (FENCE % name).encode(), headers={"User-Agent": b"fence", "Referer": None})


def run(port, base=b"/plain.txt"):
    """Sends all requests, in order, each followed by its fence. Returns pairs of a request and its answer."""
    exchanged = []
    send(fence("first"), port, FIRST_PATIENCE)
    for one in requests(base):
        exchanged.append((one, send(one, port)))
        send(fence(one.name), port)
    return exchanged
