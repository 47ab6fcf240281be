"""Smaller web servers of Debian, and those of other languages."""

from programs import find, free_port
from pythonservers import WSGI, application
from webservers import COMBINED, COMMON, OTHER_ZONE, OTHER_ZONE_NAME, Log, escaped, plain, server, site, without


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


@server("civetweb")
def civetweb(place):
    program, port, root = find("civetweb"), free_port(), site(place)
    place.write(
        "civetweb.conf",
        f"""
listening_ports 127.0.0.1:{port}
document_root {root}
access_log_file {place.path('combined')}
error_log_file {place.path('error')}
num_threads 1
""",
    )
    place.start(program, place.path("civetweb.conf"), port=port)
    own = '%h - %u %t "%r" %s %b %{Referer}i %{User-Agent}i'
    return port, [
        Log("combined", "combined", plain),
        Log("combined", {"access": {"apache": own}}, plain, without(COMBINED, "bytes", "user"), undone=True),
    ]


@server("ruby-webrick")
def webrick(place):
    program, port, root = find("ruby"), free_port(), site(place)
    place.write(
        "serve.rb",
        f"""
require "webrick"
log = File.open("{place.path('combined')}", "a")
log.sync = true
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: {port}, DocumentRoot: "{root}",
                                 AccessLog: [[log, WEBrick::AccessLog::COMBINED_LOG_FORMAT]],
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


webrick_escape = escaped({b'"': b'"', b"\\": b"\\"}, b"\\x%02x", keep_high=True)


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
        Log("combined", "combined", plain, users=False),
        Log("combined", {"access": {"format": "combined"}}, plain, users=False, undone=True),
    ]


MORGAN = """
const http = require("http"), fs = require("fs"), morgan = require("morgan")
const body = fs.readFileSync("SITE/plain.txt")
const logs = ["combined", "common"].map(name => morgan(name, {stream: fs.createWriteStream("FOLDER/" + name, {flags: "a"})}))
const answer = (request, response) => {
  const lost = /fence|missing/.test(request.url), text = lost ? "no\\n" : body
  response.writeHead(lost ? 404 : 200, {"Content-Type": "text/plain", "Content-Length": text.length})
  response.end(request.method == "HEAD" ? "" : text)
}
const logged = (request, response) => logs[0](request, response, () => logs[1](request, response, () => answer(request, response)))
http.createServer(logged).listen(PORT, "127.0.0.1")
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
        f"""
version: 0.1
log: {{level: info, formatter: text, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {place.path('registry')}}}}}
http: {{addr: '127.0.0.1:{port}'}}
""",
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
        f"""
Port: {port}
Host: 127.0.0.1
Debug_Mode: No
User: nobody
Group: nogroup
Pid_File: {place.path('pid')}
Report_File: {place.path('report')}
Logging: Yes
Log_File: {place.path('combined')}
Log_File_Size: 16777216
Log_Backup_Number: 10
Index_File: index.html
Index_Cgi: index.cgi
Status_File_Dir: {root}
Connection_Timeout: 5
Service: 0
""",
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
        f"""
Listen 127.0.0.1:{port}
AccessLogLevel all
LogLevel warn
WebInterface Yes
DefaultAuthType None
ServerAlias *
<Location />
Order allow,deny
Allow all
</Location>
""",
    )
    place.write(
        "cups-files.conf",
        f"""
AccessLog {place.path('common')}
ErrorLog {place.path('error')}
ServerRoot {place.path('root')}
RequestRoot {place.path('spool')}
TempDir {place.path('spool/tmp')}
CacheDir {place.path('cache')}
StateDir {place.path('state')}
PageLog {place.path('page')}
DocumentRoot {site(place)}
FatalErrors none
SystemGroup root
""",
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
        f"""<icecast><limits><clients>50</clients></limits>
<authentication><source-password>x</source-password><admin-user>a</admin-user><admin-password>x</admin-password></authentication>
<hostname>site.example</hostname>
<listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<fileserve>1</fileserve>
<paths><basedir>{place.folder}</basedir><logdir>{place.path('log')}</logdir><webroot>{root}</webroot><adminroot>{root}</adminroot></paths>
<logging><accesslog>access</accesslog><errorlog>error</errorlog><loglevel>2</loglevel></logging></icecast>""",
    )
    place.start(program, "-c", place.path("icecast.xml"), port=port)
    behind = {"access": {"apache": '%h - %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{seconds}n'}}
    return port, [Log("log/access", behind, plain, undone=True)]
