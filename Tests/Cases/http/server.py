"""Answers for the users 0, 1, 2, …: every seventh is unknown, every fifth needs a second request."""
import http.server, json, os, threading

asked = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        number = int(self.headers["x-request"])
        if number % 5 == 0 and number not in asked:
            asked.add(number)
            return self.answer(503, b"later")
        user = {"name": f"user {number}", "path": self.path}
        if number % 7 == 0:
            return self.answer(404, b'{"error": "no such user"}', {"X-Kind": "none"})
        self.answer(200, json.dumps(user).encode(), {"X-Kind": "known"})

    def do_POST(self):
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Handler)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
