-- no-transaction
-- Finds what went to an address out of an inventory, of all resellers of a merchant.
CREATE INDEX CONCURRENTLY inventory_items_merchant_id_email_digest_idx
  ON inventory_items (merchant_id, email_digest) WHERE email_digest IS NOT NULL;
