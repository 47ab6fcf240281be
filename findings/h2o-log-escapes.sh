#!/bin/sh
# H2O's access log escapes `~` and `}`, which are harmless, but not the backslash that it escapes with.
#
# With `escape: apache`, its default, H2O writes a quote, control characters and bytes beyond ASCII
# as `\xHH`. Two things differ from what Apache and nginx do. All from `}` on is escaped, so the path
# `/~user/` is `/\x7euser/` in the log, and counting or searching by path misses it. The backslash is
# written as itself: a user agent `\x22` looks the same as a quote, and one that ends in a backslash
# seems to escape the closing quote, so that a parser that follows Apache's rules reads past the end
# of the field. nginx writes `/~user/` and `\x5C`.
#
# Seen on 2026-11-29 with h2o 2.2.5 (Debian 2.2.5+dfsg2-7) and nginx 1.22.1 (1.22.1-9+deb12u11). The
# path or user agent that is sent, and what each writes:
#
#     /~user/       h2o /\x7euser/         nginx /~user/
#     a{b}          h2o a{b\x7d            nginx a{b}
#     say "hi"      h2o say \x22hi\x22     nginx say \x22hi\x22
#     say \x22hi    h2o say \x22hi         nginx say \x5Cx22hi
#     C:\           h2o C:\                nginx C:\x5C
set -eu
work=$(mktemp -d)
servers=
trap 'for server in $servers; do kill $server 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"
chmod 755 .

apt-get download -qq -o APT::Sandbox::User=root h2o=2.2.5+dfsg2-7 nginx=1.22.1-9+deb12u11 libyaml-0-2 libssl3 libpcre2-8-0
for package in *.deb; do dpkg -x "$package" debian; done
export LD_LIBRARY_PATH="$work/debian/usr/lib/$(uname -m)-linux-gnu:$work/debian/lib/$(uname -m)-linux-gnu"
mkdir site
echo text > site/index.html
cat > ports.py <<'PY'
import socket
ones = [socket.socket() for _ in range(2)]
for one in ones:
    one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in ones])
PY
set -- $(python3 ports.py)
cat > h2o.conf <<CONF
listen: {host: 127.0.0.1, port: $1}
num-threads: 1
access-log: $work/h2o
hosts: {default: {paths: {"/": {file.dir: $work/site}}}}
CONF
cat > nginx.conf <<CONF
daemon off; master_process off; pid $work/pid; error_log $work/error;
events { }
http {
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
    access_log $work/nginx combined;
    server { listen 127.0.0.1:$2; root $work/site; }
}
CONF
debian/usr/bin/h2o -m worker -c h2o.conf > h2o.out 2>&1 &
servers=$!
debian/usr/sbin/nginx -p "$work" -c "$work/nginx.conf" -e "$work/error" > nginx.out 2>&1 &
servers="$servers $!"
cat > ask.py <<'PY'
import socket
import sys
import time

asked = [("/~user/", "x"), ("/", "a{b}"), ("/", 'say "hi"'), ("/", "say \\x22hi"), ("/", "C:\\")]
for name, port in zip(["h2o", "nginx"], sys.argv[1:]):
    for path, agent in asked:
        for _ in range(100):
            try:
                one = socket.create_connection(("127.0.0.1", int(port)), timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        with one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n".encode())
            while one.recv(4096):
                pass
    for _ in range(50):
        lines = open(name).read().splitlines()
        if len(lines) == len(asked):
            break
        time.sleep(0.1)
    for line, (path, agent) in zip(lines, asked, strict=True):
        written = line.split('"')[1].split(" ")[1] if agent == "x" else line.split('"')[5]
        print(name, path if agent == "x" else agent, "as", written)
PY
python3 ask.py "$@" > seen
diff - seen <<'SEEN'
h2o /~user/ as /\x7euser/
h2o a{b} as a{b\x7d
h2o say "hi" as say \x22hi\x22
h2o say \x22hi as say \x22hi
h2o C:\ as C:\
nginx /~user/ as /~user/
nginx a{b} as a{b}
nginx say "hi" as say \x22hi\x22
nginx say \x22hi as say \x5Cx22hi
nginx C:\ as C:\x5C
SEEN
echo "as described"
