-- The tokens that went in and came out, beside their total.

ALTER TABLE event ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;

UPDATE event SET
    input_tokens = CAST(coalesce(doc ->> '$.metadata.input_tokens', doc ->> '$.metadata.prompt_tokens', 0) AS INTEGER),
    output_tokens = CAST(coalesce(doc ->> '$.metadata.output_tokens', doc ->> '$.metadata.completion_tokens', 0) AS INTEGER)
WHERE tokens > 0;

UPDATE session SET
    input_tokens = (SELECT coalesce(sum(e.input_tokens), 0) FROM event e WHERE e.session_id = session.id AND e.orphan = 0),
    output_tokens = (SELECT coalesce(sum(e.output_tokens), 0) FROM event e WHERE e.session_id = session.id AND e.orphan = 0)
WHERE tokens > 0;
