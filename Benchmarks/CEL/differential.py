#!/usr/bin/env python3
"""Compares SluiceCEL with the C++ implementation of CEL on generated expressions.

    pip install cel-expr-python
    Benchmarks/CEL/differential.py --count 20000 --seed 1

cel-expr-python evaluates each expression; its result becomes a conformance case, and
`cel-conformance` runs them all. Some things are never generated, because the other implementation
is known to be wrong or lax there: NUL in the bytes of a variable (truncates), `substring(a, b)`
with `b` at the end (an error), spaces in base64 (ignored), doubles and times in `%s` (six digits),
fractions of a second (shown in groups of three digits), spaces around numbers (ignored), negative
numbers in `%b` (two's complement).

Prints the cases that differ and exits with 1 if there are any. `--expressions FILE` reads one
expression per line instead.
"""

import argparse
import base64
import json
import math
import os
import random
import subprocess
import sys
import tempfile

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

VARIABLES = {
    "i": ("int", 7), "j": ("int", -3), "u": ("uint", 5), "d": ("double", 2.5), "s": ("string", "GET /api/v1 ünï"),
    "t": ("string", "a,b,,c"), "b": ("bytes", b"\xffabc"), "p": ("bool", True),
    "l": ("list(int)", [3, 1, 2]), "m": ("map(string, int)", {"a": 1, "b": 2}),
}
TYPES = {
    "int": cel.Type.INT, "uint": cel.Type.UINT, "double": cel.Type.DOUBLE, "string": cel.Type.STRING, "bytes": cel.Type.BYTES,
    "bool": cel.Type.BOOL, "list(int)": cel.Type.List(cel.Type.INT), "map(string, int)": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}


class Generator:
    """Expressions of a given type, mostly valid ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def of(self, kind, depth):
        if self.random.random() < 0.02:
            kind = self.pick("int", "uint", "double", "string", "bool", "list", "map", "bytes", "time", "span")
        if self.random.random() < 0.03:
            return f"dyn({self.of(kind, depth)})"
        if depth > 1 and self.random.random() < 0.05:
            return f"({self.of('bool', depth - 1)} ? {self.of(kind, depth - 1)} : {self.of(kind, depth - 1)})"
        return getattr(self, kind)(depth - 1) if depth > 0 else getattr(self, kind + "_leaf")()

    def int_leaf(self):
        return self.pick("0", "1", "-1", "2", "7", "64", "i", "j", "9223372036854775807", "-9223372036854775808", "0x1F", "1000000007")

    def int(self, d):
        o = self.of
        return self.pick(
            lambda: f"({o('int', d)} {self.pick('+', '-', '*', '/', '%')} {o('int', d)})",
            lambda: f"(-({o('int', d)}))",
            lambda: f"size({o(self.pick('string', 'list', 'map', 'bytes'), d)})",
            lambda: f"int({o(self.pick('double', 'uint', 'string', 'time'), d)})",
            lambda: f"{o('string', d)}.{self.pick('indexOf', 'lastIndexOf')}({o('string', d)})",
            lambda: f"{o('list', d)}[{o('int', 0)}]",
            lambda: f"{o('map', d)}[{o('string', 0)}]",
            lambda: f"math.{self.pick('greatest', 'least')}({o('int', d)}, {o('int', d)})",
            lambda: f"math.{self.pick('bitAnd', 'bitOr', 'bitXor', 'bitShiftLeft', 'bitShiftRight')}({o('int', d)}, {o('int', 0)})",
            lambda: f"math.{self.pick('abs', 'sign', 'bitNot')}({o('int', d)})",
            lambda: f"{o('time', d)}.get{self.pick('FullYear', 'Month', 'Date', 'DayOfMonth', 'DayOfWeek', 'DayOfYear', 'Hours', 'Minutes', 'Seconds', 'Milliseconds')}({self.pick('', self.zone())})",
            lambda: f"{o('span', d)}.get{self.pick('Hours', 'Minutes', 'Seconds', 'Milliseconds')}()",
            lambda: f"cel.bind(x, {o('int', d)}, x {self.pick('+', '*')} {o('int', d)})",
            lambda: f"optional.of({o('int', d)}).orValue({o('int', d)})",
            lambda: f"{o('list', d)}[?{o('int', 0)}].orValue({o('int', 0)})",
        )()

    def zone(self):
        return self.pick("'UTC'", "'+05:30'", "'-08:00'", "'02:00'", "'America/St_Johns'", "'Europe/Berlin'", "'Asia/Kathmandu'", "'nowhere'")

    def uint_leaf(self):
        return self.pick("0u", "1u", "5u", "u", "18446744073709551615u", "0xFFu")

    def uint(self, d):
        o = self.of
        return self.pick(
            lambda: f"({o('uint', d)} {self.pick('+', '-', '*', '/', '%')} {o('uint', d)})",
            lambda: f"uint({o(self.pick('int', 'double', 'string'), d)})",
            lambda: f"math.{self.pick('greatest', 'least', 'bitAnd', 'bitOr', 'bitXor')}({o('uint', d)}, {o('uint', d)})",
        )()

    def double_leaf(self):
        return self.pick("0.0", "1.5", "-2.25", "1e300", "-1e-7", "d", "0.1", "3.0", "123456.789", "1e19", "9007199254740993.0")

    def double(self, d):
        o = self.of
        return self.pick(
            lambda: f"({o('double', d)} {self.pick('+', '-', '*', '/')} {o('double', d)})",
            lambda: f"(-({o('double', d)}))",
            lambda: f"double({o(self.pick('int', 'uint', 'string'), d)})",
            lambda: f"math.{self.pick('ceil', 'floor', 'round', 'trunc', 'abs', 'sign')}({o('double', d)})",
            lambda: f"math.{self.pick('greatest', 'least')}({o('double', d)}, {o(self.pick('double', 'int', 'uint'), d)})",
        )()

    def string_leaf(self):
        return self.pick("''", "'a'", "'b'", "'GET'", "'/api'", "s", "t", "'ü'", "'12'", "'-3.5'", "'true'", "'ab ab'", "','", "' \\t x\\n'", "r'\\d+'", "'1h30m'", "'😀é'")

    def string(self, d):
        o = self.of
        return self.pick(
            lambda: f"({o('string', d)} + {o('string', d)})",
            lambda: f"string({o(self.pick('int', 'uint', 'bool', 'bytes', 'time', 'span', 'string'), d)})",
            lambda: f"{o('string', d)}.{self.pick('lowerAscii', 'upperAscii', 'trim', 'reverse')}()",
            lambda: f"{o('string', d)}.replace({o('string', d)}, {o('string', d)})",
            lambda: f"{o('string', d)}.replace({o('string', 0)}, {o('string', 0)}, {self.pick('-1', '0', '1', '2')})",
            lambda: f"{o('string', d)}.substring({self.pick('0', '1', '2', '5')})",
            lambda: f"{o('string', d)}.charAt({self.pick('0', '1', '3')})",
            lambda: f"strings.quote({o('string', d)})",
            lambda: f"base64.encode({o('bytes', d)})",
            lambda: f"{o('string', d)}.split({o('string', 0)}).join({self.pick(repr('-'), '', repr(', '))})",
            lambda: f"'%s|%d|%s'.format([{o('string', d)}, {o('int', d)}, {o(self.pick('list', 'map', 'bool', 'span'), d)}])",
            lambda: f"'%{self.pick('.0', '.2', '')}{self.pick('f', 'e')}'.format([{o('double', d)}])",
            lambda: f"'%{self.pick('x', 'X', 'b', 'o', 'd')}'.format([{o(self.pick('int', 'uint'), d)}])",
        )()

    def bytes_leaf(self):
        return self.pick("b''", "b'abc'", "b", "b'\\xff\\x00'", "b'ü'")

    def bytes(self, d):
        o = self.of
        return self.pick(
            lambda: f"({o('bytes', d)} + {o('bytes', d)})",
            lambda: f"bytes({o('string', d)})",
            lambda: f"base64.decode(base64.encode({o('bytes', d)}))")()

    def bool_leaf(self):
        return self.pick("true", "false", "p", "(1 / 0 > 0)")

    def bool(self, d):
        o = self.of
        kind = self.pick("int", "uint", "double", "string", "bytes", "bool", "time", "span")
        other = self.pick("int", "uint", "double")
        return self.pick(
            lambda: f"({o(kind, d)} {self.pick('<', '<=', '>', '>=', '==', '!=')} {o(kind, d)})",
            lambda: f"(dyn({o(other, d)}) {self.pick('<', '<=', '>', '>=', '==', '!=')} {o(self.pick('int', 'uint', 'double'), d)})",
            lambda: f"({o(self.pick('list', 'map'), d)} {self.pick('==', '!=')} {o(self.pick('list', 'map'), d)})",
            lambda: f"({o('bool', d)} {self.pick('&&', '||')} {o('bool', d)})",
            lambda: f"(!{o('bool', d)})",
            lambda: f"{o('string', d)}.{self.pick('contains', 'startsWith', 'endsWith')}({o('string', d)})",
            lambda: f"{o('string', d)}.matches({self.pick(repr('^[a-z]+$'), repr('[0-9]+'), repr('(a|b)+,?'), repr('.*'))})",
            lambda: f"({o('int', d)} in {o('list', d)})",
            lambda: f"({o('string', d)} in {o('map', d)})",
            lambda: f"{o('list', d)}.{self.pick('all', 'exists', 'exists_one')}(x, {self.pick('x > 1', 'x % 2 == 0', '1 / (x - 1) > 0', 'x == i')})",
            lambda: f"has({o('map', d)}.{self.pick('a', 'c')})",
            lambda: f"({o('map', d)}.?{self.pick('a', 'c')}.hasValue())",
            lambda: f"math.{self.pick('isNaN', 'isInf', 'isFinite')}({o('double', d)})",
            lambda: f"(type({o(kind, d)}) == {self.pick('int', 'string', 'bool')})",
        )()

    def list_leaf(self):
        return self.pick("[]", "[1, 2, 3]", "l", "[7]", "[3, -3]")

    def list(self, d):
        o = self.of
        return self.pick(
            lambda: f"[{o('int', d)}, {o('int', d)}]",
            lambda: f"[{o('int', d)}, ?optional.{self.pick('none()', 'of(' + o('int', 0) + ')')}]",
            lambda: f"({o('list', d)} + {o('list', d)})",
            lambda: f"{o('list', d)}.map(x, {self.pick('x + 1', 'x * x', 'x / 2', '10 / x')})",
            lambda: f"{o('list', d)}.map(x, x > 1, x * 2)",
            lambda: f"{o('list', d)}.filter(x, {self.pick('x > 1', 'x % 2 == 1', 'x != i')})",
            lambda: f"{o('list', d)}.map(x, {o('list', 0)}.map(y, x + y)).map(z, size(z))",
        )()

    def map_leaf(self):
        return self.pick("{}", "m", "{'a': 1}", "{'c': 3, 'a': 0}")

    def map(self, d):
        o = self.of
        return self.pick(
            lambda: f"{{{o('string', d)}: {o('int', d)}, 'z': {o('int', d)}}}",
            lambda: f"{{?'k': {o('map', d)}.?{self.pick('a', 'c')}}}")()

    def time_leaf(self):
        return self.pick("timestamp('2009-02-13T23:31:30Z')", "timestamp('2024-02-29T12:00:00.123456789-08:00')", "timestamp(0)", "timestamp('1969-12-31T23:59:59.501Z')", "timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999Z')")

    def time(self, d):
        o = self.of
        return self.pick(lambda: f"({o('time', d)} {self.pick('+', '-')} {o('span', d)})", lambda: f"timestamp(string({o('time', d)}))", lambda: f"timestamp({o('int', d)})")()

    def span_leaf(self):
        return self.pick("duration('1h30m')", "duration('-90s')", "duration('0')", "duration('-999ms')", "duration('1us2ns')")

    def span(self, d):
        o = self.of
        return self.pick(lambda: f"({o('span', d)} {self.pick('+', '-')} {o('span', d)})", lambda: f"({o('time', 0)} - {o('time', 0)})", lambda: f"duration(string({o('span', d)}))")()


def tagged(value):
    """A value in the form of the conformance cases; ValueError if that form cannot express it exactly."""
    kind = value.type().name().lower()
    plain = value.value()
    if plain is None:
        return {"type": "null", "value": None}
    if kind == "bool":
        return {"type": "bool", "value": plain}
    if kind in ("int", "uint"):
        return {"type": kind, "value": str(plain)}
    if kind == "double":
        text = "NaN" if math.isnan(plain) else ("Infinity" if plain > 0 else "-Infinity") if math.isinf(plain) else repr(plain)
        return {"type": "double", "value": text}
    if kind == "string":
        return {"type": "string", "value": plain}
    if kind == "bytes":
        return {"type": "bytes", "value": base64.b64encode(plain).decode()}
    if kind.startswith("list"):
        return {"type": "list", "value": [tagged(element) for element in plain]}
    if kind.startswith("map"):
        raise ValueError("the keys' types are lost")
    raise ValueError(kind)


def case(environment, expression, number):
    type_env = [{"name": name, "type": kind} for name, (kind, _) in VARIABLES.items()]
    result = {"id": f"generated/{number}", "file": "generated", "expr": expression, "class": "plain", "type_env": type_env,
              "bindings": {name: plain_tagged(kind, value) for name, (kind, value) in VARIABLES.items()}}
    try:
        compiled = environment.compile(expression)
        value = compiled.eval(data={name: value for name, (_, value) in VARIABLES.items()})
        if value.type().name() == "ERROR":
            raise RuntimeError(value.value())
        result["expected"] = {"kind": "value", "value": tagged(value)}
    except ValueError:
        return None
    except Exception as error:  # any exception of the other implementation counts as an error
        result["expected"] = {"kind": "error", "messages": [str(error)]}
    return result


def plain_tagged(kind, value):
    if kind == "list(int)":
        return {"type": "list", "value": [plain_tagged("int", element) for element in value]}
    if kind == "map(string, int)":
        return {"type": "map", "value": [[plain_tagged("string", k), plain_tagged("int", v)] for k, v in value.items()]}
    if kind in ("int", "uint", "double"):
        return {"type": kind, "value": str(value)}
    if kind == "bytes":
        return {"type": "bytes", "value": base64.b64encode(value).decode()}
    return {"type": kind, "value": value}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--expressions", help="a file with one expression a line, instead of generated ones")
    parser.add_argument("--runner", default=".build/release/cel-conformance")
    options = parser.parse_args()

    environment = cel.NewEnv(
        variables={name: TYPES[kind] for name, (kind, _) in VARIABLES.items()},
        extensions=[ext_bindings.ExtBindings(), ext_encoders.ExtEncoders(), ext_math.ExtMath(), ext_optional.ExtOptional(), ext_strings.ExtStrings()])
    if options.expressions:
        with open(options.expressions, encoding="utf-8") as lines:
            expressions = [line.rstrip("\n") for line in lines if line.strip()]
    else:
        generator = Generator(options.seed)
        kinds = ["int", "uint", "double", "string", "bytes", "bool", "list", "bool"]
        expressions = [generator.of(generator.pick(*kinds), generator.pick(*range(1, options.depth + 1))) for _ in range(options.count)]

    cases = [made for number, text in enumerate(expressions) if (made := case(environment, text, number))]
    errors = sum(made["expected"]["kind"] == "error" for made in cases)
    print(f"{len(cases)} expressions, {errors} of them errors for cel-expr-python", flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(made) + "\n" for made in cases)
        file.flush()
        run = subprocess.run([options.runner], env={**os.environ, "SLUICE_CEL_CASES": file.name}, check=False)
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
