//! The common parts of the recipes: a provider and a HoneyHive inside the process, and the events that arrived there.

use std::error::Error;
use std::time::Duration;

use honeyhive::HoneyHiveTracer;
use honeyhive_local::{LocalEvent, LocalServer};
use model_stand_in::StandIn;
use tracing_subscriber::layer::SubscriberExt as _;

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// The surroundings of a recipe.
pub struct Kitchen {
    /// The address of the provider, with its `/v1`.
    pub provider: String,
    pub tracer: HoneyHiveTracer,
    honeyhive: LocalServer,
    _stand_in: Option<StandIn>,
}

impl Kitchen {
    /// Opens a kitchen with the spans of `tracing` as events, and a provider inside the process.
    pub async fn open() -> Outcome<Self> {
        let stand_in = StandIn::start().await?;
        let provider = stand_in.url().to_owned();
        Self::of(provider, Some(stand_in)).await
    }

    /// The same with a provider elsewhere.
    pub async fn open_at(provider: String) -> Outcome<Self> {
        Self::of(provider, None).await
    }

    async fn of(provider: String, stand_in: Option<StandIn>) -> Outcome<Self> {
        let honeyhive = LocalServer::builder().start().await?;
        let tracer = HoneyHiveTracer::builder()
            .api_key("hh_local")
            .server_url(honeyhive.url())
            .build()?;
        let subscriber = tracing_subscriber::registry().with(tracer.tracing_layer());
        tracing::subscriber::set_global_default(subscriber)?;
        Ok(Self {
            provider,
            tracer,
            honeyhive,
            _stand_in: stand_in,
        })
    }

    /// Prints the tree of each session and its model events, and compares their tokens with the provider's: 11 and 7 a call.
    pub async fn close(self, calls: u64) -> Outcome {
        let counted = self.show().await?;
        let expected = [11 * calls, 7 * calls];
        if counted != expected {
            return Err(format!("{counted:?} tokens, and the provider says {expected:?}").into());
        }
        println!("tokens: {counted:?}, as the provider says");
        Ok(())
    }

    /// Prints the tree of each session and its events, and sums their tokens.
    pub async fn show(self) -> Outcome<[u64; 2]> {
        self.tracer.shutdown(Duration::from_secs(10)).await?;
        let mut counted = [0, 0];
        for session in self.honeyhive.sessions() {
            print!("{}", self.honeyhive.tree(&session.session_id));
            for event in self.honeyhive.events(&session.session_id) {
                let [input, output] = tokens(&event);
                counted = [counted[0] + input, counted[1] + output];
                println!("    {}", line(&event));
            }
        }
        Ok(counted)
    }
}

fn tokens(event: &LocalEvent) -> [u64; 2] {
    ["input_tokens", "output_tokens"].map(|name| {
        let found = event.metadata.get(name);
        found.and_then(|it| it.as_u64()).unwrap_or_default()
    })
}

fn line(event: &LocalEvent) -> String {
    let metadata = &event.metadata;
    let shown = [
        "input_tokens",
        "output_tokens",
        "finish_reason",
        "time_to_first_token_ms",
        "outcome",
    ];
    let shown = shown.map(|name| metadata.get(name).map(|it| format!("{name}={it}")));
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    format!(
        "{}: {} -> {} {} {}",
        event.event_name,
        serde_json::Value::Object(event.inputs.clone()),
        serde_json::Value::Object(event.outputs.clone()),
        shown.join(" "),
        event.error.as_deref().unwrap_or_default()
    )
}
