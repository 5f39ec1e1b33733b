//! [`Limiter`] bounds how often one id can be rated.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::id::EventId;

const WINDOW: Duration = Duration::from_secs(60);
/// The limiter remembers this many ids at the most, so that an attacker who names more of them takes no more memory.
const MOST_IDS: usize = 10_000;

/// The limiter counts by id, in windows of a minute that begin with the first rating.
#[derive(Debug)]
pub(super) struct Limiter {
    most: u32,
    windows: Mutex<HashMap<EventId, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    taken: u32,
}

impl Window {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.began) >= WINDOW
    }
}

impl Limiter {
    pub(super) fn per_minute(most: u32) -> Self {
        Self {
            most,
            windows: Mutex::default(),
        }
    }

    /// Counts one more rating of this id, else returns the wait until the next one is allowed.
    pub(super) fn take(&self, id: EventId, now: Instant) -> Result<(), Duration> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if !windows.contains_key(&id) && windows.len() >= MOST_IDS {
            make_room(&mut windows, now)?;
        }
        let new = Window {
            began: now,
            taken: 0,
        };
        let window = windows.entry(id).or_insert(new);
        if window.is_over(now) {
            *window = new;
        }
        if window.taken >= self.most {
            return Err(WINDOW.saturating_sub(now.duration_since(window.began)));
        }
        window.taken += 1;
        Ok(())
    }
}

/// Forgets the windows that are over. If all are open, new ids have to wait: a forgotten open window would be no limit.
fn make_room(windows: &mut HashMap<EventId, Window>, now: Instant) -> Result<(), Duration> {
    windows.retain(|_, window| !window.is_over(now));
    if windows.len() < MOST_IDS {
        return Ok(());
    }
    let oldest = windows.values().map(|window| window.began).min();
    Err(oldest.map_or(WINDOW, |began| {
        WINDOW.saturating_sub(now.duration_since(began))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::SessionId;

    fn id(number: usize) -> EventId {
        SessionId::from_u128(number as u128 + 1).into()
    }

    #[test]
    fn an_id_has_so_many_a_minute_and_others_have_theirs() {
        let limiter = Limiter::per_minute(2);
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        assert_eq!(limiter.take(id(0), at(0)), Ok(()));
        assert_eq!(limiter.take(id(0), at(20)), Ok(()));
        assert_eq!(limiter.take(id(0), at(20)), Err(Duration::from_secs(40)));
        assert_eq!(limiter.take(id(1), at(20)), Ok(()));
        assert_eq!(limiter.take(id(0), at(60)), Ok(()));
    }

    #[test]
    fn many_ids_take_no_more_memory_and_nobody_is_forgotten_early() {
        let limiter = Limiter::per_minute(1);
        let start = Instant::now();
        for number in 0..MOST_IDS {
            assert_eq!(limiter.take(id(number), start), Ok(()));
        }
        assert_eq!(limiter.take(id(MOST_IDS), start), Err(WINDOW));
        assert_eq!(limiter.take(id(0), start), Err(WINDOW), "still counted");
        let later = start + WINDOW;
        assert_eq!(limiter.take(id(MOST_IDS), later), Ok(()));
        assert_eq!(limiter.windows.lock().unwrap().len(), 1);
    }
}
