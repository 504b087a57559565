"""CPU-bound work of several kinds; each answers how long it took by itself, so that only the handler's own time counts.

As a program (`python3 cpu.py KIND ROUNDS`), it prints the milliseconds of each round."""

import json
import re
import sys
import time

TEXT = " ".join(f"user{i}@example{i % 7}.com" for i in range(4000))


def fib():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    return fib(20)


def loop():
    total = 0
    for i in range(300_000):
        total = (total + i * 7) & 0x7FFFFFFF
    return total


def json_():
    rows = [{"id": i, "name": f"row {i}", "tags": ["a", "b"], "nested": {"x": i / 3}} for i in range(3000)]
    return len(json.loads(json.dumps(rows)))


def regex():
    return len(re.findall(r"[a-z0-9]+@[a-z0-9]+\.com", TEXT))


def sort():
    seed = 42
    numbers = []
    for _ in range(20_000):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        numbers.append(seed)
    return sorted(numbers)[0]


def strings():
    parts = []
    for i in range(60_000):
        parts.append(f"{i:x}")
    return len("".join(parts))


class Entry:
    def __init__(self, i, previous):
        self.i = i
        self.previous = previous


def objects():
    entries = {}
    for i in range(40_000):
        key = f"k{i % 500}"
        previous = entries.get(key)
        entries[key] = Entry(i, previous and previous.i)
    return len(entries)


WORK = {"fib": fib, "loop": loop, "json": json_, "regex": regex, "sort": sort, "strings": strings, "objects": objects}


def handler(event, context):
    began = time.perf_counter()
    WORK[event["work"]]()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    for _ in range(int(sys.argv[2])):
        print(handler({"work": sys.argv[1]}, None))
