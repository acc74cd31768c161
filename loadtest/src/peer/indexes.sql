-- Built after the serials are loaded, as after any large import.
ALTER TABLE serials ADD PRIMARY KEY (serial_id);
CREATE INDEX serials_free_idx ON serials (product_id, serial_id) WHERE fulfillment_id IS NULL;
CREATE INDEX serials_fulfillment_id_idx ON serials (fulfillment_id) WHERE fulfillment_id IS NOT NULL;
