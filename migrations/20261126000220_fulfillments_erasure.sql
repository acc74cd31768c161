-- Up to which batch of each lane the addresses of customers were erased.

CREATE TABLE erasure_cursors (
  lane  smallint NOT NULL,
  seq   bigint   NOT NULL,
  CONSTRAINT erasure_cursors_pkey PRIMARY KEY (lane)
);
