-- In the marketplace since. None: it is not there.
ALTER TABLE flow ADD COLUMN published_at BIGINT;
-- JSON: what it costs whoever installs it, or, of one that was installed, what was agreed.
ALTER TABLE flow ADD COLUMN pricing TEXT;
-- The flow that this is a copy of, which may be gone.
ALTER TABLE flow ADD COLUMN installed_from TEXT;

CREATE INDEX flow_published ON flow (published_at) WHERE published_at IS NOT NULL;
CREATE INDEX flow_installed ON flow (installed_from, owner_id) WHERE installed_from IS NOT NULL;
