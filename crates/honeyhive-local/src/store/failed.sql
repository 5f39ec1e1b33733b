-- The sessions that a list of errors shows: the condition of `read/list.rs`, word for word, without the table's name.

CREATE INDEX session_that_failed ON session (seq)
WHERE error IS NOT NULL OR errors > 0 OR status >= 500 OR (outcome IS NOT NULL AND outcome <> 'complete');
