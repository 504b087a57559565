-- Calls that were asked for under an idempotency key, for as long as asking again is not to make them again.
CREATE TABLE invocation (
  account_id TEXT NOT NULL REFERENCES account (id),
  key TEXT NOT NULL,
  -- Of what is called, and with which event.
  hash TEXT NOT NULL,
  -- The process that makes it: what it had not ended when it ended itself has nobody who does.
  worker_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  begun_at BIGINT NOT NULL,
  -- JSON. None: it runs.
  outcome TEXT,
  PRIMARY KEY (account_id, key)
) WITHOUT ROWID;

CREATE INDEX invocation_by_time ON invocation (begun_at);
