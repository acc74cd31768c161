-- When customers opened what they bought: said by the shop, once per serial.

CREATE TABLE reveals (
  serial_id    uuid        NOT NULL,
  merchant_id  uuid        NOT NULL,
  balance_id   bigint      NOT NULL,
  revealed_at  timestamptz NOT NULL,
  created_at   timestamptz NOT NULL,
  CONSTRAINT reveals_pkey PRIMARY KEY (serial_id),
  CONSTRAINT reveals_merchant_id_fkey FOREIGN KEY (merchant_id) REFERENCES merchants (merchant_id)
);
