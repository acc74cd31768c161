-- Purchases whose payments a provider tells of: their invoices are rows of `invoices`, under the purchase's own id,
-- beside the purchase. What of a price is there is stored with the purchase (`paid`), where it may be less than all.
-- What arrived for them is in no balance, so its rows name no relationship: whose they are says the invoice.

SET LOCAL lock_timeout = '2s';

ALTER TABLE stock_requests
  ADD COLUMN paid bigint,
  ADD CONSTRAINT stock_requests_paid_check CHECK (paid BETWEEN 0 AND 999999999999) NOT VALID;

ALTER TABLE invoices
  DROP CONSTRAINT invoices_purpose_check,
  ADD CONSTRAINT invoices_purpose_check
    CHECK (purpose IN ('TOP_UP', 'CHECKOUT', 'STOCK_REQUEST')) NOT VALID;

ALTER POLICY payments_scope_policy ON payments
  USING (merchant_id = scoped_merchant()
    AND (scoped_relationship() IS NULL OR relationship_id = scoped_relationship()
      OR EXISTS (SELECT FROM invoices AS i WHERE i.invoice_id = payments.invoice_id
           AND i.purpose = 'STOCK_REQUEST' AND i.relationship_id = scoped_relationship())));
