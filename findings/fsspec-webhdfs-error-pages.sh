#!/bin/sh
# fsspec's WebHDFS takes what a data node answers with an error for the contents of the file.
#
# A name node redirects to a data node for the bytes. The answer of the data node is not looked at:
# of a token that has expired, or a block that is lost, the page that says so is what is read, and
# nothing is raised. If the file is smaller, it is cut to the file's size; if larger, it is all there
# is. Compressed files then look damaged; of text files, the reader gets a line of JSON.
#
# Seen on 2026-11-29 with fsspec 2026.9.0 and requests 2.34.2 from PyPI, Python 3.11. What is read of
# a file with 'the contents\n', first while the data node sends it, then while it answers 403:
#
#     b'the contents\n'
#     b'{"RemoteExcep'
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check fsspec==2026.9.0 requests==2.34.2
cat > read.py <<'PY'
import http.server
import json
import threading

import fsspec

CONTENTS = b"the contents\n"
refuses = False


class Node(http.server.BaseHTTPRequestHandler):
    """A name node, and a data node below /data."""

    def do_GET(self):
        if self.path.startswith("/data"):
            error = {"RemoteException": {"exception": "InvalidToken", "message": "token is expired"}}
            return self.answer(403, json.dumps(error).encode()) if refuses else self.answer(200, CONTENTS)
        if "op=OPEN" in self.path:
            return self.answer(307, b"", "http://127.0.0.1:%d/data" % server.server_port)
        self.answer(200, json.dumps({"FileStatus": {"type": "FILE", "length": len(CONTENTS)}}).encode())

    def answer(self, code, body, location=None):
        self.send_response(code)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
threading.Thread(target=server.serve_forever, daemon=True).start()
for refuses in (False, True):
    with fsspec.open("webhdfs://127.0.0.1:%d/file" % server.server_port) as file:
        print(file.read())
PY
venv/bin/python read.py | tee seen
diff - seen <<'EXPECTED'
b'the contents\n'
b'{"RemoteExcep'
EXPECTED
