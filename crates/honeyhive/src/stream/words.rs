//! Words that a program's calls repeat, the names of models above all, are shared: each thread remembers a few, so that
//! they are not copied anew and take their room once.

use std::cell::RefCell;
use std::sync::Arc;

/// A thread keeps this many words, of at most this many bytes.
const MOST: usize = 8;
const LONGEST: usize = 64;

thread_local! {
    static WORDS: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// Returns the word, shared with earlier calls that had it.
pub(crate) fn shared(word: &str) -> Arc<str> {
    if word.len() > LONGEST {
        return word.into();
    }
    // A thread that ends remembers nothing.
    let known = WORDS.try_with(|words| {
        let mut words = words.borrow_mut();
        if let Some(known) = words.iter().find(|it| ***it == *word) {
            return Arc::clone(known);
        }
        if words.len() == MOST {
            words.remove(0);
        }
        let new = Arc::<str>::from(word);
        words.push(Arc::clone(&new));
        new
    });
    known.unwrap_or_else(|_| word.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_words_are_remembered_and_the_oldest_is_forgotten() {
        let first = shared("gpt-x");
        assert!(Arc::ptr_eq(&first, &shared("gpt-x")));
        for number in 0..MOST {
            assert_eq!(*shared(&number.to_string()), *number.to_string());
        }
        assert!(!Arc::ptr_eq(&first, &shared("gpt-x")));
        let long = "x".repeat(LONGEST + 1);
        assert!(!Arc::ptr_eq(&shared(&long), &shared(&long)));
    }
}
