#!/bin/sh
# Three parsers of access logs cut a user agent at its first quote, and one loses a whole line.
#
# Apache writes a quote within `"%r"` or `"%{User-Agent}i"` as `\"`. apache-log-parser, clfparser
# and parser201 end the user agent there and return the part before it, with the backslash, as if
# it were all. clfparser returns only empty fields for a line with `\"` in the request. Neither is
# an error. apachelogs reads them as they were sent.
#
# Seen on 2026-11-28 with apache-log-parser 1.7.0 (its dependencies: six 1.17.0, user-agents 2.2.0),
# clfparser 0.3, parser201 1.6.0 and apachelogs 0.6.1 from PyPI, Python 3.11. The user agent
# `Fetch "beta" 2`, then a request for `/?q="x"`, and what they read:
#
#     apachelogs          Fetch "beta" 2    GET /?q="x" HTTP/1.1
#     apache-log-parser   Fetch \           GET /?q=\"x\" HTTP/1.1
#     clfparser           "Fetch \"         (nothing, nor any other field)
#     parser201           Fetch \           GET /?q=\"x\" HTTP/1.1
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check \
    apache-log-parser==1.7.0 six==1.17.0 user-agents==2.2.0 clfparser==0.3 parser201==1.6.0 apachelogs==0.6.1
cat > read.py <<'PY'
import apache_log_parser
from apachelogs import LogParser
from clfparser import CLFParser
from parser201 import LogParser as Parser201

combined = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
line = r'192.0.2.1 - - [28/Nov/2026:10:00:00 +0000] "GET {} HTTP/1.1" 200 5 "-" "{}"'
agent = line.format("/", r"Fetch \"beta\" 2")
request = line.format(r"/?q=\"x\"", "Fetch")

one = LogParser(combined).parse
print("apachelogs", one(agent).headers_in["User-Agent"], one(request).request_line)
two = apache_log_parser.make_parser(combined)
print("apache-log-parser", two(agent)["request_header_user_agent"], two(request)["request_first_line"])
three = CLFParser.logDict
print("clfparser", three(agent)["Useragent"], "".join(str(value) for value in three(request).values()) or "nothing")
print("parser201", Parser201(agent).useragent, Parser201(request).requestline)
PY
venv/bin/python read.py > seen
diff - seen <<'SEEN'
apachelogs Fetch "beta" 2 GET /?q="x" HTTP/1.1
apache-log-parser Fetch \ GET /?q=\"x\" HTTP/1.1
clfparser "Fetch \" nothing
parser201 Fetch \ GET /?q=\"x\" HTTP/1.1
SEEN
echo "as described"
