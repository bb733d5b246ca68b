"""A drawing of boxes, texts and arrows, as SVG or through matplotlib."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from hornbeam.utils.layered import Points
from hornbeam.utils.optional import need

FONT = 10.0  # points
INK, HEAD, TRAINED, FROZEN = "#202428", "#e4ebf3", "#2f9e5f", "#c9544a"


@dataclass
class Drawing:
    """Shapes in points, y downwards; shown as SVG in notebooks."""

    width: float = 0.0
    height: float = 0.0
    boxes: list[tuple[float, float, float, float, str, str]] = field(default_factory=list)
    texts: list[tuple[float, float, str, bool]] = field(default_factory=list)
    arrows: list[Points] = field(default_factory=list)

    def svg(self) -> str:
        """The drawing as an SVG document."""
        parts = [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}pt" '
                f'height="{self.height:.0f}pt" viewBox="0 0 {self.width:.1f} {self.height:.1f}" '
                f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT:g}">'
            ),
            (
                f'<rect width="100%" height="100%" fill="white"/>'
                f'<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
                f'markerHeight="7" orient="auto">'
                f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>'
            ),
        ]
        parts += [
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="2" '
            f'fill="{fill}" stroke="{line}"/>'
            for x, y, w, h, fill, line in self.boxes
        ]
        parts += [
            f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" '
            f'stroke="{INK}" marker-end="url(#tip)"/>'
            for points in self.arrows
        ]
        parts += [
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{INK}"'
            f"{' font-weight=' + chr(34) + 'bold' + chr(34) if bold else ''}>{escape(text)}</text>"
            for x, y, text, bold in self.texts
        ]
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _repr_svg_(self) -> str:
        return self.svg()

    def save(self, path: Any, dpi: float = 200) -> None:
        """Write a file: SVG by itself, PNG, PDF, JPG through matplotlib.

        Args:
            path: Where to; its suffix says what.
            dpi: Dots in an inch, for pictures made of dots.
        """
        path = Path(path)
        kind = path.suffix.lower().lstrip(".")
        if kind == "svg":
            path.write_text(self.svg(), encoding="utf-8")
            return
        if kind not in ("png", "pdf", "jpg", "jpeg"):
            raise ValueError(
                f"A picture can be written as .svg, .png, .pdf or .jpg. Received: {str(path)!r}."
            )
        hint = "Or write an SVG, which needs nothing: the name of the file says so."
        figures = need("matplotlib.figure", f"to write a .{kind} file", "plot", hint)
        patches = need("matplotlib.patches", f"to write a .{kind} file", "plot", hint)
        figure = figures.Figure(figsize=(self.width / 72, self.height / 72))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, self.width), ylim=(self.height, 0))
        axes.axis("off")
        for x, y, w, h, fill, line in self.boxes:
            axes.add_patch(
                patches.Rectangle((x, y), w, h, facecolor=fill, edgecolor=line, linewidth=0.8)
            )
        for points in self.arrows:
            axes.plot(*zip(*points[:-1], points[-1], strict=True), color=INK, linewidth=0.8)
            axes.annotate(
                "",
                points[-1],
                points[-2],
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 0,
                            "shrinkB": 0},
            )  # fmt: skip
        for x, y, text, bold in self.texts:
            weight = "bold" if bold else "normal"
            axes.text(x, y, text, ha="center", va="baseline", fontsize=FONT, weight=weight,
                      color=INK, parse_math=False)  # fmt: skip
        figure.savefig(path, dpi=dpi)


def text_width(text: str, bold: bool = False) -> float:
    """About how wide a text is, in points."""
    narrow = sum(letter in "ijlt.,:;()[]|!' " for letter in text)
    return FONT * (0.62 * (len(text) - narrow) + 0.36 * narrow) * (1.12 if bold else 1.0)
