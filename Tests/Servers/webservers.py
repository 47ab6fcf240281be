"""Web servers, proxies and caches: how each is started, and which logs it writes in which format."""

import contextlib
import http.server
import os
import re
import threading
import time
import xml.sax.saxutils

import exchange
from exchange import BODY, LAST_MODIFIED
from programs import Missing, find, free_port

SERVERS = {}


class Log:
    """A log, how it is read, and what its fields mean.

    `names` maps what is compared (client, user, time, request, status, bytes, referer, agent, forwarded, vhost) to the fields
    of the format. `escape` is what the server does to a text before it writes it, `undone` whether the format undoes it."""

    def __init__(self, file, format, escape, names=None, undone=False, **more):
        self.file, self.format, self.escape, self.undone = file, format, escape, undone
        self.names = COMBINED if names is None else names
        self.more = more


COMBINED = {
    "client": "ip",
    "user": "user",
    "time": "time",
    "zone": "zone",
    "request": "request",
    "status": "status",
    "bytes": "bytes",
    "referer": "referer",
    "agent": "agent",
}
COMMON = {key: value for key, value in COMBINED.items() if key not in ("referer", "agent")}
VHOST = {"vhost": "vhost", **COMBINED}
NGINX = {
    "client": "remote_addr",
    "user": "remote_user",
    "time": "time_local",
    "zone": "zone",
    "request": "request",
    "status": "status",
    "bytes": "body_bytes_sent",
    "referer": "http_referer",
    "agent": "http_user_agent",
}
NGINX_MAIN = {**NGINX, "forwarded": "http_x_forwarded_for"}


# What servers do to texts before they write them.


def plain(text):
    return text


def escaped(letters, hexadecimal, keep_high=False):
    def escape(text):
        result = b""
        for byte in text:
            character = bytes([byte])
            if character in letters:
                result += b"\\" + letters[character]
            elif byte < 0x20 or byte == 0x7F or (byte > 0x7F and not keep_high):
                result += hexadecimal % byte
            else:
                result += character
        return result

    return escape


LETTERS = {b'"': b'"', b"\\": b"\\", b"\n": b"n", b"\r": b"r", b"\t": b"t", b"\b": b"b", b"\v": b"v"}
nginx_escape = escaped({b'"': b"x22", b"\\": b"x5C"}, b"\\x%02X")
apache_escape = escaped(LETTERS, b"\\x%02x")
lighttpd_escape = escaped({**LETTERS, b"\f": b"f"}, b"\\x%02X")


def server(package):
    def add(function):
        SERVERS[function.__name__.replace("_", "-")] = (function, package)
        return function

    return add


def site(place):
    """A folder with the files that are asked for."""
    for name in ("site/plain.txt", "site/café"):
        path = place.write(name, BODY)
        os.utime(path, (LAST_MODIFIED, LAST_MODIFIED))
    return place.path("site")


USERS = [
    "john",
    "john doe",
    "john [ops] doe",
    "a [x",
    "jörg",
    'a"b',
    '""',
    "DOMAIN\\john",
    "-",
    " john  doe ",
    "10.0.0.1",
    "john 10.0.0.1",
    "j [10/Oct/2025:00:00:00 +0000] x",
    "john@site.example",
]


@server("nginx")
def nginx(place):
    program, port, root = find("nginx"), free_port(), site(place)
    formats = {
        "main": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for"',
        "vhost": '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
        "tabs": "$msec\t$remote_addr\t$remote_user\t$request\t$status\t$body_bytes_sent\t$http_referer\t$http_user_agent\t$request_time\t$http_x_forwarded_for",
        "bars": "$time_iso8601|$remote_addr|$remote_user|$status|$body_bytes_sent|$request_length|$pipe|$gzip_ratio|$upstream_response_time|$request",
        "lean": '$remote_addr $host $remote_user [$time_local] "$request" $status "$http_user_agent" rt=$request_time uct="$upstream_connect_time" $scheme $bytes_sent',
    }
    json = (
        '{"time":"$time_iso8601","client":"$remote_addr","user":"$remote_user","request":"$request","status":$status,"bytes":$body_bytes_sent,'
        '"referer":"$http_referer","agent":"$http_user_agent","forwarded":"$http_x_forwarded_for"}'
    )
    lines = "".join(f"log_format {name} '{text}';\naccess_log {place.path(name)} {name};\n" for name, text in formats.items())
    plainly = '"$remote_addr" "$remote_user" "$time_iso8601" "$status" "$body_bytes_sent" "$request"'
    place.write(
        "nginx.conf",
        f"""
daemon off; master_process off; pid {place.path('pid')}; error_log {place.path('error')};
events {{ }}
http {{
client_body_temp_path {place.path('b')}; proxy_temp_path {place.path('p')}; fastcgi_temp_path {place.path('f')}; uwsgi_temp_path {place.path('u')}; scgi_temp_path {place.path('s')};
{lines}
log_format asjson escape=json '{json}';
log_format unescaped escape=none '{plainly}';
access_log {place.path('combined')} combined;
access_log {place.path('asjson')} asjson;
access_log {place.path('unescaped')} unescaped;
server {{ listen 127.0.0.1:{port}; listen [::1]:{port} ipv6only=on; server_name site.example; root {root}; default_type text/plain; }}
}}
""",
    )
    place.start(program, "-p", str(place.folder), "-c", place.path("nginx.conf"), "-e", place.path("error"), port=port)
    directive = lambda name: {"access": {"nginx": f"log_format {name} '{formats[name]}';"}}
    bars = {
        "time": "time_iso8601",
        "client": "remote_addr",
        "user": "remote_user",
        "status": "status",
        "bytes": "body_bytes_sent",
        "request": "request",
        "zone": "zone",
    }
    combined = formats["main"].rsplit(" ", 1)[0]
    logs = [
        Log("combined", "combined", nginx_escape),
        Log("combined", {"combined": {"unescape": True}}, nginx_escape, undone=True),
        Log("combined", {"access": {"nginx": combined}}, nginx_escape, NGINX, undone=True),
        Log("combined", {"access": {"format": "combined"}}, nginx_escape, COMBINED, undone=True),
        Log("vhost", {"combined": {"vhost": True}}, nginx_escape, VHOST),
        Log("main", {"access": {"format": "main"}}, nginx_escape, NGINX_MAIN, undone=True),
        Log("main", directive("main"), nginx_escape, NGINX_MAIN, undone=True),
        Log("tabs", directive("tabs"), nginx_escape, {**{k: v for k, v in NGINX_MAIN.items() if k != "zone"}, "time": "msec"}, undone=True),
        Log("bars", directive("bars"), nginx_escape, bars, undone=True, zone="-03:30"),
        Log("lean", directive("lean"), nginx_escape, {k: v for k, v in NGINX.items() if k not in ("bytes", "referer")}, undone=True),
        Log(
            "asjson",
            "jsonl",
            plain,
            {key: key for key in ("client", "user", "request", "status", "bytes", "referer", "agent", "forwarded")},
            undone=True,
            dash=False,
            json=True,
        ),
        Log(
            "asjson",
            {"access": {"nginx": json, "escape": "json"}},
            plain,
            {**NGINX_MAIN, "time": "time_iso8601"},
            undone=True,
            dash=False,
            json=True,
            zone="-03:30",
        ),
        Log("unescaped", {"access": {"nginx": plainly, "escape": "none"}}, plain, bars, dash=False, json=True, zone="-03:30"),
    ]
    return port, logs


@server("apache2")
def apache(place):
    program, port, root = find("apache2"), free_port(), site(place)
    modules = "mpm_prefork authn_core authz_core authz_user auth_basic authn_anon mime unixd log_config alias dir".split()
    there = lambda name: os.path.exists(f"/usr/lib/apache2/modules/mod_{name}.so")
    load = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules if there(name))
    if there("logio"):
        load += "LoadModule logio_module /usr/lib/apache2/modules/mod_logio.so\n"
    formats = {
        "combined": r'%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"',
        "debian": r'%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"',
        "common": r'%h %l %u %t \"%r\" %>s %b',
        "vhost_combined": r'%v:%p %h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"',
        "vhost_common": r'%v %h %l %u %t \"%r\" %>s %b',
        "forwarded": r'%{X-Forwarded-For}i %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"',
        "many": r'%{usec}t %a %A %p %m \"%U\" \"%q\" %H %>s %B %D %T %{ms}T %I %O %k %X %P %L %{Host}i \"%{X-Forwarded-For}i\" %{Content-Type}o \"%f\" %R %u',
        "times": r'%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t %{%z}t %a %>s %b \"%r\"',
        "iso": r'[%{sec}t] %a|%u|%r|%>s|%{User-Agent}i',
        "last": r'%a %>s %r',
    }
    logs = "".join(f'LogFormat "{text}" {name}\nCustomLog {place.path(name)} {name}\n' for name, text in formats.items())
    place.write(
        "apache.conf",
        f"""
ServerRoot {place.folder}
{load}
PidFile {place.path('pid')}
ErrorLog {place.path('error')}
Listen 127.0.0.1:{port}
Listen [::1]:{port}
ServerName site.example
TypesConfig /etc/mime.types
StartServers 1
MinSpareServers 1
MaxSpareServers 1
ServerLimit 1
MaxRequestWorkers 1
DocumentRoot {root}
{logs}
<Directory {root}>
Require all granted
</Directory>
<If "-n req('Authorization')">
AuthType Basic
AuthName x
AuthBasicProvider anon
Anonymous *
Anonymous_NoUserID on
Anonymous_MustGiveEmail off
Require valid-user
</If>
""",
    )
    place.start(program, "-f", place.path("apache.conf"), "-DFOREGROUND", port=port)
    of = lambda name: {"access": {"apache": formats[name]}}
    directive = lambda name: {"access": {"apache": f'LogFormat "{formats[name]}" {name}'}}
    without = lambda *keys, **more: {**{k: v for k, v in COMBINED.items() if k not in keys}, **more}
    return port, [
        Log("combined", "combined", apache_escape),
        Log("combined", {"combined": {"unescape": True}}, apache_escape, undone=True),
        Log("combined", of("combined"), apache_escape, undone=True),
        Log("combined", {"access": {"format": "combined"}}, apache_escape, undone=True),
        Log("debian", directive("debian"), apache_escape, without("bytes", total="bytes_sent"), undone=True),
        Log("debian", "combined", apache_escape, without("bytes", total="bytes")),
        Log("common", "common", apache_escape, COMMON),
        Log("common", {"access": {"format": "common"}}, apache_escape, COMMON, undone=True),
        Log("vhost_combined", {"combined": {"vhost": True}}, apache_escape, VHOST),
        Log("vhost_combined", {"combined": {"vhost": True, "unescape": True}}, apache_escape, VHOST, undone=True),
        Log("vhost_combined", {"access": {"format": "vhost_combined"}}, apache_escape, VHOST, undone=True),
        Log("vhost_common", {"common": {"vhost": True}}, apache_escape, {"vhost": "vhost", **COMMON}),
        Log("vhost_common", {"access": {"format": "vhost_common"}}, apache_escape, {"vhost": "vhost", **COMMON}, undone=True),
        Log("forwarded", of("forwarded"), apache_escape, without("client", forwarded="http_x_forwarded_for"), undone=True),
        Log(
            "many",
            directive("many"),
            apache_escape,
            {
                "client": "client_ip",
                "time": "time",
                "status": "status",
                "bytes": "bytes",
                "total": "bytes_sent",
                "user": "user",
                "forwarded": "http_x_forwarded_for",
            },
            undone=True,
        ),
        Log(
            "times",
            of("times"),
            apache_escape,
            {"client": "client_ip", "status": "status", "bytes": "bytes", "request": "request"},
            undone=True,
        ),
        Log(
            "iso",
            of("iso"),
            apache_escape,
            {"time": "time", "client": "client_ip", "user": "user", "request": "request", "status": "status", "agent": "agent"},
            undone=True,
        ),
        Log("last", of("last"), apache_escape, {"client": "client_ip", "status": "status", "request": "request"}, undone=True),
    ]


@server("lighttpd")
def lighttpd(place):
    program, port, root = find("lighttpd"), free_port(), site(place)
    place.write("users", "".join(f"{user}:secret\n" for user in USERS) + ":secret\n")
    place.write(
        "lighttpd.conf",
        f"""
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{place.path('error')}"
accesslog.filename = "{place.path('combined')}"
mimetype.assign = ("" => "text/plain")
$SERVER["socket"] == "[::1]:{port}" {{ }}
$REQUEST_HEADER["Authorization"] =~ "." {{
auth.backend = "plain"
auth.backend.plain.userfile = "{place.path('users')}"
auth.require = ("/" => ("method" => "basic", "realm" => "x", "require" => "valid-user"))
}}
""",
    )
    place.start(program, "-D", "-f", place.path("lighttpd.conf"), port=port)
    apache_like = '%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
    return port, [
        Log("combined", "combined", lighttpd_escape),
        Log("combined", {"combined": {"unescape": True}}, lighttpd_escape, undone=True),
        Log("combined", {"access": {"apache": apache_like}}, lighttpd_escape, undone=True),
    ]


def absolute(request):
    """The request line as a cache writes it, with the host before the target."""
    words = request.line.split(b" ")
    if len(words) == 3 and words[1].startswith(b"/"):
        words[1] = b"http://" + (request.headers.get("host") or b"localhost") + words[1]
    return b" ".join(words)


def absolute_at_site(request):
    words = request.line.split(b" ")
    if len(words) == 3 and words[1].startswith(b"/"):
        words[1] = b"http://site.example" + words[1]
    return b" ".join(words)


# Squid and CUPS write -03-30 in Newfoundland: findings/access-log-zones.sh.
OTHER_ZONE = {"zone": "+0545"}
OTHER_ZONE_NAME = "Asia/Kathmandu"


def without(names, *keys, **more):
    return {**{key: value for key, value in names.items() if key not in keys}, **more}


def tomcat_escape(text):
    """Quotes and backslashes with a backslash; bytes beyond ASCII are taken for ISO 8859-1 and written as Java's escapes."""
    result = ""
    for character in text.decode("latin-1"):
        if character in LETTERS_OF_JAVA:
            result += LETTERS_OF_JAVA[character]
        elif " " <= character <= "~":
            result += character
        else:
            result += "\\u%04x" % ord(character)
    return result.encode()


LETTERS_OF_JAVA = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b"}


@server("tomcat10")
def tomcat(place):
    java, home, port = find("java"), "/usr/share/tomcat10", free_port()
    if not os.path.isdir(home):
        raise Missing("no folder " + home)
    for folder in ("conf", "logs", "temp", "work", "webapps/ROOT/WEB-INF"):
        place.make(folder)
    for name in ("plain.txt", "café"):
        path = place.write("webapps/ROOT/" + name, BODY)
        os.utime(path, (LAST_MODIFIED, LAST_MODIFIED))
    place.write(
        "webapps/ROOT/WEB-INF/web.xml",
        '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><login-config><auth-method>BASIC</auth-method>'
        "<realm-name>x</realm-name></login-config></web-app>",
    )
    place.write(
        "conf/web.xml",
        '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"><servlet><servlet-name>default</servlet-name>'
        "<servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class></servlet><servlet-mapping><servlet-name>default</servlet-name>"
        "<url-pattern>/</url-pattern></servlet-mapping></web-app>",
    )
    users = "".join(f"<user username={xml.sax.saxutils.quoteattr(user)} password='secret' roles=''/>" for user in USERS)
    place.write("conf/tomcat-users.xml", f"<tomcat-users>{users}</tomcat-users>")
    patterns = {
        "combined": "combined",
        "common": "common",
        "forwarded": '%{X-Forwarded-For}i %h %u %t "%r" %s %B "%{User-Agent}i" %{Host}i %p %A',
        "times": '%{begin:msec}t %a %u %t %m "%U" "%q" %H %s %b "%r"',
    }
    valve = '<Valve className="org.apache.catalina.valves.{}" directory="{}" prefix="{}" suffix="" rotatable="false" buffered="false" pattern={}/>'
    valves = "".join(
        valve.format("AccessLogValve", place.path("logs"), name, xml.sax.saxutils.quoteattr(text)) for name, text in patterns.items()
    )
    valves += valve.format(
        "ExtendedAccessLogValve",
        place.path("logs"),
        "extended",
        '"date time c-ip x-H(authType) cs-method cs-uri-stem cs-uri-query cs(User-Agent) cs(Referer) sc-status bytes time-taken"',
    )
    valves += valve.format(
        "JsonAccessLogValve", place.path("logs"), "json", '"%h %l %u %t &quot;%r&quot; %s %b %{Referer}i %{User-Agent}i %D"'
    )
    connectors = "".join(
        f'<Connector port="{port}" address="{address}" protocol="HTTP/1.1" connectionTimeout="2000"/>' for address in ("127.0.0.1", "::1")
    )
    place.write(
        "conf/server.xml",
        f"""<Server port="-1"><Service name="Catalina">{connectors}<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Host name="localhost" appBase="webapps" unpackWARs="false" autoDeploy="false"><Context path="" docBase="ROOT" preemptiveAuthentication="true"/>{valves}</Host></Engine></Service></Server>""",
    )
    place.start(
        java,
        "-Xmx256m",
        f"-Dcatalina.home={home}",
        f"-Dcatalina.base={place.folder}",
        f"-Djava.io.tmpdir={place.path('temp')}",
        "-cp",
        f"{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar",
        "org.apache.catalina.startup.Bootstrap",
        "start",
        port=port,
        patience=90,
    )
    of = lambda name: {"access": {"apache": patterns[name]}}
    return port, [
        Log("logs/combined", "combined", tomcat_escape),
        Log("logs/combined", {"combined": {"unescape": True}}, tomcat_escape, undone=True),
        Log("logs/combined", {"access": {"format": "combined"}}, tomcat_escape, undone=True),
        Log("logs/common", "common", tomcat_escape, COMMON),
        Log("logs/common", {"access": {"format": "common"}}, tomcat_escape, COMMON, undone=True),
        Log("logs/forwarded", of("forwarded"), tomcat_escape, without(COMBINED, "referer", forwarded="http_x_forwarded_for"), undone=True),
        Log("logs/times", of("times"), tomcat_escape, without(COMMON, "request", client="client_ip", method="method"), undone=True),
        Log(
            "logs/extended",
            "tsv",
            plain,
            {"client": "c-ip", "status": "sc-status", "agent": "cs(User-Agent)", "referer": "cs(Referer)", "method": "cs-method"},
            undone=True,
            text=True,
        ),
        Log(
            "logs/json",
            "jsonl",
            plain,
            {
                "client": "host",
                "user": "user",
                "request": "request",
                "status": "statusCode",
                "bytes": "size",
                "referer": "requestHeaders.Referer",
            },
            undone=True,
            json=True,
            text=True,
        ),
    ]


@server("jetty9")
def jetty(place):
    java, home, port = find("java"), "/usr/share/jetty9", free_port()
    if not os.path.isdir(home):
        raise Missing("no folder " + home)
    for name in ("plain.txt", "café"):
        path = place.write("webapps/ROOT/" + name, BODY)
        os.utime(path, (LAST_MODIFIED, LAST_MODIFIED))
    place.make("logs")
    place.make("temp")
    place.write(
        "start.ini",
        f"--module=http\n--module=deploy\n--module=customrequestlog\njetty.http.host=127.0.0.1\njetty.http.port={port}\n"
        f"jetty.customrequestlog.filePath={place.path('logs/request')}\njetty.customrequestlog.retainDays=1\njetty.customrequestlog.append=true\n",
    )
    place.start(
        java,
        "-Xmx256m",
        f"-Djava.io.tmpdir={place.path('temp')}",
        "-jar",
        f"{home}/start.jar",
        f"jetty.home={home}",
        f"jetty.base={place.folder}",
        port=port,
        patience=90,
    )
    return port, [
        Log("logs/*", "combined", plain, users=False, zone="+0000"),
        Log(
            "logs/*",
            {"access": {"apache": r'%h - %u %t "%r" %s %O "%{Referer}i" "%{User-Agent}i"'}},
            plain,
            without(COMBINED, bytes="bytes_sent"),
            users=False,
            undone=True,
            zone="+0000",
        ),
    ]


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
    place.origin = running
    return running.server_port


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
            line=absolute_at_site,
            **OTHER_ZONE,
        ),
        Log(
            "common",
            behind('%h %l %u %t "%r" %>s %b'),
            plain,
            without(COMMON, "bytes", total="bytes"),
            undone=True,
            line=absolute_at_site,
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
        Log("combined", "combined", varnish_escape, line=absolute),
        Log("combined", {"combined": {"unescape": True}}, varnish_escape, undone=True, line=absolute),
        Log("combined", {"access": {"format": "combined"}}, varnish_escape, undone=True, line=absolute),
        Log("forwarded", {"access": {"apache": forwarded}}, varnish_escape, without(COMBINED, "client"), undone=True, line=absolute),
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


@server("h2o")
def h2o(place):
    program, port, root = find("h2o"), free_port(), site(place)
    hosts = f'{{paths: {{"/": {{"file.dir": "{root}"}}}}}}'
    formats = {
        "combined": None,
        "apache": r'%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i"',
        "more": r'%{msec}t %h %p "%r" %>s %b %{request-total-time}x "%{X-Forwarded-For}i"',
    }
    logs = "".join(
        f"access-log:\n  path: {place.path(name)}\n" + (f"  format: '{text}'\n" if text else "") for name, text in formats.items()
    )
    place.write(
        "h2o.conf",
        f"listen: {{host: 127.0.0.1, port: {port}}}\nlisten: {{host: '::1', port: {port}}}\nnum-threads: 1\npid-file: {place.path('pid')}\n"
        f"error-log: {place.path('error')}\n{logs}hosts:\n  default: {hosts}\n",
    )
    place.start(program, "-m", "worker", "-c", place.path("h2o.conf"), port=port)
    return port, [
        Log("combined", "combined", h2o_escape, without(COMBINED), users=False),
        Log("combined", {"combined": {"unescape": True}}, h2o_escape, users=False, undone=True),
        Log("apache", {"access": {"apache": formats["apache"]}}, h2o_escape, without(COMBINED), users=False, undone=True),
    ]


def h2o_escape(text):
    """Quotes, control characters, and all from `}` on; but not backslashes."""
    return b"".join(b"\\x%02x" % byte if byte < 0x20 or byte >= 0x7D or byte == 0x22 else bytes([byte]) for byte in text)


@server("caddy")
def caddy(place):
    program, port, root = find("caddy"), free_port(), site(place)
    place.write(
        "Caddyfile",
        f"""{{
admin off
auto_https off
}}
http://127.0.0.1:{port}, http://[::1]:{port}, http://:{port} {{
bind 127.0.0.1 ::1
root * {root}
file_server
log {{
output file {place.path('json')} {{
roll_disabled
}}
format json
}}
}}
""",
    )
    place.start(
        program,
        "run",
        "--config",
        place.path("Caddyfile"),
        "--adapter",
        "caddyfile",
        port=port,
        environment={"XDG_DATA_HOME": place.path("data"), "XDG_CONFIG_HOME": place.path("config")},
    )
    return port, [
        Log(
            "json",
            "jsonl",
            plain,
            {"client": "request.remote_ip", "method": "request.method", "status": "status", "bytes": "size", "user": "user_id"},
            undone=True,
            json=True,
            dash=False,
            users=False,
        )
    ]
