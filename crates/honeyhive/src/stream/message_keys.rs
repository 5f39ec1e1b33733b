//! The names of attributes that messages have are constants, so that none is formatted anew.

use opentelemetry::Key;

/// A message has these fields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Role,
    Content,
    ToolCallId,
}

const FIELDS: [&str; 3] = ["role", "content", "tool_call_id"];

macro_rules! messages {
    ($($index:literal)*) => {
        [$([
            concat!("honeyhive_inputs.chat_history.", $index, ".role"),
            concat!("honeyhive_inputs.chat_history.", $index, ".content"),
            concat!("honeyhive_inputs.chat_history.", $index, ".tool_call_id"),
        ]),*]
    };
}

/// Most conversations have messages with these keys.
static MESSAGES: [[&str; FIELDS.len()]; 32] = messages! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
};

impl Field {
    pub(super) fn of_message(self, index: usize) -> Key {
        match MESSAGES.get(index) {
            Some(names) => Key::from_static_str(names[self as usize]),
            None => format!(
                "honeyhive_inputs.chat_history.{index}.{}",
                FIELDS[self as usize]
            )
            .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_what_would_be_formatted() {
        for (index, names) in MESSAGES.iter().enumerate() {
            let formatted =
                FIELDS.map(|name| format!("honeyhive_inputs.chat_history.{index}.{name}"));
            assert_eq!(names.as_slice(), formatted);
        }
        assert_eq!(
            Field::ToolCallId.of_message(40).as_str(),
            "honeyhive_inputs.chat_history.40.tool_call_id"
        );
    }
}
