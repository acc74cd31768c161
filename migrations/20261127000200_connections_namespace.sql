-- Whose order ids a connection's are. Those that are there go on as they were: under other ids the orders that
-- they delivered would be new ones.

SET LOCAL lock_timeout = '2s';

ALTER TABLE connections
  ADD COLUMN namespace text NOT NULL DEFAULT 'SHARED',
  ADD CONSTRAINT connections_namespace_check CHECK (namespace IN ('OWN', 'SHARED'));
