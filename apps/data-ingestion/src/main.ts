import '@aipx/service/small-heap';
import { runService } from '@aipx/service';
import { IngestionService } from './service.js';
import { ingestionSchema, ingestionSettings } from './settings.js';

process.exitCode = await runService(
  {
    schema: ingestionSchema,
    description: 'Takes live market data from venue sockets to Kafka.',
    settingsOf: ingestionSettings,
    compose: (settings, log) => new IngestionService(settings, log),
  },
  process.argv.slice(2),
);
