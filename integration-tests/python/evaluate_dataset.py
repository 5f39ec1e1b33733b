"""An experiment on a stored dataset: everything that it needs is made first, and what it comes to is checked."""

import honeyhive.models as models
from honeyhive import HoneyHive, evaluate

client = HoneyHive()
dataset = client.datasets.create(models.CreateDatasetRequest(name="questions")).result.insertedId
rows = [{"query": f"q{number}", "answer": f"q{number}"} for number in range(3)]
mapping = {"inputs": ["query"], "ground_truth": ["answer"], "history": []}
added = client.datasets.add_datapoints(dataset, models.AddDatapointsToDatasetRequest(data=rows, mapping=mapping))
assert added.inserted and len(added.datapoint_ids) == 3, added


def echo(datapoint):
    return {"answer": datapoint["inputs"]["query"]}


def exact(outputs, inputs, ground_truth):
    return float(outputs["answer"] == ground_truth["answer"])


result = evaluate(echo, dataset_id=dataset, evaluators=[exact], max_workers=2, print_results=False)
assert result.success, result
assert sorted(result.passed) == sorted(added.datapoint_ids), (result.passed, added.datapoint_ids)
detail = next(detail for detail in result.metrics.details if detail.metric_name == "exact")
assert detail.aggregate == 1.0 and len(detail.values) == 3, detail

run = client.experiments.get_run(result.run_id).evaluation
assert run.status == "completed" and run.dataset_id == dataset and len(run.event_ids) == 3, run

second = evaluate(lambda datapoint: {"answer": "other"}, dataset_id=dataset, evaluators=[exact], name="second", print_results=False)
comparison = client.experiments.compare_runs(second.run_id, result.run_id)
comparison = comparison if isinstance(comparison, dict) else comparison.model_dump()
assert sorted(comparison["commonDatapoints"]) == sorted(added.datapoint_ids), comparison
metric = next(metric for metric in comparison["metrics"] if metric["metric_name"] == "exact")
assert (metric["old_aggregate"], metric["new_aggregate"]) == (1.0, 0.0), metric
pairs = client.experiments.compare_run_events(second.run_id, result.run_id)
assert pairs.totalEvents >= 3, pairs
