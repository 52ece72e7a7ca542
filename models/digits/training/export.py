"""Writes the trained detector as ONNX in the layout of YOLOv8.

    python3 models/digits/training/export.py --checkpoint .cache/digits/run/checkpoint.pt --out models/digits/digits.onnx

Input `images` float32 [N, 3, H, W], RGB of 0-1; output `output0` float32 [N, 4 + 10, A]: centre x, centre y, width and
height in input pixels, then ten scores of 0-1. N, H and W are dynamic. BatchNorm is folded into the convolutions, whose
weights are stored as float16 and cast when the session loads (half the file, scores move by at most 2e-3).
"""
import argparse
import io

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model import CLASSES, Detector, cells, decode, flatten


class HalfConv(nn.Module):
    """A convolution that stores its weights in half precision and computes in single."""

    def __init__(self, convolution):
        super().__init__()
        self.register_buffer("weight", convolution.weight.detach().half())
        self.register_buffer("bias", convolution.bias.detach().clone())
        self.stride, self.padding = convolution.stride, convolution.padding

    def forward(self, x):
        return nn.functional.conv2d(x, self.weight.float(), self.bias, self.stride, self.padding)


class Exported(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        maps = self.model(images)
        raw = flatten(maps)
        return torch.cat([decode(raw[..., :4], *cells(maps)), raw[..., 4:].sigmoid()], -1).transpose(1, 2)


def folded(module):
    """Replaces Conv2d + BatchNorm2d by one convolution, everywhere below `module`."""
    for name, child in module.named_children():
        folded(child)
        if isinstance(child, nn.Sequential) and len(child) > 1 and isinstance(child[1], nn.BatchNorm2d):
            setattr(module, name, nn.Sequential(fuse_conv_bn_eval(child[0], child[1]), *child[2:]))
    return module


def halved(module):
    for name, child in module.named_children():
        if isinstance(child, nn.Conv2d):
            setattr(module, name, HalfConv(child))
        else:
            halved(child)
    return module


def field(number, payload):
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def metadata(entries):
    """ModelProto.metadata_props (field 14): a protobuf message may be extended by appending fields."""
    return b"".join(field(14, field(1, k.encode()) + field(2, v.encode())) for k, v in entries.items())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    state = torch.load(options.checkpoint, map_location="cpu")
    model = Detector().eval()
    model.load_state_dict(state["average"])
    example = torch.rand(1, 3, 160, 160)
    with torch.no_grad():
        before = Exported(model)(example)
        exported = Exported(halved(folded(model))).eval()
        change = (exported(example) - before).abs()
        print(f"float16 weights move boxes by {change[:, :4].max():.1e} pixels, scores by {change[:, 4:].max():.1e}")
    buffer = io.BytesIO()
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "cells"}}
    torch.onnx.export(
        exported,
        example,
        buffer,
        opset_version=17,
        do_constant_folding=False,
        input_names=["images"],
        output_names=["output0"],
        dynamic_axes=axes,
    )
    entries = {
        "description": "Handwritten digits on varied backgrounds; a small anchor-free detector",
        "author": "boxops",
        "license": "MIT",
        "version": "1",
        "task": "detect",
        "stride": "16",
        "batch": "1",
        "imgsz": "[160, 160]",
        "names": str({digit: str(digit) for digit in range(CLASSES)}),
        "training": f"step {state['step']}, validation mAP50 {state.get('mAP50')}",
    }
    data = buffer.getvalue() + metadata(entries)
    with open(options.out, "wb") as file:
        file.write(data)
    print(f"{options.out}: {len(data)} bytes, step {state['step']}")


if __name__ == "__main__":
    main()
