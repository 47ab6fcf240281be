"""Python's web servers: each serves a small application, and logs as it does by default or with its own formats."""

import subprocess

from programs import Missing, free_port
from webservers import COMBINED, Log, escaped, plain, server, site, without

READ_BODY = """
import os
BODY = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site/plain.txt"), "rb").read()
"""
WSGI = """
def application(environ, start_response):
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    try:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    except ValueError:
        pass
    status, body = ("404 Not Found", b"no\\n") if "fence" in path or "missing" in path else ("200 OK", BODY)
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [b"" if method == "HEAD" else body]
"""
ASGI = """
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    path = scope["path"]
    status, body = (404, b"no\\n") if "fence" in path or "missing" in path else (200, BODY)
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
"""


def python(place, module):
    """The interpreter that has the module."""
    if subprocess.run([place.python, "-c", f"import {module}"], capture_output=True).returncode:
        raise Missing(f"no module {module}")
    return place.python


def version_of(interpreter, package):
    code = (
        f"import importlib.metadata as m; print(m.version({package!r}))" if package else "import platform; print(platform.python_version())"
    )
    found = subprocess.run([interpreter, "-c", code], capture_output=True, text=True)
    return found.stdout.strip() or "?"


def application(place, text):
    site(place)
    return place.write("app.py", READ_BODY + text)


def own_layout(definition, known="common", **more):
    """A log in a layout of the server's own, read in a format that it is not in, and by a definition."""
    names = {"client": "ip", "request": "request", "status": "status", **more}
    return [
        Log("log", known, plain, users=False),
        Log("log", {"access": {"apache": definition}}, plain, names, undone=True),
    ]


PIP = "pip:"


def double_utf8(text):
    """Bytes taken for ISO 8859-1, and written as UTF-8."""
    return text.decode("latin-1").encode()


def gunicorn_escape(text):
    return double_utf8(text.replace(b'"', b'\\"'))


@server(PIP + "gunicorn")
def gunicorn(place):
    program, port = python(place, "gunicorn"), free_port()
    application(place, WSGI)
    log = place.path("combined")
    place.start(
        program,
        "-m",
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--bind",
        f"[::1]:{port}",
        "--workers",
        "1",
        "--access-logfile",
        log,
        "--worker-tmp-dir",
        str(place.folder),
        "--no-control-socket",
        "app:application",
        port=port,
    )
    return port, [
        Log("combined", "combined", gunicorn_escape),
        Log("combined", {"access": {"format": "combined"}}, gunicorn_escape, undone=True),
    ]


@server(PIP + "twisted")
def twisted(place):
    program, port = python(place, "twisted.web"), free_port()
    root = site(place)
    log = place.path("combined")
    place.start(
        program,
        "-m",
        "twisted",
        "web",
        "--listen",
        f"tcp:{port}:interface=127.0.0.1",
        "--listen",
        f"tcp:{port}:interface=\\:\\:1",
        "--path",
        root,
        "--logfile",
        log,
        port=port,
    )
    return port, [Log("combined", "combined", twisted_escape, users=False, zone="+0000")]


twisted_escape = escaped({b'"': b'"', b"\\": b"\\"}, b"\\x%02x")


AIOHTTP = """
import sys, logging
from aiohttp import web
logging.basicConfig(filename=sys.argv[2], level=logging.INFO, format="%(message)s")
BODY = open("site/plain.txt", "rb").read()
async def answer(request):
    await request.read()
    if "fence" in request.path or "missing" in request.path:
        return web.Response(status=404, body=b"no\\n")
    return web.Response(body=BODY)
app = web.Application()
app.router.add_route("*", "/{rest:.*}", answer)
app.router.add_route("*", "/", answer)
web.run_app(app, host=["127.0.0.1", "::1"], port=int(sys.argv[1]), print=None)
"""


@server(PIP + "aiohttp")
def aiohttp(place):
    program, port = python(place, "aiohttp"), free_port()
    site(place)
    place.start(program, place.write("serve.py", AIOHTTP), str(port), place.path("log"), port=port)
    own = r'%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'
    return port, [
        Log("log", "combined", plain, users=False),
        Log(
            "log",
            {"access": {"apache": own}},
            plain,
            {**without(COMBINED, "client", "bytes", "user"), "client": "client_ip", "total": "bytes"},
            undone=True,
        ),
    ]


@server(PIP + "uvicorn")
def uvicorn(place):
    program, port = python(place, "uvicorn"), free_port()
    application(place, ASGI)
    place.start(
        program, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port), "--no-use-colors", "app:application", port=port, output="log"
    )
    own = 'INFO:     %h:%{remote}p - "%r" %s %{reason}n'
    return port, own_layout(own, "combined")


@server(PIP + "hypercorn")
def hypercorn(place):
    program, port = python(place, "hypercorn"), free_port()
    application(place, ASGI)
    place.start(
        program, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "--access-logfile", place.path("log"), "app:application", port=port
    )
    own = '[%{%Y-%m-%d %H:%M:%S %z}t] [%P] [INFO] %h:%{remote}p - - %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'
    return port, [
        Log("log", "combined", plain, users=False),
        Log("log", {"access": {"apache": own}}, double_utf8, without(COMBINED, "user", "bytes"), undone=True),
    ]


@server(PIP + "daphne")
def daphne(place):
    program, port = python(place, "daphne"), free_port()
    application(place, ASGI)
    place.start(
        program, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--access-log", place.path("log"), "app:application", port=port
    )
    own = '%h:%{remote}p - - [%{%d/%b/%Y:%H:%M:%S}t] "%r" %s %b'
    return port, own_layout(own, "combined", bytes="bytes")


@server(PIP + "granian")
def granian(place):
    program, port = python(place, "granian"), free_port()
    application(place, ASGI)
    place.start(
        program,
        "-m",
        "granian",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--interface",
        "asgi",
        "--workers",
        "1",
        "--access-log",
        "--access-log-fmt",
        '%(addr)s - - [%(time)s] "%(method)s %(path)s %(protocol)s" %(status)d -',
        "app:application",
        port=port,
        output="log",
    )
    own = '%h - - [%{%Y-%m-%d %H:%M:%S %z}t] "%r" %s -'
    return port, own_layout(own)


WERKZEUG = """
import sys, logging
from werkzeug.serving import run_simple
logging.basicConfig(filename=sys.argv[2], level=logging.INFO, format="%(message)s")
sys.path.insert(0, ".")
from app import application
run_simple("127.0.0.1", int(sys.argv[1]), application)
"""


@server(PIP + "werkzeug")
def werkzeug(place):
    program, port = python(place, "werkzeug"), free_port()
    application(place, WSGI)
    place.start(program, place.write("serve.py", WERKZEUG), str(port), place.path("log"), port=port, environment={"NO_COLOR": "1"})
    own = '%h - - [%{%d/%b/%Y %H:%M:%S}t] "%r" %s %b'
    return port, own_layout(own)


CHERRYPY = """
import sys, cherrypy
BODY = open("site/plain.txt", "rb").read()
class Root:
    @cherrypy.expose
    def default(self, *words, **more):
        if "fence" in cherrypy.request.path_info or "missing" in cherrypy.request.path_info:
            raise cherrypy.NotFound()
        cherrypy.response.headers["Content-Type"] = "text/plain"
        return BODY
    index = default
cherrypy.config.update({"server.socket_host": "127.0.0.1", "server.socket_port": int(sys.argv[1]), "log.screen": False,
                        "log.access_file": sys.argv[2], "log.error_file": "error", "engine.autoreload.on": False})
cherrypy.quickstart(Root())
"""


@server(PIP + "cherrypy")
def cherrypy(place):
    program, port = python(place, "cherrypy"), free_port()
    site(place)
    place.start(program, place.write("serve.py", CHERRYPY), str(port), place.path("log"), port=port)
    own = '%h - - [%{%d/%b/%Y:%H:%M:%S}t] "%r" %s %b "%{Referer}i" "%{User-Agent}i"'
    return port, [
        Log("log", "combined", plain, users=False),
        Log("log", {"access": {"apache": own}}, plain, without(COMBINED, "user", "time", "zone", "bytes"), undone=True),
    ]


TORNADO = """
import sys, logging, asyncio, tornado.web
logging.basicConfig(filename=sys.argv[2], level=logging.INFO, format="%(message)s")
BODY = open("site/plain.txt", "rb").read()
class Answer(tornado.web.RequestHandler):
    def get(self, *words):
        if "fence" in self.request.path or "missing" in self.request.path:
            raise tornado.web.HTTPError(404)
        self.write(BODY)
    post = put = delete = head = options = get
async def main():
    tornado.web.Application([(r"(.*)", Answer)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()
asyncio.run(main())
"""


@server(PIP + "tornado")
def tornado(place):
    program, port = python(place, "tornado"), free_port()
    site(place)
    place.start(program, place.write("serve.py", TORNADO), str(port), place.path("log"), port=port)
    return port, [
        Log("log", "common", plain, users=False),
        Log(
            "log",
            {"regex": {"pattern": r"^(?P<status>\d{3}) (?P<method>\S+) (?P<target>.*) \((?P<ip>[^ ()]+)\) [0-9.]+ms$"}},
            plain,
            {"client": "ip", "method": "method"},
            text=True,
        ),
    ]


HTTP_SERVER = """
import sys, http.server, functools
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="site")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""


@server(PIP)
def http_server(place):
    port = free_port()
    site(place)
    place.start(python(place, "http.server"), "-u", place.write("serve.py", HTTP_SERVER), str(port), port=port, output="log")
    own = '%h - - [%{%d/%b/%Y %H:%M:%S}t] "%r" %s %b'
    return port, own_layout(own)


PASTE = """
import sys, logging
sys.path.insert(0, ".")
from app import application
from paste.translogger import TransLogger
import waitress
logger = logging.getLogger("wsgi")
logger.setLevel(logging.INFO)
handler = logging.FileHandler(sys.argv[2])
handler.setFormatter(logging.Formatter("%(message)s"))
logger.addHandler(handler)
logged = TransLogger(application, logger=logger, setup_console_handler=False)
waitress.serve(logged, host="127.0.0.1", port=int(sys.argv[1]), threads=1)
"""


@server(PIP + "paste")
def paste_waitress(place):
    program, port = python(place, "paste.translogger"), free_port()
    python(place, "waitress")
    application(place, WSGI)
    place.start(program, place.write("serve.py", PASTE), str(port), place.path("combined"), port=port)
    return port, [
        Log("combined", "combined", double_utf8, users=False),
        Log("combined", {"access": {"format": "combined"}}, double_utf8, users=False, undone=True),
    ]


REQUEST_LOGGER = """
import sys, logging
sys.path.insert(0, ".")
from app import application
from requestlogger import WSGILogger, ApacheFormatter
import waitress
handler = logging.FileHandler(sys.argv[2])
waitress.serve(WSGILogger(application, [handler], ApacheFormatter()), host="127.0.0.1", port=int(sys.argv[1]), threads=1)
"""


@server(PIP + "wsgi-request-logger")
def request_logger(place):
    program, port = python(place, "requestlogger"), free_port()
    python(place, "waitress")
    application(place, WSGI)
    place.start(program, place.write("serve.py", REQUEST_LOGGER), str(port), place.path("log"), port=port)
    return port, [
        Log("log", "combined", double_utf8, users=False),
        Log(
            "log",
            {"access": {"apache": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{seconds}n/%{microseconds}n'}},
            double_utf8,
            users=False,
            undone=True,
        ),
    ]


SANIC = """
import sys
from sanic import Sanic, text, raw
BODY = open("site/plain.txt", "rb").read()
app = Sanic("app")
@app.route("/<path:path>", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
async def answer(request, path=""):
    if "fence" in request.path or "missing" in request.path:
        return raw(b"no\\n", status=404)
    return raw(BODY)
if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), access_log=True, single_process=True, motd=False)
"""


@server(PIP + "sanic")
def sanic(place):
    program, port = python(place, "sanic"), free_port()
    site(place)
    place.start(
        program,
        "-u",
        place.write("serve.py", SANIC),
        str(port),
        port=port,
        output="log",
        environment={"NO_COLOR": "1", "SANIC_NO_COLOR": "1"},
    )
    return port, [Log("log", "combined", plain, users=False)]
