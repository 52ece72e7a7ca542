"""Trains the digit detector on shards of synthesised scenes and the targets that `boxops targets` made for them.

    python3 models/digits/training/train.py --data .cache/digits --targets .cache/digits/targets --out .cache/digits/run

Writes checkpoint.pt (exponential moving average of the weights, and all that is needed to go on) every 500 steps and a
log line a hundred steps. The learning rate rises for 200 steps and falls by a cosine to zero; `--resume` goes on. Every
`--check` steps the losses and their gradients are compared with boxops's.
"""
import argparse
import copy
import json
import math
import os
import time

import torch

from check import compare
from data import Targets, batches
from loss import BOX_WEIGHT, detection_loss
from model import Detector, cells, decode, flatten
from score import STRICT, mean_average_precision


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder with training/ and validation/ shards")
    parser.add_argument("--targets", required=True, help="folder of `boxops targets`")
    parser.add_argument("--out", required=True)
    parser.add_argument("--metric", choices=["giou", "diou", "ciou"], default="ciou", help="of the box loss")
    parser.add_argument("--check", type=int, default=1000, help="steps between comparisons of the losses; 0: none")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.02)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def rate_at(step, options):
    warm = min(1.0, (step + 1) / 200)
    return options.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / options.steps)))


def parameter_groups(model, decay):
    """Weight decay on convolutions only: not on BatchNorm, not on biases."""
    weights = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def update_average(average, model, step):
    """Exponential moving average of weights and BatchNorm statistics."""
    keep = min(0.998, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), model.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.mul_(keep).add_(value, alpha=1 - keep)
            else:
                mean.copy_(value)


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = Detector().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(parameter_groups(model, options.decay), lr=options.rate)
    checkpoint = f"{options.out}/checkpoint.pt"
    first, spent, processor = 0, 0.0, 0.0
    if options.resume and os.path.exists(checkpoint):
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, spent, processor = state["step"], state["seconds"], state["processor"]
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {options}", flush=True)
    start, start_processor = time.time(), time.process_time()
    sums = [0.0, 0.0]
    source = batches(f"{options.data}/training", Targets(options.targets), options.batch, options.seed + first)
    for step in range(first, options.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, options)
        images, positives = next(source)
        maps = model(images)
        raw = flatten(maps)
        centres, strides = cells(maps)
        decoded = decode(raw[..., :4], centres, strides)
        *losses, inputs = detection_loss(raw, decoded, positives, options.metric)
        if options.check and step % options.check == 0:
            print(compare(losses, inputs, options.metric, options.out), flush=True)
        optimiser.zero_grad(set_to_none=True)
        (losses[0] + BOX_WEIGHT * losses[1]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        update_average(average, model, step)
        sums = [total + float(value) for total, value in zip(sums, losses)]
        last = step + 1 == options.steps
        if (step + 1) % 100 == 0 or last:
            report = {
                "step": step + 1,
                "class": round(sums[0] / 100, 4),
                "box": round(sums[1] / 100, 4),
                "seconds": round(spent + time.time() - start, 1),
                "processor": round(processor + time.process_time() - start_processor, 1),
            }
            sums = [0.0, 0.0]
            if (step + 1) % 500 == 0 or last:
                overlaps = STRICT if last else (0.5,)
                precision = mean_average_precision(average, f"{options.data}/validation", overlaps=overlaps)
                report["mAP50"] = round(precision[0], 4)
                if last:
                    report["mAP"] = round(sum(precision) / len(precision), 4)
                save(checkpoint, model, average, optimiser, report)
            print(json.dumps(report), flush=True)


def save(path, model, average, optimiser, report):
    state = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
    torch.save({**state, **report}, f"{path}.part")
    os.replace(f"{path}.part", path)


if __name__ == "__main__":
    main()
