"""Bar charts as SVG, written by hand: one row a work, one bar a proxy."""

from html import escape

COLOURS = {
    "apus": "#d1495b",
    "nginx": "#4f7cac",
    "haproxy": "#7fa650",
    "haproxy-splice": "#a8c686",
    "haproxy-splice-1m": "#5b7f3a",
    "envoy": "#9a6fb0",
    "direct": "#9e9e9e",
    "nginx-one-ticket": "#86a6c8",
    "haproxy-one-ticket": "#c9dcb5",
    "openssl": "#e0b050",
}
WIDTH = 860
LABELS = 250
VALUES = 90
BAR = 15
GAP = 3
ROW_GAP = 18
TOP = 74


def number(value):
    if value >= 10_000:
        return f"{value / 1000:,.1f} k"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def bars(title, subtitle, rows, scale_by_row=True):
    """`rows`: [(label, [(peer, value)])]; each row has a scale of its own unless told otherwise."""
    rows = [(label, values) for label, values in rows if values]
    highest = max((value for _, values in rows for _, value in values), default=1)
    parts, y = [], TOP
    for label, values in rows:
        own = max(value for _, value in values) if scale_by_row else highest
        middle = y + (len(values) * (BAR + GAP) - GAP) / 2 + 4
        parts.append(
            f'<text x="{LABELS - 14}" y="{middle:.0f}" text-anchor="end">{escape(label)}</text>'
        )
        for peer, value in values:
            length = (WIDTH - LABELS - VALUES) * value / own if own else 0
            weight = ' font-weight="600"' if peer == "apus" else ""
            parts.append(
                f'<rect x="{LABELS}" y="{y}" width="{max(length, 1):.1f}" height="{BAR}" rx="2"'
                f' fill="{COLOURS.get(peer, "#666")}"><title>{escape(peer)}: {value:.6g}</title>'
                f'</rect><text x="{LABELS + length + 6:.1f}" y="{y + 12}"{weight}>'
                f"{number(value)}</text>"
            )
            y += BAR + GAP
        y += ROW_GAP - GAP
    return document(title, subtitle, parts, rows, y)


def document(title, subtitle, parts, rows, height):
    peers = []
    for _, values in rows:
        peers += [peer for peer, _ in values if peer not in peers]
    legend, x = [], LABELS
    for peer in peers:
        legend.append(
            f'<rect x="{x}" y="48" width="11" height="11" rx="2"'
            f' fill="{COLOURS.get(peer, "#666")}"/>'
            f'<text x="{x + 16}" y="58">{escape(peer)}</text>'
        )
        x += 34 + 6.6 * len(peer)
    style = "text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#24292f}"
    body = "\n".join(legend + parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img">\n<title>{escape(title)}</title>\n'
        f'<style>{style}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="20" y="24" style="font-size:16px;font-weight:600">{escape(title)}</text>\n'
        f'<text x="20" y="42" style="fill:#57606a">{escape(subtitle)}</text>\n{body}\n</svg>\n'
    )
