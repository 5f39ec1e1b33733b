//! The log lines of the delivery thread are few: one a minute for passing failures, one at the beginning and one at the
//! end of a failure that somebody must put right, never one a request.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::sealed::Target;
use crate::log::{self, Mentioned};
use crate::model::id::SessionId;
use crate::outbox::strays::Stray;
use crate::report::DeliveryStats;
use crate::spool::Found;
use crate::wire::Failure;

/// Names the load of a call for the log.
const fn what(target: Target) -> &'static str {
    match target {
        Target::Start(_) => "sessions",
        Target::Update(_) => "session updates",
        Target::Traces => "spans",
    }
}

/// Names the route of a call: HoneyHive may take the key on one of the two.
const fn route(target: Target) -> &'static str {
    if target.is_traces() {
        "spans"
    } else {
        "sessions"
    }
}

const QUIET: Duration = Duration::from_secs(60);

/// A trouble that somebody must put right lasts until all kinds of calls that were refused for it are taken.
#[derive(Debug, Default)]
struct Standing {
    refused: Vec<&'static str>,
    is_told: bool,
    last: Option<Instant>,
}

impl Standing {
    /// Notes a refusal; true where it is to be logged: once a trouble, and once a minute where that comes and goes.
    fn refuses(&mut self, kind: &'static str, now: Instant) -> bool {
        if !self.refused.contains(&kind) {
            self.refused.push(kind);
        }
        let is_news = !self.is_told && passed(&mut self.last, now);
        self.is_told |= is_news;
        is_news
    }

    /// Notes that calls of a kind are taken; true where that ends a trouble that was logged.
    fn takes(&mut self, kind: &'static str) -> bool {
        let was_refused = self.refused.contains(&kind);
        self.refused.retain(|it| *it != kind);
        was_refused && self.refused.is_empty() && std::mem::take(&mut self.is_told)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Notices {
    url: Arc<str>,
    /// The spool's folder; empty where there is none.
    spool: PathBuf,
    unknown: Mentioned<SessionId>,
    last_transient: Option<Instant>,
    told_outage: bool,
    last_refusal: Option<Instant>,
    last_drop: Option<Instant>,
    dropped_before: u64,
    refused_key: Standing,
    missing_place: Standing,
    last_detail: String,
    strays: Mentioned<Stray>,
    last_spool_trouble: Option<Instant>,
    last_unreadable: Option<Instant>,
    told_elsewhere: bool,
    told_strangers: bool,
}

impl Notices {
    pub(crate) fn new(url: Arc<str>, spool: Option<&Path>) -> Self {
        Self {
            url,
            spool: spool.map_or_else(PathBuf::new, Path::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn failure(&mut self, target: Target, failure: &Failure, now: Instant) {
        let (what, url) = (what(target), Arc::clone(&self.url));
        match failure {
            Failure::Transient { detail, .. } => {
                self.last_detail.clone_from(detail);
                if passed(&mut self.last_transient, now) {
                    self.told_outage = true;
                    log::warn(format_args!(
                        "HoneyHive did not take {what} ({detail}, at {url}); it is tried again, requests are not affected"
                    ));
                }
            }
            Failure::Refused {
                status: status @ (401 | 403),
                message,
            } => {
                if self.refused_key.refuses(route(target), now) {
                    log::error(format_args!(
                        "HoneyHive does not accept the key (status {status}: {message}): check HH_API_KEY or HH_INGESTION_API_KEY, and that HH_API_URL ({url}) is the host it belongs to; data is dropped and counted until then"
                    ));
                }
            }
            Failure::Refused { status: 404, .. } if target.is_update() => {
                if let Some(id) = target.id() {
                    self.unknown(id, now);
                }
            }
            Failure::Refused {
                status: status @ (404 | 405),
                message,
            } => {
                if self.missing_place.refuses(what, now) {
                    log::error(format_args!(
                        "HoneyHive has no place for {what} (status {status}: {message}): check HH_API_URL ({url}); data is dropped and counted"
                    ));
                }
            }
            Failure::Refused { status, message } => {
                if passed(&mut self.last_refusal, now) {
                    log::warn(format_args!(
                        "HoneyHive refused {what} (status {status}: {message}, at {url}); it is dropped and counted"
                    ));
                }
            }
        }
    }

    /// Warns of an unknown session or event once an id, and not once a request.
    fn unknown(&mut self, id: SessionId, now: Instant) {
        if self.unknown.is_new(&id) && passed(&mut self.last_refusal, now) {
            self.unknown.insert(id);
            let url = &self.url;
            log::warn(format_args!(
                "HoneyHive does not know a session or an event ({id}, at {url}); what was added to it is dropped and counted"
            ));
        }
    }

    /// Returns the detail of the last passing failure.
    pub(crate) fn last_detail(&self) -> &str {
        &self.last_detail
    }

    pub(crate) fn rejected_spans(&mut self, count: u64, message: &str, now: Instant) {
        if passed(&mut self.last_refusal, now) {
            let url = &self.url;
            log::warn(format_args!(
                "HoneyHive refused {count} spans of a batch ({message}, at {url}); they are dropped and counted"
            ));
        }
    }

    pub(super) fn cut(&mut self, target: Target, limit: usize, now: Instant) {
        if passed(&mut self.last_refusal, now) {
            let (what, url) = (what(target), &self.url);
            log::warn(format_args!(
                "HoneyHive found {what} too large (status 413, at {url}); texts of more than {limit} bytes are cut, with a mark"
            ));
        }
    }

    pub(crate) fn other_id(&mut self, now: Instant) {
        if passed(&mut self.last_refusal, now) {
            let url = &self.url;
            log::warn(format_args!(
                "HoneyHive gave a session another id than it was sent ({url}); its spans will not be found in it"
            ));
        }
    }

    /// Notes a call that HoneyHive has taken: what stood in its way is put right.
    pub(super) fn taken(&mut self, target: Target) {
        let (what, url) = (what(target), &self.url);
        if self.refused_key.takes(route(target)) {
            log::info(format_args!("HoneyHive accepts the key now ({url})"));
        }
        if self.missing_place.takes(what) {
            log::info(format_args!("HoneyHive takes {what} now ({url})"));
        }
    }

    pub(super) fn recovered(&mut self, target: Target) {
        if std::mem::take(&mut self.told_outage) {
            let (what, url) = (what(target), &self.url);
            log::info(format_args!("HoneyHive takes {what} again ({url})"));
        }
    }

    /// Warns of a span outside every session once a call site.
    pub(crate) fn stray(&mut self, stray: Stray) {
        if self.strays.is_new(&stray) {
            let Stray { name, site } = &stray;
            log::warn(format_args!(
                "the span {name:?} ({site}) ended outside every session while sessions were open, so it goes to the tracer's own; was its task, thread or stream started without the session? See `Session::spawn`, `wrap` and `scope_stream`. This is said in debug builds only"
            ));
            self.strays.insert(stray);
        }
    }

    /// Logs the items that ended processes have left in the spool.
    pub(crate) fn found_in_spool(&mut self, found: &Found) {
        let Found {
            items,
            lost,
            set_aside,
            elsewhere,
            strangers,
        } = *found;
        if items > 0 {
            log::info(format_args!(
                "{items} items were left in the spool; they are delivered now"
            ));
        }
        if lost > 0 {
            log::warn(format_args!(
                "{lost} items in the spool cannot be read, most often since the process was killed while it wrote them; they are dropped and counted"
            ));
        }
        if set_aside > 0 {
            log::warn(format_args!(
                "{set_aside} files in the spool are no files of this version; they were renamed to `….corrupt`, and can be removed"
            ));
        }
        if elsewhere > 0 && !std::mem::replace(&mut self.told_elsewhere, true) {
            log::warn(
                "the spool has files for another key, URL or project; they stay until a tracer with those is started with this folder",
            );
        }
        if strangers > 0 && !std::mem::replace(&mut self.told_strangers, true) {
            log::warn(
                "the spool has files that are another user's or open to everybody, or that cannot be opened; they are left alone",
            );
        }
    }

    pub(crate) fn spool_failed(&mut self, error: &std::io::Error, now: Instant) {
        if passed(&mut self.last_spool_trouble, now) {
            log::warn(format_args!(
                "the spool cannot be used ({error}, at {}); what is pending stays in memory meanwhile",
                self.spool.display()
            ));
        }
    }

    pub(crate) fn spool_full(&mut self, now: Instant) {
        if passed(&mut self.last_spool_trouble, now) {
            log::warn(
                "the spool is full; what is pending stays in memory, and what does not fit there is dropped and counted",
            );
        }
    }

    pub(crate) fn spool_unreadable(&mut self, now: Instant) {
        if passed(&mut self.last_unreadable, now) {
            log::warn(
                "a file of the spool has changed since it was written: what cannot be read is dropped and counted, and the file is renamed to `….corrupt`",
            );
        }
    }

    /// Logs the items that were dropped since the last such line.
    pub(crate) fn drops(&mut self, stats: &DeliveryStats, now: Instant) {
        let silent =
            stats.dropped.queue_full + stats.dropped.retries_exhausted + stats.dropped.too_large;
        let new = silent - self.dropped_before;
        if new > 0 && passed(&mut self.last_drop, now) {
            self.dropped_before = silent;
            let reasons = stats.dropped.reasons();
            log::warn(format_args!(
                "{new} items were dropped ({reasons}); `stats()` counts them by reason"
            ));
        }
    }
}

fn passed(last: &mut Option<Instant>, now: Instant) -> bool {
    let quiet = last.is_some_and(|then| now < then + QUIET);
    if !quiet {
        *last = Some(now);
    }
    !quiet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_trouble_is_told_once_until_all_that_was_refused_is_taken() {
        let now = Instant::now();
        let mut trouble = Standing::default();
        assert!(!trouble.takes("spans"), "there was none");
        assert!(trouble.refuses("sessions", now));
        assert!(!trouble.refuses("spans", now) && !trouble.refuses("sessions", now + 2 * QUIET));
        assert!(!trouble.takes("spans"), "sessions are still refused");
        assert!(trouble.takes("sessions"));
        assert!(!trouble.takes("sessions"));
    }

    #[tokio::test]
    async fn a_trouble_that_comes_and_goes_is_two_lines_a_minute() {
        let now = Instant::now();
        let mut trouble = Standing::default();
        let mut lines = |at| [trouble.refuses("sessions", at), trouble.takes("sessions")];
        assert_eq!(lines(now), [true, true]);
        assert_eq!(lines(now + QUIET / 2), [false, false]);
        assert_eq!(lines(now + QUIET), [true, true]);
    }
}
