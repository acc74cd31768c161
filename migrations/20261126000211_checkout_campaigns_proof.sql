-- Proves the visits that there are against the constraints of their campaigns, without keeping new ones from being
-- written meanwhile.

SET LOCAL lock_timeout = '2s';

ALTER TABLE checkout_sessions
  VALIDATE CONSTRAINT checkout_sessions_campaign_id_fkey,
  VALIDATE CONSTRAINT checkout_sessions_campaign_check;
