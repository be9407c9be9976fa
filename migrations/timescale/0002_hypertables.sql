-- Ticks and books as hypertables: a chunk for each stretch of time, the older ones stored by column.
-- A chunk's indexes should fit in memory while it is written. At 300 trades/s a day of them is 26 million rows with about
-- 4 GB of indexes; at 500 books/s six hours are 11 million rows with 0.5 GB of index beside 20 GB of levels.
-- Gaps and positions stay plain tables: they are few, and a Gap explains bars that outlive their trades.

SELECT create_hypertable('tick_data', by_range('time', INTERVAL '1 day'), create_default_indexes => false);
SELECT create_hypertable('orderbook', by_range('time', INTERVAL '6 hours'), create_default_indexes => false);

-- The refresh of the minute bars reads the trades of all symbols in a few minutes. Nothing reads books that way.
CREATE INDEX tick_data_time ON tick_data (time DESC);

-- By symbol and time, as every query asks. The unique key of ticks holds there too: a late trade is compared with the
-- rows of its symbol around its time, which alone are unpacked for it.
ALTER TABLE tick_data SET (
  timescaledb.enable_columnstore,
  timescaledb.segmentby = 'exchange, symbol',
  timescaledb.orderby = 'time DESC, log_offset DESC'
);
ALTER TABLE orderbook SET (
  timescaledb.enable_columnstore,
  timescaledb.segmentby = 'exchange, symbol',
  timescaledb.orderby = 'time DESC, log_offset DESC'
);

-- Trades come late (an outage that is caught up, a backfill of some days) and are cheaper to take in before. Books take
-- most of the disk, and no one sends them again.
CALL add_columnstore_policy('tick_data', after => INTERVAL '7 days');
CALL add_columnstore_policy('orderbook', after => INTERVAL '1 day');
