-- OHLCV bars as continuous aggregates: minutes from trades, the longer ones from the minutes, which are at most 60 rows an
-- hour and symbol however much was traded. All are real-time: what no refresh has covered yet is computed by the query.
-- Trades of the same time (some venues print whole seconds) are in the order of the log. Not with first() and last(): they
-- order by one value, and a row of two cannot leave a parallel worker.

CREATE MATERIALIZED VIEW tick_1min
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT
  time_bucket('1 minute', time) AS bucket,
  exchange,
  symbol,
  (array_agg(price ORDER BY time, log_offset))[1] AS open,
  max(price) AS high,
  min(price) AS low,
  (array_agg(price ORDER BY time, log_offset))[count(*)::integer] AS close,
  sum(volume) AS volume,
  count(*) AS tick_count
FROM tick_data
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW tick_5min
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT
  time_bucket('5 minutes', bucket) AS bucket,
  exchange,
  symbol,
  first(open, bucket) AS open,
  max(high) AS high,
  min(low) AS low,
  last(close, bucket) AS close,
  sum(volume) AS volume,
  sum(tick_count)::bigint AS tick_count
FROM tick_1min
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE MATERIALIZED VIEW tick_1hour
WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT
  time_bucket('1 hour', bucket) AS bucket,
  exchange,
  symbol,
  first(open, bucket) AS open,
  max(high) AS high,
  min(low) AS low,
  last(close, bucket) AS close,
  sum(volume) AS volume,
  sum(tick_count)::bigint AS tick_count
FROM tick_1min
GROUP BY 1, 2, 3
WITH NO DATA;

CREATE INDEX tick_1min_symbol_bucket ON tick_1min (symbol, bucket DESC);
CREATE INDEX tick_5min_symbol_bucket ON tick_5min (symbol, bucket DESC);
CREATE INDEX tick_1hour_symbol_bucket ON tick_1hour (symbol, bucket DESC);
COMMENT ON VIEW tick_1min IS 'Bars of one minute: bucket is the beginning, UTC. Minutes without a trade have no bar.';
COMMENT ON VIEW tick_5min IS 'Bars of five minutes: bucket is the beginning, UTC. Stretches without a trade have no bar.';
COMMENT ON VIEW tick_1hour IS 'Bars of one hour: bucket is the beginning, UTC. Hours without a trade have no bar.';

-- From the first trade on, so that however late a trade comes, and be it a replay of years ago, the next run puts it into
-- its bar: a run recomputes only what has changed. The retention setting narrows the window (see docs/queries.md).
-- A batch is a day of minutes, a week of five minutes, a month of hours, and a run makes as many as there are: with the
-- default size, a week of 20 symbols took 117 s to catch up with instead of 2.4 s.
SELECT add_continuous_aggregate_policy('tick_1min', start_offset => NULL, end_offset => INTERVAL '1 minute',
  schedule_interval => INTERVAL '1 minute', buckets_per_batch => 1440, max_batches_per_execution => 0);
SELECT add_continuous_aggregate_policy('tick_5min', start_offset => NULL, end_offset => INTERVAL '5 minutes',
  schedule_interval => INTERVAL '5 minutes', buckets_per_batch => 2016, max_batches_per_execution => 0);
SELECT add_continuous_aggregate_policy('tick_1hour', start_offset => NULL, end_offset => INTERVAL '1 hour',
  schedule_interval => INTERVAL '15 minutes', buckets_per_batch => 720, max_batches_per_execution => 0);
