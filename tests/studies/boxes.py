"""What is wrong with where the words of a figure stand, from the renderer's boxes."""

import re

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.contour import ContourSet
from matplotlib.text import Text

from workflow.studies import style

# Of a box's width and height: what a font leaves empty around its letters.
EMPTY = np.array([0.02, 0.14])


def overlaps(fig):
    """Complaints about a figure's words, none for a figure that is in order.

    Texts and legends must not lie over each other, leave the figure, or cover measured points and
    lines. Filled bands, images, contours and the edges of a criterion may lie under words. Of
    panels in three dimensions only the titles are looked at.

    Parameters
    ----------
    fig : matplotlib Figure

    Returns
    -------
    list of str
    """
    style.settle(fig)
    fig.draw_without_rendering()
    boxes = [_box(*found) for axis in [fig, *fig.axes] for found in _words(axis)]
    edges = np.array([[0, 0], fig.bbox.size])
    said = [
        f"{name!r} leaves the figure"
        for name, corners, *_ in boxes
        if (corners < edges[0] - 1).any() or (corners > edges[1] + 1).any()
    ]
    for i, (name, corners, *_) in enumerate(boxes):
        said += [
            f"{name!r} lies over {other!r}"
            for other, others, *_ in boxes[:i]
            if _meet(corners, others)
        ]
    for label, frame, points, segments in _data(fig):
        for name, corners, centre, turn, half in boxes:
            if corners.max(0)[0] < frame.x0 or corners.min(0)[0] > frame.x1:
                continue
            if corners.max(0)[1] < frame.y0 or corners.min(0)[1] > frame.y1:
                continue
            # In the frame of the text the box is upright and around zero.
            if _hit((points - centre) @ turn, (segments - centre) @ turn, half):
                said.append(f"{name!r} covers {label}")
    return said


def _words(where):
    """Texts and legends of a figure or panel: ``(name, artist, turn in degrees)``."""
    if hasattr(where, "xaxis"):
        texts = [where.title, where._left_title, where._right_title]
        if where.name != "3d":
            texts += where.texts
            if where.axison:
                for side in (where.xaxis, where.yaxis):
                    texts += [side.label, side.get_offset_text(), *_tick_labels(side)]
        legends = [child for child in where.get_children() if type(child).__name__ == "Legend"]
    else:
        texts, legends = list(where.texts), list(where.legends)
        texts += [text for text in (where._suptitle, where._supxlabel, where._supylabel) if text]
    # The labels of contours stand in their lines.
    inline = {
        text
        for child in where.get_children()
        if isinstance(child, ContourSet)
        for text in getattr(child, "labelTexts", [])
    }
    for text in dict.fromkeys(texts):
        if text.get_visible() and text.get_text().strip() and text not in inline:
            yield text.get_text(), text, text.get_rotation()
    for legend in legends:
        if legend.get_visible():
            names = " / ".join(text.get_text() for text in legend.get_texts())
            yield f"legend {names}", legend, 0.0


def _tick_labels(side):
    """Labels of the ticks that are seen."""
    place = side.get_transform().transform
    low, high = sorted(place(side.get_view_interval()))
    room = 1e-9 * (high - low)
    for tick in [*side.get_major_ticks(), *side.get_minor_ticks()]:
        if low - room <= place(tick.get_loc()) <= high + room and tick.get_visible():
            yield from (tick.label1, tick.label2)


def _box(name, artist, turn):
    """``name, corners, centre, rotation, half of width and height`` of a word, in pixels."""
    if isinstance(artist, Text):
        box = Text.get_window_extent(artist)  # of an annotation without its arrow
        artist.set_rotation(0)
        upright = Text.get_window_extent(artist)
        artist.set_rotation(turn)
    else:
        box = upright = artist.get_window_extent()
    # A turned rectangle has the centre of the upright box around it.
    centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    half = np.array([upright.width, upright.height]) / 2 * (1 - EMPTY)
    angle = np.radians(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = half * [[-1, -1], [1, -1], [1, 1], [-1, 1]] @ rotation.T + centre
    return name, corners, centre, rotation, half


def _meet(first, second):
    """Whether two rectangles overlap: no side of either separates them."""
    for corners in (first, second):
        for axis in (corners[1] - corners[0], corners[3] - corners[0]):
            a, b = first @ axis, second @ axis
            if a.max() <= b.min() or b.max() <= a.min():
                return False
    return True


def _data(fig):
    """``name, panel, points, segments`` of what is drawn by points and lines, in pixels."""
    for axis in fig.axes:
        if axis.name == "3d" or not axis.get_visible():
            continue
        title = axis.get_title(loc="left") or axis.get_title() or axis.get_ylabel() or "a panel"
        title = re.sub(r"\$\\mathbf{(.*?)}\$", r"\1", title).replace("\n", " ")
        for artist in [*axis.lines, *axis.collections]:
            if not artist.get_visible() or artist.get_label() == style.EDGE:
                continue
            points, segments = _drawn(artist)
            if artist.get_clip_on():
                inside = axis.bbox.contains
                points = points[[inside(*point) for point in points]] if len(points) else points
            label = str(artist.get_label())
            named = "a line" if label.startswith("_") or not label else repr(label)
            yield f"{named} in {title!r}", axis.bbox, points, segments


def _drawn(artist):
    """Points (n, 2) and segments (n, 2, 2) of a line or collection, in pixels."""
    points, segments = np.empty((0, 2)), np.empty((0, 2, 2))
    if isinstance(artist, PathCollection):
        points = artist.get_offset_transform().transform(np.asarray(artist.get_offsets()))
    elif isinstance(artist, LineCollection):
        lines = [artist.get_transform().transform(part) for part in artist.get_segments()]
        lines = [np.stack([line[:-1], line[1:]], axis=1) for line in lines if len(line) > 1]
        segments = np.concatenate(lines) if lines else segments
    elif hasattr(artist, "get_xydata"):
        path = artist.get_transform().transform(artist.get_xydata())
        if artist.get_marker() not in ("None", "", " ", None):
            points = path
        if artist.get_linestyle() not in ("None", "", " "):
            segments = np.stack([path[:-1], path[1:]], axis=1)
    return points[np.isfinite(points).all(1)], segments[np.isfinite(segments).all((1, 2))]


def _hit(points, segments, half):
    """Whether points or segments enter the box from ``-half`` to ``half`` (slab method)."""
    if (np.abs(points) < half).all(1).any():
        return True
    start, way = segments[:, 0], segments[:, 1] - segments[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(-half - start) / way, (half - start) / way])
    still = way == 0
    within = np.abs(start) < half
    enter = np.where(still, np.where(within, -np.inf, np.inf), ends.min(0)).max(1)
    leave = np.where(still, np.where(within, np.inf, -np.inf), ends.max(0)).min(1)
    return bool(((enter < leave) & (enter < 1) & (leave > 0)).any())
