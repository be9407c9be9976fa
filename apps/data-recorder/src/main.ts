import { runService } from '@aipx/service';
import { RecorderService } from './service.js';
import { dataRecorderSettings, recorderSchema } from './settings.js';

process.exitCode = await runService(
  {
    schema: recorderSchema,
    description: 'Records market data from Kafka to TimescaleDB and to Parquet on S3, each record once.',
    settingsOf: dataRecorderSettings,
    compose: (settings, { logger }) => new RecorderService(settings, logger),
  },
  process.argv.slice(2),
);
