-- What a message is about: told to whoever has to hear that it did not arrive.
ALTER TABLE notifications.communication ADD COLUMN about_id uuid;
