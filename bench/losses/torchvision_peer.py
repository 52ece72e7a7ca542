"""torchvision's losses, forward and backward, on one thread: a line with a name and a number of runs in, a JSON answer out."""
import json
import sys
import time

import numpy as np
import torch
import torchvision
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss, sigmoid_focal_loss

torch.set_num_threads(1)
folder, samples, classes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
read = lambda name: torch.from_numpy(np.fromfile(f"{folder}/{name}.bin", dtype=np.float32))
logits = read("logits").view(samples, classes).requires_grad_()
predicted = read("predicted").view(-1, 4).requires_grad_()
target = read("target").view(-1, 4)
labels = torch.from_numpy(np.fromfile(f"{folder}/labels.bin", dtype=np.int32).astype(np.int64))
dense = torch.zeros(samples, classes)
positive = labels < classes
dense[positive, labels[positive]] = 1
losses = {
    "focal": (logits, lambda: sigmoid_focal_loss(logits, dense, reduction="sum")),
    "giou": (predicted, lambda: generalized_box_iou_loss(predicted, target, reduction="sum")),
    "ciou": (predicted, lambda: complete_box_iou_loss(predicted, target, reduction="sum")),
}
print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__}), flush=True)
for line in sys.stdin:
    name, runs = line.split()
    variable, loss = losses[name]
    start = time.process_time()
    for _ in range(int(runs)):
        variable.grad = None
        value = loss()
        value.backward()
    milliseconds = (time.process_time() - start) * 1000 / int(runs)
    variable.grad.numpy().tofile(f"{folder}/{name}.bin")
    print(json.dumps({"milliseconds": milliseconds, "value": value.item()}), flush=True)
