-- How many runs of a script are in the history, by how they ended. To count a million of them takes longer than whoever looks at the newest
-- waits. Those that have not ended are few.
CREATE TABLE ended_count (
  script_id TEXT NOT NULL,
  -- completed, failed, timeout
  status TEXT NOT NULL,
  runs BIGINT NOT NULL,
  PRIMARY KEY (script_id, status)
) WITHOUT ROWID;

INSERT INTO ended_count (script_id, status, runs)
  SELECT script_id, status, COUNT(*) FROM execution WHERE ended_at IS NOT NULL AND script_id IS NOT NULL GROUP BY script_id, status;

CREATE TRIGGER execution_counted AFTER UPDATE OF ended_at ON execution
WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL AND NEW.script_id IS NOT NULL BEGIN
  INSERT INTO ended_count (script_id, status, runs) VALUES (NEW.script_id, NEW.status, 1)
    ON CONFLICT (script_id, status) DO UPDATE SET runs = runs + 1;
END;

CREATE TRIGGER execution_forgotten AFTER DELETE ON execution WHEN OLD.ended_at IS NOT NULL AND OLD.script_id IS NOT NULL BEGIN
  UPDATE ended_count SET runs = runs - 1 WHERE script_id = OLD.script_id AND status = OLD.status;
  DELETE FROM ended_count WHERE script_id = OLD.script_id AND status = OLD.status AND runs <= 0;
END;

-- A run that is begun or ended is where it was. Failures are few, and looked for.
DROP INDEX execution_by_script;
CREATE INDEX execution_by_script ON execution (script_id, created_at);
CREATE INDEX execution_failed ON execution (script_id, created_at) WHERE status IN ('failed', 'timeout');
CREATE INDEX execution_open ON execution (script_id) WHERE ended_at IS NULL;
