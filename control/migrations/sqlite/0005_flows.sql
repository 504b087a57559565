CREATE TABLE flow (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES account (id),
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  -- active, paused, completed
  status TEXT NOT NULL,
  -- user, team, global: whose events start it
  scope TEXT NOT NULL,
  team_id TEXT REFERENCES team (id),
  -- time, event, webhook
  trigger_type TEXT NOT NULL,
  schedule TEXT,
  -- The next tick, as the schedule has it, and when it is due: a little later, by the flow's own jitter. None: none is to come.
  next_tick_at BIGINT,
  next_due_at BIGINT,
  event_type TEXT,
  -- JSON; none: every event of that type.
  conditions TEXT,
  webhook_id TEXT UNIQUE,
  -- direct, llm
  execution_type TEXT NOT NULL,
  script_id TEXT,
  prompt TEXT,
  -- JSON array of texts.
  recommended_tools TEXT NOT NULL,
  -- JSON.
  script_input TEXT,
  script_input_schema TEXT,
  config TEXT NOT NULL,
  -- Made by a subscription of the script, and listed there.
  is_subscription BIGINT NOT NULL DEFAULT 0,
  -- Rises with each change of any flow, so that what was made of them is known to be stale.
  change BIGINT NOT NULL DEFAULT 0,
  execution_count BIGINT NOT NULL DEFAULT 0,
  last_executed_at BIGINT,
  paused_at BIGINT,
  pause_reason TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX flow_by_owner ON flow (owner_id, is_subscription, created_at);
CREATE INDEX flow_due ON flow (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX flow_by_change ON flow (change);
CREATE INDEX flow_by_script ON flow (script_id);
CREATE INDEX flow_by_event_type ON flow (owner_id, event_type) WHERE event_type IS NOT NULL;

CREATE VIRTUAL TABLE flow_text USING fts5 (
  owner, title, description, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- How many an account has made on each day: what is deleted counts.
CREATE TABLE flow_creation (
  account_id TEXT NOT NULL,
  day BIGINT NOT NULL,
  flows BIGINT NOT NULL,
  PRIMARY KEY (account_id, day)
) WITHOUT ROWID;

CREATE TRIGGER flow_made AFTER INSERT ON flow BEGIN
  INSERT INTO flow_creation (account_id, day, flows) VALUES (NEW.owner_id, NEW.created_at / 86400000, 1)
    ON CONFLICT (account_id, day) DO UPDATE SET flows = flows + 1;
  UPDATE flow SET change = (SELECT MAX(change) FROM flow) + 1 WHERE id = NEW.id;
  INSERT INTO flow_text (rowid, owner, title, description) VALUES (NEW.rowid, NEW.owner_id, NEW.title, NEW.description);
END;

CREATE TRIGGER flow_changed AFTER UPDATE OF status, scope, team_id, event_type, conditions ON flow BEGIN
  UPDATE flow SET change = (SELECT MAX(change) FROM flow) + 1 WHERE id = NEW.id;
END;

CREATE TRIGGER flow_renamed AFTER UPDATE OF title, description ON flow BEGIN
  DELETE FROM flow_text WHERE rowid = OLD.rowid;
  INSERT INTO flow_text (rowid, owner, title, description) VALUES (NEW.rowid, NEW.owner_id, NEW.title, NEW.description);
END;

CREATE TRIGGER flow_deleted AFTER DELETE ON flow BEGIN
  DELETE FROM flow_text WHERE rowid = OLD.rowid;
  DELETE FROM execution WHERE flow_id = OLD.id;
END;

-- The queue. A run is queued until it is claimed; it waits while its flow has as many running as it may, and the next one to end lets the
-- oldest of them into the queue.
CREATE INDEX execution_due ON execution (due_at, seq) WHERE status = 'queued';
CREATE INDEX execution_waiting ON execution (flow_id, seq) WHERE status = 'waiting';
CREATE INDEX execution_running ON execution (flow_id) WHERE status = 'running';
CREATE INDEX execution_by_flow ON execution (flow_id, seq) WHERE flow_id IS NOT NULL;

CREATE TRIGGER execution_of_flow_ended AFTER UPDATE OF ended_at ON execution WHEN NEW.ended_at IS NOT NULL AND NEW.flow_id IS NOT NULL BEGIN
  UPDATE flow SET execution_count = execution_count + 1, last_executed_at = NEW.ended_at WHERE id = NEW.flow_id;
END;

-- Whoever asked for it, or however it ended: its place is another's.
CREATE TRIGGER execution_left_place AFTER UPDATE OF status ON execution
WHEN OLD.status = 'running' AND NEW.status <> 'running' AND NEW.flow_id IS NOT NULL BEGIN
  UPDATE execution SET status = 'queued' WHERE seq = (SELECT MIN(seq) FROM execution
    WHERE flow_id = NEW.flow_id AND status = 'waiting' AND EXISTS (SELECT 1 FROM flow WHERE id = NEW.flow_id AND status = 'active'));
END;

-- Events that were taken, so that one that comes again starts nothing.
CREATE TABLE event (
  account_id TEXT NOT NULL,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, source, id)
) WITHOUT ROWID;

CREATE INDEX event_by_time ON event (received_at);

-- Where the world sends what becomes an event: to whom, and as what.
CREATE TABLE hook (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  -- flow, telegram
  kind TEXT NOT NULL,
  flow_id TEXT REFERENCES flow (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX hook_by_account ON hook (account_id, kind);
CREATE INDEX hook_by_flow ON hook (flow_id);

-- What an account is to know.
CREATE TABLE notification (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  -- flow.paused
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  -- JSON.
  details TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  read_at BIGINT,
  -- Where it is sent, too, and when that is to be tried next. None: nowhere, or it was.
  webhook_url TEXT,
  webhook_due_at BIGINT,
  webhook_tries BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE INDEX notification_by_account ON notification (account_id, created_at);
CREATE INDEX notification_due ON notification (webhook_due_at) WHERE webhook_due_at IS NOT NULL;
