"""Smaller web servers of Debian, and those of other languages."""

import os

from programs import find, free_port
from pythonservers import WSGI, application
from webservers import COMBINED, COMMON, OTHER_ZONE, OTHER_ZONE_NAME, Log, escaped, origin, plain, server, site, without


@server("nghttp2-proxy")
def nghttpx(place):
    program, port = find("nghttpx"), free_port()
    behind = origin(place)
    place.write(
        "nghttpx.conf",
        f"frontend=127.0.0.1,{port};no-tls\nfrontend=::1,{port};no-tls\nbackend=127.0.0.1,{behind}\naccesslog-file={place.path('combined')}\n"
        f"errorlog-file={place.path('error')}\nworkers=1\nsingle-thread=yes\nsingle-process=yes\n",
    )
    place.start(program, f"--conf={place.path('nghttpx.conf')}", port=port)
    default = '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
    names = {
        "client": "remote_addr",
        "time": "time_local",
        "zone": "zone",
        "request": "request",
        "status": "status",
        "bytes": "body_bytes_sent",
        "referer": "http_referer",
        "agent": "http_user_agent",
    }
    return port, [
        Log("combined", "combined", nghttpx_escape, users=False),
        Log("combined", {"access": {"nginx": default}}, nghttpx_escape, names, undone=True),
    ]


nghttpx_escape = escaped({b'"': b"x22", b"\\": b"x5c"}, b"\\x%02x")


@server("webfs")
def webfs(place):
    program, port, root = find("webfsd"), free_port(), site(place)
    place.start(
        program,
        "-F",
        "-4",
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-r",
        root,
        "-l",
        place.path("common"),
        "-L",
        place.path("common-flushed"),
        port=port,
    )
    return port, [Log("common-flushed", "common", plain, without(COMMON, "bytes"), users=False)]


@server("mini-httpd")
def mini_httpd(place):
    program, port, root = find("mini_httpd"), free_port(), site(place)
    place.start(program, "-D", "-h", "127.0.0.1", "-p", str(port), "-d", root, "-l", place.path("combined"), port=port)
    return port, [Log("combined", "combined", plain, users=False)]


@server("trafficserver")
def trafficserver(place):
    program, port = find("traffic_server"), free_port()
    behind = origin(place)
    for folder in ("etc", "log", "run", "cache"):
        place.make(folder)
    place.write("etc/remap.config", f"map / http://127.0.0.1:{behind}/\n")
    place.write(
        "etc/logging.yaml",
        f"""logging:
  formats:
  - name: squid
    format: '%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<psql> %<cqhm> %<cquc> %<caun> %<phr>/%<shn> %<psct>'
  - name: common
    format: '%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl>'
  - name: extended
    format: '%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl> "%<{{Referer}}cqh>" "%<{{User-Agent}}cqh>"'
  logs:
  - {{filename: squid, format: squid, mode: ascii}}
  - {{filename: common, format: common, mode: ascii}}
  - {{filename: extended, format: extended, mode: ascii}}
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

    def line(request):
        words = request.line.split(b" ")
        if len(words) == 3 and words[1].startswith(b"/"):
            words[1] = b"http://127.0.0.1:%d" % behind + words[1]
        return b" ".join(words)

    return port, [
        Log("log/squid.log", {"access": {"format": "squid"}}, plain, native, undone=True),
        Log("log/common.log", "common", plain, without(COMMON, "bytes"), users=False, line=line),
        Log("log/extended.log", "combined", plain, without(COMBINED, "bytes"), users=False, line=line),
    ]


@server("civetweb")
def civetweb(place):
    program, port, root = find("civetweb"), free_port(), site(place)
    place.write(
        "civetweb.conf",
        f"listening_ports 127.0.0.1:{port}\ndocument_root {root}\naccess_log_file {place.path('combined')}\nerror_log_file {place.path('error')}\nnum_threads 1\n",
    )
    place.start(program, place.path("civetweb.conf"), port=port)
    own = '%h - %u %t "%r" %s %b %{Referer}i %{User-Agent}i'
    return port, [
        Log("combined", "combined", plain),
        Log("combined", {"access": {"apache": own}}, plain, without(COMBINED, "bytes", "user"), undone=True),
    ]


@server("privoxy")
def privoxy(place):
    program, port = find("privoxy"), free_port()
    behind = origin(place)
    place.write(
        "config",
        f"listen-address 127.0.0.1:{port}\nlogdir {place.folder}\nlogfile log\ndebug 512\nforward / 127.0.0.1:{behind}\naccept-intercepted-requests 1\n",
    )
    place.start(program, "--no-daemon", place.path("config"), port=port)
    return port, [Log("output", "common", plain, without(COMMON, "bytes"), users=False)]


@server("ruby-webrick")
def webrick(place):
    program, port, root = find("ruby"), free_port(), site(place)
    place.write(
        "serve.rb",
        f"""
require "webrick"
log = File.open("{place.path('combined')}", "a")
log.sync = true
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: {port}, DocumentRoot: "{root}", AccessLog: [[log, WEBrick::AccessLog::COMBINED_LOG_FORMAT]],
                                 Logger: WEBrick::Log.new("{place.path('error')}"))
trap("TERM") {{ server.shutdown }}
server.start
""",
    )
    place.start(program, place.path("serve.rb"), port=port)
    return port, [
        Log("combined", "combined", webrick_escape, users=False),
        Log("combined", {"access": {"format": "combined"}}, webrick_escape, users=False, undone=True),
    ]


def webrick_escape(text):
    return escaped({b'"': b'"', b"\\": b"\\"}, b"\\x%02x", keep_high=True)(text)


RACK = """
require "rack"
require "rack/common_logger"
body = File.binread("SITE/plain.txt")
logger = File.open("LOG", "a")
logger.sync = true
use Rack::CommonLogger, logger
run lambda { |env|
  path = env["PATH_INFO"]
  status, text = (path.include?("fence") || path.include?("missing")) ? [404, "no\\n"] : [200, body]
  [status, {"Content-Type" => "text/plain", "Content-Length" => text.bytesize.to_s}, [env["REQUEST_METHOD"] == "HEAD" ? "" : text]]
}
"""


@server("puma")
def rack_puma(place):
    program, port, root = find("puma"), free_port(), site(place)
    place.write("config.ru", RACK.replace("SITE", root).replace("LOG", place.path("common")))
    place.start(program, "-b", f"tcp://127.0.0.1:{port}", "-t", "1:1", "-e", "none", place.path("config.ru"), port=port)
    behind = {"access": {"apache": '%h - %u %t "%r" %>s %b %{seconds}n'}}
    return port, [
        Log("common", "common", plain, users=False),
        Log("common", behind, plain, COMMON, users=False, undone=True),
    ]


PSGI = """
use Plack::Builder;
my $body = do { local $/; open my $file, "<:raw", "SITE/plain.txt"; <$file> };
my $app = sub {
    my $env = shift;
    my ($status, $text) = $env->{PATH_INFO} =~ /fence|missing/ ? (404, "no\\n") : (200, $body);
    return [$status, ["Content-Type" => "text/plain", "Content-Length" => length $text], [$env->{REQUEST_METHOD} eq "HEAD" ? "" : $text]];
};
open my $log, ">>:unix", "LOG";
builder { enable "AccessLog", format => "combined", logger => sub { print $log @_ }; $app };
"""


@server("starman")
def plack(place):
    program, port, root = find("starman"), free_port(), site(place)
    place.write("app.psgi", PSGI.replace("SITE", root).replace("LOG", place.path("combined")))
    place.start(program, "--listen", f"127.0.0.1:{port}", "--workers", "1", place.path("app.psgi"), port=port)
    return port, [
        Log("combined", "combined", plack_escape, users=False),
        Log("combined", {"access": {"format": "combined"}}, plack_escape, users=False, undone=True),
    ]


plack_escape = plain


MORGAN = """
const http = require("http"), fs = require("fs"), morgan = require("morgan")
const body = fs.readFileSync("SITE/plain.txt")
const logs = ["combined", "common"].map(name => morgan(name, {stream: fs.createWriteStream("FOLDER/" + name, {flags: "a"})}))
const answer = (request, response) => {
  const lost = /fence|missing/.test(request.url), text = lost ? "no\\n" : body
  response.writeHead(lost ? 404 : 200, {"Content-Type": "text/plain", "Content-Length": text.length})
  response.end(request.method == "HEAD" ? "" : text)
}
http.createServer((request, response) => logs[0](request, response, () => logs[1](request, response, () => answer(request, response)))).listen(PORT, "127.0.0.1")
"""


@server("node-morgan")
def morgan(place):
    program, port, root = find("node"), free_port(), site(place)
    place.write("serve.js", MORGAN.replace("SITE", root).replace("FOLDER", str(place.folder)).replace("PORT", str(port)))
    place.start(program, place.path("serve.js"), port=port, environment={"NODE_PATH": "/usr/share/nodejs"})
    return port, [
        Log("combined", "combined", plain, zone="+0000"),
        Log("combined", {"access": {"format": "combined"}}, plain, zone="+0000", undone=True),
        Log("common", "common", plain, COMMON, zone="+0000"),
    ]


@server("docker-registry")
def docker_registry(place):
    program, port = find("docker-registry"), free_port()
    place.make("registry")
    place.write(
        "config.yml",
        f"version: 0.1\nlog: {{level: info, formatter: text, accesslog: {{disabled: false}}}}\nstorage: {{filesystem: {{rootdirectory: {place.path('registry')}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
    )
    place.start(program, "serve", place.path("config.yml"), port=port, output="log")
    return (
        port,
        [
            Log("log", "combined", go_escape, users=False),
            Log("log", {"combined": {"unescape": True}}, go_escape, users=False, undone=True),
            Log(
                "log",
                "logfmt",
                plain,
                {"agent": "http.request.useragent", "referer": "http.request.referer", "method": "http.request.method"},
                undone=True,
            ),
        ],
        b"/v2/",
    )


def go_escape(text):
    """As strconv.Quote does: what cannot be printed as \\u, what is not UTF-8 as \\x."""
    result = ""
    for character in text.decode("utf-8", "surrogateescape"):
        code = ord(character)
        if character in '"\\\n\t\r\b\a\f\v':
            result += {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\a": "\\a", "\f": "\\f", "\v": "\\v"}[
                character
            ]
        elif 0xDC80 <= code <= 0xDCFF or code < 0x20 or code == 0x7F:
            result += f"\\x{code & 0xFF:02x}"
        else:
            result += character if character.isprintable() else f"\\u{code:04x}"
    return result.encode()


@server("uwsgi")
def uwsgi(place):
    program, port = find("uwsgi"), free_port()
    application(place, WSGI)
    format = '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)"'
    place.start(
        program,
        "--plugin",
        "python3,logfile",
        "--http-socket",
        f"127.0.0.1:{port}",
        "--wsgi-file",
        place.path("app.py"),
        "--logto",
        place.path("output.log"),
        "--log-format",
        format,
        "--req-logger",
        f"file:{place.path('combined')}",
        port=port,
    )
    return port, [Log("combined", "combined", plain, without(COMBINED, "bytes"), users=False)]


@server("mighttpd2")
def mighttpd2(place):
    program, port, root = find("mighty"), free_port(), site(place)
    place.write(
        "mighty.conf",
        f"Port: {port}\nHost: 127.0.0.1\nDebug_Mode: No\nUser: nobody\nGroup: nogroup\nPid_File: {place.path('pid')}\nReport_File: {place.path('report')}\nLogging: Yes\n"
        f"Log_File: {place.path('combined')}\nLog_File_Size: 16777216\nLog_Backup_Number: 10\nIndex_File: index.html\nIndex_Cgi: index.cgi\nStatus_File_Dir: {root}\nConnection_Timeout: 5\nService: 0\n",
    )
    place.write("mighty.route", f"[*]\n/ -> {root}/\n")
    place.start(program, place.path("mighty.conf"), place.path("mighty.route"), port=port)
    place.patience = 3
    return port, [Log("combined", "combined", plain, users=False)]


@server("cups-daemon")
def cups(place):
    program, port = find("cupsd"), free_port()
    place.zone = OTHER_ZONE_NAME
    for folder in ("root", "spool", "cache", "state", "spool/tmp"):
        place.make(folder)
    place.write(
        "cupsd.conf",
        f"Listen 127.0.0.1:{port}\nAccessLogLevel all\nLogLevel warn\nWebInterface Yes\nDefaultAuthType None\nServerAlias *\n<Location />\nOrder allow,deny\nAllow all\n</Location>\n",
    )
    place.write(
        "cups-files.conf",
        f"AccessLog {place.path('common')}\nErrorLog {place.path('error')}\nServerRoot {place.path('root')}\nRequestRoot {place.path('spool')}\nTempDir {place.path('spool/tmp')}\nCacheDir {place.path('cache')}\nStateDir {place.path('state')}\n"
        f"PageLog {place.path('page')}\nDocumentRoot {site(place)}\nFatalErrors none\nSystemGroup root\n",
    )
    place.start(program, "-f", "-c", place.path("cupsd.conf"), "-s", place.path("cups-files.conf"), port=port)
    behind = {"access": {"apache": '%h - %u %t "%r" %>s %b %{operation}n %{answer}n'}}
    return port, [Log("common", behind, plain, COMMON, users=False, undone=True, **OTHER_ZONE)]


@server("icecast2")
def icecast(place):
    program, port = find("icecast2"), free_port()
    root = site(place)
    place.make("log")
    place.write(
        "icecast.xml",
        f"""<icecast><limits><clients>50</clients></limits><authentication><source-password>x</source-password><admin-user>a</admin-user><admin-password>x</admin-password></authentication>
<hostname>site.example</hostname><listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket><fileserve>1</fileserve>
<paths><basedir>{place.folder}</basedir><logdir>{place.path('log')}</logdir><webroot>{root}</webroot><adminroot>{root}</adminroot></paths>
<logging><accesslog>access</accesslog><errorlog>error</errorlog><loglevel>2</loglevel></logging></icecast>""",
    )
    place.start(program, "-c", place.path("icecast.xml"), port=port)
    behind = {"access": {"apache": '%h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{seconds}n'}}
    return port, [Log("log/access", behind, plain, undone=True)]
