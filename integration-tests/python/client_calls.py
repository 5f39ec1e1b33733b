"""One call of each kind of the client, on things that were made before."""

import asyncio

import honeyhive.models as models
from honeyhive import HoneyHive

client = HoneyHive()

dataset = client.datasets.create(models.CreateDatasetRequest(name="n", description="d")).result.insertedId
mapping = {"inputs": ["q"], "ground_truth": ["a"], "history": []}
added = client.datasets.add_datapoints(dataset, models.AddDatapointsToDatasetRequest(data=[{"q": 1, "a": 2}], mapping=mapping))
[datapoint] = added.datapoint_ids
assert client.datasets.list(name="n").datasets[0].datapoints == [datapoint]
assert client.datasets.update(models.UpdateDatasetRequest(dataset_id=dataset, name="n2")).result.name == "n2"
assert client.datapoints.get(datapoint).datapoint[0].inputs == {"q": 1}
assert client.datapoints.update(datapoint, models.UpdateDatapointRequest(inputs={"q": 2})).updated
assert [point.id for point in client.datapoints.list(datapoint_ids=[datapoint], dataset_name="n2").datapoints] == [datapoint]
assert client.datasets.remove_datapoint(dataset, datapoint).dereferenced
made = client.datapoints.create(models.CreateDatapointRequest(inputs={"q": 3}, linked_datasets=[dataset]))
assert client.datasets.list(dataset_id=dataset).datasets[0].datapoints == made.result.insertedIds
assert client.datapoints.delete(datapoint).deleted
assert client.datasets.delete(dataset).result.id == dataset
assert asyncio.run(client.datasets.list_async()).datasets == []

metric = client.metrics.create(models.CreateMetricRequest(name="m", type="PYTHON", criteria="c")).metric_id
assert len(client.metrics.list()) == 1
assert client.metrics.delete(metric).deleted
assert client.configurations.list() == []

session = client.sessions.start({"session": {"session_name": "n", "metadata": {"plan": "pro"}}}).session_id
event = client.events.create(models.PostEventRequest(event={"event_type": "tool", "inputs": {"a": 1}, "event_name": "e", "session_id": session}))
assert event.success
batch = client.events.create_batch(models.PostEventBatchRequest(events=[{"event_type": "tool", "inputs": {}, "event_name": "b", "session_id": session}]))
assert len(batch.event_ids) == 1
client.events.update(models.UpdateEventRequest(event_id=event.event_id, outputs={"b": 2}, metrics={"score": 1}))
filters = [{"field": "session_id", "operator": "is", "value": session, "type": "string"}]
found = client.events.export(filters=filters)
assert sorted(event.event_name for event in found.events) == ["b", "e", "n"], found
one = next(event for event in found.events if event.event_name == "e")
assert one.outputs == {"b": 2} and one.metrics == {"score": 1}, one

run = client.experiments.create_run(models.PostExperimentRunRequest(name="r", event_ids=[session]))
assert client.experiments.get_run(run.run_id).evaluation.name == "r"
assert client.experiments.update_run(run.run_id, models.PutExperimentRunRequest(status="completed")).evaluation.status == "completed"
listed = client.experiments.list_runs(run_ids=[run.run_id, "other"], limit=5)
assert [it.run_id for it in listed.evaluations] == [run.run_id] and listed.pagination.total == 1, listed
summary = client.experiments.get_result(run.run_id, aggregate_function="average")
assert "score" in str(summary), summary
assert client.experiments.delete_run(run.run_id).deleted
