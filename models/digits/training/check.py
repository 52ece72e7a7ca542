"""Compares the trainer's losses and their gradients with boxops's on one batch of the training.

Writes the batch as one .safetensors file and runs check-losses.ts on it, which exits with 1 where they differ.
"""
import os
import subprocess

import torch
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))


def compare(losses, inputs, metric, folder):
    """`losses` and `inputs` of detection_loss, before backward. Returns what check-losses.ts printed."""
    class_loss, box_loss = losses
    logits, predicted = inputs["logits"], inputs["predicted"]
    logits_gradient = torch.autograd.grad(class_loss, logits, retain_graph=True)[0]
    predicted_gradient = torch.autograd.grad(box_loss, predicted, retain_graph=True)[0]
    arrays = {name: value.detach().contiguous().numpy() for name, value in inputs.items()}
    arrays["logits_gradient"] = logits_gradient.contiguous().numpy()
    arrays["predicted_gradient"] = predicted_gradient.contiguous().numpy()
    arrays["losses"] = torch.stack([class_loss, box_loss]).detach().numpy()
    path = f"{folder}/loss-check.safetensors"
    save_file(arrays, path, {"metric": metric})
    command = ["npx", "tsx", f"{HERE}/check-losses.ts", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"the losses differ from boxops's: {done.stdout}{done.stderr}")
    return done.stdout.strip()
