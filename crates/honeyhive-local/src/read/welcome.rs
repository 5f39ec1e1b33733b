//! A server that nothing has come to yet has a page that says what to run.

use http::HeaderMap;
use http::header::HOST;
use maud::{Markup, html};

/// Returns the page with the variables to set, and a call to try.
pub(super) fn page(headers: &HeaderMap) -> Markup {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let url = format!("http://{}", host.unwrap_or("127.0.0.1:7777"));
    let exports = format!("export HH_API_URL={url} HH_API_KEY=hh_local");
    let question =
        "{\"session_name\": \"hello\", \"inputs\": {\"question\": \"Is anybody there?\"}}";
    let attempt =
        format!("curl -s {url}/v1/sessions -H 'content-type: application/json' -d '{question}'");
    let otlp = format!(
        "export OTEL_EXPORTER_OTLP_ENDPOINT={url} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    );
    html! {
        section.empty.welcome {
            h1 { "Nothing has arrived yet" }
            p { "Sessions appear here by themselves. Start your service with these two variables:" }
            (code(&exports))
            p { "or send a session by hand:" }
            (code(&attempt))
            p { "Any OpenTelemetry SDK works too; spans need the attribute " code { "honeyhive.session_id" } ":" }
            (code(&otlp))
        }
    }
}

fn code(text: &str) -> Markup {
    html! { div.snippet { pre { (text) } button type="button" data-copy=(text) { "Copy" } } }
}
