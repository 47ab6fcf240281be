"""Nanoseconds per record for the expressions of bench-cel in the implementations on PyPI.

Three figures for each: one call per record, including the conversion of its variables; the same
minus a call of `true`, which is the cost of the call; and one call over a list of records
(`records.all(r, (…) || true)`) minus the same with `true` alone. Each is the minimum of several
rounds, in CPU time of the process. Values are checked against Python's own.
"""

import re
import sys
import time

COUNT = 20_000
ROUNDS = 7
# cel-expr-python does not visit more elements in one call.
PORTION = 5_000

BROWSERS = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/33.0.1750.91 Safari/537.36",
    "curl/7.68.0",
]


def path(i):
    kind = i * 7_919 % 4
    if kind == 0:
        return f"/api/v{i % 3}/users/{i * 31}"
    if kind == 1:
        return f"/api/v{i % 3}/orders/{i * 31}"
    return f"/static/img/{i}.png" if kind == 2 else "/presentations/2013/index.html"


RECORDS = [
    {
        "status": [200, 304, 404, 500, 200, 503, 301][i * 31 % 7],
        "sent": i * 37 % 100_000,
        "duration_ms": i * 13 % 5_000,
        "method": ["GET", "POST", "HEAD", "GET", "PUT"][i * 17 % 5],
        "path": path(i),
        "agent": BROWSERS[i * 13 % 5],
    }
    for i in range(COUNT)
]

PORTIONS = [{"records": RECORDS[at : at + PORTION]} for at in range(0, COUNT, PORTION)]

USERS = re.compile(r"^/api/v[0-9]+/users/[0-9]+$")
EXPRESSIONS = {
    "status >= 500": lambda r: r["status"] >= 500,
    "status >= 500 && path.startsWith('/api')": lambda r: r["status"] >= 500 and r["path"].startswith("/api"),
    "method in ['GET', 'HEAD'] && !agent.contains('bot')": lambda r: r["method"] in ("GET", "HEAD") and "bot" not in r["agent"],
    "path.matches('^/api/v[0-9]+/users/[0-9]+$')": lambda r: bool(USERS.search(r["path"])),
    "double(duration_ms) / 1000.0": lambda r: r["duration_ms"] / 1000.0,
    "method + ' ' + path + ': ' + string(sent / 1024) + ' KiB'": lambda r: f"{r['method']} {r['path']}: {r['sent'] // 1024} KiB",
}
FIELDS = re.compile(r"\b(status|sent|duration_ms|method|path|agent)\b")


def least(run):
    best = None
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        run()
        spent = (time.process_time_ns() - start) / COUNT
        best = spent if best is None else min(best, spent)
    return best


def check(name, evaluate, expected):
    for record in RECORDS[:200]:
        got, want = evaluate(record), expected(record)
        assert got == want, f"{name}: {got!r} is not {want!r}"


def cpp():
    from cel_expr_python import cel

    types = {"status": cel.Type.INT, "sent": cel.Type.INT, "duration_ms": cel.Type.INT}
    types |= {"method": cel.Type.STRING, "path": cel.Type.STRING, "agent": cel.Type.STRING}
    environment = cel.NewEnv(variables=types)
    whole = cel.NewEnv(variables={"records": cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN))})

    def compile_one(text):
        compiled = environment.compile(text)
        return lambda record: compiled.eval(data=record).value()

    def compile_whole(text):
        compiled = whole.compile(text)
        return lambda: [compiled.eval(data=portion).value() for portion in PORTIONS]

    return compile_one, compile_whole


def rust():
    import cel

    def compile_one(text):
        compiled = cel.compile(text)
        return lambda record: compiled.execute(record)

    def compile_whole(text):
        compiled = cel.compile(text)
        return lambda: [compiled.execute(portion) for portion in PORTIONS]

    return compile_one, compile_whole


def measure(name, compile_one, compile_whole):
    print(f"\n{name}\n{'expression':<62}{'a call each':>14}{'less the call':>14}{'in one call':>14}")
    empty = compile_one("true")
    overhead = least(lambda: [empty(record) for record in RECORDS])
    nothing = compile_whole("records.all(r, true)")
    base = least(nothing)
    for text, expected in EXPRESSIONS.items():
        evaluate = compile_one(text)
        check(text, evaluate, expected)
        each = least(lambda: [evaluate(record) for record in RECORDS])
        inner = FIELDS.sub(r"r.\1", text)
        is_test = isinstance(expected(RECORDS[0]), bool)
        condition = inner if is_test else f"{inner} != {'0.5' if '/ 1000' in inner else repr('')}"
        try:
            together = f"{least(compile_whole(f'records.all(r, ({condition}) || true)')) - base:14.0f}"
        except Exception as problem:  # report what an implementation lacks instead of skipping it
            together = f"  {type(problem).__name__}"
        print(f"{text:<62}{each:14.0f}{each - overhead:14.0f}{together}")
    print(f"{'(a call of true)':<62}{overhead:14.0f}")


if __name__ == "__main__":
    for title, load in {"cel-expr-python (C++)": cpp, "common-expression-language (Rust)": rust}.items():
        if len(sys.argv) < 2 or sys.argv[1] in title:
            try:
                measure(title, *load())
            except ImportError as missing:
                print(f"{title}: not installed ({missing})")
