#!/bin/sh
# Asked to decompress an HTTP answer, wget and lftp don't if the URL ends in .gz.
#
# A server may send any resource with `Content-Encoding: gzip`; a client that sent `Accept-Encoding`
# then decodes it. `wget --compression=auto` (or `=gzip`) does, unless the file name in the URL ends
# in `.gz` or `.tgz`, in capitals, too, and whatever the file is saved as: it saves the compressed
# bytes and exits with 0. lftp looks at the end of the whole URL, with its query, for `.gz` in small
# letters. So the same answer is text or gzip depending on its name. curl and aria2 decode all.
#
# Seen on 2026-11-28 with wget 1.21.3 (Debian 1.21.3-1+deb12u1) and lftp 4.9.2 (4.9.2-2+b1), the same
# answer for each path:
#
#     /a.log         wget text  lftp text
#     /a.log.gz      wget gzip  lftp gzip
#     /a.LOG.GZ      wget gzip  lftp text
#     /a.log.gz?x=1  wget gzip  lftp text
#     /a.log?x=.gz   wget text  lftp gzip
set -eu
work=$(mktemp -d)
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
server=
cd "$work"

apt-get download -qq -o APT::Sandbox::User=root wget=1.21.3-1+deb12u1 lftp=4.9.2-2+b1 libproxy1v5
for package in *.deb; do dpkg -x "$package" debian; done
libraries=$work/debian/usr/lib:$work/debian/usr/lib/$(uname -m)-linux-gnu
cat > serve.py <<'PY'
import gzip
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = gzip.compress(b"a line of text\n" * 100)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
python3 serve.py &
server=$!
while ! [ -s port ]; do kill -0 $server; done
url=http://127.0.0.1:$(cat port)

kind() { if [ "$(head -c 6 "$1")" = "a line" ]; then echo text; elif gzip -t "$1"; then echo gzip; else echo neither; fi; }
for path in /a.log /a.log.gz /a.LOG.GZ '/a.log.gz?x=1' '/a.log?x=.gz'; do
    rm -f wget lftp
    debian/usr/bin/wget -q --no-config --compression=auto -O wget "$url$path"
    HOME=$work LD_LIBRARY_PATH=$libraries debian/usr/bin/lftp -c "set http:accept-encoding gzip; set http:decode yes; get $url$path -o lftp"
    echo "$path wget $(kind wget) lftp $(kind lftp)"
done > seen
diff - seen <<'SEEN'
/a.log wget text lftp text
/a.log.gz wget gzip lftp gzip
/a.LOG.GZ wget gzip lftp text
/a.log.gz?x=1 wget gzip lftp text
/a.log?x=.gz wget text lftp gzip
SEEN
echo "as described"
