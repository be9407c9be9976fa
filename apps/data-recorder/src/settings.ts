import { defineSettings, serviceGroup, serviceSettings, type ServiceSettings, type SettingsOf } from '@aipx/service';
import { KAFKA_OF_OTHER_APPS, kafkaGroup, kafkaSettings, type KafkaSettings } from './settings/kafka.js';
import { lakeGroup, lakeSettings, s3Group, type LakeSettings, type LakeTarget } from './settings/lake.js';
import { recorderGroup, recorderRules, recorderSettings, type RecorderSettings } from './settings/recorder.js';
import {
  timescaledbGroup,
  timescaledbRules,
  timescaledbSettings,
  type TimescaledbSettings,
} from './settings/timescaledb.js';

export type { KafkaSettings, LakeSettings, LakeTarget, RecorderSettings, TimescaledbSettings };

const APP = 'data-recorder';

/** Every setting of this app, and the tree of its YAML file. */
export const recorderSchema = defineSettings({
  app: APP,
  tree: {
    service: serviceGroup(APP, { shutdownGrace: '30s' }),
    kafka: kafkaGroup,
    timescaledb: timescaledbGroup,
    s3: s3Group,
    lake: lakeGroup,
    recorder: recorderGroup,
  },
  rules: [...timescaledbRules, ...recorderRules],
  otherApps: { kafka: KAFKA_OF_OTHER_APPS },
});

/** What the composition root puts the service together from. */
export interface DataRecorderSettings {
  readonly service: ServiceSettings;
  /** Port of health and metrics; 0 takes any free one. */
  readonly http: { readonly port: number };
  readonly kafka: KafkaSettings;
  readonly timescaledb: TimescaledbSettings;
  readonly lake: LakeSettings;
  readonly recorder: RecorderSettings;
}

export function dataRecorderSettings(values: SettingsOf<typeof recorderSchema.tree>): DataRecorderSettings {
  const { service, kafka, timescaledb } = values;
  return {
    service: serviceSettings(service),
    http: { port: service.httpPort },
    kafka: kafkaSettings(kafka),
    timescaledb: timescaledbSettings(timescaledb),
    lake: lakeSettings(values),
    recorder: recorderSettings(values),
  };
}
