"""Lists and reads what is behind addresses such as s3://bucket/key, for the process that started this one.

Requests are lines of JSON on standard input, one at a time. An answer on standard output consists of
frames: a letter, the number of bytes as 4 bytes, and the bytes. D: data, E: the end, as JSON, with an
error if there was one.

    {"op": "list", "name": …, "patterns": […]}  a line of JSON for each object: name, size, version; the
        patterns are those that the name expands to, none if it is not a pattern
    {"op": "stat", "names": […]}  the same in this order; or name, kind, reason
    {"op": "read", "name": …, "size": …, "version": …, "offset": …}  the bytes from there to the end

file:// needs only Python; other addresses need fsspec, with its package for them. Ends with the process
that started it.
"""

import concurrent.futures
import json
import os
import queue
import re
import select
import signal
import struct
import sys
import threading
import warnings

FIRST, MOST = 256 << 10, 8 << 20
# Not objects of a service, or read through another address.
LEFT_OUT = {"memory", "local", "data", "dir", "zip", "tar", "libarchive", "reference", "generic", "cached", "blockcache", "filecache",
            "simplecache", "async_wrapper", "asyncwrapper", "asynclocal", "http", "https", "ftp"}
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hdfs": "pyarrow", "webhdfs": "requests", "abfs": "adlfs", "abfss": "adlfs",
            "az": "adlfs"}
ACCESS = {
    "s3fs": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_ENDPOINT_URL; FSSPEC_S3_ANON=true for public buckets",
    "gcsfs": "GOOGLE_APPLICATION_CREDENTIALS", "pyarrow": "HADOOP_USER_NAME, or a Kerberos ticket",
    "requests": "FSSPEC_WEBHDFS_USER, or FSSPEC_WEBHDFS_KERBEROS=true and a ticket", "adlfs": "AZURE_STORAGE_ACCOUNT_NAME and the like"}


class Failure(Exception):
    """kind: missing, folder, changed; refused: would fail again; failed: may succeed if it is tried again."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class LocalFiles:
    """The part of an fsspec file system that is used here."""

    def info(self, path):
        status = os.stat(path)
        kind = "directory" if os.path.isdir(path) else "file" if os.path.isfile(path) else "other"
        return {"name": path, "size": status.st_size, "type": kind, "mtime": status.st_mtime_ns}

    def ls(self, path, detail=True):
        with os.scandir(path) as entries:
            # Links may lead nowhere.
            return [self.info(entry.path) if entry.is_file() or entry.is_dir() else {"name": entry.path, "type": "other"} for entry in entries]

    def find(self, path, detail=True):
        found = {}
        for folder, _, names in os.walk(path):
            for name in names:
                if os.path.isfile(os.path.join(folder, name)):
                    found[os.path.join(folder, name)] = self.info(os.path.join(folder, name))
        return found

    def open(self, path, mode):
        return open(path, mode)


def file_system(address):
    """The file system behind an address, and the path in it."""
    scheme, _, rest = address.partition("://")
    if scheme == "file":
        host, _, path = rest.partition("/")
        if host not in ("", "localhost"):
            raise Failure("refused", "a file's address has three slashes: file:///%s" % rest)
        return LocalFiles(), "/" + path
    if scheme in LEFT_OUT:
        raise Failure("refused", "its scheme is not supported; s3, gs, hdfs, file and others of fsspec are")
    try:
        import fsspec
    except ImportError:
        wanted = "fsspec %s" % PACKAGES[scheme] if scheme in PACKAGES else "fsspec"
        raise Failure("refused", "%s has no fsspec: %s -m pip install %s" % (sys.executable, sys.executable, wanted))
    host, _, name = rest.partition("/")
    try:
        # Without the name, in which some packages find options.
        files = fsspec.core.url_to_fs("%s://%s/" % (scheme, host), use_listings_cache=False)[0]
        if scheme == "webhdfs":
            refuse_error_pages(files)
        return files, "/" + name if scheme in ("hdfs", "webhdfs") else files._strip_protocol(address)
    except ImportError as error:
        wanted = PACKAGES.get(scheme)
        raise Failure("refused", "%s lacks a package for %s:// (%s)%s" % (
            sys.executable, scheme, first_line(error), ": %s -m pip install %s" % (sys.executable, wanted) if wanted else ""))
    except ValueError as error:
        if "Protocol not known" in str(error):
            raise Failure("refused", "fsspec knows no such scheme; s3, gs, hdfs, file and others are supported")
        raise


def refuse_error_pages(files):
    """What a data node answers instead of a file's bytes, fsspec takes for them."""
    def check(response, *_, **__):
        if response.status_code >= 400 and not response.url.startswith(files.url):
            raise Failure("failed", "a data node answers %d %s" % (response.status_code, response.reason))

    files.session.hooks["response"] = [check]


def first_line(error):
    text = (str(error).strip() or type(error).__name__).splitlines()[0][:500]
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search("SECRET|TOKEN|PASSWORD|CREDENTIAL|KEY", name):
            text = text.replace(value, "…")
    return text


def failure(error, scheme):
    """What went wrong, from the exceptions of all these packages."""
    if isinstance(error, Failure):
        return error
    text = first_line(error)
    if "bucket does not exist" in text or "NoSuchBucket" in text:
        return Failure("refused", "there is no such bucket")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Failure("missing", "there is no such object")
    if scheme == "hdfs" and ("libhdfs" in text or "libjvm" in text):
        return Failure("refused", "Hadoop's libraries are not found (%s); set JAVA_HOME, HADOOP_HOME and CLASSPATH, or read webhdfs://HOST:PORT/…" % text)
    name = type(error).__name__
    if isinstance(error, PermissionError) or "Credential" in name or "Forbidden" in text:
        where = ACCESS.get(PACKAGES.get(scheme))
        return Failure("refused", "access is denied (%s)%s" % (text, "; set in the environment: %s" % where if where else ""))
    return Failure("failed", "%s: %s" % (name, text))


def described(name, info):
    """An object as the other side knows it. The version changes with the contents."""
    if info["type"] != "file":
        raise Failure("folder", "not an object")
    version = next((str(info[key]) for key in (
        "ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "modified", "modificationTime") if info.get(key)), None)
    if version is None or info.get("size") is None:
        raise Failure("refused", "its size or version (ETag, modification time) is not known, so a change would not be noticed")
    return {"name": name, "size": info["size"], "version": version.strip('"')}


def stat(address):
    files, path = file_system(address)
    return described(address, files.info(path))


# \\x, [a-z], * or ?, any other character.
TOKEN = re.compile(r"\\(.)|\[([!^]?)(\]?(?:[^\]\\]|\\.)*)\]|([*?])|(.)", re.DOTALL)


def expression(pattern):
    """The regular expression for one name of a pattern; None if it is a name itself, which is the second value."""
    text, literal = "" if pattern.startswith(".") else r"(?!\.)", ""
    is_literal = True
    for escaped, negation, members, wildcard, character in TOKEN.findall(pattern):
        if members:
            members = re.sub(r"\\(.)|([^-])", lambda match: re.escape(match[1] or match[2]), members, flags=re.DOTALL)
            text += "[%s%s]" % ("^" if negation else "", members)
            is_literal = False
        elif wildcard:
            text += "[^/]*" if wildcard == "*" else "[^/]"
            is_literal = False
        else:
            literal += escaped or character
            text += re.escape(escaped or character)
    return (None, literal) if is_literal else (text, literal)


def expanded(pattern):
    """The objects that match a pattern, in any order."""
    scheme, _, rest = pattern.partition("://")
    host, *names = rest.split("/")
    root = "%s://%s" % (scheme, host)
    files, _ = file_system(root + "/")
    yield from walk(files, root, names, is_found=False)


def walk(files, address, names, is_found):
    """is_found: whether the address is that of something that was listed."""
    while names and names[0] != "**":
        text, literal = expression(names[0])
        if text is not None:
            break
        address, names = address + "/" + literal, names[1:]
    try:
        if not names:
            info = files.info(file_system(address)[1])
            if info["type"] == "file":
                yield described(address, info)
            return
        path = file_system(address if address.partition("://")[2] else address + "/")[1].rstrip("/")
        if names[0] == "**":
            rest = [r"(?:(?!\.)[^/]+/)*" if name == "**" else (expression(name)[0] or re.escape(expression(name)[1])) + "/" for name in names]
            match = re.compile("".join(rest)[:-1] if names[-1] != "**" else "".join(rest) + r"(?!\.)[^/]+", re.DOTALL).fullmatch
            for name, info in files.find(path or "/", detail=True).items():
                relative = name[len(path) + 1:]
                if match(relative) and info["type"] == "file":
                    yield described(address + "/" + relative, info)
            return
        match = re.compile(text, re.DOTALL).fullmatch
        for info in files.ls(path or "/", detail=True):
            name = info["name"].rstrip("/")[len(path) + 1:]
            if not name or not match(name):
                continue
            if len(names) > 1:
                if info["type"] == "directory":
                    yield from walk(files, address + "/" + name, names[1:], is_found=True)
            elif info["type"] == "file":
                yield described(address + "/" + name, info)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not is_found and failure(error, "").kind != "missing":
            raise


class Answer:
    def __init__(self, stream):
        self.stream = stream

    def frame(self, letter, payload):
        self.stream.write(struct.pack(">cI", letter, len(payload)))
        self.stream.write(payload)

    def line(self, value):
        self.frame(b"D", json.dumps(value).encode() + b"\n")

    def end(self, **error):
        self.frame(b"E", json.dumps(error).encode())
        self.stream.flush()


def do_list(request, answer):
    # A name may look like a pattern.
    try:
        return answer.line(stat(request["name"]))
    except Exception as error:
        if not request["patterns"] or failure(error, "").kind == "failed":
            raise
    for pattern in request["patterns"]:
        for found in expanded(pattern):
            answer.line(found)


def do_stat(request, answer):
    def one(address):
        try:
            return stat(address)
        except Exception as error:
            found = failure(error, address.partition("://")[0])
            return {"name": address, "kind": found.kind, "reason": found.reason}

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        for found in threads.map(one, request["names"]):
            answer.line(found)


def chunks(file, count):
    """The next bytes of a file; one chunk is read while another is written."""
    ready = queue.Queue(1)

    def read():
        left, size = count, FIRST
        try:
            while left > 0:
                wanted = min(left, size)
                chunk = file.read(wanted)
                if len(chunk) != wanted:
                    raise Failure("failed", "its end came %d bytes too early" % (left - len(chunk)))
                left, size = left - len(chunk), min(2 * size, MOST)
                ready.put(chunk)
            ready.put(None)
        except Exception as error:
            ready.put(error)

    threading.Thread(target=read, daemon=True).start()
    while (chunk := ready.get()) is not None:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def do_read(request, answer):
    files, path = file_system(request["name"])

    def check(info):
        now = described(request["name"], info)
        if (now["size"], now["version"]) != (request["size"], request["version"]):
            raise Failure("changed", "it has changed: %d bytes, version %s, instead of %d, %s" % (
                now["size"], now["version"], request["size"], request["version"]))

    # Each range is a request of its own, so that none waits for a slow reader.
    options = {} if isinstance(files, LocalFiles) else {"cache_type": "none"}
    with files.open(path, "rb", **options) as file:
        check(getattr(file, "details", None) or files.info(path))
        try:
            file.seek(request["offset"])
            for chunk in chunks(file, request["size"] - request["offset"]):
                answer.frame(b"D", chunk)
        except Exception:
            check(files.info(path))
            raise
    check(files.info(path))


def end_with_parent():
    """Its end closes the pipe."""
    poll = select.poll()
    poll.register(0, 0)
    poll.poll()
    os._exit(1)


def main():
    # Another program's library may have left some open, whose end somebody waits for.
    os.closerange(3, 1 << 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        # These are for the process that started this one, which may go on reading.
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    answer = Answer(os.fdopen(os.dup(1), "wb"))
    # What packages print is no answer.
    os.dup2(2, 1)
    operations = {"list": do_list, "stat": do_stat, "read": do_read}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            operations[request["op"]](request, answer)
            answer.end()
        except BrokenPipeError:
            os._exit(1)
        except Exception as error:
            found = failure(error, request.get("name", "").partition("://")[0])
            answer.end(kind=found.kind, reason=found.reason)
    os._exit(0)


main()
