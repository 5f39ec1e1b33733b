//! The earlier turns of conversations are kept in memory, within limits.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use honeyhive::SessionId;

use crate::message::Message;

/// `Conversations` are those of this process. The one that was silent for longest is forgotten first.
#[derive(Debug)]
pub(crate) struct Conversations {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    conversations: usize,
    turns: usize,
}

#[derive(Debug, Default)]
struct State {
    by_session: HashMap<SessionId, Conversation>,
    /// The number of turns, which tells which conversation was silent for longest.
    clock: u64,
}

#[derive(Debug, Default)]
struct Conversation {
    turns: VecDeque<[Message; 2]>,
    last_turn: u64,
}

impl Default for Conversations {
    fn default() -> Self {
        Self::within(Limits {
            conversations: 1000,
            turns: 20,
        })
    }
}

impl Conversations {
    fn within(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    /// Returns the messages so far, oldest first.
    pub(crate) fn history(&self, session: SessionId) -> Vec<Message> {
        let state = self.state();
        let conversation = state.by_session.get(&session);
        let turns = conversation.into_iter().flat_map(|known| &known.turns);
        turns.flatten().cloned().collect()
    }

    /// Remembers a turn: the user's message and the answer.
    pub(crate) fn remember(&self, session: SessionId, turn: [Message; 2]) {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        let conversation = state.by_session.entry(session).or_default();
        conversation.last_turn = now;
        conversation.turns.push_back(turn);
        if conversation.turns.len() > self.limits.turns {
            conversation.turns.pop_front();
        }
        if state.by_session.len() > self.limits.conversations {
            state.forget_the_most_silent();
        }
    }

    /// Locks the state: a panic elsewhere leaves nothing half-done here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_the_most_silent(&mut self) {
        let by_age = self.by_session.iter().min_by_key(|(_, it)| it.last_turn);
        if let Some((&session, _)) = by_age {
            self.by_session.remove(&session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(text: &str) -> [Message; 2] {
        [Message::user(text), Message::assistant("ok")]
    }

    fn small() -> Conversations {
        Conversations::within(Limits {
            conversations: 2,
            turns: 2,
        })
    }

    #[test]
    fn a_conversation_keeps_its_latest_turns_in_order() {
        let conversations = small();
        let session = SessionId::new();
        for text in ["one", "two", "three"] {
            conversations.remember(session, turn(text));
        }
        let history = conversations.history(session);
        assert_eq!(history, [turn("two"), turn("three")].concat());
    }

    #[test]
    fn the_conversation_that_was_silent_for_longest_goes_first() {
        let conversations = small();
        let [old, silent, new] = [(); 3].map(|()| SessionId::new());
        conversations.remember(old, turn("hi"));
        conversations.remember(silent, turn("hi"));
        conversations.remember(old, turn("again"));
        conversations.remember(new, turn("hi"));
        assert_eq!(
            [old, silent, new].map(|session| !conversations.history(session).is_empty()),
            [true, false, true]
        );
    }

    #[test]
    fn sessions_do_not_see_each_other() {
        let conversations = small();
        conversations.remember(SessionId::new(), turn("secret"));
        assert!(conversations.history(SessionId::new()).is_empty());
    }
}
