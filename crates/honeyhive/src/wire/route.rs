//! [`Route`] is the current route of a call, or the legacy one.

use std::sync::OnceLock;

use super::answer::{Answer, Failure};
use crate::log;

/// The route of a call is found out by the first answers, then remembered for the process: the deployment has the
/// current one or only the legacy one.
#[derive(Debug, Default)]
pub(super) struct Route {
    legacy: OnceLock<bool>,
}

impl Route {
    /// Returns whether the current route is known to be there.
    pub(super) fn is_current(&self) -> bool {
        self.legacy.get() == Some(&false)
    }

    /// Calls the route there is. `not_found_tells`: a 404 may mean that there is no such route.
    pub(super) async fn choose<A, B>(
        &self,
        not_found_tells: bool,
        current: impl FnOnce() -> A,
        legacy: impl FnOnce() -> B,
    ) -> Result<Answer, Failure>
    where
        A: Future<Output = Result<Answer, Failure>>,
        B: Future<Output = Result<Answer, Failure>>,
    {
        match self.legacy.get() {
            Some(false) => return current().await,
            Some(true) => return legacy().await,
            None => {}
        }
        let answer = current().await;
        let missing = match &answer {
            Err(failure) if not_found_tells => matches!(failure.status(), Some(404 | 405)),
            Err(failure) => failure.status() == Some(405),
            Ok(_) => false,
        };
        if !missing {
            self.remember(&answer, false);
            return answer;
        }
        // 404 can also mean that this one session is unknown: only a success of the other route tells.
        let second = legacy().await;
        self.remember(&second, true);
        second
    }

    fn remember(&self, answer: &Result<Answer, Failure>, legacy: bool) {
        if answer.is_ok() && self.legacy.set(legacy).is_ok() && legacy {
            log::info("this HoneyHive has only the legacy routes; they are used from now on");
        }
    }
}
