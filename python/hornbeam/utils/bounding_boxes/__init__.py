"""Boxes around things in images: formats, overlap, what happens to them when images change."""

from hornbeam.utils.bounding_boxes.changes import affine_transform, clip_to_image_size, crop, pad
from hornbeam.utils.bounding_boxes.deltas import decode_deltas_to_boxes, encode_box_to_deltas
from hornbeam.utils.bounding_boxes.formats import convert_format
from hornbeam.utils.bounding_boxes.overlap import compute_ciou, compute_iou

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "compute_ciou",
    "compute_iou",
    "convert_format",
    "crop",
    "decode_deltas_to_boxes",
    "encode_box_to_deltas",
    "pad",
]
