export { decodeEvent } from './decode.js';
export { encodeEvent } from './encode.js';
export { EVENT_SCHEMAS, EVENT_TOPICS, kindOfTopic, PROTOBUF_CONTENT_TYPE } from './topics.js';
