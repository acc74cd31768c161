-- no-transaction
-- A refund of an invoice takes from each of its sales under the same reference.
CREATE UNIQUE INDEX CONCURRENTLY sale_refunds_reference_place_key
  ON sale_refunds (merchant_id, reference, place);
