export { createWallClock, wallClock, type Clock } from './clock.js';
export { WebSocketConnection, type ConnectionEvents } from './connection.js';
export { openWebSocket, type OpenWebSocketOptions } from './open-websocket.js';
export {
  checkReconnectPolicy,
  checkWebSocketOptions,
  shownUrl,
  type KeepAlive,
  type ReconnectPolicy,
  type WebSocketOptions,
} from './options.js';
export { ReconnectingWebSocket, type ReconnectingWebSocketOptions } from './reconnecting-websocket.js';
export { TRANSITIONS, type ConnectionState, type ConnectionTrigger, type StateChange } from './states.js';
