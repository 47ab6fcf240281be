"""Draws curves on logarithmic axes as SVG, without any library."""

import math

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 360, 260, 64, 40, 16, 48


def scale(values):
    """The ticks of an axis that covers the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10 ** power for power in range(low, max(high, low + 1) + 1)]


def panel(offset, title, unit, xlabel, series):
    values = [value for line in series.values() for value in line]
    low_x, high_x = min(x for x, _ in values), max(x for x, _ in values)
    ticks = scale([y for _, y in values])

    def across(x):
        return LEFT + (math.log10(x) - math.log10(low_x)) / math.log10(high_x / low_x) * (WIDTH - LEFT - RIGHT)

    def up(y):
        share = math.log10(y / ticks[0]) / math.log10(ticks[-1] / ticks[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    out = [f'<g transform="translate({offset} 0)">', f'<text x="{LEFT}" y="22" class="title">{title}</text>']
    for power in range(round(math.log10(low_x)), round(math.log10(high_x)) + 1):
        x = across(10 ** power)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" class="grid"/>')
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">10<tspan dy="-5" class="small">{power}</tspan></text>')
    for tick in ticks:
        y = up(tick)
        label = f"{tick:g}"
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="grid"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for number, (name, line) in enumerate(series.items()):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        out.append(f'<polyline points="{path}" class="line{number}"/>')
        out += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" class="dot{number}"/>' for x, y in line]
        out.append(f'<text x="{LEFT + 8}" y="{TOP + 14 + 15 * number}" class="name{number}">{name}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{xlabel}</text>')
    out.append(f'<text transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{unit}</text></g>')
    return out


def drawing(title, panels):
    """The panels, which `panel` draws, side by side in rows of three."""
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-weight:bold;font-size:13px}.small{font-size:9px}"
        ".grid{stroke:#ddd}.line0,.line1{fill:none;stroke-width:2}.line0{stroke:#0a6}.line1{stroke:#06c}"
        ".dot0,.name0{fill:#0a6}.dot1,.name1{fill:#06c}"
    )
    rows = -(-len(panels) // 3)
    width, height = min(3, len(panels)) * WIDTH, rows * HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        f"<title>{title}</title><style>{style}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, arguments in enumerate(panels):
        lines.append(f'<g transform="translate(0 {number // 3 * HEIGHT})">')
        lines += panel(number % 3 * WIDTH, *arguments)
        lines.append("</g>")
    return "\n".join(lines + ["</svg>"])
