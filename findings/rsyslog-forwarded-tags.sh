#!/bin/sh
# rsyslog forwards a process with another number, if the name of its program is a long one.
#
# By default, rsyslog forwards messages with the template RSYSLOG_TraditionalForwardFormat, which
# cuts the tag to 32 characters (`%syslogtag:1:32%`). The tag is not only the program's name, as in
# RFC 3164, but all of `name[number]:`, so the cut may be within the number, without its bracket and
# the colon. syslog-ng reads what is left of the number, 471 for 4711, and nothing tells that it is
# not the process's. rsyslog itself reads no number. Of a longer name there is only the beginning. A
# program of systemd is affected: systemd-networkd-wait-online has 28 characters. Forwarded with
# `template="RSYSLOG_SyslogProtocol23Format"`, as in RFC 5424, name and number are whole.
#
# Seen on 2026-11-29 with rsyslog 8.2302.0 (Debian 8.2302.0-1+deb12u2) and syslog-ng 3.38.1
# (3.38.1-5+deb12u1). The tags as a program sends them, and program and process as they are read:
#
#                 systemd-networkd-wait-online[4711]:   gnome-software-local-file-packagekit[4711]:
#     rsyslog     systemd-networkd-wait-online -        gnome-software-local-file-packag -
#     syslog-ng   systemd-networkd-wait-online 471      gnome-software-local-file-packag
#     RFC 5424    systemd-networkd-wait-online 4711     gnome-software-local-file-packagekit 4711
#
# With `[47]` instead of `[4711]`, the tag has 32 characters without its colon, and both are right.
set -eu
work=$(mktemp -d)
daemons=
trap 'for daemon in $daemons; do kill $daemon 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"

apt-get download -qq -o APT::Sandbox::User=root rsyslog=8.2302.0-1+deb12u2 syslog-ng-core=3.38.1-5+deb12u1 libestr0 libfastjson4 \
    libsystemd0 libuuid1 libivykis0 libnet1 libwrap0 libnsl2 libtirpc3 libglib2.0-0 libssl3 libpcre2-8-0 libpcre3 libjson-c5 libcap2
for package in *.deb; do dpkg -x "$package" debian; done
libraries=debian/usr/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH="$work/$libraries:$work/debian/lib/$(uname -m)-linux-gnu:$work/debian/usr/lib/syslog-ng"
cat > ports.py <<'PY'
import socket
ones = [socket.socket() for _ in range(3)]
for one in ones:
    one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in ones])
PY
set -- $(python3 ports.py)
cat > receiver.conf <<CONF
module(load="imtcp")
template(name="read" type="string" string="%programname% %procid%\n")
ruleset(name="plain") { action(type="omfile" file="$work/rsyslog" template="read") }
ruleset(name="rfc5424") { action(type="omfile" file="$work/rfc5424" template="read") }
input(type="imtcp" address="127.0.0.1" port="$1" ruleset="plain")
input(type="imtcp" address="127.0.0.1" port="$2" ruleset="rfc5424")
CONF
cat > syslog-ng.conf <<CONF
@version: 3.38
options { keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0); };
source forwarded { network(ip("127.0.0.1") port($3) transport("tcp")); };
destination read { file("$work/syslog-ng" template("\$PROGRAM \$PID\n")); };
log { source(forwarded); destination(read); };
CONF
cat > sender.conf <<CONF
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$work/socket" CreatePath="off")
action(type="omfwd" target="127.0.0.1" port="$1" protocol="tcp")
action(type="omfwd" target="127.0.0.1" port="$2" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format")
action(type="omfwd" target="127.0.0.1" port="$3" protocol="tcp")
CONF
cat > until.py <<'PY'
import socket
import sys
import time

for port in sys.argv[1:]:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
PY
debian/usr/sbin/rsyslogd -n -f receiver.conf -i "$work/receiver.pid" -M "$work/$libraries/rsyslog" > receiver.out 2>&1 &
daemons=$!
debian/usr/sbin/syslog-ng -F -f syslog-ng.conf -R "$work/persist" -p "$work/syslog-ng.pid" -c "$work/control" --no-caps \
    --module-path "$work/debian/usr/lib/syslog-ng/3.38" > syslog-ng.out 2>&1 &
daemons="$daemons $!"
python3 until.py "$@"
debian/usr/sbin/rsyslogd -n -f sender.conf -i "$work/sender.pid" -M "$work/$libraries/rsyslog" > sender.out 2>&1 &
daemons="$daemons $!"
cat > log.py <<'PY'
import os
import socket
import time

tags = ["systemd-networkd-wait-online[4711]", "systemd-networkd-wait-online[47]", "gnome-software-local-file-packagekit[4711]"]
for _ in range(100):
    if os.path.exists("socket"):
        break
    time.sleep(0.1)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
    one.connect("socket")
    for tag in tags:
        one.send(f"<30>{time.strftime('%b %e %H:%M:%S')} {tag}: a message".encode())
for name in ("rsyslog", "syslog-ng", "rfc5424"):
    for _ in range(100):
        lines = open(name).read().splitlines() if os.path.exists(name) else []
        if len(lines) == len(tags):
            break
        time.sleep(0.1)
    for line in lines:
        print(name, "reads", line.strip())
PY
python3 log.py > seen
diff - seen <<'SEEN'
rsyslog reads systemd-networkd-wait-online -
rsyslog reads systemd-networkd-wait-online 47
rsyslog reads gnome-software-local-file-packag -
syslog-ng reads systemd-networkd-wait-online 471
syslog-ng reads systemd-networkd-wait-online 47
syslog-ng reads gnome-software-local-file-packag
rfc5424 reads systemd-networkd-wait-online 4711
rfc5424 reads systemd-networkd-wait-online 47
rfc5424 reads gnome-software-local-file-packagekit 4711
SEEN
echo "as described"
