//! [`DeployedPrompt`] caches the deployed prompt of a service.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::configurations::{Configuration, Environment, is_deployed};
use super::error::ClientError;
use super::handle::Client;
use crate::log;

/// A cached prompt of this age or less is used without asking HoneyHive.
const FRESH: Duration = Duration::from_secs(60);
/// A refresh that failed is followed by this pause.
const PAUSE: Duration = Duration::from_secs(10);

impl Client {
    /// Returns the prompt with this name that is deployed to an environment, kept in memory. Make it once, and clone it
    /// wherever it is needed.
    ///
    /// ```
    /// use honeyhive::client::{Client, Environment, NewConfiguration};
    /// use honeyhive::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = honeyhive_local::LocalServer::builder().start().await?;
    /// # let client = Client::builder().api_key("hh_local").server_url(server.url()).build()?;
    /// # let parameters = json!({"call_type": "chat", "model": "m", "template": [{"role": "system", "content": "Hi {{name}}"}]});
    /// # let new = NewConfiguration::new("support", "openai", parameters).env([Environment::Prod]);
    /// # client.configurations().create(&new).await?;
    /// let prompt = client.deployed_prompt("support", Environment::Prod);
    ///
    /// let current = prompt.get().await?; // one call a minute, at the most, and none that a request waits for
    /// let messages = current.parameters.template.fill([("name", "Ada")]);
    /// # assert_eq!(current.parameters.model, "m");
    /// # let _ = messages;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn deployed_prompt(
        &self,
        name: impl Into<String>,
        environment: Environment,
    ) -> DeployedPrompt {
        DeployedPrompt(Arc::new(Inner {
            client: self.clone(),
            name: name.into(),
            environment,
            fresh: FRESH,
            kept: Arc::default(),
        }))
    }
}

/// A deployed prompt is kept in memory; it comes from [`Client::deployed_prompt`], and clones are cheap.
///
/// Once HoneyHive has answered, a prompt is always at hand: the latest one, while HoneyHive is down too. A
/// [`get`](Self::get) that comes a minute or more after the last answer refreshes it in the background.
#[derive(Clone)]
pub struct DeployedPrompt(Arc<Inner>);

struct Inner {
    client: Client,
    name: String,
    environment: Environment,
    fresh: Duration,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    latest: Mutex<Option<Latest>>,
    is_asked: AtomicBool,
}

struct Latest {
    prompt: Arc<Configuration>,
    /// The prompt is refreshed from this time on.
    stale_at: Instant,
}

impl fmt::Debug for DeployedPrompt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DeployedPrompt")
            .field("name", &self.0.name)
            .field("environment", &self.0.environment)
            .finish_non_exhaustive()
    }
}

impl DeployedPrompt {
    /// Sets the age after which the prompt is refreshed (default 60 s).
    #[must_use]
    pub fn refreshed_after(&self, time: Duration) -> Self {
        Self(Arc::new(Inner {
            client: self.0.client.clone(),
            name: self.0.name.clone(),
            environment: self.0.environment.clone(),
            fresh: time,
            kept: Arc::clone(&self.0.kept),
        }))
    }

    /// Returns the prompt. Only the first call waits for HoneyHive.
    ///
    /// # Errors
    ///
    /// The call fails with a [`ClientError`] where the prompt could not be had yet, and with
    /// [`ClientError::NotDeployed`] where there is none.
    pub async fn get(&self) -> Result<Arc<Configuration>, ClientError> {
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let inner = &self.0;
        let configurations = inner.client.configurations();
        let call = configurations.deployed_call(&inner.name, &inner.environment);
        let found = call.take("configurations").await?;
        inner
            .newest(found)
            .map(|prompt| inner.kept.keep(prompt, inner.fresh))
    }

    /// Returns the configuration that is kept; a stale one is looked for in the background.
    fn kept(&self) -> Option<Arc<Configuration>> {
        let inner = &self.0;
        let latest = inner.kept.lock();
        let Latest { prompt, stale_at } = latest.as_ref()?;
        let (prompt, is_stale) = (Arc::clone(prompt), Instant::now() >= *stale_at);
        drop(latest);
        if is_stale && !inner.kept.is_asked.swap(true, Ordering::AcqRel) {
            self.refresh();
        }
        Some(prompt)
    }

    fn refresh(&self) {
        let inner = Arc::clone(&self.0);
        let asking = Asking(Arc::clone(&inner.kept));
        let configurations = self.0.client.configurations();
        let call = configurations.deployed_call(&inner.name, &inner.environment);
        call.take_in_background("configurations", move |found| {
            let _asking = asking;
            match found.and_then(|found| inner.newest(found)) {
                Ok(prompt) => drop(inner.kept.keep(prompt, inner.fresh)),
                Err(error) => {
                    log::warn(format_args!(
                        "the prompt {:?} stays as it was: {error}",
                        inner.name
                    ));
                    inner.kept.postpone();
                }
            }
        });
    }
}

impl Inner {
    /// Returns the configuration of several that was changed last.
    fn newest(&self, mut found: Vec<Configuration>) -> Result<Configuration, ClientError> {
        found.retain(|it| is_deployed(it, &self.name, &self.environment));
        let when = |it: &Configuration| it.updated_at.clone().or_else(|| it.created_at.clone());
        let newest = found.into_iter().max_by_key(when);
        newest.ok_or_else(|| ClientError::NotDeployed {
            name: self.name.clone(),
            environment: self.environment.to_string(),
        })
    }
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Option<Latest>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, prompt: Configuration, fresh: Duration) -> Arc<Configuration> {
        let prompt = Arc::new(prompt);
        *self.lock() = Some(Latest {
            prompt: Arc::clone(&prompt),
            stale_at: after(fresh),
        });
        prompt
    }

    fn postpone(&self) {
        if let Some(latest) = &mut *self.lock() {
            latest.stale_at = after(PAUSE);
        }
    }
}

/// Returns the time after a duration; beyond the clock's range one that never comes.
fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    Instant::now() + time.min(NEVER)
}

/// The mark of a running refresh is removed however the refresh ends.
struct Asking(Arc<Kept>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.is_asked.store(false, Ordering::Release);
    }
}
