-- A visit that began in the widget of a campaign: it is the campaign's, whatever link the customer follows meanwhile,
-- and sells what the campaign sells at the moment of the customer's yes.

SET LOCAL lock_timeout = '2s';

ALTER TABLE checkout_sessions
  ADD COLUMN campaign_id uuid,
  ADD CONSTRAINT checkout_sessions_campaign_id_fkey
    FOREIGN KEY (campaign_id) REFERENCES embed_campaigns (campaign_id) NOT VALID,
  ADD CONSTRAINT checkout_sessions_campaign_check
    CHECK (campaign_id IS NULL OR (link_id IS NOT NULL AND link_id = campaign_id)) NOT VALID;
