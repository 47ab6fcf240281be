"""The networks of j12 as ranges of addresses that do not overlap, for programs that can only join on such."""

import csv


def ranges(path="data/networks/networks.csv"):
    """(first address, owner) in order; each reaches to the next. None is the owner where no network is."""
    found = []
    for row in csv.DictReader(open(path)):
        address, bits = row["network"].split("/")
        a, b, c, d = map(int, address.split("."))
        start, size = a << 24 | b << 16 | c << 8 | d, 1 << 32 - int(bits)
        found.append((start, -size, row["owner"]))
    result, around = [(0, None)], []  # around: the networks that hold the one at hand, (end, owner), innermost last

    def leave(until):
        while around and around[-1][0] <= until:
            end = around.pop()[0]
            owner = around[-1][1] if around else None
            if not around or around[-1][0] > end:
                result.append((end, owner))

    for start, size, owner in sorted(found):
        leave(start)
        around.append((start - size, owner))
        result.append((start, owner))
    leave(1 << 33)
    return list({start: (start, owner) for start, owner in result}.values())
