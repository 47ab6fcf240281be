#!/bin/sh
# Three servers and a library write access logs whose zone is not the zone of their clock.
#
# The time in Common Log Format has the offset from UTC of the server's clock. Squid and CUPS print
# the minutes of a negative offset with a sign of their own: in Newfoundland (-0330), and in the
# Marquesas (-0930), the log has `-03-30`, one character more. Paste's TransLogger (3.10.1) takes the
# hundredths of an hour for minutes, and summer time all the year round wherever there is one: -0330
# becomes -0250, and in Berlin, with +0100 in winter, every time is an hour off. webfs writes the
# local time and `+0000` everywhere. The clock before it is right, so a log sorts well and is wrong
# when it is compared with another. mini-httpd is right.
#
# Seen on 2026-11-29 with squid 5.7 (Debian 5.7-2+deb12u6), cups-daemon 2.4.2 (2.4.2-3+deb12u9), webfs
# 1.21 (1.21+ds1-12+b1), mini-httpd 1.30-3, and Paste 3.10.1 from PyPI (its dependency: setuptools),
# Python 3.11. The zone that each writes in standard time (not summer time):
#
#                -0330, summer -0230   +0100, summer +0200
#     mini-httpd -0330                 +0100
#     squid      -03-30                +0100
#     cups       -03-30                +0100
#     paste      -0250                 +0200
#     webfs      +0000                 +0000
set -eu
work=$(mktemp -d)
servers=
trap 'for server in $servers; do kill $server 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"
chmod 755 .

apt-get download -qq -o APT::Sandbox::User=root squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 libecap3 libltdl7 libnetfilter-conntrack3 \
    libnfnetlink0 libmnl0 cups-daemon=2.4.2-3+deb12u9 libcups2=2.4.2-3+deb12u9 libavahi-client3 libavahi-common3 libpaper1 libgnutls30 libgssapi-krb5-2 \
    libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libdbus-1-3 libldap-2.5-0 libsasl2-2 libtirpc3 libsystemd0 \
    webfs=1.21+ds1-12+b1 mini-httpd=1.30-3
for package in *.deb; do dpkg -x "$package" debian; done
export LD_LIBRARY_PATH="$work/debian/usr/lib/$(uname -m)-linux-gnu:$work/debian/lib/$(uname -m)-linux-gnu"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check Paste==3.10.1 setuptools

# An ordinary user's, as the servers give up root's rights.
mkdir site logs errors
echo text > site/index.html
chmod 777 logs
cat > paste.py <<'PY'
import logging
import sys

from paste.translogger import TransLogger

logging.basicConfig(filename=sys.argv[1], level=logging.INFO, format="%(message)s")
application = TransLogger(lambda environ, start: start("200 OK", []) or [b""], setup_console_handler=False)
environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1"}
application(environ, lambda status, headers, error=None: print)
PY
cat > port.py <<'PY'
import socket
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1])
PY
cat > ask.py <<'PY'
import socket
import sys
import time
for _ in range(200):
    try:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while one.recv(4096):
                pass
        break
    except OSError:
        time.sleep(0.1)
PY

# Summer time around the first of July, or around that of January if it is nearly July: it is not
# summer now, whenever this runs.
today=$(date -u +%j | sed 's/^0*//')
summer=J170,J195
if [ "$today" -gt 90 ] && [ "$today" -lt 270 ]; then summer=J355,J15; fi

# The zone of the first line of a log: what is between the seconds and the bracket.
zone() {
    i=0
    while ! grep -q '] "' "$1" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    sed -n 's/.*:[0-9][0-9] \([^]]*\)\] ".*/\1/p' "$1" | head -n 1
}
# serve LOG COMMAND... PORT: starts a server, sends a request, prints the zone, and stops the server.
serve() {
    log=$1
    shift
    "$@" > server.out 2>&1 &
    servers=$!
    python3 ask.py $port
    zone "$log"
    kill $servers
    wait $servers 2>/dev/null || true
    servers=
}

for zone in NST3:30NDT,$summer CET-1CEST,$summer; do
    export TZ=$zone
    rm -f logs/*
    port=$(python3 port.py)
    serve logs/mini debian/usr/sbin/mini_httpd -D -h 127.0.0.1 -p $port -d site -l "$work/logs/mini" > mini
    port=$(python3 port.py)
    cat > squid.conf <<CONF
http_port 127.0.0.1:$port accel defaultsite=localhost
http_access deny all
cache deny all
pid_filename none
netdb_filename none
shutdown_lifetime 0 seconds
mime_table $work/debian/usr/share/squid/mime.conf
icon_directory $work/debian/usr/share/squid/icons
error_directory $work/errors
cache_log $work/logs/cache
coredump_dir $work/logs
visible_hostname localhost
access_log stdio:$work/logs/squid combined
CONF
    serve logs/squid debian/usr/sbin/squid -N -f "$work/squid.conf" > squid
    port=$(python3 port.py)
    mkdir -p printing/spool/tmp printing/state printing/cache printing/root
    printf '%s\n' "Listen 127.0.0.1:$port" "AccessLogLevel all" "<Location />" "Order allow,deny" "Allow all" "</Location>" > cupsd.conf
    printf '%s\n' "AccessLog $work/logs/cups" "ErrorLog $work/logs/error" "ServerRoot $work/printing/root" "RequestRoot $work/printing/spool" "TempDir $work/printing/spool/tmp" \
        "CacheDir $work/printing/cache" "StateDir $work/printing/state" "PageLog $work/logs/page" "DocumentRoot $work/site" "FatalErrors none" > cups-files.conf
    serve logs/cups debian/usr/sbin/cupsd -f -c "$work/cupsd.conf" -s "$work/cups-files.conf" > cups
    env -u LD_LIBRARY_PATH venv/bin/python paste.py "$work/logs/paste"
    zone logs/paste > paste
    port=$(python3 port.py)
    serve logs/webfs debian/usr/bin/webfsd -F -4 -i 127.0.0.1 -p $port -r site -L "$work/logs/webfs" > webfs
    for server in mini squid cups paste webfs; do echo "$server $(cat $server)"; done
done > seen
diff - seen <<'SEEN'
mini -0330
squid -03-30
cups -03-30
paste -0250
webfs +0000
mini +0100
squid +0100
cups +0100
paste +0200
webfs +0000
SEEN
echo "as described"
