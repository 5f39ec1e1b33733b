//! `doctor` says whether a server is reachable, what arrives, and what is amiss.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::args::{Ask, Doctor};
use crate::client::Client;
use crate::environment::{self, Found};
use crate::failure::Failure;
use crate::out;

/// Runs `doctor`: says what there is, and fails where something is amiss.
pub(crate) async fn doctor(doctor: &Doctor) -> Result<(), Failure> {
    let ask = &doctor.ask;
    let environment = environment::look(doctor.probe).await?;
    let client = match (Client::of(&ask.source).await, &environment) {
        (Ok(client), _) => client,
        // A local server is not missed where the environment names another HoneyHive.
        (Err(Failure::Unreachable(_)), Some(found)) => return tell(ask, found),
        (Err(failure), _) => return Err(failure),
    };
    let get = async |path: &str| Ok::<_, Failure>(client.json(path).await?.unwrap_or_default());
    let stats = get("/api/stats").await?;
    let latest = get("/api/sessions?limit=5").await?;
    let orphans = reasons(&get("/api/orphans").await?);
    let refused = refusals(&get("/api/requests").await?);
    let is_reached = environment.as_ref().is_none_or(|found| found.is_healthy);
    let healthy = orphans.is_empty() && refused.is_empty() && is_reached;
    if ask.json {
        out::json(&json!({
            "url": client.url(), "server": !client.is_own(), "healthy": healthy, "stats": stats,
            "latest": latest["sessions"], "orphans": orphans, "refused": refused,
            "environment": environment.map(|found| found.json),
        }));
    } else {
        report(&client, &stats, &latest, &orphans, &refused);
        if let Some(found) = &environment {
            out::say(&format!(
                "\nthe settings of this environment:\n{}",
                found.text
            ));
        }
    }
    if healthy {
        return Ok(());
    }
    Err(Failure::Failed("something is amiss, see above".to_owned()))
}

/// Prints the findings where no server of this program runs.
fn tell(ask: &Ask, found: &Found) -> Result<(), Failure> {
    if ask.json {
        out::json(&json!({"healthy": found.is_healthy, "environment": found.json}));
    } else {
        out::say(&found.text);
    }
    if found.is_healthy {
        return Ok(());
    }
    Err(Failure::Failed("something is amiss, see above".to_owned()))
}

/// Counts the orphans by the advice that helps.
fn reasons(orphans: &Value) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for orphan in orphans["orphans"].as_array().into_iter().flatten() {
        let advice = orphan["advice"].as_str().unwrap_or_default();
        *reasons.entry(advice.to_owned()).or_default() += 1;
    }
    reasons
}

/// Counts the refused calls among the newest requests, by call and status.
fn refusals(requests: &Value) -> BTreeMap<String, u64> {
    let mut refused = BTreeMap::new();
    for request in requests["requests"].as_array().into_iter().flatten() {
        let status = request["status"].as_u64().unwrap_or(0);
        if status >= 400 && !is_of_a_doctor(request) {
            let text = |key: &str| out::plain(request[key].as_str().unwrap_or_default());
            let call = format!("{} {} answered {status}", text("method"), text("path"));
            *refused.entry(call).or_default() += 1;
        }
    }
    refused
}

/// Returns whether the SDK's doctor sent the request: it sends what HoneyHive refuses, a body that is no session,
/// unknown fields, and an unknown project.
fn is_of_a_doctor(request: &Value) -> bool {
    let body = &request["json"];
    let path = request["path"].as_str().unwrap_or_default();
    *body == "doctor"
        || path.starts_with("/v1/projects/doctor/")
        || body["session_name"] == "honeyhive doctor"
        || body["metadata"]["doctor"].is_number()
}

fn report(
    client: &Client,
    stats: &Value,
    latest: &Value,
    orphans: &BTreeMap<String, u64>,
    refused: &BTreeMap<String, u64>,
) {
    if client.is_own() {
        out::say("no server listens; this is what its file holds");
    } else {
        out::say(&format!("reachable at {}", client.url()));
    }
    let count = |key: &str, thing| out::counted(stats[key].as_u64().unwrap_or(0), thing);
    out::say(&format!(
        "{}, {}, {}, {}, {} waiting for a target",
        count("sessions", "session"),
        count("events", "event"),
        count("orphans", "orphan"),
        count("requests", "request"),
        count("pending_updates", "update"),
    ));
    let rows = latest["sessions"].as_array().map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        out::say(&format!(
            "no session has arrived: export HH_API_URL={} and run your service",
            client.url()
        ));
    } else {
        out::say("the latest sessions:");
    }
    for row in rows {
        out::say(&format!("  {}", out::session_line(row)));
    }
    for (advice, count) in orphans {
        out::say(&format!("{}: {advice}", out::counted(*count, "orphan")));
    }
    for (call, count) in refused {
        out::say(&format!(
            "{} {call}: see {}/requests",
            out::counted(*count, "time"),
            client.url()
        ));
    }
}
