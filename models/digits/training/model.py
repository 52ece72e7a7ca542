"""The detector: a small residual network, two pyramid levels, anchor-free heads.

Strides 8 and 16. Every cell predicts a centre offset and a log size in units of its stride, and ten class logits. Dense
3x3 convolutions, because on a CPU they use the arithmetic units far better than depthwise ones do.
"""
import math

import torch
from torch import nn

STRIDES = (8, 16)
CLASSES = 10


def conv(inputs, outputs, size=3, stride=1, act=True):
    layers = [nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)]
    if act:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = conv(channels, channels, act=False)

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class Head(nn.Module):
    """Class logits and box terms of one level, decoupled."""

    def __init__(self, channels, box_channels=32):
        super().__init__()
        self.classes = nn.Sequential(conv(channels, channels), nn.Conv2d(channels, CLASSES, 1))
        self.boxes = nn.Sequential(conv(channels, box_channels), nn.Conv2d(box_channels, 4, 1))
        # Rare positives at the start, and boxes of about four strides.
        nn.init.constant_(self.classes[-1].bias, -math.log(99))
        nn.init.zeros_(self.boxes[-1].weight)
        self.boxes[-1].bias.data = torch.tensor([0.0, 0.0, 1.3, 1.3])

    def forward(self, x):
        return torch.cat([self.boxes(x), self.classes(x)], 1)


class Detector(nn.Module):
    def __init__(self, widths=(16, 32, 64, 96)):
        super().__init__()
        a, b, c, d = widths
        self.stem = nn.Sequential(conv(3, a, 3, 2), conv(a, b, 3, 2), Residual(b))
        self.level3 = nn.Sequential(conv(b, c, 3, 2), Residual(c), Residual(c))
        self.level4 = nn.Sequential(conv(c, d, 3, 2), Residual(d))
        self.lateral = conv(d, c, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = conv(c, c)
        self.head3 = Head(c)
        self.head4 = Head(c)

    def forward(self, images):
        """[N, 3, H, W] RGB of 0-1 to one raw map [N, 4 + classes, H/s, W/s] a level."""
        c3 = self.level3(self.stem(images))
        c4 = self.lateral(self.level4(c3))
        # Cut to c3's size: sizes that are no multiple of 16 leave an odd map below.
        return self.head3(self.merge(c3 + self.up(c4)[:, :, : c3.shape[2], : c3.shape[3]])), self.head4(c4)


def cells(maps):
    """Centres [A, 2] in pixels and strides [A, 1] of all cells, level by level, row by row."""
    centres, strides = [], []
    for level, stride in zip(maps, STRIDES):
        height, width = level.shape[2], level.shape[3]
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        points = torch.stack([x, y], 2).reshape(-1, 2).to(level)
        centres.append((points + 0.5) * stride)
        strides.append(torch.full_like(points[:, :1], stride))
    return torch.cat(centres), torch.cat(strides)


def flatten(maps):
    """Maps to [N, A, 4 + classes]."""
    return torch.cat([level.flatten(2) for level in maps], 2).transpose(1, 2)


def decode(raw, centres, strides):
    """Raw box terms [N, A, 4] to centre x, centre y, width, height in pixels."""
    return torch.cat([centres + raw[..., :2] * strides, raw[..., 2:].clamp(max=6).exp() * strides], -1)
