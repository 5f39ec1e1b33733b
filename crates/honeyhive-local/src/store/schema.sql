-- What the store keeps. `seq` is one count for sessions and events together: the order of arrival, and the row of their
-- text in the index. `doc` is the whole as JSON; the columns beside it are what lists, filters and sums ask for.

CREATE TABLE session (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT,
    source TEXT,
    start_ms REAL NOT NULL,
    end_ms REAL,
    duration REAL,
    error TEXT,
    status INTEGER,
    outcome TEXT,
    user_id TEXT,
    input TEXT,
    output TEXT,
    run_id TEXT,
    datapoint_id TEXT,
    -- What its events add up to.
    model TEXT,
    events INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX session_by_start ON session (start_ms);
CREATE INDEX session_by_run ON session (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    parent_id TEXT,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_span_id TEXT,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT,
    start_ms REAL NOT NULL,
    end_ms REAL NOT NULL,
    duration REAL NOT NULL,
    error TEXT,
    model TEXT,
    provider TEXT,
    tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    first_token_ms REAL,
    input TEXT,
    output TEXT,
    run_id TEXT,
    datapoint_id TEXT,
    orphan INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_by_span ON event (trace_id, span_id) WHERE span_id <> '';
CREATE INDEX event_by_id ON event (event_id);
CREATE INDEX event_by_session ON event (session_id, seq);
CREATE INDEX event_by_start ON event (start_ms);
CREATE INDEX event_that_says ON event (session_id, start_ms) WHERE type = 'model';
CREATE INDEX event_by_run ON event (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX event_without_session ON event (seq) WHERE orphan = 1;

-- Updates that came before their target.
CREATE TABLE pending_update (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    until REAL NOT NULL,
    bytes INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX pending_update_by_id ON pending_update (id);

-- Datasets, datapoints, runs, metrics and their versions, configurations, queues, charts.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    parent TEXT,
    bytes INTEGER NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (kind, id)
) STRICT;
CREATE INDEX record_by_name ON record (kind, name);
CREATE INDEX record_by_parent ON record (kind, parent) WHERE parent IS NOT NULL;

-- The words of sessions and events, by `seq`.
CREATE VIRTUAL TABLE text USING fts5 (
    body, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 2'
);
