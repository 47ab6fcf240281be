#!/usr/bin/env python3
"""Reads text, once as one gzip member and once as many, with readers that stop after the first.

    Tests/Readers/compare.py [--sluice .build/release/sluice] [--size MIB] [--folder DIR] [--only NAME]

The one member is what `sluice run` writes; the other file has 16 members of a MiB of text. For each
reader it prints what comes out, and whether the call that is said to read all members does. Exits 1 if
a reader does not give the one member whole, or if fewer than twelve readers that stop after the first
member were there. What a reader needs, in Debian's packages, is printed where it is not there.
"""
import argparse
import datetime
import hashlib
import http.server
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import zlib
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
SYSTEM_PYTHON = "/usr/bin/python3"
COMMONS = "/usr/share/java/commons-compress.jar"
MIB = 1 << 20


@dataclass
class Reader:
    name: str
    packages: str
    version: list
    # @file is a gzip file, @url the same as an answer with Content-Encoding: gzip, @programs the
    # folder of programs, @built that of what `build` makes of them.
    command: list
    build: list = field(default_factory=list)
    # How all members are read, and a command that shows it.
    all_call: str = "–"
    all_command: list = field(default_factory=list)


def python(code):
    return [sys.executable, "-c", f"import sys, zlib, gzip\n{code}", "@file"]


def ruby(code):
    return ["ruby", "-rzlib", "-e", f"$stdout.binmode; {code}", "@file"]


def php(code):
    return ["php", "-d", "memory_limit=-1", "-r", code, "@file"]


def perl(modules, code, argument="@file"):
    return ["perl", *[f"-M{module}" for module in modules], "-e", f"binmode STDOUT; {code}", argument]


def erlang(code):
    whole = f'[F] = init:get_plain_arguments(), {code}, ok = file:write_file("/dev/stdout", D), halt(0).'
    return ["erl", "-noshell", "-eval", whole, "-extra", "@file"]


def r(code):
    return ["Rscript", "-e", f'f <- commandArgs(TRUE)[1]; o <- pipe("cat", "wb"); {code}; close(o)', "@file"]


def package(name):
    return ["dpkg-query", "-W", "-f", "${Version}", name]


READERS = [
    Reader("Python zlib.decompress", "python3", python("print(sys.version.split()[0])")[:-1],
           python("sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1], 'rb').read(), 31))"),
           all_call="gzip.open, gzip.decompress",
           all_command=python("sys.stdout.buffer.write(gzip.decompress(open(sys.argv[1], 'rb').read()))")),
    Reader("Python zlib.decompressobj", "python3", python("print(sys.version.split()[0])")[:-1],
           python("d = zlib.decompressobj(31)\nfor p in iter(lambda f=open(sys.argv[1], 'rb'): f.read(65536), b''):"
                  "\n    sys.stdout.buffer.write(d.decompress(p))"),
           all_call="gzip.open, gzip.decompress"),
    Reader("Python httpx.get", "pip install httpx", python("import httpx; print(httpx.__version__)")[:-1],
           [sys.executable, "-c", "import sys, httpx; sys.stdout.buffer.write(httpx.get(sys.argv[1], timeout=600).content)", "@url"]),
    Reader("Ruby Zlib::GzipReader.open", "ruby", ["ruby", "-e", "print RUBY_VERSION"],
           ruby("Zlib::GzipReader.open(ARGV[0]) { |g| IO.copy_stream(g, $stdout) }"),
           all_call="Zlib::GzipReader.zcat",
           all_command=ruby("File.open(ARGV[0], 'rb') { |f| Zlib::GzipReader.zcat(f) { |l| $stdout.write(l) } }")),
    Reader("Ruby Zlib.gunzip", "ruby", ["ruby", "-e", "print RUBY_VERSION"],
           ruby("$stdout.write(Zlib.gunzip(File.binread(ARGV[0])))"), all_call="Zlib::GzipReader.zcat"),
    Reader("Ruby Net::HTTP.get", "ruby", ["ruby", "-e", "print RUBY_VERSION"],
           ["ruby", "-rnet/http", "-e", "$stdout.binmode; $stdout.write(Net::HTTP.get(URI(ARGV[0])))", "@url"]),
    Reader("PHP gzdecode", "php-cli", ["php", "-r", "echo PHP_VERSION;"], php("echo gzdecode(file_get_contents($argv[1]));"),
           all_call="gzopen, gzfile, compress.zlib://", all_command=php("readgzfile($argv[1]);")),
    Reader("PHP stream filter zlib.inflate", "php-cli", ["php", "-r", "echo PHP_VERSION;"],
           php("$f = fopen($argv[1], 'rb'); stream_filter_append($f, 'zlib.inflate', STREAM_FILTER_READ, ['window' => 31]);"
               "while (!feof($f)) echo fread($f, 65536);"),
           all_call="gzopen, gzfile, compress.zlib://", all_command=php("readfile('compress.zlib://' . $argv[1]);")),
    Reader("Perl IO::Uncompress::Gunzip", "perl", ["perl", "-e", "print substr($^V, 1)"],
           perl(["IO::Uncompress::Gunzip=gunzip,$GunzipError"], "gunzip($ARGV[0] => \\*STDOUT) or die $GunzipError"),
           all_call="MultiStream => 1; gzopen",
           all_command=perl(["IO::Uncompress::Gunzip=gunzip,$GunzipError"],
                            "gunzip($ARGV[0] => \\*STDOUT, MultiStream => 1) or die $GunzipError")),
    Reader("Perl Compress::Zlib::memGunzip", "perl", ["perl", "-e", "print substr($^V, 1)"],
           perl(["Compress::Zlib"], "open F, '<:raw', $ARGV[0]; local $/; $d = <F>; print Compress::Zlib::memGunzip($d)"),
           all_call="gzopen",
           all_command=perl(["Compress::Zlib"], "$g = gzopen($ARGV[0], 'rb'); print $b while $g->gzread($b, 65536) > 0")),
    Reader("Perl LWP decoded_content", "libwww-perl", ["perl", "-MLWP", "-e", "print $LWP::VERSION"],
           perl(["LWP::UserAgent"], "$u = LWP::UserAgent->new; $u->default_header('Accept-Encoding' => 'gzip');"
                "print $u->get($ARGV[0])->decoded_content(charset => 'none')", "@url")),
    Reader("Tcl zlib gunzip", "tcl", ["tclsh", "@programs/version.tcl"], ["tclsh", "@programs/gunzip.tcl", "@file"]),
    Reader("Tcl zlib push gunzip", "tcl", ["tclsh", "@programs/version.tcl"], ["tclsh", "@programs/push.tcl", "@file"]),
    Reader("R memDecompress", "r-base-core", ["Rscript", "-e", "cat(as.character(getRversion()))"],
           r('writeBin(memDecompress(readBin(f, "raw", file.size(f)), "gzip"), o)'), all_call="gzfile",
           all_command=r('i <- gzfile(f, "rb"); while (length(b <- readBin(i, "raw", 1e6)) > 0) writeBin(b, o)')),
    Reader("R gzcon", "r-base-core", ["Rscript", "-e", "cat(as.character(getRversion()))"],
           r('i <- gzcon(file(f, "rb")); while (length(b <- readBin(i, "raw", 1e6)) > 0) writeBin(b, o)'), all_call="gzfile"),
    Reader("Erlang zlib:inflate (window 31)", "erlang-base",
           ["erl", "-noshell", "-eval", 'io:format("~s", [erlang:system_info(otp_release)]), halt(0).'],
           erlang("{ok, B} = file:read_file(F), Z = zlib:open(), ok = zlib:inflateInit(Z, 31), D = zlib:inflate(Z, B)"),
           all_call="zlib:gunzip, file:open with compressed",
           all_command=erlang("{ok, B} = file:read_file(F), D = zlib:gunzip(B)")),
    Reader("OCaml camlzip", "ocaml-nox libzip-ocaml-dev", ["ocamlopt", "-version"], ["@built/camlzip", "@file"],
           build=["sh", "-c", "cp @programs/camlzip.ml @built && cd @built && "
                  "ocamlopt -I +zip unix.cmxa zip.cmxa camlzip.ml -o camlzip"]),
    Reader("D std.zlib.uncompress", "gdc", ["gdc", "-dumpfullversion"], ["@built/zlib-d", "@file"],
           build=["gdc", "-O2", "@programs/zlib.d", "-o", "@built/zlib-d"]),
    Reader("Mono GZipStream", "mono-mcs mono-runtime", ["mono", "--version=number"], ["mono", "@built/mono.exe", "@file"],
           build=["mcs", "-r:System.dll", "-out:@built/mono.exe", "@programs/mono.cs"]),
    Reader("Lua lua-zlib", "lua5.4 lua-zlib", package("lua-zlib"), ["lua5.4", "@programs/lua-zlib.lua", "@file"]),
    Reader("Free Pascal TGZFileStream", "fp-compiler fp-units-base fp-units-fcl", ["fpc", "-iV"], ["@built/pascal", "@file"],
           build=["fpc", "-v0", "-O2", "-FE@built", "-FU@built", "@programs/pascal.pas"]),
    Reader("Java GZIPInputStream, from a network", "default-jdk-headless", ["java", "--version"],
           ["java", "-cp", "@built", "Trickle", "@file"], build=["javac", "-d", "@built", "@programs/Trickle.java"],
           all_call="from a file", all_command=["java", "-cp", "@built", "Trickle", "@file", "all"]),
    Reader("commons-compress GzipCompressorInputStream", "default-jdk-headless libcommons-compress-java",
           package("libcommons-compress-java"),
           ["java", "-cp", "@built:" + COMMONS, "Commons", "@file"],
           build=["javac", "-cp", COMMONS, "-d", "@built", "@programs/Commons.java"],
           all_call="a second argument, true", all_command=["java", "-cp", "@built:" + COMMONS, "Commons", "@file", "all"]),
    Reader("GLib ZlibDecompressor", "python3-gi gir1.2-glib-2.0",
           [SYSTEM_PYTHON, "-c", "from gi.repository import GLib; print(GLib.MAJOR_VERSION, GLib.MINOR_VERSION, GLib.MICRO_VERSION, sep='.')"],
           [SYSTEM_PYTHON, "@programs/glib.py", "@file"]),
    Reader("libsoup", "python3-gi gir1.2-soup-3.0",
           [SYSTEM_PYTHON, "-c", "import gi; gi.require_version('Soup', '3.0'); from gi.repository import Soup;"
            "print(Soup.get_major_version(), Soup.get_minor_version(), Soup.get_micro_version(), sep='.')"],
           [SYSTEM_PYTHON, "@programs/soup.py", "@url"]),
    Reader("Qt QNetworkAccessManager", "python3-pyqt5", [SYSTEM_PYTHON, "-c", "from PyQt5.QtCore import QT_VERSION_STR as v; print(v)"],
           [SYSTEM_PYTHON, "@programs/qt.py", "@url"]),
    Reader("wget --compression=gzip", "wget", ["wget", "--version"], ["wget", "-q", "--compression=gzip", "-O", "-", "@url"]),
    Reader("aria2 --http-accept-gzip", "aria2", ["aria2c", "--version"],
           ["sh", "-c", "aria2c -q --http-accept-gzip=true --allow-overwrite=true -d @built -o aria2.out @url >&2; r=$?; cat @built/aria2.out; exit $r"]),
    Reader("curl --compressed", "curl", ["curl", "--version"], ["curl", "-s", "-S", "--compressed", "@url"]),
    Reader("lftp", "lftp", ["lftp", "--version"], ["lftp", "-c", "set http:decode yes; cat @url"]),
]


class Text:
    """The text that readers should give, and how much of it they gave."""

    def __init__(self, path):
        self.path = path
        self.size = path.stat().st_size
        self.sha256 = self.prefix(self.size)

    def prefix(self, count):
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            while count > 0 and (piece := file.read(min(count, MIB))):
                digest.update(piece)
                count -= len(piece)
        return digest.hexdigest()


def make_text(path, size):
    """Lines of which gzip leaves about half."""
    noise = random.Random(11)
    with open(path, "wb") as file:
        number = 0
        while file.tell() < size:
            lines = []
            for _ in range(10_000):
                number += 1
                lines.append(f'{{"id": {number}, "status": {noise.choice((200, 404, 500))}, "trace": "{noise.randbytes(30).hex()}"}}\n')
            file.write("".join(lines).encode())


def make_many(text, path):
    """Of a text that is small, since some readers take long over what they leave out."""
    with open(text, "rb") as source, open(path, "wb") as file:
        while piece := source.read(MIB):
            deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
            file.write(deflate.compress(piece) + deflate.flush())


def make_one(text, path, sluice):
    pipeline = path.with_name("readers.yaml")
    pipeline.write_text(f"name: readers\nsource: {{files: {text}, format: lines}}\nsink: {{file: {path}}}\n")
    subprocess.run([sluice, "run", pipeline, "--state", path.with_name("state"), "--progress", "none"], check=True, stderr=subprocess.PIPE)


def serve(folder):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            # Some readers unpack nothing whose name says gzip.
            path = folder / (self.path.strip("/") + ".log.gz")
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            try:
                with open(path, "rb") as file:
                    shutil.copyfileobj(file, self.wfile)
            except OSError:
                self.close_connection = True

        def do_HEAD(self):
            self.send_error(405)

        def log_message(self, *arguments):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, address):
            """A reader that has enough goes away."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def filled(command, values):
    parts = []
    for part in command:
        for name, value in values.items():
            part = part.replace(f"@{name}", str(value))
        parts.append(part)
    return parts


def outcome(command, text):
    """What a command makes of a file, in words."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        return f"cannot be run: {error}"
    errors = []
    listener = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    listener.start()
    watchdog = threading.Timer(900, process.kill)
    watchdog.start()
    digest, count = hashlib.sha256(), 0
    while piece := process.stdout.read(MIB):
        digest.update(piece)
        count += len(piece)
    code = process.wait()
    watchdog.cancel()
    listener.join()
    message = errors[0].decode(errors="replace").strip().splitlines()
    failure = f", exit {code}" + (f" ({message[-1][:80]})" if message else "") if code != 0 else ""
    if count == text.size and digest.hexdigest() == text.sha256:
        return "whole" + failure
    if count <= text.size and digest.hexdigest() == text.prefix(count):
        return f"{count:,} bytes of {text.size:,}" + (failure or ", no error")
    return f"{count:,} bytes that are not the text" + (failure or ", no error")


def platform():
    with open("/etc/os-release") as file:
        return next(line.split("=")[1].strip().strip('"') for line in file if line.startswith("PRETTY_NAME"))


def version(reader, values):
    try:
        result = subprocess.run(filled(reader.version, values), capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    if result.returncode != 0:
        return None
    words = (result.stdout + result.stderr).split()
    return next((word.strip("(),") for word in words if word[:1].isdigit()), words[0] if words else "?")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", default=HERE.parents[1] / ".build/release/sluice")
    parser.add_argument("--size", type=int, default=263, help="MiB of text; 263 make an output of 100 MiB")
    parser.add_argument("--folder", type=pathlib.Path, help="for the files; kept")
    parser.add_argument("--only", default="", help="readers with this in their name")
    options = parser.parse_args()
    folder = (options.folder or pathlib.Path(tempfile.mkdtemp())).resolve()
    (folder / "built").mkdir(parents=True, exist_ok=True)
    text_path, one, many = folder / "text.log", folder / "one.log.gz", folder / "many.log.gz"
    make_text(text_path, options.size * MIB)
    make_one(text_path, one, options.sluice)
    beginning = folder / "beginning.log"
    with open(text_path, "rb") as file:
        beginning.write_bytes(file.read(16 * MIB))
    make_many(beginning, many)
    text, many_text, address = Text(text_path), Text(beginning), serve(folder)
    print(f"{datetime.date.today()}, {platform()}\n\none member: {one.stat().st_size:,} bytes of {text.size:,} bytes of text; "
          f"many members: {many.stat().st_size:,} bytes of {many_text.size:,}\n")
    print("| reader | version | of many members | of one member | all members by |\n| --- | --- | --- | --- | --- |")
    failed, firsts = [], 0
    for reader in [reader for reader in READERS if options.only in reader.name]:
        def values(path):
            return {"programs": PROGRAMS, "file": path, "url": f"{address}/{path.name.removesuffix('.log.gz')}", "built": folder / "built"}

        found = version(reader, values(one))
        built = found and (not reader.build or subprocess.run(filled(reader.build, values(one)), capture_output=True).returncode == 0)
        if not built:
            print(f"| {reader.name} | not there: {reader.packages} | | | |", flush=True)
            continue
        of_many = outcome(filled(reader.command, values(many)), many_text)
        of_one = outcome(filled(reader.command, values(one)), text)
        of_all = reader.all_call
        if reader.all_command:
            shown = outcome(filled(reader.all_command, values(many)), many_text)
            of_all += "" if shown == "whole" else f" (here: {shown})"
        print(f"| {reader.name} | {found} | {of_many} | {of_one} | {of_all} |", flush=True)
        firsts += of_many != "whole"
        if of_one != "whole":
            failed.append(reader.name)
    if not options.folder:
        shutil.rmtree(folder)
    print(f"\n{firsts} readers do not read many members whole; {len(failed)} do not read one member whole"
          + "".join(f"\n  {name}" for name in failed))
    if failed or firsts < 12 and not options.only:
        sys.exit(1)


if __name__ == "__main__":
    main()
