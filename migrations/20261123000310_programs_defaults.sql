-- What a program sets for all its relationships, beside what an order is judged by. The bounds of a
-- top-up depend on the currency, so an installation's defaults are the program's, not the column's.

SET LOCAL lock_timeout = '2s';

ALTER TABLE programs
  ADD COLUMN default_mode             text        NOT NULL DEFAULT 'AFFILIATE',
  ADD COLUMN commission_percent       integer,             -- hundredths of a percent
  ADD COLUMN min_payout               bigint,
  ADD COLUMN require_verification     boolean     NOT NULL DEFAULT false,
  ADD COLUMN terms_url                text,
  ADD COLUMN attribution_window_days  integer     NOT NULL DEFAULT 30,
  ADD COLUMN commission_hold_days     integer     NOT NULL DEFAULT 7,
  ADD COLUMN allow_self_purchase      boolean     NOT NULL DEFAULT false,
  ADD COLUMN stock_approval           text        NOT NULL DEFAULT 'MANUAL',
  ADD COLUMN auto_allocate            boolean     NOT NULL DEFAULT true,
  ADD COLUMN payout_assets            jsonb       NOT NULL DEFAULT '[]',
  ADD COLUMN min_top_up               bigint,
  ADD COLUMN max_top_up               bigint,
  ADD COLUMN replacement_hours        integer     NOT NULL DEFAULT 72,
  ADD COLUMN replacement_automatic    boolean     NOT NULL DEFAULT false,
  ADD COLUMN replacement_percent_max  integer     NOT NULL DEFAULT 1000,
  ADD COLUMN customer_mail            text        NOT NULL DEFAULT 'LINK',
  ADD COLUMN redirect_hosts           text[]      NOT NULL DEFAULT '{}',
  ADD COLUMN created_at               timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN updated_at               timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT programs_default_mode_check
    CHECK (default_mode IN ('AFFILIATE', 'STOCK', 'AUTO_FULFILLED', 'BOTH')),
  ADD CONSTRAINT programs_commission_percent_check CHECK (commission_percent BETWEEN 0 AND 10000),
  ADD CONSTRAINT programs_min_payout_check CHECK (min_payout BETWEEN 0 AND 999999999999),
  ADD CONSTRAINT programs_attribution_window_days_check CHECK (attribution_window_days BETWEEN 1 AND 90),
  ADD CONSTRAINT programs_commission_hold_days_check CHECK (commission_hold_days BETWEEN 0 AND 90),
  ADD CONSTRAINT programs_stock_approval_check CHECK (stock_approval IN ('AUTO', 'MANUAL')),
  ADD CONSTRAINT programs_top_up_check CHECK (min_top_up >= 1 AND min_top_up <= max_top_up),
  ADD CONSTRAINT programs_replacement_hours_check CHECK (replacement_hours BETWEEN 1 AND 720),
  ADD CONSTRAINT programs_replacement_percent_max_check
    CHECK (replacement_percent_max BETWEEN 0 AND 10000),
  ADD CONSTRAINT programs_customer_mail_check CHECK (customer_mail IN ('LINK', 'INLINE'));
