-- Replacements of delivered serials. What is decided is stored here first; then it is carried out under
-- the replacement's own id: a successor is withdrawn, or the unit price refunded. One that a crash cut
-- off is carried out later, and never twice.

CREATE TABLE replacements (
  replacement_id    uuid        NOT NULL,
  merchant_id       uuid        NOT NULL,
  relationship_id   uuid        NOT NULL,
  balance_id        bigint      NOT NULL,
  test              boolean     NOT NULL,
  entry_id          uuid        NOT NULL,
  order_id          text        NOT NULL,
  serial_id         uuid        NOT NULL,
  product_id        uuid        NOT NULL,
  variant_id        uuid,
  unit_price        bigint      NOT NULL,
  reason            text        NOT NULL,
  note              text,
  status            text        NOT NULL,
  decided_by        text,
  decision_note     text,
  successor_id      uuid,
  attempted_at      timestamptz NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  CONSTRAINT replacements_pkey PRIMARY KEY (replacement_id),
  CONSTRAINT replacements_relationship_id_fkey FOREIGN KEY (relationship_id)
    REFERENCES relationships (relationship_id),
  CONSTRAINT replacements_unit_price_check CHECK (unit_price >= 0),
  CONSTRAINT replacements_status_check CHECK (
    status IN ('REQUESTED', 'ISSUING', 'CREDITING', 'ISSUED', 'CREDITED', 'REJECTED')
  ),
  CONSTRAINT replacements_successor_id_check CHECK ((status = 'ISSUED') = (successor_id IS NOT NULL))
);
-- A serial is replaced or credited once.
CREATE UNIQUE INDEX replacements_serial_id_key ON replacements (serial_id) WHERE status <> 'REJECTED';
CREATE UNIQUE INDEX replacements_successor_id_key ON replacements (successor_id);
CREATE INDEX replacements_merchant_id_replacement_id_idx
  ON replacements (merchant_id, replacement_id);
CREATE INDEX replacements_relationship_id_created_at_idx
  ON replacements (relationship_id, created_at);
CREATE INDEX replacements_waiting_idx ON replacements (attempted_at)
  WHERE status IN ('ISSUING', 'CREDITING');
