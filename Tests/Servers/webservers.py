"""Web servers: how each is started, and which logs it writes in which format."""

import os

from exchange import BODY, LAST_MODIFIED
from programs import find, free_port

SERVERS = {}


class Log:
    """A log, how it is read, and what its fields mean.

    `names` maps what is compared (client, user, time, request, status, bytes, referer, agent, forwarded, vhost) to the fields
    of the format. `escape` is what the server does to a text before it writes it, `undone` whether the format undoes it."""

    def __init__(self, file, format, escape, names=None, undone=False, **more):
        self.file, self.format, self.escape, self.undone = file, format, escape, undone
        self.names = COMBINED if names is None else names
        self.more = more


def without(names, *keys, **more):
    return {**{key: value for key, value in names.items() if key not in keys}, **more}


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
COMMON = without(COMBINED, "referer", "agent")
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

# Squid and CUPS write -03-30 in Newfoundland: findings/access-log-zones.sh.
OTHER_ZONE = {"zone": "+0545"}
OTHER_ZONE_NAME = "Asia/Kathmandu"


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


def site(place, folder="site"):
    """A folder with the files that are asked for."""
    for name in ("plain.txt", "café"):
        path = place.write(f"{folder}/{name}", BODY)
        os.utime(path, (LAST_MODIFIED, LAST_MODIFIED))
    return place.path(folder)


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
    combined = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
    formats = {
        "main": f'{combined} "$http_x_forwarded_for"',
        "vhost": f"$host:$server_port {combined}",
        "tabs": "\t".join(
            "$msec $remote_addr $remote_user $request $status $body_bytes_sent $http_referer $http_user_agent $request_time "
            "$http_x_forwarded_for".split()
        ),
        "bars": "$time_iso8601|$remote_addr|$remote_user|$status|$body_bytes_sent|$request_length|$pipe|$gzip_ratio|"
        "$upstream_response_time|$request",
        "lean": '$remote_addr $host $remote_user [$time_local] "$request" $status "$http_user_agent" rt=$request_time '
        'uct="$upstream_connect_time" $scheme $bytes_sent',
    }
    json = (
        '{"time":"$time_iso8601","client":"$remote_addr","user":"$remote_user","request":"$request","status":$status,'
        '"bytes":$body_bytes_sent,"referer":"$http_referer","agent":"$http_user_agent","forwarded":"$http_x_forwarded_for"}'
    )
    lines = "".join(f"log_format {name} '{text}';\naccess_log {place.path(name)} {name};\n" for name, text in formats.items())
    plainly = '"$remote_addr" "$remote_user" "$time_iso8601" "$status" "$body_bytes_sent" "$request"'
    place.write(
        "nginx.conf",
        f"""
daemon off; master_process off; pid {place.path('pid')}; error_log {place.path('error')};
events {{ }}
http {{
client_body_temp_path {place.path('b')}; proxy_temp_path {place.path('p')};
fastcgi_temp_path {place.path('f')}; uwsgi_temp_path {place.path('u')}; scgi_temp_path {place.path('s')};
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
    logs = [
        Log("combined", "combined", nginx_escape),
        Log("combined", {"combined": {"unescape": True}}, nginx_escape, undone=True),
        Log("combined", {"access": {"nginx": combined}}, nginx_escape, NGINX, undone=True),
        Log("combined", {"access": {"format": "combined"}}, nginx_escape, COMBINED, undone=True),
        Log("vhost", {"combined": {"vhost": True}}, nginx_escape, VHOST),
        Log("main", {"access": {"format": "main"}}, nginx_escape, NGINX_MAIN, undone=True),
        Log("main", directive("main"), nginx_escape, NGINX_MAIN, undone=True),
        Log("tabs", directive("tabs"), nginx_escape, without(NGINX_MAIN, "zone", time="msec"), undone=True),
        Log("bars", directive("bars"), nginx_escape, bars, undone=True, zone="-03:30"),
        Log("lean", directive("lean"), nginx_escape, without(NGINX, "bytes", "referer"), undone=True),
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
            without(NGINX_MAIN, time="time_iso8601"),
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
        "many": r'%{usec}t %a %A %p %m \"%U\" \"%q\" %H %>s %B %D %T %{ms}T %I %O %k %X %P %L %{Host}i \"%{X-Forwarded-For}i\" '
        r'%{Content-Type}o \"%f\" %R %u',
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
    return port, [
        Log("combined", "combined", apache_escape),
        Log("combined", {"combined": {"unescape": True}}, apache_escape, undone=True),
        Log("combined", of("combined"), apache_escape, undone=True),
        Log("combined", {"access": {"format": "combined"}}, apache_escape, undone=True),
        Log("debian", directive("debian"), apache_escape, without(COMBINED, "bytes", total="bytes_sent"), undone=True),
        Log("debian", "combined", apache_escape, without(COMBINED, "bytes", total="bytes")),
        Log("common", "common", apache_escape, COMMON),
        Log("common", {"access": {"format": "common"}}, apache_escape, COMMON, undone=True),
        Log("vhost_combined", {"combined": {"vhost": True}}, apache_escape, VHOST),
        Log("vhost_combined", {"combined": {"vhost": True, "unescape": True}}, apache_escape, VHOST, undone=True),
        Log("vhost_combined", {"access": {"format": "vhost_combined"}}, apache_escape, VHOST, undone=True),
        Log("vhost_common", {"common": {"vhost": True}}, apache_escape, {"vhost": "vhost", **COMMON}),
        Log("vhost_common", {"access": {"format": "vhost_common"}}, apache_escape, {"vhost": "vhost", **COMMON}, undone=True),
        Log("forwarded", of("forwarded"), apache_escape, without(COMBINED, "client", forwarded="http_x_forwarded_for"), undone=True),
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
        Log("combined", "combined", h2o_escape, users=False),
        Log("combined", {"combined": {"unescape": True}}, h2o_escape, users=False, undone=True),
        Log("apache", {"access": {"apache": formats["apache"]}}, h2o_escape, users=False, undone=True),
        Log(
            "more",
            # A name of H2O's, which sluice takes for the name of a note.
            {"access": {"apache": formats["more"].replace("}x", "}n")}},
            h2o_escape,
            without(COMMON, "user", "zone", forwarded="http_x_forwarded_for"),
            undone=True,
        ),
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
