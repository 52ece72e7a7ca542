"""What matching and loss by IoU, GIoU, DIoU and CIoU do to the digit detector, at reduced length.

    python3 models/digits/training/ablation.py --data .cache/digits --out .cache/digits/ablation --parallel 2

Six configurations (the matching metric with the CIoU loss, the loss metric with matching by IoU), each with three seeds.
A run that is finished is not run again. Prints the table of the model card: mean and range over the seeds on the
validation scenes, by the trainer's own score.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
CONFIGURATIONS = [("iou", "ciou"), ("giou", "ciou"), ("diou", "ciou"), ("ciou", "ciou"), ("iou", "giou"), ("iou", "diou")]


def make_targets(metric, options):
    """The targets of the embedded model's configuration, but matched by another metric."""
    folder = f"{options.out}/targets-{metric}"
    if not os.path.exists(f"{folder}/index.json"):
        with open(f"{HERE}/targets.yaml") as file:
            text = file.read().replace("metric: iou", f"metric: {metric}")
        config = f"{options.out}/targets-{metric}.yaml"
        with open(config, "w") as file:
            file.write(text)
        command = ["node", f"{ROOT}/dist/cli.js", "targets", f"{options.data}/instances.json"]
        subprocess.run([*command, "--config", config, "--out", folder], check=True)
    return folder


def run(matching, loss, seed, options):
    """The last log line of a run."""
    folder = f"{options.out}/{matching}-{loss}-{seed}"
    log = f"{folder}/log.jsonl"
    if not os.path.exists(log):
        os.makedirs(folder, exist_ok=True)
        command = [sys.executable, f"{HERE}/train.py", "--data", options.data, "--out", folder, "--metric", loss]
        command += ["--targets", f"{options.out}/targets-{matching}", "--seed", str(seed), "--check", "0"]
        with open(f"{log}.part", "w") as file:
            subprocess.run([*command, "--steps", str(options.steps)], stdout=file, check=True)
        os.replace(f"{log}.part", log)
        print(f"{matching} {loss} seed {seed} done", flush=True)
    with open(log) as file:
        return json.loads(file.read().splitlines()[-1])


def summary(values):
    return f"{sum(values) / len(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True, help="folder with training/, validation/ and instances.json")
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for metric in sorted({matching for matching, _ in CONFIGURATIONS}):
        make_targets(metric, options)
    jobs = [(m, l, s) for s in range(1, options.seeds + 1) for m, l in CONFIGURATIONS]
    with concurrent.futures.ThreadPoolExecutor(options.parallel) as pool:
        results = dict(zip(jobs, pool.map(lambda job: run(*job, options), jobs)))
    print("| matched by | loss | mAP50 | mAP | minutes of a core |\n| --- | --- | --- | --- | --- |")
    for matching, loss in CONFIGURATIONS:
        rows = [results[matching, loss, seed] for seed in range(1, options.seeds + 1)]
        columns = [summary([row[name] for row in rows]) for name in ("mAP50", "mAP")]
        minutes = max(row["processor"] for row in rows) / 60
        print(f"| {matching} | {loss} | {columns[0]} | {columns[1]} | {minutes:.1f} |")


if __name__ == "__main__":
    main()
