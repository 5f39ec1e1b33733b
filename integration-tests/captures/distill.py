"""Distils a capture of what the Python SDK sent to what it means: `distill.py CAPTURE.json`, in the form of this folder."""

import json
import re
import sys

BUCKETS = ["inputs", "outputs", "metadata", "metrics", "feedback", "config", "user_properties"]
RUNS = re.compile(r"^/v1/runs/([^/]+)$")


def merged(old, new):
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
    return new


def plain(value):
    """Ids and random names by what they are."""
    if isinstance(value, dict):
        return {key: plain(it) for key, it in value.items()}
    if isinstance(value, list):
        return [plain(it) for it in value]
    if isinstance(value, str):
        value = re.sub(r"^<uuid:\d+>$", "<uuid>", value)
        return re.sub(r"^(experiment|session)-<hex8:\d+>$", r"\1-<8 hex>", value)
    return value


def value_of(value):
    [(kind, it)] = value.items()
    if kind == "arrayValue":
        return [value_of(one) for one in it.get("values", [])]
    return int(it) if kind == "intValue" else it


def attributes_of(things):
    return {it["key"]: value_of(it["value"]) for it in things}


def is_accepted(request):
    return (request.get("response") or {}).get("status", 500) < 400


def key_of(request):
    return request["headers"].get("Authorization", "").removeprefix("Bearer ")


class Capture:
    def __init__(self, capture):
        self.requests = capture["requests"]
        self.keys, self.sessions, self.spans, self.runs, self.reads = set(), {}, [], {}, []
        for request in self.requests:
            self.take(request)

    def take(self, request):
        method, path, body = request["method"], request["path"], request["body"]
        if method == "GET":
            query = "&".join(f"{key}={value}" for key, value in request["query"])
            path = re.sub(r"<uuid:\d+>", "<uuid>", path)
            self.reads.append(f"GET {path}" + (f"?{query}" if query else ""))
            return
        self.keys.add(key_of(request))
        if not is_accepted(request):
            return
        if path in ("/session/start", "/v1/sessions"):
            self.start(body.get("session", body), request["response"]["body"])
        elif path == "/events" and method == "PUT":
            self.update(body)
        elif path.endswith("/v1/traces"):
            self.export(body)
        elif path == "/v1/runs":
            body = dict(body)
            self.runs[body.pop("run_id")] = {"made": body}
        elif RUNS.match(path):
            self.runs[RUNS.match(path)[1]]["ended"] = dict(body)
        else:
            sys.exit(f"what is {method} {path}?")

    def start(self, body, answer):
        identity = body.get("session_id") or answer["session_id"]
        session = self.sessions.setdefault(identity, {"linked": True})
        session.pop("linked", None)
        fields = {key: body[key] for key in ["source", "project", "error", *BUCKETS] if body.get(key)}
        session.update(merged(session, {"name": body["session_name"], **fields}))

    def update(self, body):
        session = self.sessions.setdefault(body["event_id"], {"linked": True})
        session.update(merged(session, {key: body[key] for key in ["error", *BUCKETS] if body.get(key)}))

    def export(self, body):
        for resource in body["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                self.spans += [{**span, "scope": scope["scope"]["name"]} for span in scope["spans"]]
        for span in self.spans:
            span["session"] = attributes_of(span["attributes"])["honeyhive.session_id"]
            self.sessions.setdefault(span["session"], {"linked": True})

    def below(self, session, parent):
        inside = {span["spanId"] for span in self.spans if span["session"] == session}
        mine = [span for span in self.spans if span["session"] == session]
        mine = [span for span in mine if (span["parentSpanId"] if span["parentSpanId"] in inside else None) == parent]
        return [self.span(span) for span in mine]

    def span(self, span):
        attributes = attributes_of(span["attributes"])
        session = self.sessions[span["session"]]
        made = {"name": span["name"].split(".")[-1] if re.match(r"^\w+(\.\w+)+$", span["name"]) else span["name"]}
        if "honeyhive_event_type" in attributes:
            made["type"] = attributes.pop("honeyhive_event_type")
        if not span["scope"].startswith("honeyhive"):
            made["scope"] = span["scope"]
        if span["kind"] != "SPAN_KIND_INTERNAL":
            made["kind"] = span["kind"].removeprefix("SPAN_KIND_").lower()
        for key in ("source", "project"):
            value, twin = (attributes.pop(name + key, None) for name in ("honeyhive.", "traceloop.association.properties."))
            assert value == twin, span
            if value is not None and value != session.get(key):
                made[key] = value
        for name in ("honeyhive.session_id", "traceloop.association.properties.session_id", "honeyhive_duration_ms"):
            attributes.pop(name, None)
        code = span["status"].get("code", "STATUS_CODE_UNSET").removeprefix("STATUS_CODE_").lower()
        if code != "unset":
            message = span["status"].get("message")
            made["status"] = f"{code}: {message}" if message else code
        if span["events"]:
            made["events"] = [f"exception: {attributes_of(it['attributes']).get('exception.message')}" for it in span["events"]]
        if attributes:
            made["attributes"] = plain(attributes)
        children = self.below(span["session"], span["spanId"])
        return {**made, **({"children": children} if children else {})}

    def datapoint_of(self, session):
        """A run's session, by its datapoint."""
        known = self.sessions[session].get("metadata", {}).get("datapoint_id")
        spans = (attributes_of(span["attributes"]) for span in self.spans if span["session"] == session)
        return known or next(span["honeyhive_metadata.datapoint_id"] for span in spans)

    def meaning(self):
        sessions = []
        for identity, session in self.sessions.items():
            spans = self.below(identity, None)
            sessions.append({**plain(session), **({"spans": spans} if spans else {})})
        meaning = {"keys": sorted(self.keys), "sessions": sessions}
        if self.runs:
            for run in self.runs.values():
                for body in run.values():
                    if "event_ids" in body:
                        body["event_ids"] = [self.datapoint_of(it) for it in body["event_ids"]]
            meaning["runs"] = [plain(run) for run in self.runs.values()]
            meaning["reads"] = self.reads
        return meaning


capture = json.load(open(sys.argv[1]))
print(json.dumps({
    "scenario": capture["scenario"],
    "description": capture["description"],
    "env": {key: value for key, value in capture["env"].items() if key != "HH_API_URL"},
    "python_code": capture["python_code"].removeprefix(f'"""{capture["description"]}"""').strip().splitlines(),
    "meaning": Capture(capture).meaning(),
}, indent=1, ensure_ascii=False))
