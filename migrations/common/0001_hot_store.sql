-- The hot store: what the venues said, and how far the log has been stored.
-- Prices, volumes and rates are numeric without a scale: every digit the venue printed. Times are UTC, in microseconds.

CREATE TABLE log_position (
  sink text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  log_id text NOT NULL,
  next_offset bigint NOT NULL,
  last_hash text,
  PRIMARY KEY (sink, topic, partition)
);
COMMENT ON TABLE log_position IS 'How far each partition of the event log is stored. Moves in the transaction that stores the rows.';
COMMENT ON COLUMN log_position.log_id IS 'The log that the offset belongs to; another log needs another database.';
COMMENT ON COLUMN log_position.next_offset IS 'First offset that is not stored.';
COMMENT ON COLUMN log_position.last_hash IS 'SHA-256, hex, over time, key and value of the record before next_offset. NULL when there was none, or when next_offset follows a stretch that was gone.';

CREATE TABLE tick_data (
  time timestamptz NOT NULL,
  exchange text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  price numeric NOT NULL,
  volume numeric NOT NULL,
  change numeric,
  change_rate numeric,
  side text CHECK (side IN ('BUY', 'SELL')),
  trade_id text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL,
  log_partition integer NOT NULL,
  log_offset bigint NOT NULL
);
-- Venues repeat trades; this key absorbs them. TimescaleDB wants the time in every unique key.
CREATE UNIQUE INDEX tick_data_trade ON tick_data (trade_id, symbol, exchange, time);
CREATE INDEX tick_data_symbol_time ON tick_data (symbol, time DESC);
COMMENT ON TABLE tick_data IS 'One row a trade.';
COMMENT ON COLUMN tick_data.time IS 'When the trade was executed, by the venue''s clock.';
COMMENT ON COLUMN tick_data.exchange IS 'The venue''s name in lower case.';
COMMENT ON COLUMN tick_data.symbol IS 'The venue''s own code, upper case.';
COMMENT ON COLUMN tick_data.price IS 'Quote currency for one unit of base.';
COMMENT ON COLUMN tick_data.volume IS 'Base currency, or shares.';
COMMENT ON COLUMN tick_data.change IS 'Signed, against the previous close, in quote currency. NULL where the venue does not print it.';
COMMENT ON COLUMN tick_data.change_rate IS 'Signed ratio: 0.0191 is +1.91 %. NULL where the venue does not print it; never computed.';
COMMENT ON COLUMN tick_data.side IS 'The taker''s: BUY or SELL. NULL where the venue does not say.';
COMMENT ON COLUMN tick_data.trade_id IS 'The venue''s id of the trade, unique within exchange and symbol.';
COMMENT ON COLUMN tick_data.received_at IS 'When the frame was received, by our clock.';
COMMENT ON COLUMN tick_data.log_partition IS 'Where the trade stands in the log''s topic market.tick.';
COMMENT ON COLUMN tick_data.log_offset IS 'Where the trade stands in its partition.';

CREATE TABLE orderbook (
  time timestamptz NOT NULL,
  exchange text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  bids jsonb NOT NULL,
  asks jsonb NOT NULL,
  total_bid_quantity numeric,
  total_ask_quantity numeric,
  received_at timestamptz NOT NULL,
  log_partition integer NOT NULL,
  log_offset bigint NOT NULL
);
CREATE INDEX orderbook_symbol_time ON orderbook (symbol, time DESC);
COMMENT ON TABLE orderbook IS 'One row a book window; each replaces the one before, none is a difference.';
COMMENT ON COLUMN orderbook.time IS 'When the book took this shape, by the venue''s clock.';
COMMENT ON COLUMN orderbook.bids IS 'Levels {"price": "…", "quantity": "…"}, decimal texts, best (highest price) first.';
COMMENT ON COLUMN orderbook.asks IS 'Levels {"price": "…", "quantity": "…"}, decimal texts, best (lowest price) first.';
COMMENT ON COLUMN orderbook.total_bid_quantity IS 'As the venue printed it, over its whole book; NULL where it does not.';
COMMENT ON COLUMN orderbook.total_ask_quantity IS 'As the venue printed it, over its whole book; NULL where it does not.';
COMMENT ON COLUMN orderbook.received_at IS 'When the frame was received, by our clock.';
COMMENT ON COLUMN orderbook.log_partition IS 'Where the book stands in the log''s topic market.orderbook.';
COMMENT ON COLUMN orderbook.log_offset IS 'Where the book stands in its partition.';

CREATE TABLE market_gap (
  exchange text COLLATE "C" NOT NULL,
  symbol text COLLATE "C" NOT NULL,
  channel text CHECK (channel IN ('tick', 'orderbook')),
  from_time timestamptz,
  to_time timestamptz NOT NULL,
  cause text,
  missed numeric(20) NOT NULL,
  missed_volume numeric,
  detail text NOT NULL,
  log_topic text NOT NULL,
  log_partition integer NOT NULL,
  log_offset bigint
);
CREATE INDEX market_gap_symbol_time ON market_gap (symbol, to_time DESC);
COMMENT ON TABLE market_gap IS 'Stretches in which something is missing, so that "nothing traded" and "we were not listening" differ.';
COMMENT ON COLUMN market_gap.symbol IS 'Empty when it could not be read, and for RETENTION.';
COMMENT ON COLUMN market_gap.channel IS 'tick or orderbook; NULL when it could not be read.';
COMMENT ON COLUMN market_gap.from_time IS 'Our clock: the last frame before the loss. NULL when nothing is known of the time before.';
COMMENT ON COLUMN market_gap.to_time IS 'Our clock: the first frame after the loss.';
COMMENT ON COLUMN market_gap.cause IS 'RECONNECT, SEQUENCE, BUFFER, UNDECODABLE, STALE or RETENTION; NULL for one that only a newer version knows.';
COMMENT ON COLUMN market_gap.missed IS 'Records lost; 0 when unknown.';
COMMENT ON COLUMN market_gap.missed_volume IS 'Base currency, or shares; NULL when unknown.';
COMMENT ON COLUMN market_gap.log_topic IS 'The log''s topic that the Gap stands in; for RETENTION the one whose records are gone.';
COMMENT ON COLUMN market_gap.log_offset IS 'NULL for RETENTION: the hot sink makes that Gap itself.';
