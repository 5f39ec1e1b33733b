"""One file of rows, an experiment in Python and one in Rust: the ids are equal, and Python reads both and compares them."""

import json
import os
import pathlib
import subprocess

from honeyhive import HoneyHive, evaluate
from honeyhive.experiments import compare_runs, get_run_metrics, get_run_result, prepare_external_dataset

file = pathlib.Path(__file__).with_name("questions.jsonl")
rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]


def shout(datapoint):
    return {"answer": datapoint["inputs"]["query"].upper()}


def exact(outputs, inputs, ground_truth):
    return float(outputs["answer"] == ground_truth["answer"])


in_python = evaluate(shout, dataset=rows, evaluators=[exact], name="in Python", print_results=False).run_id
program = os.environ["EVALUATE_JSONL"]
in_rust = subprocess.run([program, str(file)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()



def asked(run):
    """What each datapoint of a run was asked, and its id."""
    filters = [{"field": "metadata.run_id", "operator": "is", "value": run, "type": "string"}]
    events = client.events.export(filters=filters, limit=1000).events
    sessions = [event for event in events if event.event_type == "session"]
    return sorted((json.dumps(it.inputs, sort_keys=True), it.metadata["datapoint_id"]) for it in sessions)


client = HoneyHive()
python, rust = (client.experiments.get_run(run).evaluation for run in (in_python, in_rust))
_, ids = prepare_external_dataset(rows)
assert asked(in_rust) == asked(in_python), (asked(in_rust), asked(in_python))
assert sorted(point for _, point in asked(in_rust)) == sorted(ids) and len(set(ids)) == len(rows), ids
assert rust.metadata["offline_dataset_id"] == python.metadata["offline_dataset_id"], (rust, python)
assert rust.status == "completed" and len(rust.event_ids) == len(rows), rust

result = get_run_result(client, in_rust)
assert result.success and result.status == "completed", result
assert sorted(result.passed) == sorted(ids) and not result.failed, result
detail = result.metrics.get_metric("exact")
assert sorted(detail.values) == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0] and abs(detail.aggregate - 4 / 6) < 1e-9, detail
assert sorted(point.datapoint_id for point in result.datapoints) == sorted(ids), result.datapoints
assert get_run_metrics(client, in_rust)["metrics"]["details"], "the raw metrics are there"

comparison = compare_runs(client, in_rust, in_python)
assert comparison.common_datapoints == len(rows), comparison
[metric] = comparison.metric_deltas.values()
assert abs(metric["old_aggregate"] - 5 / 6) < 1e-9 and abs(metric["new_aggregate"] - 4 / 6) < 1e-9, metric
assert comparison.list_degraded_metrics() == ["exact"] and comparison.list_improved_metrics() == [], comparison
assert (metric["found_count"], metric["degraded_count"], metric["same_count"]) == (6, 1, 5), metric
back = compare_runs(client, in_python, in_rust)
[metric] = back.metric_deltas.values()
assert abs(metric["new_aggregate"] - 5 / 6) < 1e-9, metric
assert back.list_improved_metrics() == ["exact"] and back.list_degraded_metrics() == [], back
pairs = client.experiments.compare_run_events(in_rust, in_python)
assert pairs.totalEvents >= len(rows), pairs
