"""Programs that write syslog messages: daemons that get messages of ours by a socket, and programs that send to a socket of ours."""

import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from programs import Missing, find, settle

WRITERS = {}
TAG, PID = "app", "4711"
# <local3.warning>
PRIORITY = 19 * 8 + 4
FACILITIES = (
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 "
    "local4 local5 local6 local7"
).split()
SEVERITIES = "emerg alert crit err warning notice info debug".split()


class Message:
    """A text that a program logs, with its name at the end, and the tag that it is logged with."""

    def __init__(self, name, text, tag=TAG, pid=PID, priority=PRIORITY):
        self.name, self.tag, self.pid, self.priority = name, tag, pid, priority
        self.text = (text + b" " if text else b"") + b"id=" + name.encode()

    def datagram(self):
        """As syslog(3) sends it to /dev/log."""
        stamp = datetime.datetime.now(ZONE).strftime("%b %e %H:%M:%S")
        tag = self.tag + (f"[{self.pid}]" if self.pid else "") + ": "
        return f"<{self.priority}>{stamp} {tag}".encode() + self.text


ZONE = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))


def messages():
    return [
        Message("plain", b"a message"),
        Message("no-pid", b"a message", pid=None),
        Message("tag-dots", b"a message", tag="my.app-1_x"),
        Message("tag-slash", b"a message", tag="postfix/smtpd"),
        Message("tag-at", b"a message", tag="user@1000"),
        Message("tag-blank", b"a message", tag="my app"),
        Message("tag-parentheses", b"a message", tag="(sd-pam)"),
        Message("tag-long", b"a message", tag="x" * 60),
        Message("tag-cut", b"a message", tag="systemd-networkd-wait-online"),
        Message("tag-brackets", b"a message", tag="app[x]", pid=None),
        Message("leading-blank", b" two blanks before"),
        Message("colon", b"note: with a colon"),
        Message("brackets", b"[12] in brackets: yes"),
        Message("host-like", b"web-1 app[7]: nested"),
        Message("time-like", b"Nov 28 10:00:00 web-1 app: nested"),
        Message("priority-like", b"<13>1 2026-11-28T10:00:00Z - - - - nested"),
        Message("severity-like", b"user.warn is a word"),
        Message("dash", b"- a dash"),
        Message("utf8", "Zürich 東京 🚰".encode()),
        Message("latin1", b"Z\xfcrich"),
        Message("tab", b"a\tb"),
        Message("control", b"a\x01b\x1b[31mc\x7f"),
        Message("line-feed", b"one\ntwo"),
        Message("carriage-return", b"one\rtwo"),
        Message("octal", b"a#011b #012"),
        Message("percent", b"100% %msg% %s"),
        Message("quotes", b'say "hi" \\ ]'),
        Message("backslash", b"C:\\new\\table\\"),
        Message("json", b'{"a": [1, "b"]}'),
        Message("cee", b'@cee: {"a": 1}'),
        Message("bom", b"\xef\xbb\xbfwith a mark"),
        Message("c1", "a\u0085b\u2028c".encode()),
        Message("long", b"y" * 3000),
        Message("very-long", b"z" * 9000),
        Message("digits", b"12 34"),
        Message("kern", b"a message", priority=0),
        Message("debug", b"a message", priority=191),
        Message("authpriv", b"a message", priority=10 * 8 + 6),
        Message("numbered", b"a message", priority=13 * 8 + 5),
    ]


class Sink:
    """A socket that keeps what it gets in a file: each datagram with its number of bytes before it, a stream as it is."""

    def __init__(self, place, name, stream=False):
        self.path, self.stream = place.path(name), stream
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        if stream:
            self.socket.listen()
        open(self.path, "wb").close()
        place.closing.append(self.socket.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                if not self.stream:
                    data = self.socket.recv(1 << 16)
                    self.keep(b"%d " % len(data) + data)
                    continue
                connection, _ = self.socket.accept()
                threading.Thread(target=self.drain, args=(connection,), daemon=True).start()
            except OSError:
                return

    def drain(self, connection):
        while data := connection.recv(1 << 16):
            self.keep(data)

    def keep(self, data):
        with open(self.path, "ab") as file:
            file.write(data)


def writer(package):
    def add(function):
        WRITERS[function.__name__.replace("_", "-")] = (function, package)
        return function

    return add


def send_all(path):
    """Sends all messages to a daemon's socket, as a program would by syslog(3)."""
    sent = messages()
    for message in sent:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(path)
            client.send(message.datagram())
        time.sleep(0.002)
    return sent


def wait_for(path):
    deadline = time.monotonic() + 20
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise Missing(f"no {path}")
        time.sleep(0.05)


NAMES = ("severity", "facility")
ALL = ("app", "pid", "message", "time", "host")


class Written:
    """A file of messages, with what of a message can be found in it."""

    def __init__(self, path, what, fields=ALL, change=lambda text: text):
        self.path, self.what, self.fields, self.change = path, what, fields, change


def octal(text):
    """Control characters as rsyslog writes them."""
    return re.sub(rb"[\x00-\x1f]", lambda match: b"#%03o" % match.group()[0], text)


def after_blank(text):
    return b" " + octal(text)


def start_daemon(place, *words):
    """Starts a daemon that listens at log.socket."""
    place.start(*words, environment=place.libraries(), ready=lambda: os.path.exists(place.path("log.socket")))


@writer("rsyslog")
def rsyslog(place):
    program = find("rsyslogd", *place.programs)
    modules = next(
        (
            str(folder)
            for folder in place.folders("usr/lib/x86_64-linux-gnu/rsyslog", "usr/lib/aarch64-linux-gnu/rsyslog")
            if os.path.isdir(folder)
        ),
        None,
    )
    if not modules:
        raise Missing("no modules of rsyslog")
    sink = Sink(place, "forwarded", stream=True)
    lines = {name: Sink(place, name, stream=True) for name in ("ForwardFormat", "TraditionalForwardFormat")}
    templates = ["FileFormat", "TraditionalFileFormat", "SyslogProtocol23Format"]
    actions = "".join(f'action(type="omfile" file="{place.path(name)}" template="RSYSLOG_{name}")\n' for name in templates)
    actions += "".join(
        f'action(type="omfwd" target="127.0.0.1" port="{one.port}" protocol="tcp" template="RSYSLOG_{name}")\n'
        for name, one in lines.items()
    )
    place.write(
        "rsyslog.conf",
        f"""
global(workDirectory="{place.folder}")
module(load="{modules}/imuxsock.so" SysSock.Use="off")
input(type="imuxsock" Socket="{place.path('log.socket')}" CreatePath="off" UseSysTimeStamp="off" RateLimit.Interval="0")
{actions}
action(type="omfwd" target="127.0.0.1" port="{sink.port}" protocol="tcp" TCP_Framing="octet-counted"
       template="RSYSLOG_SyslogProtocol23Format")
""",
    )
    start_daemon(
        place,
        program,
        "-n",
        "-f",
        place.path("rsyslog.conf"),
        "-i",
        place.path("pid"),
        "-M",
        modules,
    )
    sent = send_all(place.path("log.socket"))
    time.sleep(0.5)
    return sent, [
        Written("FileFormat", "RSYSLOG_FileFormat", change=octal),
        Written("TraditionalFileFormat", "RSYSLOG_TraditionalFileFormat", change=octal),
        Written("SyslogProtocol23Format", "RSYSLOG_SyslogProtocol23Format", ALL + NAMES, change=after_blank),
        Written("ForwardFormat", "RSYSLOG_ForwardFormat", ALL + NAMES, change=octal),
        Written("TraditionalForwardFormat", "RSYSLOG_TraditionalForwardFormat", ALL + NAMES, change=octal),
        Written("forwarded", "octet-counted", ALL + NAMES, change=after_blank),
    ]


@writer("syslog-ng-core")
def syslog_ng(place):
    program = find("syslog-ng", *place.programs)
    modules = next(
        (str(folder) for folder in place.folders("usr/lib/syslog-ng/3.38", "usr/lib/syslog-ng/4.8") if os.path.isdir(folder)), None
    )
    if not modules:
        raise Missing("no modules of syslog-ng")
    sink = Sink(place, "sent", stream=True)
    place.write(
        "syslog-ng.conf",
        f"""@version: 3.38
options {{ keep-hostname(yes); chain-hostnames(no); log-msg-size(20000); use-dns(no); stats-freq(0); keep-timestamp(yes); }};
source s {{ unix-dgram("{place.path('log.socket')}"); }};
destination file {{ file("{place.path('file')}"); }};
destination iso {{ file("{place.path('iso')}" template("$ISODATE $HOST $MSGHDR$MSG\\n")); }};
destination protocol {{ file("{place.path('protocol')}" flags(syslog-protocol)); }};
destination sent {{ syslog("127.0.0.1" port({sink.port}) transport("tcp")); }};
log {{ source(s); destination(file); destination(iso); destination(protocol); destination(sent); }};
""",
    )
    start_daemon(
        place,
        program,
        "-F",
        "-f",
        place.path("syslog-ng.conf"),
        "-R",
        place.path("persist"),
        "-p",
        place.path("pid"),
        "-c",
        place.path("control"),
        "--module-path",
        modules,
        "--no-caps",
    )
    sent = send_all(place.path("log.socket"))
    return sent, [
        Written("file", "default"),
        Written("iso", "$ISODATE"),
        Written("protocol", "syslog-protocol", ALL + NAMES),
        Written("sent", "syslog()", ALL + NAMES),
    ]


@writer("busybox-syslogd")
def busybox(place):
    program = find("busybox", *place.programs)
    logs = []
    sent = None
    for name, options in (("full", []), ("small", ["-S"])):
        place.make(f"dev-{name}")
        for device in ("null", "console"):
            place.write(f"dev-{name}/{device}", "")
        command = f"mount --bind {place.path('dev-' + name)} /dev && exec {program} syslogd -n -O {place.path(name)} {' '.join(options)}"
        place.start(find("unshare"), "-Urm", "sh", "-c", command, ready=lambda: os.path.exists(place.path(f"dev-{name}/log")))
        sent = send_all(place.path(f"dev-{name}/log"))
        settle(place.path(name))
        logs.append(Written(name, name, ALL + NAMES if name == "full" else ("app", "pid", "message", "time"), change=caret))
    return sent, logs


@writer("inetutils-syslogd")
def inetutils(place):
    program = find("inetutils-syslogd" if shutil.which("inetutils-syslogd") else "syslogd", *place.programs)
    place.write("syslog.conf", f"*.*\t{place.path('file')}\n")
    place.write("file", "")
    start_daemon(
        place,
        program,
        "-n",
        "-f",
        place.path("syslog.conf"),
        "-D",
        place.make("more"),
        "-p",
        place.path("log.socket"),
        "-P",
        place.path("pid"),
        "--no-klog",
    )
    return send_all(place.path("log.socket")), [Written("file", "default", change=caret)]


def caret(text):
    """Control characters as a caret and a letter, a line feed as a blank; a tab and DEL as they are."""
    return re.sub(rb"[\x00-\x08\x0b-\x1f]", lambda match: b"^" + bytes([match.group()[0] ^ 0x40]), text).replace(b"\n", b" ")


@writer("bsdutils")
def logger(place):
    program = find("logger")
    # It has no names for facilities 12 to 15, and refuses tags that RFC 5424 does not allow.
    sent = [message for message in messages() if message.name not in ("numbered", "tag-long", "tag-blank")]
    logs = []
    for name, stream, options in (
        ("rfc3164", False, ["--rfc3164", "--udp"]),
        ("rfc5424", False, ["--rfc5424", "--udp"]),
        ("counted", True, ["--rfc5424", "--tcp", "--octet-count"]),
        ("lines", True, ["--rfc3164", "--tcp"]),
        (
            "data",
            False,
            ["--rfc5424=notq", "--udp", "--msgid", "ID47", "--sd-id", "x@32473", "--sd-param", 'a="b \\"c\\" \\] d"', "--sd-param", 'e=""'],
        ),
    ):
        sink = Sink(place, name, stream)
        for message in sent:
            words = [
                program,
                "--server",
                "127.0.0.1",
                "--port",
                str(sink.port),
                *options,
                "--size",
                "20KiB",
                "--tag",
                message.tag,
                "--priority",
                f"{FACILITIES[message.priority // 8]}.{SEVERITIES[message.priority % 8]}",
            ]
            if message.pid:
                words.append("--id=" + message.pid)
            subprocess.run([word.encode() for word in words] + [b"--", message.text], env=place.environment(None), check=True)
        logs.append(Written(name, "--" + name, ALL + NAMES))
    time.sleep(0.2)
    return sent, logs


@writer("systemd-journal-remote")
def journalctl(place):
    remote, reader = find("systemd-journal-remote", "/lib/systemd", "/usr/lib/systemd", *place.programs), find("journalctl")
    sent = messages()
    boot, machine = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
    text, began = b"", int(time.time() * 1_000_000)
    for number, message in enumerate(sent):
        fields = {
            "__CURSOR": f"s=x;i={number}",
            "__REALTIME_TIMESTAMP": str(began + number),
            "__MONOTONIC_TIMESTAMP": str(5_000_000 + number),
            "_BOOT_ID": boot,
            "_MACHINE_ID": machine,
            "_HOSTNAME": "web-1",
            "PRIORITY": str(message.priority % 8),
            "SYSLOG_FACILITY": str(message.priority // 8),
            "SYSLOG_IDENTIFIER": message.tag,
        }
        if message.pid:
            fields["_PID"] = message.pid
        for key, value in fields.items():
            text += f"{key}={value}\n".encode()
        text += b"MESSAGE\n" + len(message.text).to_bytes(8, "little") + message.text + b"\n\n"
    place.write("export", text)
    journal = place.path("made.journal")
    place.call(remote, "-o", journal, place.path("export"), environment=place.libraries())
    logs = []
    for form in (
        "short",
        "short-iso",
        "short-precise",
        "short-iso-precise",
        "short-full",
        "short-unix",
        "short-monotonic",
        "with-unit",
    ):
        place.write(form, place.call(reader, "--file", journal, "--output", form, "--no-pager", "-q"))
        logs.append(Written(form, form))
    return sent, logs


PYTHON_LOGGERS = """
import json, logging, logging.handlers, sys, socket
name, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if name == "standard":
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), facility="local3")
    handler.append_nul = False
    handler.ident = "app[4711]: "
elif name == "rfc5424":
    from rfc5424logging import Rfc5424SysLogHandler
    handler = Rfc5424SysLogHandler(address=("127.0.0.1", port), facility=19, hostname="web-1", appname="app", procid="4711")
else:
    from rfc5424logging import Rfc5424SysLogHandler
    from rfc5424logging.transport import FRAMING_OCTET_COUNTING
    counted = {"socktype": socket.SOCK_STREAM, "framing": FRAMING_OCTET_COUNTING}
    handler = Rfc5424SysLogHandler(address=("127.0.0.1", port), facility=19, hostname="web-1", appname="app", procid="4711", **counted)
log = logging.getLogger("x")
log.setLevel(1)
log.addHandler(handler)
for text in json.load(open(path)):
    log.warning("%s", text)
handler.close()
"""


@writer("pip:rfc5424-logging-handler")
def python_logging(place):
    sent = [
        message
        for message in messages()
        if message.tag == TAG and message.pid == PID and message.priority == PRIORITY and message.name != "latin1"
    ]
    place.write("texts.json", json.dumps([message.text.decode() for message in sent]))
    logs = []
    for name, stream in (("standard", False), ("rfc5424", False), ("counted", True)):
        sink = Sink(place, name, stream)
        place.call(place.python, place.write("log.py", PYTHON_LOGGERS), name, str(sink.port), place.path("texts.json"))
        fields = tuple(field for field in ALL + NAMES if name != "standard" or field not in ("time", "host"))
        logs.append(Written(name, name, fields))
    time.sleep(0.2)
    return sent, logs
