# SPDX-License-Identifier: MIT
"""Plain-text tables."""


def number(value):
    """A figure for a table cell: integers whole, others to two places, None as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.2f}"


def render(header, rows, left=1):
    """Lines of an aligned table; the first `left` columns are flush left, the others right."""
    cells = [list(map(str, header))] + [[number(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        parts = [cell.ljust(width) if i < left else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(parts).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return lines
