export { kafkaUnavailable } from './kafka/artifacts.js';
export { fetchKafka } from './kafka/fetch.js';
export type { KafkaNode } from './kafka/node.js';
export { startKafka, type KafkaCluster, type KafkaOptions } from './kafka/start.js';
export { fetchRedis, redisUnavailable } from './redis/programs.js';
export { startRedis, type RedisOptions, type RedisServer } from './redis/start.js';
export { fetchVersitygw, versitygwUnavailable } from './s3/programs.js';
export { startS3, type S3Options, type S3Server } from './s3/start.js';
