"""Sessions, spans and enrichment, and what arrives of them."""

import json
import os
import urllib.request

from honeyhive import HoneyHiveTracer, enrich_span, trace

tracer = HoneyHiveTracer.init(project="p", session_name="traced", inputs={"question": "why"})


@trace(event_type="model")
def answer(question):
    enrich_span(metrics={"score": 1}, outputs={"list": [1, None, 3]}, metadata={"gpt-4": 1, "gpt-4.1": 2})
    return {"answer": question.upper()}


@trace(event_type="chain")
def turn():
    return answer("why")


turn()
tracer.enrich_session(outputs={"status_code": 200}, metadata={"plan": "pro"})
tracer.force_flush()

with urllib.request.urlopen(f"{os.environ['HH_API_URL']}/api/sessions/{tracer.session_id}") as response:
    held = json.load(response)
assert held["session"]["outputs"] == {"status_code": 200}, held["session"]
assert held["session"]["metadata"]["plan"] == "pro", held["session"]
assert held["session"]["inputs"] == {"question": "why"}, held["session"]
kinds = {event["event_name"].split(".")[-1]: event for event in held["events"]}
assert kinds["answer"]["event_type"] == "model" and kinds["turn"]["event_type"] == "chain", kinds
assert kinds["answer"]["parent_id"] == kinds["turn"]["event_id"], kinds
assert kinds["answer"]["metrics"]["score"] == 1, kinds["answer"]
assert kinds["answer"]["metadata"]["gpt-4"] == 1 and kinds["answer"]["metadata"]["gpt-4.1"] == 2, kinds["answer"]
