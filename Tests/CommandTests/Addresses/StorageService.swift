import Testing

/// A service on this machine that has the folder `in`, with the package that reads it: for
/// ``ServiceTests``.
///
/// Its program is given the path of an object with each line of its input, and changes that object;
/// it says `ready at` and its address when it is ready, and ends with its input.
struct StorageService: Sendable, CustomTestStringConvertible {
    var name: String
    /// The Python modules that it needs.
    var modules: String
    var program: String
    /// Where the folder is: `%` is the service's address, `@` the current folder.
    var root: String
    /// Variables for the command, with `%` as in ``root``.
    var environment: [String: String]
    /// Pairs of what cannot be read, and the message.
    var refusals: [(address: String, message: String)]

    var testDescription: String { name }

    var isAvailable: Bool { (try? CommandUnderTest().shell("python3 -c 'import \(modules)'").status == 0) ?? false }

    static let all = [s3, gcs, webHDFS, hdfs]

    private static let s3 = StorageService(
        name: "s3", modules: "s3fs, moto",
        program: """
            import logging, os, sys
            from moto.server import ThreadedMotoServer
            logging.getLogger('werkzeug').setLevel(logging.ERROR)
            server = ThreadedMotoServer('127.0.0.1', 0, verbose=False)
            server.start()
            os.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:%d' % server._server.port
            import s3fs
            files = s3fs.S3FileSystem()
            files.mkdir('bucket')
            for name in os.listdir('in'): files.pipe('bucket/in/' + name, open('in/' + name, 'rb').read())
            print('ready at', os.environ['AWS_ENDPOINT_URL'], file=sys.stderr, flush=True)
            for line in sys.stdin:
                files.pipe('bucket/' + line.strip(), b'{}')
                print('changed', file=sys.stderr, flush=True)

            """,
        root: "s3://bucket",
        environment: ["AWS_ACCESS_KEY_ID": "somekey", "AWS_SECRET_ACCESS_KEY": "somesecret", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "%"],
        refusals: [
            ("s3://bucket/none", "s3://bucket/none: no such object"), ("s3://bucket/none*", "no file matches 's3://bucket/none*'"),
            ("s3://nowhere/none*", "s3://nowhere/none* cannot be read: there is no such bucket"),
        ])

    private static let gcs = StorageService(
        name: "gs", modules: "gcsfs, gcp_storage_emulator",
        program: """
            import os, sys
            from gcp_storage_emulator.server import create_server
            server = create_server('127.0.0.1', 0, in_memory=True, default_bucket='bucket')
            server.start()
            os.environ['STORAGE_EMULATOR_HOST'] = 'http://127.0.0.1:%d' % server._api._httpd.server_port
            import gcsfs
            files = gcsfs.GCSFileSystem(token='anon', project='p')
            for name in os.listdir('in'): files.pipe('bucket/in/' + name, open('in/' + name, 'rb').read())
            print('ready at', os.environ['STORAGE_EMULATOR_HOST'], file=sys.stderr, flush=True)
            for line in sys.stdin:
                files.pipe('bucket/' + line.strip(), b'{}')
                print('changed', file=sys.stderr, flush=True)
            os._exit(0)

            """,
        // Without the last one, gcsfs asks another host which kind of bucket it is.
        root: "gs://bucket", environment: ["STORAGE_EMULATOR_HOST": "%", "FSSPEC_GS_TOKEN": "anon", "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"],
        refusals: [("gs://bucket/none", "gs://bucket/none: no such object"), ("gs://bucket/none*", "no file matches 'gs://bucket/none*'")])

    /// A name node, which redirects to a data node, as HDFS does. It says nothing of Hadoop's own.
    private static let webHDFS = StorageService(
        name: "webhdfs", modules: "fsspec, requests",
        program: """
            import http.server, json, os, sys, threading, urllib.parse
            class Node(http.server.BaseHTTPRequestHandler):
                def answer(self, code, body, **headers):
                    self.send_response(code)
                    for name, value in headers.items(): self.send_header(name, value)
                    self.send_header('Content-Length', str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                def refuse(self, code, exception, message):
                    self.answer(code, json.dumps({'RemoteException': {'exception': exception, 'message': message}}).encode())
                def asked(self):
                    url = urllib.parse.urlsplit(self.path)
                    return '.' + urllib.parse.unquote(url.path)[len('/webhdfs/v1'):], urllib.parse.parse_qs(url.query)
                def log_message(self, *_): pass
            def status(path, name=''):
                found = os.stat(path)
                kind = 'DIRECTORY' if os.path.isdir(path) else 'FILE'
                return {'pathSuffix': name, 'type': kind, 'length': found.st_size, 'modificationTime': found.st_mtime_ns // 1000000}
            class NameNode(Node):
                def do_GET(self):
                    path, query = self.asked()
                    op = query['op'][0]
                    if query.get('user.name') != ['hadoop']: return self.refuse(403, 'AccessControlException', 'Permission denied')
                    if not os.path.exists(path): return self.refuse(404, 'FileNotFoundException', 'File does not exist: ' + path)
                    if op == 'GETFILESTATUS': return self.answer(200, json.dumps({'FileStatus': status(path)}).encode())
                    if op == 'OPEN': return self.answer(307, b'', Location='http://127.0.0.1:%d%s' % (data.server_port, self.path))
                    found = [status(path)] if os.path.isfile(path) else [status(path + '/' + name, name) for name in os.listdir(path)]
                    self.answer(200, json.dumps({'FileStatuses': {'FileStatus': found}}).encode())
            class DataNode(Node):
                def do_GET(self):
                    path, query = self.asked()
                    if os.path.exists('refuses'): return self.refuse(403, 'InvalidToken', 'token is expired')
                    with open(path, 'rb') as file:
                        file.seek(int(query['offset'][0]))
                        self.answer(200, file.read(int(query['length'][0])))
            data, names = [http.server.ThreadingHTTPServer(('127.0.0.1', 0), node) for node in (DataNode, NameNode)]
            for server in (data, names): threading.Thread(target=server.serve_forever, daemon=True).start()
            print('ready at 127.0.0.1:%d' % names.server_port, file=sys.stderr, flush=True)
            for line in sys.stdin:
                open(line.strip(), 'w').write('{}')
                print('changed', file=sys.stderr, flush=True)

            """,
        root: "webhdfs://%", environment: ["FSSPEC_WEBHDFS_USER": "hadoop"],
        refusals: [("webhdfs://%/none", "webhdfs://%/none: no such object"), ("webhdfs://%/none*", "no file matches 'webhdfs://%/none*'")])

    /// Arrow's file system of this machine in place of its file system of Hadoop, which needs
    /// Hadoop's own library: the same package of fsspec, the same names and times.
    private static let hdfs = StorageService(
        name: "hdfs", modules: "fsspec, pyarrow",
        program: """
            import os, sys
            os.mkdir('site')
            open('site/sitecustomize.py', 'w').write('import pyarrow.fs; pyarrow.fs.HadoopFileSystem = lambda **_: pyarrow.fs.LocalFileSystem()')
            print('ready at', os.getcwd() + '/site', file=sys.stderr, flush=True)
            for line in sys.stdin:
                open(line.strip(), 'w').write('{}')
                print('changed', file=sys.stderr, flush=True)

            """,
        root: "hdfs://namenode@", environment: ["PYTHONPATH": "%"],
        refusals: [("hdfs://namenode/none", "hdfs://namenode/none: no such object"), ("hdfs://namenode/none*", "no file matches 'hdfs://namenode/none*'")])
}
