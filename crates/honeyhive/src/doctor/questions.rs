//! The questions are those that no document of HoneyHive answers: the deployment answers them, with small sessions,
//! each by itself.

use http::Method;
use serde_json::{Value, json};

use super::asking::{Asker, described};
use super::diagnosis::Answered;
use super::lab::Lab;
use crate::attributes::PROBE;
use crate::model::id::SessionId;
use crate::secret::KeyKind;
use crate::wire::ApiFailure;

type Seen = Result<String, ApiFailure>;

/// Answers all questions.
pub(super) async fn answered(asker: &Asker<'_>) -> Vec<Answered> {
    let lab = &Lab { asker };
    let mut answers = Vec::new();
    let mut note = |letter, question, seen: Seen| {
        let answer = seen.unwrap_or_else(|failure| format!("not seen ({})", described(&failure)));
        answers.push(Answered {
            letter,
            question,
            answer,
        });
    };
    note(
        'a',
        "a session id over OTLP that is no UUID",
        other_id(lab).await,
    );
    note(
        'b',
        "a span that creates its session, then `POST /v1/sessions`",
        race(lab).await,
    );
    note(
        'c',
        "the ingestion key on `PUT /v1/events/{id}`",
        ingestion_put(lab).await,
    );
    note(
        'd',
        "tokens of a model's span that a chain's span says again",
        token_sums(lab).await,
    );
    note(
        'e',
        "an attribute of 128 KiB over OTLP, and the answer to it",
        long_attribute(lab).await,
    );
    note('f', "a span after the session's end", late_span(lab).await);
    note(
        'g',
        "where `gen_ai.input.messages` goes",
        messages(lab).await,
    );
    note(
        'h',
        "`POST /v1/sessions` again, with other inputs and outputs",
        again(lab).await,
    );
    note(
        'i',
        "an unknown field in `POST /v1/sessions`",
        unknown_field(lab).await,
    );
    note(
        'j',
        "`PUT` for an id that nobody has created",
        early_put(lab).await,
    );
    note(
        'k',
        "`POST /v1/events` of the type session, for one that is there",
        as_event(lab).await,
    );
    note(
        'l',
        "two sessions of one datapoint in a run",
        datapoint(lab).await,
    );
    answers
}

async fn other_id(lab: &Lab<'_>) -> Seen {
    let raw = format!("doctor:{}", Lab::id());
    lab.span(&raw, &raw, &[]).await?;
    let found = lab.find("event_name", &raw, |_| true).await?;
    let id = found.map(|event| event["session_id"].as_str().unwrap_or_default().to_owned());
    Ok(match id {
        None => "taken, and not to be found".to_owned(),
        Some(id) if id == raw => "kept as it is".to_owned(),
        Some(id) if id == SessionId::from(raw.as_str()).to_string() => {
            "mapped by uuid5, as this SDK does".to_owned()
        }
        Some(id) => format!("replaced by {id}"),
    })
}

async fn race(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.span("from the span", &id, &[]).await?;
    let start =
        json!({"session_id": id, "session_name": PROBE, "inputs": {"q": 1}, "metadata": {"m": 1}});
    lab.start(&start).await?;
    let session = lab.session(&id).await?;
    Ok(format!(
        "name {}, inputs {}, metadata {}",
        session["event_name"],
        kept(&session["inputs"]["q"]),
        kept(&session["metadata"]["m"])
    ))
}

async fn ingestion_put(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    let (path, body) = (
        format!("/v1/events/{id}"),
        json!({"metadata": {"doctor": 1}}),
    );
    let put = lab
        .asker
        .ask(Method::PUT, &path, Some(&body), KeyKind::Ingestion);
    put.await.map(|_| "accepted".to_owned())
}

async fn token_sums(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    for kind in ["model", "chain"] {
        let attributes = [
            ("honeyhive_event_type", kind.into()),
            ("gen_ai.usage.input_tokens", 3.into()),
        ];
        lab.span(kind, &id, &attributes).await?;
    }
    let is_last = |event: &Value| event["event_name"] == "chain";
    lab.find("session_id", &id, is_last).await?;
    let metadata = &lab.session(&id).await?["metadata"];
    Ok(format!(
        "3 tokens twice, and the session's metadata is {metadata}; where it has no sum, the session's page has"
    ))
}

async fn long_attribute(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    let long = "x".repeat(128 * 1024);
    let attributes = [("honeyhive_inputs.long", long.into())];
    let answer = lab.span("long", &id, &attributes).await?;
    let is_it = |event: &Value| event["event_name"] == "long";
    let found = lab.find("session_id", &id, is_it).await?;
    Ok(found.map_or("taken, and not to be found".to_owned(), |event| {
        let kept = event["inputs"]["long"].as_str().map_or(0, str::len);
        format!("{kept} bytes of it are kept, and the answer is {answer}; the probe's own span went as HH_OTLP_COMPRESSION says")
    }))
}

async fn late_span(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    let start = json!({"session_id": id, "session_name": PROBE, "start_time": 1_000_000_000_000_u64, "end_time": 1_000_000_001_000_u64});
    lab.start(&start).await?;
    lab.span("late", &id, &[]).await?;
    let is_late = |event: &Value| event["event_name"] == "late";
    let late = lab.find("session_id", &id, is_late).await?;
    let end = lab.session(&id).await?["end_time"].clone();
    let is_same = end.as_f64() == Some(1_000_000_001_000.0);
    let span = if late.is_some() {
        "the span is there"
    } else {
        "the span is not to be found"
    };
    let end = if is_same {
        "stays".to_owned()
    } else {
        format!("is {end} now")
    };
    Ok(format!("{span}, and the session's end {end}"))
}

async fn messages(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    let said = r#"[{"role":"user","parts":[{"type":"text","content":"hello"}]}]"#;
    let attributes = [
        ("gen_ai.operation.name", "chat".into()),
        ("gen_ai.input.messages", said.into()),
    ];
    lab.span("messages", &id, &attributes).await?;
    let is_it = |event: &Value| event["event_name"] == "messages";
    let found = lab.find("session_id", &id, is_it).await?;
    Ok(found.map_or("not to be found".to_owned(), |event| {
        format!("inputs {}", event["inputs"])
    }))
}

async fn again(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    let start = |n: u32| json!({"session_id": id, "session_name": PROBE, "inputs": {"n": n}, "outputs": {"n": n}});
    lab.start(&start(1)).await?;
    lab.start(&start(2)).await?;
    let session = lab.session(&id).await?;
    Ok(format!(
        "inputs {}, outputs {}",
        session["inputs"], session["outputs"]
    ))
}

async fn unknown_field(lab: &Lab<'_>) -> Seen {
    let start = json!({"session_id": Lab::id(), "session_name": PROBE, "doctor_knows": 1});
    match lab.start(&start).await {
        Ok(_) => Ok("taken".to_owned()),
        Err(ApiFailure::Status {
            status, message, ..
        }) => Ok(format!("refused with {status}: {message}")),
        Err(failure) => Err(failure),
    }
}

async fn early_put(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    let said = match lab.put(&id, &json!({"metadata": {"doctor": 1}})).await {
        Ok(_) => "taken".to_owned(),
        Err(ApiFailure::Status { status, .. }) => format!("answered with {status}"),
        Err(failure) => return Err(failure),
    };
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    let session = lab.session(&id).await?;
    Ok(format!(
        "{said}, and {} once the session is there",
        kept(&session["metadata"]["doctor"])
    ))
}

async fn as_event(lab: &Lab<'_>) -> Seen {
    let id = Lab::id();
    lab.start(&json!({"session_id": id, "session_name": PROBE}))
        .await?;
    let event = json!({"event_type": "session", "event_id": id, "session_id": id, "event_name": PROBE,
        "inputs": {}, "error": "doctor", "metrics": {"doctor": 1}});
    lab.asker.write(Method::POST, "/v1/events", &event).await?;
    let session = lab.session(&id).await?;
    Ok(format!(
        "error {}, metrics {}",
        kept(&session["error"]),
        kept(&session["metrics"]["doctor"])
    ))
}

async fn datapoint(lab: &Lab<'_>) -> Seen {
    let run = Lab::id();
    let new = json!({"run_id": run, "name": PROBE, "status": "running"});
    lab.asker
        .ask(Method::POST, "/v1/runs", Some(&new), KeyKind::Project)
        .await?;
    let sessions = [Lab::id(), Lab::id()];
    for id in &sessions {
        let metadata = json!({"run_id": run, "datapoint_id": "doctor", "dataset_id": "doctor"});
        lab.start(&json!({"session_id": id, "session_name": PROBE, "metadata": metadata}))
            .await?;
    }
    let end = json!({"status": "completed", "event_ids": sessions});
    let path = format!("/v1/runs/{run}");
    lab.asker
        .ask(Method::PUT, &path, Some(&end), KeyKind::Project)
        .await?;
    let summary = lab.asker.read(&format!("{path}/summary")).await?.body;
    let rows = summary["datapoints"].as_array().map_or(0, Vec::len);
    Ok(format!("{rows} rows in the run's summary"))
}

fn kept(value: &Value) -> &'static str {
    if value.is_null() { "not kept" } else { "kept" }
}
