"""Scores the names of DNS lookups: the size of the longest label, and 10 for each digit in it.

A child process for the stage `exec`: reads a JSON object a line, and answers each with one.
"""
import json
import sys

for line in sys.stdin:
    record = json.loads(line)
    label = max(record["query"].split("."), key=len)
    record["score"] = len(label) + 10 * sum(character.isdigit() for character in label)
    print(json.dumps(record), flush=True)
