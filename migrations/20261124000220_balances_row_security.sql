-- The second wall reaches ledgers, fulfillments, claims and events: what hangs on a balance is seen with the
-- balance, so a reader of one relationship sees its own and no other's. Serials and uploads are the
-- merchant's; which of them a reseller reads is said by entries and claims. Lanes and everything that orders
-- wait for read as the tables' owner, whom no policy binds, so this costs them nothing.

SET LOCAL lock_timeout = '2s';

GRANT SELECT ON ledger_entries, serial_claims, serials, imports, refunded, refunds, replacements, reveals,
  event_feeds, event_spans TO consign_read;

ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE serial_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE serials ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunded ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE replacements ENABLE ROW LEVEL SECURITY;
ALTER TABLE reveals ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_feeds ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_spans ENABLE ROW LEVEL SECURITY;

-- Of the balances a reader sees those of its scope, so this is its scope too. Claims that are no order's have
-- no balance and are not seen: lists of shelves are read without this role.
CREATE POLICY ledger_entries_scope_policy ON ledger_entries FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = ledger_entries.balance_id));
CREATE POLICY serial_claims_scope_policy ON serial_claims FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = serial_claims.balance_id));
CREATE POLICY refunded_scope_policy ON refunded FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = refunded.balance_id));
CREATE POLICY refunds_scope_policy ON refunds FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = refunds.balance_id));
CREATE POLICY reveals_scope_policy ON reveals FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM balances AS b WHERE b.balance_id = reveals.balance_id));
CREATE POLICY replacements_scope_policy ON replacements FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY serials_scope_policy ON serials FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant());
CREATE POLICY imports_scope_policy ON imports FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant());
CREATE POLICY event_feeds_scope_policy ON event_feeds FOR SELECT TO consign_read
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()));
CREATE POLICY event_spans_scope_policy ON event_spans FOR SELECT TO consign_read
  USING (EXISTS (SELECT FROM event_feeds AS f WHERE f.feed_id = event_spans.feed_id));
