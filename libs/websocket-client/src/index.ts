export { Backoff } from './backoff.js';
export { createWallClock, wallClock, type Clock } from './clock.js';
export type { ConnectGate, ConnectTurn } from './connect-gate.js';
export { ConnectLimiter } from './connect-limiter.js';
export { WebSocketConnection, type ConnectionEvents } from './connection.js';
export { checkDuration, checkKeepAlive, checkReconnectPolicy, shownUrl, type WebSocketOptions } from './options.js';
export { ReconnectingWebSocket, type ReconnectingWebSocketOptions } from './reconnecting-websocket.js';
export { TRANSITIONS, type ConnectionState, type ConnectionTrigger, type StateChange } from './states.js';
export { SilenceWatchdog } from './watchdog.js';
