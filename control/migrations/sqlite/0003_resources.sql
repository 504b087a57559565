CREATE TABLE resource (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  -- The name as handlers write it: letters and digits, in lower case.
  slug TEXT NOT NULL,
  description TEXT NOT NULL,
  type TEXT NOT NULL,
  category TEXT NOT NULL,
  -- JSON array of texts.
  tags TEXT NOT NULL,
  -- draft, published, unpublished
  status TEXT NOT NULL,
  -- JSON: what the resource does, how it is reached and what it costs.
  definition TEXT NOT NULL,
  -- Its OpenAPI document as it was given. None: a script.
  document TEXT,
  -- Rises with each change of the two above, so that what was made of them is known to be stale.
  revision BIGINT NOT NULL,
  -- Comes with the server: which version of it. None: somebody has made it.
  catalog_hash TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  published_at BIGINT
);

CREATE INDEX resource_by_owner ON resource (owner_id, created_at);
CREATE INDEX resource_by_status ON resource (status, category, published_at);

CREATE TABLE installation (
  id TEXT PRIMARY KEY,
  resource_id TEXT NOT NULL REFERENCES resource (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  -- The resource's when it was installed: handlers that call it by name go on doing so.
  slug TEXT NOT NULL,
  -- Of tiered pricing.
  tier TEXT,
  -- JSON: the prices as they were when it was installed.
  agreed TEXT NOT NULL,
  -- Another server that speaks the same, such as one of the account's own.
  base_url TEXT,
  -- Rises with each change of the credentials.
  credentials_revision BIGINT NOT NULL DEFAULT 0,
  is_authenticated BIGINT NOT NULL DEFAULT 0,
  -- What is paid by the month: when the current one began, and calls since then.
  period_started_at BIGINT NOT NULL,
  period_calls BIGINT NOT NULL DEFAULT 0,
  calls BIGINT NOT NULL DEFAULT 0,
  cost_picodollars BIGINT NOT NULL DEFAULT 0,
  last_used_at BIGINT,
  installed_at BIGINT NOT NULL,
  -- None: it is there. What was used and paid stays known.
  removed_at BIGINT
);

CREATE UNIQUE INDEX installation_by_resource ON installation (account_id, resource_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX installation_by_slug ON installation (account_id, slug) WHERE removed_at IS NULL;
CREATE INDEX installation_of_resource ON installation (resource_id);

-- Encrypted, bound to the row that they are in.
CREATE TABLE credential (
  -- An installation, or a resource, whose creator keeps the secret of an OAuth client.
  holder_id TEXT PRIMARY KEY,
  -- Which key it is encrypted with.
  key_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  updated_at BIGINT NOT NULL
);

-- The key that credentials are encrypted with: not the key itself, but enough to know it by.
CREATE TABLE secret_key (
  id TEXT PRIMARY KEY,
  used_since BIGINT NOT NULL
);

-- A browser that was sent to log in, and has not come back yet.
CREATE TABLE authorization_request (
  -- Of the state that it comes back with.
  state_hash TEXT PRIMARY KEY,
  installation_id TEXT NOT NULL REFERENCES installation (id),
  redirect_url TEXT NOT NULL,
  key_id TEXT NOT NULL,
  -- The verifier of PKCE, encrypted.
  sealed BLOB NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE resource_call (
  -- Rises with time.
  seq INTEGER PRIMARY KEY,
  -- Looked up by the installation and the time as well: an index of its own would be written with each call.
  id TEXT NOT NULL,
  installation_id TEXT NOT NULL REFERENCES installation (id),
  method TEXT NOT NULL,
  at BIGINT NOT NULL,
  cost_picodollars BIGINT NOT NULL,
  -- When the month began that it is in, and what each month costs that has begun since the last call.
  period_started_at BIGINT NOT NULL,
  monthly_picodollars BIGINT NOT NULL,
  -- None: it has not ended, or the process did before it had.
  duration_ms BIGINT,
  is_success BIGINT
);

CREATE INDEX resource_call_by_installation ON resource_call (installation_id, at);

-- A call is one statement, so that what it costs is in the store with it. Months are paid by what is there: however many processes count
-- calls, each is paid once. 4 million dollars are more than any installation costs; what is beyond is not counted, rather than wrongly.
CREATE TRIGGER resource_call_made AFTER INSERT ON resource_call BEGIN
  UPDATE installation SET
    calls = calls + 1,
    last_used_at = NEW.at,
    cost_picodollars = MIN(4000000000000000000, cost_picodollars + NEW.cost_picodollars
      + NEW.monthly_picodollars * (MAX(0, NEW.period_started_at - period_started_at) / 2592000000)),
    period_calls = CASE WHEN NEW.period_started_at > period_started_at THEN 1 ELSE period_calls + 1 END,
    period_started_at = MAX(period_started_at, NEW.period_started_at)
  WHERE id = NEW.installation_id;
END;

CREATE TABLE review (
  resource_id TEXT NOT NULL REFERENCES resource (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  rating BIGINT NOT NULL,
  comment TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (resource_id, account_id)
);
