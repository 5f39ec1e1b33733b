//! The attributes and the baggage keys that go over the wire are defined here, each once.
//!
//! Routing keys have a dot after `honeyhive`, event data an underscore (HoneyHive's OTLP contract).

/// The key routes a span to its session.
pub(crate) const SESSION_ID: &str = "honeyhive.session_id";
/// The key requests that ingestion create the session of a span if it is unknown.
pub(crate) const SESSION_AUTO_CREATE: &str = "honeyhive.session_auto_create";
/// The name is that of a session which ingestion creates from a span.
pub(crate) const SESSION_NAME: &str = "honeyhive.session_name";
/// The source tells the origin of the telemetry: `dev`, `production`, ….
pub(crate) const SOURCE: &str = "honeyhive.source";
/// The project is sent to deployments whose key does not select it.
pub(crate) const PROJECT: &str = "honeyhive.project";

/// Ingestion reads these older twins of the routing keys, too.
pub(crate) const LEGACY_SESSION_ID: &str = "traceloop.association.properties.session_id";
pub(crate) const LEGACY_SOURCE: &str = "traceloop.association.properties.source";
pub(crate) const LEGACY_PROJECT: &str = "traceloop.association.properties.project";

/// The user that a session belongs to has this key in its inputs and in its user properties.
pub(crate) const USER_ID: &str = "user_id";

/// The event type is `model`, `chain` or `tool`.
pub(crate) const EVENT_TYPE: &str = "honeyhive_event_type";
/// A span that names its event has the id here.
pub(crate) const EVENT_ID: &str = "honeyhive_event_id";
/// The mark is on an event whose content was left out, because the program's redaction panicked.
pub(crate) const REDACTION_FAILED: &str = "honeyhive_metadata.redaction_failed";
/// The attribute holds the error text of an event.
pub(crate) const ERROR: &str = "honeyhive_error";

pub(crate) const GEN_AI_OPERATION: &str = "gen_ai.operation.name";
pub(crate) const GEN_AI_USAGE_PREFIX: &str = "gen_ai.usage.";
pub(crate) const GEN_AI_SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
pub(crate) const GEN_AI_INPUT_MESSAGES: &str = "gen_ai.input.messages";
pub(crate) const GEN_AI_OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
pub(crate) const GEN_AI_TOOL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
pub(crate) const GEN_AI_TOOL_RESULT: &str = "gen_ai.tool.call.result";
pub(crate) const GEN_AI_PROMPT: &str = "gen_ai.prompt";
pub(crate) const GEN_AI_COMPLETION: &str = "gen_ai.completion";
pub(crate) const OPENINFERENCE_KIND: &str = "openinference.span.kind";
pub(crate) const TRACELOOP_KIND: &str = "traceloop.span.kind";
pub(crate) const LANGFUSE_TYPE: &str = "langfuse.type";
pub(crate) const LANGFUSE_OBSERVATION_TYPE: &str = "langfuse.observation.type";
pub(crate) const AGENT_TYPE: &str = "gen_ai.agent.type";
pub(crate) const LLM_REQUEST_TYPE: &str = "llm.request.type";

/// Our own tracer has this name, which is the instrumentation scope of its spans.
pub(crate) const TRACER_NAME: &str = "honeyhive";

/// The session and the span that the doctor makes have this name.
pub(crate) const PROBE: &str = "honeyhive doctor";

/// The mark is on a span inside a request that is not traced, and on one that is filtered out; it never leaves the
/// process.
pub(crate) const SUPPRESSED: &str = "honeyhive.suppressed";

/// The call site is where a span outside every session was started, and the next key has the number of sessions that
/// were open when it ended; neither leaves the process.
pub(crate) const CALL_SITE: &str = "honeyhive.call_site";
pub(crate) const OPEN_SESSIONS: &str = "honeyhive.open_sessions";

/// An attribute with this suffix is a value that an instrumentation suggests; the attribute without it wins.
pub(crate) const RAW_SUFFIX: &str = "_raw";

/// Spans that came through `tracing_layer` have this instrumentation scope.
#[cfg(feature = "tracing")]
pub(crate) const TRACING_SCOPE: &str = "honeyhive.tracing";
/// An error whose type is not known otherwise has this one (OpenTelemetry's conventions).
pub(crate) const EXCEPTION: &str = "exception";
pub(crate) const EXCEPTION_MESSAGE: &str = "exception.message";

/// The session has two keys in W3C baggage: the namespaced one, and the bare one of the Python SDK.
pub(crate) const BAGGAGE_SESSION_ID: &str = "honeyhive.session_id";
pub(crate) const BAGGAGE_SESSION_ID_BARE: &str = "session_id";

/// The ids of an experiment have names in metadata and in baggage (bare, as the Python SDK reads them), and attributes
/// that put them on a span.
pub(crate) const EXPERIMENT: [(&str, &str); 3] = [
    ("run_id", "honeyhive_metadata.run_id"),
    ("dataset_id", "honeyhive_metadata.dataset_id"),
    ("datapoint_id", "honeyhive_metadata.datapoint_id"),
];

/// Attributes that route a span begin with this prefix.
pub(crate) const ROUTING_PREFIX: &str = "honeyhive.";
/// A span that had too many attributes says here how many were left out.
pub(crate) const DROPPED_ATTRIBUTES: &str = "honeyhive_metadata.dropped_attributes";

/// A span keeps this many attributes at the most: a flattened chat history overflows the SDK's default of 128.
pub(crate) const MAX_ATTRIBUTES: usize = 1024;
/// The SDK limits a running span to this many attributes. Past it the SDK ignores every further attribute, even the
/// session's, and it counts a key that is written again as one more; so the limit that matters is `MAX_ATTRIBUTES`,
/// applied when the span ends.
pub(crate) const MAX_GATHERED: usize = 256 * MAX_ATTRIBUTES;

/// Returns true for an attribute that the GenAI conventions keep as JSON text.
pub(crate) fn gen_ai_content(key: &str) -> bool {
    [
        GEN_AI_INPUT_MESSAGES,
        GEN_AI_OUTPUT_MESSAGES,
        GEN_AI_TOOL_ARGUMENTS,
        GEN_AI_TOOL_RESULT,
        GEN_AI_PROMPT,
        GEN_AI_COMPLETION,
    ]
    .contains(&key)
}
