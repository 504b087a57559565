-- What versions are made of, by content: the same text again adds nothing.
CREATE TABLE source (
  -- BLAKE3, in hex.
  hash TEXT PRIMARY KEY,
  -- JSON: the text of each file, by its name.
  files TEXT NOT NULL
);

CREATE TABLE script (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  runtime TEXT NOT NULL,
  -- JSON, with every default in its place.
  config TEXT NOT NULL,
  category TEXT NOT NULL,
  -- JSON array of texts.
  tags TEXT NOT NULL,
  is_private BIGINT NOT NULL,
  -- draft, deployed, failed
  status TEXT NOT NULL,
  -- What runs. None: nothing was deployed yet.
  version_id TEXT,
  -- In the marketplace since. None: it is not there.
  published_at BIGINT,
  -- JSON: what it costs whoever installs it, or, of one that was installed, what was agreed.
  pricing TEXT,
  -- Recommended by the server's owner since.
  staff_pick_at BIGINT,
  -- The script that this is a copy of, which may be gone.
  installed_from TEXT,
  -- Of a copy that is paid by the month: until when it is.
  paid_until BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX script_by_owner ON script (owner_id, created_at);

CREATE INDEX script_published ON script (published_at) WHERE published_at IS NOT NULL;
CREATE INDEX script_installed ON script (installed_from) WHERE installed_from IS NOT NULL;

CREATE TABLE script_review (
  script_id TEXT NOT NULL REFERENCES script (id) ON DELETE CASCADE,
  account_id TEXT NOT NULL REFERENCES account (id),
  rating BIGINT NOT NULL,
  comment TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (script_id, account_id)
) WITHOUT ROWID;

-- Never changed but for what became of it.
CREATE TABLE script_version (
  id TEXT PRIMARY KEY,
  script_id TEXT NOT NULL REFERENCES script (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  -- As people call it: 1.0.0
  label TEXT NOT NULL,
  source_hash TEXT NOT NULL REFERENCES source (hash),
  changelog TEXT NOT NULL,
  -- draft, deployed (now or once), failed
  status TEXT NOT NULL,
  -- What the executor made of it. None: it was not asked to yet.
  handler_id TEXT,
  created_at BIGINT NOT NULL,
  deployed_at BIGINT
) WITHOUT ROWID;

CREATE UNIQUE INDEX script_version_by_number ON script_version (script_id, number);
CREATE UNIQUE INDEX script_version_by_label ON script_version (script_id, label);
CREATE INDEX script_version_by_source ON script_version (source_hash);

-- Every run of a script, from when it is accepted until it is forgotten: the queue and the history are one.
CREATE TABLE execution (
  -- Rises with time.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- In whose name, and who pays.
  account_id TEXT NOT NULL,
  script_id TEXT,
  version_id TEXT,
  flow_id TEXT,
  -- manual, http, cron, event, webhook
  trigger TEXT NOT NULL,
  -- queued, waiting (for others of its flow to end), running, completed, failed, timeout
  status TEXT NOT NULL,
  -- JSON.
  input TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- Of a run that waits: not before.
  due_at BIGINT,
  -- How often it was tried before.
  attempt BIGINT NOT NULL DEFAULT 0,
  -- The tick that it is for, of a flow with a schedule.
  tick_at BIGINT,
  -- How many flows have started one another up to it.
  chain BIGINT NOT NULL DEFAULT 0,
  -- The process that runs it.
  worker_id TEXT,
  started_at BIGINT,
  ended_at BIGINT,
  -- JSON: what the handler answered, or why it did not.
  output TEXT,
  error TEXT,
  logs TEXT,
  duration_us BIGINT NOT NULL DEFAULT 0,
  memory_bytes BIGINT NOT NULL DEFAULT 0,
  cost_picodollars BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX execution_by_script ON execution (script_id, created_at, status);
CREATE INDEX execution_by_end ON execution (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX execution_by_worker ON execution (worker_id) WHERE status = 'running';

-- What was used on each day (since 1970, in UTC): by an account, a script, a flow.
CREATE TABLE day_usage (
  subject_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  -- Begun.
  executions BIGINT NOT NULL DEFAULT 0,
  -- Of these, by somebody who asked.
  manual BIGINT NOT NULL DEFAULT 0,
  ended BIGINT NOT NULL DEFAULT 0,
  succeeded BIGINT NOT NULL DEFAULT 0,
  duration_us BIGINT NOT NULL DEFAULT 0,
  cost_picodollars BIGINT NOT NULL DEFAULT 0,
  last_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (subject_id, day)
) WITHOUT ROWID;

-- Whatever follows from an execution's beginning and end follows here, so that each is one statement.

CREATE TRIGGER execution_inserted AFTER INSERT ON execution WHEN NEW.status = 'running' BEGIN
  INSERT INTO day_usage (subject_id, day, executions, manual, last_at)
    SELECT subject.value, NEW.started_at / 86400000, 1, NEW.trigger = 'manual', NEW.started_at
      FROM json_each(json_array(NEW.account_id, NEW.script_id, NEW.flow_id)) subject WHERE subject.value IS NOT NULL
    ON CONFLICT (subject_id, day) DO UPDATE SET executions = executions + 1, manual = manual + excluded.manual, last_at = excluded.last_at;
END;

CREATE TRIGGER execution_begun AFTER UPDATE OF status ON execution WHEN NEW.status = 'running' AND OLD.status <> 'running' BEGIN
  INSERT INTO day_usage (subject_id, day, executions, manual, last_at)
    SELECT subject.value, NEW.started_at / 86400000, 1, NEW.trigger = 'manual', NEW.started_at
      FROM json_each(json_array(NEW.account_id, NEW.script_id, NEW.flow_id)) subject WHERE subject.value IS NOT NULL
    ON CONFLICT (subject_id, day) DO UPDATE SET executions = executions + 1, manual = manual + excluded.manual, last_at = excluded.last_at;
END;

CREATE TRIGGER execution_ended AFTER UPDATE OF ended_at ON execution WHEN NEW.ended_at IS NOT NULL BEGIN
  INSERT INTO day_usage (subject_id, day, ended, succeeded, duration_us, cost_picodollars)
    SELECT subject.value, NEW.ended_at / 86400000, 1, NEW.status = 'completed', NEW.duration_us, NEW.cost_picodollars
      FROM json_each(json_array(NEW.account_id, NEW.script_id, NEW.flow_id)) subject WHERE subject.value IS NOT NULL
    ON CONFLICT (subject_id, day) DO UPDATE SET ended = ended + 1, succeeded = succeeded + excluded.succeeded,
      duration_us = duration_us + excluded.duration_us, cost_picodollars = cost_picodollars + excluded.cost_picodollars;
END;
