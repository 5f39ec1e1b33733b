//! reqwest with the middleware calls a provider on loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use futures_util::StreamExt as _;
use honeyhive::testing::{self, Captured, CapturedEvent};
use honeyhive::{HoneyHiveTracer, Session};
use honeyhive_reqwest::ModelCalls;
use model_stand_in::StandIn;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};

struct Scene {
    tracer: HoneyHiveTracer,
    captured: Captured,
    stand_in: StandIn,
    session: Session,
}

impl Scene {
    async fn new() -> Self {
        let (tracer, captured) = testing::tracer();
        let session = tracer.create_session("chat");
        Self {
            stand_in: StandIn::start().await.unwrap(),
            captured,
            session,
            tracer,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stand_in.url())
    }

    /// Returns the stand-in's host, as a pattern.
    fn host(&self) -> String {
        let url: reqwest::Url = self.stand_in.url().parse().unwrap();
        format!("127.0.0.1:{}", url.port().unwrap())
    }

    fn client(&self, settle: impl FnOnce(ModelCalls) -> ModelCalls) -> ClientWithMiddleware {
        let calls = settle(ModelCalls::new(&self.tracer).host(self.host(), "openai"));
        ClientBuilder::new(reqwest::Client::new())
            .with(calls)
            .build()
    }

    #[track_caller]
    fn only_event(&self) -> CapturedEvent {
        let session = self.captured.only_session();
        assert_eq!(session.events.len(), 1, "{}", session.tree());
        session.events[0].clone()
    }
}

fn question(model: &str, streams: bool) -> Value {
    json!({"model": model, "stream": streams, "messages": [{"role": "user", "content": "How many trees?"}]})
}

#[track_caller]
fn says<const N: usize>(event: &CapturedEvent, pairs: [(&str, &str); N]) {
    for (key, value) in pairs {
        assert_eq!(
            event.text(key).as_deref(),
            Some(value),
            "{key} in {:#?}",
            event.attributes
        );
    }
}

#[tokio::test]
async fn a_call_is_an_event_and_its_response_unchanged() {
    let scene = Scene::new().await;
    let (url, body) = (scene.url("/chat/completions"), question("gpt-x", false));
    let client = scene.client(|calls| calls);
    let response = scene
        .session
        .scope(client.post(&url).json(&body).send())
        .await
        .unwrap();
    let plain = reqwest::Client::new()
        .post(&url)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (response.status(), response.url(), response.version()),
        (plain.status(), plain.url(), plain.version())
    );
    assert_eq!(response.content_length(), plain.content_length());
    let without_date = |response: &reqwest::Response| {
        let mut headers = response.headers().clone();
        headers.remove("date");
        headers
    };
    assert_eq!(without_date(&response), without_date(&plain));
    assert_eq!(
        response.bytes().await.unwrap(),
        plain.bytes().await.unwrap()
    );
    // The provider learns nothing of a session or a trace.
    let [recorded, unseen] = scene.stand_in.requests().try_into().unwrap();
    assert_eq!(recorded.body, unseen.body);
    assert_eq!(recorded.headers, unseen.headers);
    let event = scene.only_event();
    assert_eq!(event.name, "chat gpt-x");
    says(
        &event,
        [
            ("honeyhive_config.provider", "openai"),
            ("honeyhive_inputs.chat_history.0.content", "How many trees?"),
            ("honeyhive_outputs.content", "Zwölf Bäume 🌳 & more."),
            ("honeyhive_metadata.input_tokens", "11"),
            ("honeyhive_metadata.status_code", "200"),
            ("honeyhive_metadata.outcome", "complete"),
        ],
    );
}

#[tokio::test]
async fn a_stream_passes_piece_by_piece_and_a_strange_one_too() {
    for model in ["gpt-x", "odd"] {
        let scene = Scene::new().await;
        let (url, body) = (scene.url("/chat/completions"), question(model, true));
        let client = scene.client(|calls| calls.ask_for_usage(true));
        let work = async {
            let response = client.post(&url).json(&body).send().await.unwrap();
            let pieces = response
                .bytes_stream()
                .map(Result::unwrap)
                .collect::<Vec<_>>()
                .await;
            pieces.concat()
        };
        let got = String::from_utf8(scene.session.scope(work).await).unwrap();
        assert!(got.contains("[DONE]") && got.contains("\"usage\""), "{got}");
        let event = scene.only_event();
        says(
            &event,
            [
                ("honeyhive_outputs.content", "Zwölf Bäume 🌳 & more."),
                ("honeyhive_metadata.output_tokens", "7"),
                ("honeyhive_metadata.outcome", "complete"),
            ],
        );
    }
}

#[tokio::test]
async fn a_response_that_is_let_go_and_one_that_is_refused_say_so() {
    let scene = Scene::new().await;
    let client = scene.client(|calls| calls);
    let send = |model| {
        client
            .post(scene.url("/chat/completions"))
            .json(&question(model, true))
            .send()
    };
    drop(scene.session.scope(send("gpt-x")).await.unwrap());
    says(
        &scene.only_event(),
        [("honeyhive_metadata.outcome", "dropped")],
    );

    let scene = Scene::new().await;
    let client = scene.client(|calls| calls);
    let send = |model| {
        client
            .post(scene.url("/chat/completions"))
            .json(&question(model, true))
            .send()
    };
    scene
        .session
        .scope(send("err400"))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let event = scene.only_event();
    assert_eq!(
        event.error.as_deref(),
        Some("invalid_request_error: bad model")
    );
}

/// Gemini takes its key in the query, which reqwest writes into its errors.
#[tokio::test]
async fn the_query_of_a_request_that_fails_is_in_no_error() {
    let scene = Scene::new().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let url = format!("http://{address}/v1beta/models/m:generateContent?key=sk-planted");
    let calls = ModelCalls::new(&scene.tracer).host(address.to_string(), "gcp.gemini");
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(calls)
        .build();
    let body = json!({"contents": [{"parts": [{"text": "?"}]}]});
    let sent = scene.session.scope(client.post(&url).json(&body).send());
    let error = sent.await.unwrap_err();
    assert!(
        error.to_string().contains("sk-planted") || format!("{error:?}").contains("sk-planted")
    );
    let event = scene.only_event();
    let told = event.error.as_deref().unwrap_or_default();
    assert!(told.contains("generateContent?…"), "{told}");
    assert!(!format!("{event:?}").contains("sk-planted"), "{event:#?}");
}

#[tokio::test]
async fn a_host_that_is_not_known_passes_untouched_and_learns_nothing() {
    let scene = Scene::new().await;
    let calls = ModelCalls::new(&scene.tracer).propagate_to(["*.internal"]);
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(calls)
        .build();
    let send = client
        .post(scene.url("/chat/completions"))
        .json(&question("gpt-x", false))
        .send();
    scene.session.scope(send).await.unwrap();
    assert!(scene.captured.only_session().events.is_empty());
    let [sent] = scene.stand_in.requests().try_into().unwrap();
    assert!(!sent.headers.contains_key("traceparent") && !sent.headers.contains_key("baggage"));
}

#[tokio::test]
async fn the_session_goes_along_to_hosts_that_are_listed() {
    let scene = Scene::new().await;
    let host = scene.host();
    let client = scene.client(|calls| calls.propagate_to([host]));
    let work = async {
        let span = scene.tracer.span("outer").start();
        span.scope(client.post(scene.url("/search")).json(&json!({})).send())
            .await
            .unwrap();
    };
    scene.session.scope(work).await;
    let [sent] = scene.stand_in.requests().try_into().unwrap();
    let baggage = sent.headers["baggage"].to_str().unwrap();
    assert!(
        baggage.contains(&scene.session.id().to_string()),
        "{baggage}"
    );
    assert!(sent.headers.contains_key("traceparent"));
}

#[tokio::test]
async fn two_middlewares_make_one_event() {
    let scene = Scene::new().await;
    let calls = || ModelCalls::new(&scene.tracer).host(scene.host(), "openai");
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(calls())
        .with(calls())
        .build();
    let work = async {
        let send = client
            .post(scene.url("/chat/completions"))
            .json(&question("gpt-x", false))
            .send();
        send.await.unwrap().bytes().await.unwrap();
    };
    scene.session.scope(work).await;
    says(
        &scene.only_event(),
        [("honeyhive_metadata.input_tokens", "11")],
    );
}
