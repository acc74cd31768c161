-- Embed campaigns: what a reseller sells inside other pages. A snippet names the row and the version of its
-- token, and the row alone decides whose sale it is and what is sold. What a campaign brings is attributed as
-- what a link brings: by a row of `links` with the campaign's id, which nobody follows by a code.

SET LOCAL lock_timeout = '2s';

ALTER TABLE links
  ADD COLUMN kind text NOT NULL DEFAULT 'LINK',
  DROP CONSTRAINT links_code_check,
  ADD CONSTRAINT links_kind_check CHECK (kind IN ('LINK', 'CAMPAIGN')) NOT VALID,
  ADD CONSTRAINT links_code_check
    CHECK ((code IS NULL) = (kind = 'CAMPAIGN' OR link_id = relationship_id)) NOT VALID;
ALTER TABLE links
  VALIDATE CONSTRAINT links_kind_check,
  VALIDATE CONSTRAINT links_code_check;

CREATE TABLE embed_campaigns (
  campaign_id      uuid        NOT NULL,
  merchant_id      uuid        NOT NULL,
  relationship_id  uuid        NOT NULL,
  name             text        NOT NULL,
  status           text        NOT NULL,
  product_ids      uuid[]      NOT NULL,
  variant_ids      uuid[]      NOT NULL,           -- neither: all that the relationship covers
  origins          text[]      NOT NULL,           -- none: any page by https
  token_version    integer     NOT NULL,
  views            bigint      NOT NULL DEFAULT 0,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  CONSTRAINT embed_campaigns_pkey PRIMARY KEY (campaign_id),
  CONSTRAINT embed_campaigns_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES links (link_id),
  CONSTRAINT embed_campaigns_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT embed_campaigns_status_check CHECK (status IN ('ACTIVE', 'PAUSED', 'REVOKED')),
  CONSTRAINT embed_campaigns_token_version_check CHECK (token_version >= 1),
  CONSTRAINT embed_campaigns_views_check CHECK (views >= 0)
);
CREATE INDEX embed_campaigns_relationship_id_campaign_id_idx
  ON embed_campaigns (relationship_id, campaign_id);

GRANT SELECT ON embed_campaigns TO consign_read;
ALTER TABLE embed_campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY embed_campaigns_scope_policy ON embed_campaigns FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
