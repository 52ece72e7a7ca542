"""Masks of real COCO annotations as pycocotools' annToRLE makes them: count, areas, and a hash of all compressed strings.

Run in an environment with pycocotools, with an instances file of COCO val2014's first hundred pictures:
    python annotations.py instances_val2014_100.json
"""
import json
import os
import sys
from importlib.metadata import version

from pycocotools import mask as coco


def to_rle(segmentation, height, width):
    if isinstance(segmentation, list):
        return coco.merge(coco.frPyObjects(segmentation, height, width))
    if isinstance(segmentation["counts"], list):
        return coco.frPyObjects(segmentation, height, width)
    return segmentation


def fnv(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) % 2**32
    return value


def main():
    with open(sys.argv[1]) as file:
        data = json.load(file)
    images = {image["id"]: image for image in data["images"]}
    rles = []
    for annotation in data["annotations"]:
        image = images[annotation["image_id"]]
        rles.append(to_rle(annotation["segmentation"], image["height"], image["width"]))
    crowd = next(i for i, a in enumerate(data["annotations"]) if a["iscrowd"])
    same = [i for i, a in enumerate(data["annotations"]) if a["image_id"] == data["annotations"][crowd]["image_id"]]
    flags = [data["annotations"][i]["iscrowd"] for i in same]
    golden = {
        "versions": {"python": sys.version.split()[0], "pycocotools": version("pycocotools")},
        "count": len(rles),
        "hash": fnv("\n".join(r["counts"].decode() for r in rles)),
        "area": int(sum(coco.area(r) for r in rles)),
        "first": fnv(rles[0]["counts"].decode()),
        "crowd": {
            "annotations": same,
            "iou": coco.iou([rles[i] for i in same], [rles[i] for i in same], flags).reshape(-1).tolist(),
        },
    }
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "annotations.json"), "w") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")


main()
