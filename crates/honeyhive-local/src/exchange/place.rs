//! A path has its place in the API before it is routed.

use http::Method;

use crate::access::Area;
use crate::fault::Endpoint;

/// Paths of the read side, pages and `/api`, begin with one of these segments. Every other path is a call.
const READ_SIDE: [&str; 10] = [
    "",
    "api",
    "assets",
    "datasets",
    "experiments",
    "favicon.ico",
    "orphans",
    "requests",
    "sessions",
    "style.css",
];

#[derive(Debug)]
pub(super) enum Place {
    Health,
    Read,
    Call(Call),
}

/// A `Call` is recorded, open to faults, and perhaps locked.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    pub(super) area: Area,
    /// Whether the server has any route at such a path.
    pub(super) known: bool,
}

impl Place {
    pub(super) fn of(method: &Method, path: &str, v1_routes: bool) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let parts: Vec<&str> = path.splitn(6, '/').collect();
        if parts[0] == "healthz" {
            return Self::Health;
        }
        let is_root = parts[0].is_empty() && parts.len() > 1;
        if READ_SIDE.contains(&parts[0]) && !is_root {
            return Self::Read;
        }
        Self::Call(Call {
            endpoint: endpoint(method, &parts),
            area: area(method, &parts),
            known: v1_routes || parts[0] != "v1",
        })
    }
}

fn endpoint(method: &Method, parts: &[&str]) -> Endpoint {
    match (method.as_str(), parts) {
        ("POST", ["v1", "sessions"] | ["session", "start"]) => Endpoint::Sessions,
        ("PUT", ["v1", "events", _] | ["events"]) => Endpoint::Events,
        ("POST", ["opentelemetry", "v1", "traces"] | ["v1", "traces"]) => Endpoint::Traces,
        _ => Endpoint::All,
    }
}

fn area(method: &Method, parts: &[&str]) -> Area {
    match (method.as_str(), parts) {
        (_, ["v1", "projects", ..]) => Area::DataPlane,
        ("POST", ["v1", "events", "search" | "export"] | ["events", "export"]) => Area::Project,
        (_, ["opentelemetry" | "session", ..])
        | ("POST", ["v1", "sessions" | "events" | "traces" | "logs", ..] | ["events", ..])
        | ("PUT", ["v1", "events", _] | ["events"]) => Area::Ingestion,
        _ => Area::Project,
    }
}
