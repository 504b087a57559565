CREATE TABLE memory_entity (
  -- Rises with time: the newest come first by it.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- Where it was made: an account's graph or a team's, which bear their ids.
  graph_id TEXT NOT NULL,
  creator_id TEXT NOT NULL REFERENCES account (id),
  -- Before what may be long: it is read of many at once.
  created_at BIGINT NOT NULL,
  -- Made by a clock that is behind another, or was set back: there is one of a later time with a smaller seq.
  is_late BIGINT NOT NULL,
  -- In lower case.
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  -- JSON object; status, priority, tags, due time and assignee are in it.
  metadata TEXT NOT NULL,
  -- Words made of its properties, so that what is looked for by them is found by the same index as the text.
  marks TEXT NOT NULL,
  updated_at BIGINT
);

-- Of those that are not late, which are nearly all, a later time is a larger seq.
CREATE INDEX memory_by_time ON memory_entity (is_late, created_at, seq);

-- What each account has made, in whichever graph, in bytes of names, content and metadata.
CREATE TABLE memory_use (
  account_id TEXT PRIMARY KEY,
  entities BIGINT NOT NULL,
  bytes BIGINT NOT NULL
) WITHOUT ROWID;

-- Where an entity is seen: its own graph, and those that it is shared with.
CREATE TABLE memory_placement (
  graph_id TEXT NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  seq BIGINT NOT NULL REFERENCES memory_entity (seq),
  -- None in its own graph.
  shared_by TEXT,
  shared_at BIGINT,
  reason TEXT,
  PRIMARY KEY (graph_id, type, seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX memory_placement_by_entity ON memory_placement (seq, graph_id);
CREATE INDEX memory_placement_by_graph ON memory_placement (graph_id, seq);
CREATE INDEX memory_placement_by_name ON memory_placement (graph_id, name, seq);
-- Few, compared to all: only these can be seen in several graphs of one account.
CREATE INDEX memory_placement_shared ON memory_placement (graph_id, shared_by, type, seq) WHERE shared_by IS NOT NULL;

-- How many a graph has: counting a million takes longer than all else.
CREATE TABLE memory_count (
  graph_id TEXT NOT NULL,
  type TEXT NOT NULL,
  entities BIGINT NOT NULL,
  PRIMARY KEY (graph_id, type)
) WITHOUT ROWID;

-- The text itself is in memory_entity, and not kept twice.
CREATE VIRTUAL TABLE memory_text USING fts5 (
  marks, name, content, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- What an entity is found by: its properties, and each graph as one word, its id without what separates words.
CREATE VIEW memory_found_by AS
  SELECT e.seq, e.name, e.content, e.marks || ' ' ||
    (SELECT group_concat('g' || replace(p.graph_id, '_', ''), ' ') FROM memory_placement p WHERE p.seq = e.seq) AS marks
  FROM memory_entity e;

-- Whatever follows from an entity and from where it is seen follows here, so that there is no moment at which a part of it is missing or
-- says something else.

CREATE TRIGGER memory_placed AFTER INSERT ON memory_placement BEGIN
  INSERT INTO memory_count (graph_id, type, entities) VALUES (new.graph_id, new.type, 1)
    ON CONFLICT (graph_id, type) DO UPDATE SET entities = entities + 1;
END;

-- In its own graph it is found from the start.
CREATE TRIGGER memory_shared AFTER INSERT ON memory_placement WHEN new.shared_by IS NOT NULL BEGIN
  DELETE FROM memory_text WHERE rowid = new.seq;
  INSERT INTO memory_text (rowid, marks, name, content) SELECT seq, marks, name, content FROM memory_found_by WHERE seq = new.seq;
END;

CREATE TRIGGER memory_displaced AFTER DELETE ON memory_placement BEGIN
  UPDATE memory_count SET entities = entities - 1 WHERE graph_id = old.graph_id AND type = old.type;
  DELETE FROM memory_count WHERE graph_id = old.graph_id AND type = old.type AND entities = 0;
  DELETE FROM memory_text WHERE rowid = old.seq;
  INSERT INTO memory_text (rowid, marks, name, content) SELECT seq, marks, name, content FROM memory_found_by WHERE seq = old.seq;
END;

CREATE TRIGGER memory_retyped AFTER UPDATE OF type ON memory_placement WHEN old.type <> new.type BEGIN
  UPDATE memory_count SET entities = entities - 1 WHERE graph_id = old.graph_id AND type = old.type;
  DELETE FROM memory_count WHERE graph_id = old.graph_id AND type = old.type AND entities = 0;
  INSERT INTO memory_count (graph_id, type, entities) VALUES (new.graph_id, new.type, 1)
    ON CONFLICT (graph_id, type) DO UPDATE SET entities = entities + 1;
END;

CREATE TRIGGER memory_made AFTER INSERT ON memory_entity BEGIN
  INSERT INTO memory_use (account_id, entities, bytes)
    VALUES (new.creator_id, 1, octet_length(new.name) + octet_length(new.content) + octet_length(new.metadata))
    ON CONFLICT (account_id) DO UPDATE SET entities = entities + 1, bytes = bytes + excluded.bytes;
  INSERT INTO memory_placement (graph_id, type, name, seq) VALUES (new.graph_id, new.type, new.name, new.seq);
  INSERT INTO memory_text (rowid, marks, name, content)
    VALUES (new.seq, new.marks || ' g' || replace(new.graph_id, '_', ''), new.name, new.content);
END;

CREATE TRIGGER memory_changed AFTER UPDATE ON memory_entity BEGIN
  UPDATE memory_use SET bytes = bytes
    + octet_length(new.name) + octet_length(new.content) + octet_length(new.metadata)
    - octet_length(old.name) - octet_length(old.content) - octet_length(old.metadata) WHERE account_id = new.creator_id;
  UPDATE memory_placement SET type = new.type, name = new.name WHERE seq = new.seq AND (type <> new.type OR name <> new.name);
  DELETE FROM memory_text WHERE rowid = new.seq;
  INSERT INTO memory_text (rowid, marks, name, content) SELECT seq, marks, name, content FROM memory_found_by WHERE seq = new.seq;
END;

-- Before, as a placement refers to its entity.
CREATE TRIGGER memory_deleted BEFORE DELETE ON memory_entity BEGIN
  DELETE FROM memory_placement WHERE seq = old.seq;
END;

CREATE TRIGGER memory_forgotten AFTER DELETE ON memory_entity BEGIN
  UPDATE memory_use SET entities = entities - 1,
    bytes = bytes - octet_length(old.name) - octet_length(old.content) - octet_length(old.metadata) WHERE account_id = old.creator_id;
  DELETE FROM memory_text WHERE rowid = old.seq;
END;
