#!/bin/sh
# A backslash in RFC 5424 structured data is read as a quote, `\\t` as a tab, and `\"` not at all.
#
# In a parameter's value, `"`, `\` and `]` are written with a backslash before them (RFC 5424,
# 6.3.3). rfc5424-logging-handler does so. syslog-rfc5424-parser refuses a message with `\"`, turns
# `\\` into a quote, and, since its grammar also undoes the escapes of Python, makes a tab of the
# `\\t` in `C:\\temp` and a quote and a line feed of the `\\n` in `C:\\new`. `\]` is right.
#
# Seen on 2026-11-28 with syslog-rfc5424-parser 0.2.0 (its dependency: pyparsing 2.4.7) and
# rfc5424-logging-handler 1.4.3 from PyPI, Python 3.11. Each value as the program logs it, as it is
# on the wire, and as Python shows what was read:
#
#     list[0]    list[0\]      'list[0]'
#     a\b        a\\b          'a"b'
#     C:\temp    C:\\temp      'C:\temp'  (with a tab)
#     C:\new     C:\\new       'C:"\new'  (with a line feed)
#     say "hi"   say \"hi\"    ParseError
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check syslog-rfc5424-parser==0.2.0 pyparsing==2.4.7 rfc5424-logging-handler==1.4.3
cat > read.py <<'PY'
import logging
import socket

from rfc5424logging import Rfc5424SysLogHandler
from syslog_rfc5424_parser import ParseError, SyslogMessage

inbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
inbox.bind(("127.0.0.1", 0))
inbox.settimeout(10)
log = logging.getLogger("finding")
log.setLevel(logging.INFO)
log.addHandler(Rfc5424SysLogHandler(address=inbox.getsockname(), hostname="host", appname="app", enterprise_id=32473))
for value in ["list[0]", "a\\b", "C:\\temp", "C:\\new", 'say "hi"']:
    log.info("text", extra={"structured_data": {"data": {"v": value}}})
    message = inbox.recv(4096).decode()
    wire = message[message.index(' v="') + 4 : message.rindex('"]')]
    try:
        print(wire, repr(SyslogMessage.parse(message).sd["data@32473"]["v"]))
    except ParseError:
        print(wire, "ParseError")
PY
venv/bin/python read.py > seen
diff - seen <<'SEEN'
list[0\] 'list[0]'
a\\b 'a"b'
C:\\temp 'C:\temp'
C:\\new 'C:"\new'
say \"hi\" ParseError
SEEN
echo "as described"
