-- OHLCV bars on a PostgreSQL without TimescaleDB: views under the names that the continuous aggregates have there.
-- Trades of the same time (some venues print whole seconds) are in the order of the log.

CREATE VIEW tick_1min AS
SELECT
  date_bin('1 minute', time, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS bucket,
  exchange,
  symbol,
  (array_agg(price ORDER BY time, log_offset))[1] AS open,
  max(price) AS high,
  min(price) AS low,
  (array_agg(price ORDER BY time DESC, log_offset DESC))[1] AS close,
  sum(volume) AS volume,
  count(*) AS tick_count
FROM tick_data
GROUP BY 1, 2, 3;

CREATE VIEW tick_5min AS
SELECT
  date_bin('5 minutes', time, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS bucket,
  exchange,
  symbol,
  (array_agg(price ORDER BY time, log_offset))[1] AS open,
  max(price) AS high,
  min(price) AS low,
  (array_agg(price ORDER BY time DESC, log_offset DESC))[1] AS close,
  sum(volume) AS volume,
  count(*) AS tick_count
FROM tick_data
GROUP BY 1, 2, 3;

CREATE VIEW tick_1hour AS
SELECT
  date_bin('1 hour', time, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS bucket,
  exchange,
  symbol,
  (array_agg(price ORDER BY time, log_offset))[1] AS open,
  max(price) AS high,
  min(price) AS low,
  (array_agg(price ORDER BY time DESC, log_offset DESC))[1] AS close,
  sum(volume) AS volume,
  count(*) AS tick_count
FROM tick_data
GROUP BY 1, 2, 3;

-- A view cannot hand a bound on its bucket down as a bound on time, so the bucket of one minute itself is indexed. The
-- longer ones have no index of their own: a symbol's bars of five minutes or an hour are made of all its trades.
CREATE INDEX tick_data_symbol_1min ON tick_data
  (symbol, date_bin('1 minute', time, TIMESTAMPTZ '2000-01-01 00:00:00+00'));
COMMENT ON VIEW tick_1min IS 'Bars of one minute: bucket is the beginning, UTC. Minutes without a trade have no bar.';
COMMENT ON VIEW tick_5min IS 'Bars of five minutes: bucket is the beginning, UTC. Stretches without a trade have no bar.';
COMMENT ON VIEW tick_1hour IS 'Bars of one hour: bucket is the beginning, UTC. Hours without a trade have no bar.';
