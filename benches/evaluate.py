"""How long an experiment takes with the official SDK: called by benches/evaluate, with the milliseconds that a call takes."""

import sys
import time

from honeyhive import evaluate

N, TAKES, WORKERS = 100, 0.05, 50
ideal = TAKES * N / WORKERS
starts, ends = [], []


def answer(datapoint):
    starts.append(time.monotonic())
    time.sleep(TAKES)
    return {"a": datapoint["inputs"]["q"]}


def exact(outputs, inputs, ground_truth):
    ends.append(time.monotonic())
    return outputs == ground_truth


dataset = [{"inputs": {"q": q}, "ground_truth": {"a": q}} for q in range(N)]
called = time.monotonic()
evaluate(answer, dataset=dataset, evaluators=[exact], name="bench", max_workers=WORKERS, print_results=False)
whole = time.monotonic() - called
assert len(ends) == N, len(ends)
run = max(ends) - min(starts)
print(
    f"Python, {N} datapoints, {sys.argv[1]} ms a call: creation {min(starts) - called:.3f} s, run {run:.3f} s, "
    f"ratio {run / ideal:.2f}, delivery {called + whole - max(ends):.3f} s, whole {whole:.3f} s, ratio {whole / ideal:.2f}"
)
