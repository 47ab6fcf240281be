"""Proxies and caches, with a server of ours behind them."""

import contextlib
import http.server
import os
import re
import threading
import time

import exchange
from programs import find, free_port
from webservers import COMBINED, COMMON, LETTERS, NGINX, OTHER_ZONE, OTHER_ZONE_NAME, Log, escaped, plain, server, without


class Origin(http.server.BaseHTTPRequestHandler):
    """What is behind a proxy."""

    protocol_version = "HTTP/1.1"

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"no\n" if re.search("fence|missing", self.path) else exchange.BODY
        self.send_response(404 if body == b"no\n" else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *words):
        pass


def origin(place):
    """Starts a server behind a proxy, as a thread of this process; returns its port."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    place.closing.append(running.shutdown)
    return running.server_port


def absolute(host=None):
    """The request line as a cache writes it, with the host before the target: that of the request, or always the same."""

    def line(request):
        words = request.line.split(b" ")
        if len(words) == 3 and words[1].startswith(b"/"):
            words[1] = b"http://" + (host or request.headers.get("host") or b"localhost") + words[1]
        return b" ".join(words)

    return line


@server("squid")
def squid(place):
    program, port = find("squid"), free_port()
    place.zone = OTHER_ZONE_NAME
    behind = origin(place)
    place.write(
        "squid.conf",
        f"""
http_port 127.0.0.1:{port} accel defaultsite=site.example no-vhost
http_port [::1]:{port} accel defaultsite=site.example no-vhost
cache_peer 127.0.0.1 parent {behind} 0 no-query originserver
auth_param basic program /usr/lib/squid/basic_fake_auth
auth_param basic children 1
acl sent req_header Authorization .
acl known proxy_auth REQUIRED
http_access deny sent !known
http_access allow all
cache deny all
pid_filename {place.path('pid')}
cache_log {place.path('cache')}
coredump_dir {place.folder}
netdb_filename none
logfile_rotate 0
shutdown_lifetime 1 seconds
visible_hostname site.example
strip_query_terms off
access_log stdio:{place.path('squid')} squid
access_log stdio:{place.path('combined')} combined
access_log stdio:{place.path('common')} common
""",
    )
    place.start(program, "-N", "-f", place.path("squid.conf"), port=port)
    native = {"client": "ip", "user": "user", "time": "time", "status": "status", "method": "method", "total": "bytes"}
    behind = lambda text: {"access": {"apache": text + " %{status}n:%{hierarchy}n"}}
    return port, [
        Log("squid", {"access": {"format": "squid"}}, plain, native, undone=True),
        Log(
            "combined",
            behind(r'%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'),
            plain,
            without(COMBINED, "bytes", total="bytes"),
            undone=True,
            line=absolute(b"site.example"),
            **OTHER_ZONE,
        ),
        Log(
            "common",
            behind('%h %l %u %t "%r" %>s %b'),
            plain,
            without(COMMON, "bytes", total="bytes"),
            undone=True,
            line=absolute(b"site.example"),
            **OTHER_ZONE,
        ),
        Log("combined", "combined", plain),
    ]


@server("varnish")
def varnish(place):
    program, reader, port = find("varnishd"), find("varnishncsa"), free_port()
    behind = origin(place)
    place.make("v")
    place.start(
        program,
        "-F",
        "-j",
        "none",
        "-a",
        f"127.0.0.1:{port}",
        "-a",
        f"[::1]:{port}",
        "-b",
        f"127.0.0.1:{behind}",
        "-n",
        place.path("v"),
        "-s",
        "malloc,16m",
        "-T",
        "none",
        port=port,
        patience=60,
    )
    combined = place.path("combined")
    # It has attached itself once it sees a request of ours.
    place.start(reader, "-n", place.path("v"), "-w", combined, ready=lambda: os.path.exists(combined), output="ncsa.out")
    forwarded = '%{X-Forwarded-For}i %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %D'
    place.start(
        reader,
        "-n",
        place.path("v"),
        "-w",
        place.path("forwarded"),
        "-F",
        forwarded,
        ready=lambda: os.path.exists(place.path("forwarded")),
        output="ncsa.out",
    )
    time.sleep(1)
    place.patience = 2
    return port, [
        Log("combined", "combined", varnish_escape, line=absolute()),
        Log("combined", {"combined": {"unescape": True}}, varnish_escape, undone=True, line=absolute()),
        Log("combined", {"access": {"format": "combined"}}, varnish_escape, undone=True, line=absolute()),
        Log("forwarded", {"access": {"apache": forwarded}}, varnish_escape, without(COMBINED, "client"), undone=True, line=absolute()),
    ]


varnish_escape = escaped(LETTERS, b"\\x%02x")


@server("haproxy")
def haproxy(place):
    program, port = find("haproxy"), free_port()
    behind = origin(place)
    place.write(
        "haproxy.cfg",
        f"""
global
log stdout len 65535 format raw daemon
defaults
mode http
timeout client 5s
timeout server 5s
timeout connect 5s
log global
frontend clf
bind 127.0.0.1:{port}
bind [::1]:{port}
capture request header Referer len 200
capture request header User-Agent len 5000
option httplog
log-format "%ci - - [%trl] %{{+Q}}r %ST %B \\"%[capture.req.hdr(0)]\\" \\"%[capture.req.hdr(1)]\\""
default_backend site
backend site
server one 127.0.0.1:{behind}
""",
    )
    place.start(program, "-db", "-f", place.path("haproxy.cfg"), port=port, output="combined")
    return port, [Log("combined", "combined", haproxy_escape, without(COMBINED, "bytes"), users=False)]


def haproxy_escape(text):
    return b"".join(b"#%02X" % byte if byte < 0x20 or byte >= 0x7F or byte in b'"#' else bytes([byte]) for byte in text)


@server("nghttp2-proxy")
def nghttpx(place):
    program, port = find("nghttpx"), free_port()
    behind = origin(place)
    place.write(
        "nghttpx.conf",
        f"""
frontend=127.0.0.1,{port};no-tls
frontend=::1,{port};no-tls
backend=127.0.0.1,{behind}
accesslog-file={place.path('combined')}
errorlog-file={place.path('error')}
workers=1
single-thread=yes
single-process=yes
""",
    )
    place.start(program, f"--conf={place.path('nghttpx.conf')}", port=port)
    default = '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
    return port, [
        Log("combined", "combined", nghttpx_escape, users=False),
        Log("combined", {"access": {"nginx": default}}, nghttpx_escape, without(NGINX, "user"), undone=True),
    ]


nghttpx_escape = escaped({b'"': b"x22", b"\\": b"x5c"}, b"\\x%02x")


@server("trafficserver")
def trafficserver(place):
    program, port = find("traffic_server"), free_port()
    behind = origin(place)
    for folder in ("etc", "log", "run", "cache"):
        place.make(folder)
    place.write("etc/remap.config", f"map / http://127.0.0.1:{behind}/\n")
    place.write(
        "etc/logging.yaml",
        """logging:
  formats:
  - name: squid
    format: '%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<psql> %<cqhm> %<cquc> %<caun> %<phr>/%<shn> %<psct>'
  - name: common
    format: '%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl>'
  - name: extended
    format: '%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl> "%<{Referer}cqh>" "%<{User-Agent}cqh>"'
  logs:
  - {filename: squid, format: squid, mode: ascii}
  - {filename: common, format: common, mode: ascii}
  - {filename: extended, format: extended, mode: ascii}
""",
    )
    for path in os.listdir("/etc/trafficserver"):
        if path not in ("remap.config", "logging.yaml", "records.config") and os.path.isfile("/etc/trafficserver/" + path):
            place.write("etc/" + path, open("/etc/trafficserver/" + path, "rb").read())
    records = {
        "proxy.config.http.server_ports": f"STRING {port}:ip-in=127.0.0.1 {port}:ipv6:ip-in=[::1]",
        "proxy.config.log.logging_enabled": "INT 3",
        "proxy.config.log.max_secs_per_buffer": "INT 1",
        "proxy.config.log.logfile_dir": f"STRING {place.path('log')}",
        "proxy.config.url_remap.pristine_host_hdr": "INT 1",
        "proxy.config.exec_thread.autoconfig": "INT 0",
        "proxy.config.exec_thread.limit": "INT 1",
        "proxy.config.http.cache.http": "INT 0",
        "proxy.config.log.auto_delete_rolled_files": "INT 0",
        "proxy.config.admin.user_id": "STRING #-1",
        "proxy.config.reverse_proxy.enabled": "INT 1",
    }
    place.write("etc/records.config", "".join(f"CONFIG {name} {value}\n" for name, value in records.items()))
    place.write("etc/storage.config", "")
    places = {"sysconfdir": "etc", "runtimedir": "run", "logdir": "log", "cachedir": "cache", "localstatedir": "run"}
    lines = {
        "prefix": "/usr",
        "exec_prefix": "/usr",
        "bindir": "/usr/bin",
        "sbindir": "/usr/sbin",
        "datadir": place.path("cache"),
        "includedir": "/usr/include",
        "libdir": "/usr/lib",
        "libexecdir": "/usr/lib/trafficserver/modules",
        "mandir": "/usr/share/man",
        "infodir": "/usr/share/info",
        **{key: place.path(value) for key, value in places.items()},
    }
    place.write("runroot.yaml", "".join(f"{key}: {value}\n" for key, value in lines.items()))
    place.start(program, "--run-root=" + place.path("runroot.yaml"), port=port, patience=60)
    # Its buffers are written every few seconds.
    place.patience = 10
    native = {"client": "ip", "time": "time", "status": "status", "method": "method"}
    line = absolute(b"127.0.0.1:%d" % behind)
    return port, [
        Log("log/squid.log", {"access": {"format": "squid"}}, plain, native, undone=True),
        Log("log/common.log", "common", plain, without(COMMON, "bytes"), users=False, line=line),
        Log("log/extended.log", "combined", plain, without(COMBINED, "bytes"), users=False, line=line),
    ]


@server("privoxy")
def privoxy(place):
    program, port = find("privoxy"), free_port()
    behind = origin(place)
    place.write(
        "config",
        f"""
listen-address 127.0.0.1:{port}
logdir {place.folder}
logfile log
debug 512
forward / 127.0.0.1:{behind}
accept-intercepted-requests 1
""",
    )
    place.start(program, "--no-daemon", place.path("config"), port=port)
    return port, [Log("output", "common", plain, without(COMMON, "bytes"), users=False)]
