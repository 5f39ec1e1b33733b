"""Each of the 77 operations that the package has generated, once, and what it must answer."""

import asyncio
import importlib
import inspect
import json
import os

import honeyhive._generated.models as models
from honeyhive._generated.api_config import APIConfig

SERVICES = ["Charts", "Configurations", "Data_Plane_Api_Keys", "Datapoints", "Datasets", "Events", "Experiments",
            "Ingestion_Api_Keys", "Metric_Versions", "Metrics", "Queues", "Sessions"]
config = APIConfig(base_path=os.environ["HH_API_URL"], access_token=os.environ["HH_API_KEY"])
operations = {}
for service in SERVICES:
    module = importlib.import_module(f"honeyhive._generated.services.{service}_service")
    twin = importlib.import_module(f"honeyhive._generated.services.async_{service}_service")
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__ and not name.startswith("_"):
            operations[name] = (function, getattr(twin, name))
called = set()


def call(operation, **arguments):
    called.add(operation)
    function, twin = operations[operation]
    # Reads change nothing, so they are made twice; the asynchronous client must see what the other does.
    if operation.startswith("get"):
        asyncio.run(twin(config, **arguments))
    return function(config, **arguments)


# -- Sessions and events
session = call("createSession", data=models.StartSessionRequest(session_name="s", inputs={"q": 1}, start_time=1_767_225_600_000)).session_id
legacy = {"session": {"session_name": "l", "source": "dev", "metadata": {"plan": "pro"}}}
other = call("startSessionLegacy", data=models.LegacyStartSessionRequest(**legacy))
assert other.metadata == {"plan": "pro"} and other.event_type == "session", other
event = {"event_type": "tool", "inputs": {"a": 1}, "event_name": "e", "session_id": session, "start_time": 1_767_225_600_100, "duration": 5}
tool = call("createEvent", data=models.PostEventRequest(**event)).event_id
call("createEventLegacy", data=models.LegacyPostEventRequest(event={**event, "event_name": "legacy", "project": "p"}))
batch = call("createEventBatch", data=models.PostEventBatchRequest(events=[event, {**event, "event_type": "chain"}]))
assert len(batch.event_ids) == 2, batch
properties = {"session_name": "together", "metadata": {"m": 1}}
together = call("createEventBatch", data=models.PostEventBatchRequest(
    events=[{key: value for key, value in event.items() if key != "session_id"}] * 2, single_session=True, session_properties=properties))
assert together.session_id and len(together.event_ids) == 2, together
assert len(call("createEventBatchLegacy", data=models.LegacyPostEventBatchRequest(events=[event], is_single_session=False)).event_ids) == 1
model_event = {"session_id": session, "event_name": "ask", "model": "gpt-4o", "provider": "openai", "messages": [{"role": "user", "content": "hi"}],
               "response": {"content": "ho"}, "usage": {"total_tokens": 3}, "hyperparameters": {"temperature": 0}}
asked = call("createModelEventLegacy", data=models.PostModelEventRequest(model_event=model_event)).event_id
assert len(call("createModelEventBatchLegacy", data=models.PostModelEventBatchRequest(model_events=[model_event])).event_ids) == 1
assert call("createSessionEventBatch", session_id=session, data=models.SessionEventBatchRequest(events=[event])).success
assert call("addSessionTracesLegacy", session_id=session, data=models.AddSessionTracesRequest(logs=[{**event, "event_name": "log"}])).success
call("updateEvent", event_id=tool, data=models.UpdateEventRequest(outputs={"b": 2}, metrics={"score": 0.5}, feedback={"rating": 5}))
call("updateEventLegacy", data=models.LegacyUpdateEventRequest(event_id=session, metadata={"late": True}, user_properties={"user_id": "u"}, duration=900))
got = call("getEvent", event_id=tool).event
assert (got.outputs, got.metrics, got.feedback, got.parent_id, got.duration) == ({"b": 2}, {"score": 0.5}, {"rating": 5}, session, 5), got
got = call("getEvent", event_id=asked).event
assert got.event_type == "model" and got.config["model"] == "gpt-4o" and got.outputs["response"] == {"content": "ho"}, got
of_session = {"field": "session_id", "operator": "is", "value": session, "type": "string"}
everything = call("searchEvents", data=models.SearchEventsRequest(filters=[of_session]))
assert everything.count == len(everything.events) == 10, [it.event_name for it in everything.events]
page = call("searchEvents", data=models.SearchEventsRequest(filters=[of_session], limit=3, page=4, ignore_order=True))
assert len(page.events) == 1 and page.count == 10, page


def names(field, operator, value, kind):
    filters = [of_session, {"field": field, "operator": operator, "value": value, "type": kind}]
    exported = call("exportEventsLegacy", data=models.LegacyExportEventsRequest(filters=filters, projections=["event_id", "event_name"]))
    return sorted({it.event_name for it in exported.events})


assert names("event_type", "is", "model", "string") == ["ask"]
assert names("metrics.score", "greater than", 0.4, "number") == ["e"]
assert names("metadata.late", "is", True, "boolean") == ["s"]
assert names("event_name", "contains", "LEG", "string") == ["legacy"]
assert names("event_name", "not contains", "e", "string") == ["ask", "log", "s"]
assert names("feedback.rating", "exists", None, "number") == ["e"]
assert names("event_name", "is not", "e", "string") == ["ask", "legacy", "log", "s"]
assert names("start_time", "after", "2026-06-01T00:00:00Z", "datetime") == ["ask"]
assert names("start_time", "before", "2026-01-01T00:00:00.050Z", "datetime") == ["s"]
assert names("duration", "less than", 10, "number") == ["ask", "e", "legacy", "log"]
spring = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}
assert call("searchEvents", data=models.SearchEventsRequest(dateRange=spring)).count == 10
schema = call("getEventsSchemaLegacy", dateRange=json.dumps({"$gte": "2026-01-01T00:00:00Z", "$lte": "2027-01-01T00:00:00Z"}))
assert {"name": "inputs.a", "event_type": "tool"} in [field.model_dump() for field in schema.fields], schema
assert {"field_name": "outputs.response", "event_type": "model"} in schema.mappings["ask"], schema

# -- Datasets and datapoints
dataset = call("createDataset", data=models.CreateDatasetRequest(name="set", description="d")).result.insertedId
mapping = {"inputs": ["q"], "ground_truth": ["a"], "history": ["h"]}
rows = [{"q": 1, "a": "x", "h": [{"role": "user", "content": "hi"}], "left out": True}, {"q": 2}]
first, second = call("addDatapoints", dataset_id=dataset, data=models.AddDatapointsToDatasetRequest(data=rows, mapping=mapping)).datapoint_ids
[point] = call("getDatapoint", datapoint_id=first).datapoint
assert (point.inputs, point.ground_truth, point.history, point.linked_datasets) == ({"q": 1}, {"a": "x"}, rows[0]["h"], [dataset]), point
loose = call("createDatapoint", data=models.CreateDatapointRequest(inputs={"q": 3}, metadata={"m": 1}, linked_event=tool)).result.insertedIds[0]
assert call("updateDatapoint", datapoint_id=loose, data=models.UpdateDatapointRequest(linked_datasets=[dataset], ground_truth={"a": 3})).updated
assert call("getDatasets", dataset_id=dataset).datasets[0].datapoints == [first, second, loose]
assert [it.id for it in call("getDatapoints", datapoint_ids=[first]).datapoints] == [first]
assert [it.id for it in call("getDatapoints", dataset_name="set").datapoints] == [first, second, loose]
made = call("batchCreateDatapoints", data=models.BatchCreateDatapointsRequest(events=[tool], dataset_id=dataset, mapping=mapping))
made_all = call("batchCreateDatapoints", data=models.BatchCreateDatapointsRequest(selectAll=True, filters=[of_session], checkState={}))
assert len(made.insertedIds) == 1 and len(made_all.insertedIds) == 10, (made, made_all)
assert call("getDatapoint", datapoint_id=made.insertedIds[0]).datapoint[0].linked_event == tool
assert call("removeDatapoint", dataset_id=dataset, datapoint_id=first).dereferenced
assert call("removeDatapointLegacy", dataset_id=dataset, datapoint_id=second).dereferenced
assert call("deleteDatapoint", datapoint_id=second).deleted
assert call("updateDataset", dataset_id=dataset, data=models.UpdateDatasetRequest(name="renamed")).result.name == "renamed"
replaced = call("updateDatasetLegacy", data=models.LegacyUpdateDatasetRequest(dataset_id=dataset, datapoints=[first])).result
assert replaced.datapoints == [first] and replaced.name == "renamed", replaced
scrap = call("createDataset", data=models.CreateDatasetRequest()).result.insertedId
assert call("getDatasets", name="Untitled Dataset").datasets[0].id == scrap
assert call("deleteDatasetLegacy", dataset_id=scrap).result.id == scrap

# -- Runs
runs = []
for score in (0.25, 0.75):
    run = call("createRun", data=models.PostExperimentRunRequest(name=f"run {score}", dataset_id=dataset, configuration={"v": score},
               passing_ranges={"score": {"min": 0.5}}, metadata={"branch": "main"}))
    runs.append(run.run_id)
    of_run = {"run_id": run.run_id, "datapoint_id": first}
    trial = call("createSession", data=models.StartSessionRequest(session_name=run.evaluation.name, metadata=of_run)).session_id
    call("createEvent", data=models.PostEventRequest(event_type="tool", event_name="step", inputs={}, session_id=trial, metadata=of_run, metrics={"score": score}))
    done = call("updateRun", run_id=run.run_id, data=models.PutExperimentRunRequest(status="completed", event_ids=[trial], results={"r": 1}))
    assert done.evaluation.status == "completed" and done.evaluation.configuration == {"v": score} and done.warning is None, done
old, new = runs
assert call("getRun", run_id=new).evaluation.dataset_name == "renamed"
listed = call("getRuns", run_ids=runs, status="completed", dataset_id=dataset, sort_by="name", sort_order="asc", limit=1, page=2)
assert [it.run_id for it in listed.evaluations] == [new] and listed.pagination.total == 2 and listed.pagination.has_prev, listed
assert listed.metrics == ["score"], listed.metrics
assert call("getRuns", name="0.25").evaluations[0].run_id == old
summary = call("getExperimentSummary", run_id=new, aggregate_function="p90")
[detail] = summary.metrics.details
assert (summary.passed, summary.failed, detail.aggregate, detail.event_name) == ([first], [], 0.75, "step"), summary
assert call("getExperimentResultLegacy", run_id=old, filters=json.dumps([{"field": "event_type", "operator": "is", "value": "tool"}])).failed == [first]
assert call("getExperimentRunMetrics", run_id=new).events[-1].metrics == {"score": 0.75}
assert "step" in {it.event_name for it in call("getExperimentRunMetrics", run_id=new, filters=json.dumps({"field": "event_name", "operator": "is", "value": "step"})).events}
for each in ("getExperimentComparison", "getExperimentComparisonLegacy"):
    comparison = call(each, new_run_id=new, old_run_id=old, aggregate_function="average")
    [metric] = comparison.metrics
    assert (metric.old_aggregate, metric.new_aggregate, metric.percentage_change) == (0.25, 0.75, 200.0), metric
    assert comparison.commonDatapoints == [first] and comparison.event_details[0].presence == "both", comparison
pairs = call("getExperimentCompareEvents", new_run_id=new, old_run_id=old, event_name="step", event_type="tool", limit=10, page=1)
[pair] = pairs.events
assert (pair.event_1["metrics"]["score"], pair.event_2["metrics"]["score"]) == (0.75, 0.25), pair
assert call("getExperimentCompareEventsLegacy", run_id_1=new, run_id_2=old).totalEvents == 2
assert call("getRunSchema", run_id=new).fields and call("getRunsSchema").fields
assert call("deleteRun", run_id=old).deleted

# -- Metrics and their versions
definition = {"name": "exact", "type": "PYTHON", "criteria": "event['outputs']['answer'] == event['feedback']['ground_truth']['answer']", "return_type": "boolean"}
metric = call("createMetric", data=models.CreateMetricRequest(**definition, description="d", threshold={"min": 0.5})).metric_id
assert call("updateMetric", metric_id=metric, data=models.UpdateMetricRequest(enabled_in_prod=True)).updated
assert call("updateMetricLegacy", data=models.LegacyUpdateMetricRequest(id=metric, sampling_percentage=50)).updated
[held] = call("getMetrics", id=metric, type="PYTHON").metrics
assert held.enabled_in_prod and held.sampling_percentage == 50 and held.threshold == {"min": 0.5}, held
version = call("createMetricVersion", metric_id=metric, data=models.CreateMetricVersionRequest(message="m", content=definition, deploy_immediately=True)).data
draft = call("createMetricVersion", metric_id=metric, data=models.CreateMetricVersionRequest(message="m2", content=definition)).data
assert version.deployed and not draft.deployed and version.full_sha and version.content.filters.filterArray == [], (version, draft)
assert call("deployMetricVersion", metric_id=metric, version_name=draft.name).data.deployed
assert [it.deployed for it in call("getMetricVersions", metric_id=metric).data] == [False, True]
trial = {"metric": definition, "event": {"outputs": {"answer": "x"}, "feedback": {"ground_truth": {"answer": "x"}}}}
assert call("runMetric", data=models.RunMetricRequest(**trial)).result is True
assert call("runMetricLegacy", data=models.LegacyRunMetricRequest(**trial)).loading is False
assert call("deleteMetric", metric_id=metric).deleted
scrap = call("createMetric", data=models.CreateMetricRequest(**definition)).metric_id
assert call("deleteMetricLegacy", metric_id=scrap).deleted

# -- Configurations, queues, charts, keys
parameters = {"call_type": "chat", "model": "gpt-4o", "hyperparameters": {"temperature": 0}, "responseFormat": {"type": "text"},
              "template": [{"role": "system", "content": "{{who}}"}], "selectedFunctions": [{"id": "f", "name": "f"}]}
made = call("createConfiguration", data=models.CreateConfigurationRequest(name="prompt", provider="openai", parameters=parameters, env=["dev"], tags=["t"]))
assert call("updateConfiguration", configId=made.insertedId, data=models.UpdateConfigurationRequest(name="prompt", env=["dev", "prod"])).modifiedCount == 1
[held] = call("getConfigurations", name="prompt", env="prod", tags="t").configurations
assert held.parameters.template[0].content == "{{who}}" and held.env == ["dev", "prod"] and held.provider == "openai", held
assert call("deleteConfiguration", configId=made.insertedId).deletedCount == 1

queue_filter = {"filterArray": [{"field": "event_type", "operator": "is", "value": "model", "type": "string"}]}
queue = call("createQueue", data=models.CreateAnnotationQueueRequest(name="q", filters=queue_filter, event_ids=[tool])).queue
bare = call("createQueue", data=models.CreateAnnotationQueueRequest(name="bare", enabled=False)).queue
assert [it.id for it in call("getQueues", enabled=True).queues] == [queue.id], bare
assert call("updateQueue", queue_id=queue.id, data=models.UpdateAnnotationQueueRequest(id=queue.id, name="q2", add_event_ids=[asked], remove_event_ids=[tool])).queue.name == "q2"
assert call("getQueue", queue_id=queue.id).filters.filterArray[0].field == "event_type"
assert call("deleteQueue", queue_id=queue.id).message

chart = {"name": "c", "metric": "duration", "func": "avg", "dateRange": {"relative": "24h"},
         "query": [{"field": "event_type", "value": "model", "type": "string", "operator": "is"}]}
for scope in ({}, {"project_id": "p"}):
    suffix = "" if scope else "Legacy"
    made = call(f"createChart{suffix}", **scope, data=models.CreateChartRequest(**chart)).data
    assert made.bucketing == "day" and made.query, made
    assert call(f"updateChart{suffix}", **scope, chart_id=made.id, data=models.UpdateChartRequest(name="c2", bucketing="hour")).data.name == "c2"
    assert call(f"getChart{suffix}", **scope, chart_id=made.id).data.bucketing == "hour"
    assert [it.id for it in call(f"getCharts{suffix}", **scope).data] == [made.id]
    assert call(f"deleteChart{suffix}", **scope, chart_id=made.id).success
key = models.CreateDataPlaneApiKeyRequest(name="k", permissions=["project.chart.get"], expires_at="2030-01-01T00:00:00Z")
assert call("createDataPlaneApiKey", project_id="p", data=key).data.key_value.startswith("hh_fgdp_")
assert call("createIngestionApiKey", project_id="p", data=models.CreateIngestionApiKeyRequest(name="k")).data.key_value.startswith("hh_ingst_")
assert call("deleteDataset", dataset_id=dataset).result.id == dataset

assert called == set(operations), sorted(set(operations) - called)
assert len(called) == 77, len(called)
