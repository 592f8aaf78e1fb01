-- When somebody who waits was told that their turn is soon.
ALTER TABLE flow.queue_entry ADD COLUMN soon_at timestamptz;
